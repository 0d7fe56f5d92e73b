"""The widget for those who read other languages, use a keyboard, hear the page, or hold a telephone."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, Page, expect

from tests.web.conftest import PATIENCE_MS
from tests.web.fake_rondo import FakeRondo
from tests.web.host_page import Website, WidgetOnPage
from tests.web.test_widget import until

PHONE = {"width": 360, "height": 640}
DESK = {"width": 1280, "height": 800}
ARABIC = "مرحبًا! هل يمكنني المساعدة؟ See https://example.com/عربي"
Step = Callable[[WidgetOnPage, FakeRondo], Awaitable[None]]


async def _start(widget: WidgetOnPage, _: FakeRondo) -> None:
    await widget.page.get_by_role("button").first.click()
    await expect(widget.panel.get_by_role("textbox").first).to_be_visible()


async def _wait(widget: WidgetOnPage, rondo: FakeRondo) -> None:
    await _start(widget, rondo)
    await widget.panel.get_by_role("textbox").last.fill("Do the lamps come with a bulb?")
    await widget.panel.locator("[type=submit]").click()
    await expect(widget.panel.locator(".waiting")).to_be_visible()
    rondo.queue(3, 240)
    await expect(widget.panel.get_by_text("3")).to_be_visible()


async def _talk(widget: WidgetOnPage, rondo: FakeRondo) -> None:
    await _wait(widget, rondo)
    rondo.accept()
    rondo.say("Hello! They do: a warm one, 2,700 kelvin. See https://example.com/bulbs")
    rondo.say(ARABIC)
    await expect(widget.log.get_by_text("kelvin")).to_be_visible()
    await widget.panel.get_by_role("textbox").fill("Lovely, thank you.\nAnd the cable?")
    await widget.panel.get_by_role("textbox").press("Enter")
    await expect(widget.log.locator(".mine .bubble")).to_have_count(1)
    rondo.tell("messages.read", {"reader": {"type": "agent", "id": "ada"}, "message_id": "msg_3"})
    rondo.tell("typing", {"author": {"type": "agent"}})
    await expect(widget.panel.locator(".dots")).to_be_visible()


async def _menu(widget: WidgetOnPage, rondo: FakeRondo) -> None:
    await _talk(widget, rondo)
    await widget.panel.locator("header button").first.click()
    await expect(widget.panel.locator(".menu")).to_be_visible()


async def _end(widget: WidgetOnPage, rondo: FakeRondo) -> None:
    await _talk(widget, rondo)
    rondo.end()
    await widget.panel.locator(".star").nth(3).click()
    await expect(widget.panel.locator(".rating textarea")).to_be_visible()


async def _fallback(widget: WidgetOnPage, rondo: FakeRondo) -> None:
    await _wait(widget, rondo)
    rondo.fall_back(
        "<p>We have gone home for today. <b>We answer from 9 to 17.</b></p>", offer_meeting=True
    )
    await expect(widget.panel.locator(".farewell")).to_be_visible()


async def _error(widget: WidgetOnPage, rondo: FakeRondo) -> None:
    await _start(widget, rondo)
    rondo.refuse("/conversations", 503, "unavailable", retry_after="2")
    await widget.panel.locator("[type=submit]").click()
    await expect(widget.panel.get_by_role("alert")).to_be_visible()


STEPS: dict[str, Step] = {
    "start": _start,
    "wait": _wait,
    "talk": _talk,
    "menu": _menu,
    "end": _end,
    "fallback": _fallback,
    "error": _error,
}
SETTINGS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": PHONE},
    "desk": {"viewport": DESK},
    "phone-dark": {"viewport": PHONE, "color_scheme": "dark"},
    "desk-dark-sv": {"viewport": DESK, "color_scheme": "dark", "lang": "sv"},
    "phone-ar": {"viewport": PHONE, "lang": "ar", "direction": "rtl"},
}


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("step", STEPS)
async def test_every_screen_is_accessible_and_fits(
    browser: Browser, rondo: FakeRondo, website: Website, axe: str, setting: str, step: str
) -> None:
    wanted = dict(SETTINGS[setting])
    website.pages.lang = wanted.pop("lang", "en")
    website.pages.direction = wanted.pop("direction", "ltr")
    rondo.config = {"ratings": True, "required": ["email"], "fields": ["first_name", "email"]}
    if step != "start":
        rondo.config["required"] = []
    context = await browser.new_context(**wanted, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    await page.goto(website.url)
    await STEPS[step](WidgetOnPage(page), rondo)
    await _keep_picture(page, f"{step}-{setting}")
    assert await _violations(page, axe) == []
    assert await page.evaluate(_OVERFLOWING) == []
    await context.close()


_OVERFLOWING = """() => {
    const root = document.querySelector('rondo-chat').shadowRoot;
    return [...root.querySelectorAll('.panel, .panel *:not(.unseen)')].filter(element => {
        const box = element.getBoundingClientRect();
        return box.width > 0 && (box.left < -1 || box.right > innerWidth + 1);
    }).map(element => element.outerHTML.slice(0, 80));
}"""


async def _violations(page: Page, axe: str) -> list[str]:
    await page.evaluate(axe)
    found = await page.evaluate("axe.run('rondo-chat')")
    assert len(found["passes"]) > 10, "it has looked into the widget"
    return [
        f"{each['id']}: {each['nodes'][0]['target']} {each['nodes'][0].get('failureSummary')}"
        for each in found["violations"]
    ]


async def _keep_picture(page: Page, name: str) -> None:
    """Where RONDO_PICTURES names a folder, people can look at what was tested."""
    folder = os.environ.get("RONDO_PICTURES")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png")


# --- the keyboard -------------------------------------------------------------------------------


async def test_a_whole_chat_needs_no_mouse(widget: WidgetOnPage, rondo: FakeRondo) -> None:
    page = widget.page
    launcher = widget.button("Open the chat")
    await launcher.focus()
    await page.keyboard.press("Enter")
    await expect(widget.field("Name")).to_be_focused()
    await page.keyboard.type("Bo")
    for _ in range(3):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(widget.button("Leave")).to_be_focused()
    rondo.accept()
    await expect(widget.composer).to_be_focused()
    await page.keyboard.type("One")
    await page.keyboard.press("Shift+Enter")
    await page.keyboard.type("two")
    await page.keyboard.press("Enter")
    await widget.shows(["One\ntwo"])
    await page.keyboard.press("Escape")
    await expect(widget.panel).to_have_count(0)
    await expect(launcher).to_be_focused()


async def test_a_rating_needs_no_mouse_either(page: Page, website: Website, rondo: FakeRondo) -> None:
    rondo.config = {"ratings": True}
    await page.goto(website.url)
    widget = WidgetOnPage(page)
    await _talk(widget, rondo)
    rondo.end()
    await expect(widget.button("Start a new chat")).to_be_focused()
    for _ in range(5):  # The email's button and field, and two stars.
        await page.keyboard.press("Shift+Tab")
    await expect(widget.button("3 of 5 stars")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(widget.panel.get_by_role("status").filter(has_text="Thank you!")).to_be_visible()
    await expect(widget.button("3 of 5 stars")).to_be_focused()
    for _ in range(3):
        await page.keyboard.press("Tab")
    await expect(widget.field("Anything to add?")).to_be_focused()
    await page.keyboard.type("Quick")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(widget.panel.get_by_role("status").filter(has_text="Thank you!")).to_be_visible()
    await until(lambda: rondo.calls("/rating")[-1] == {"score": 3, "comment": "Quick"})


async def test_on_a_telephone_the_focus_stays_in_the_panel(widget: WidgetOnPage) -> None:
    await widget.page.set_viewport_size({"width": 360, "height": 640})
    await widget.open()
    for key in ("Tab", "Shift+Tab"):
        for _ in range(8):
            await widget.page.keyboard.press(key)
            inside = await widget.page.evaluate(
                "document.activeElement.shadowRoot?.activeElement?.closest('.panel') !== null"
                " && document.activeElement.localName === 'rondo-chat'"
            )
            assert inside


async def test_on_a_desk_the_focus_may_leave_the_panel(widget: WidgetOnPage) -> None:
    await widget.open()
    for _ in range(12):
        await widget.page.keyboard.press("Tab")
        if await widget.page.evaluate("document.activeElement.localName") != "rondo-chat":
            return
    pytest.fail("the focus never left")


# --- hearing ------------------------------------------------------------------------------------


async def test_what_happens_is_announced(talking: WidgetOnPage, rondo: FakeRondo) -> None:
    rondo.say("Hello")
    log = talking.log
    await expect(log).to_contain_text("Ada Lovelace says: Hello")
    await expect(log).to_contain_text("Ada Lovelace has joined the chat.")
    await talking.button("Close the chat").first.click()
    rondo.say("Are you there?")
    await expect(talking.page.get_by_role("status").filter(has_text="1 new message")).to_have_count(1)


# --- languages ----------------------------------------------------------------------------------


async def test_the_widget_follows_the_language_of_the_page(page: Page, website: Website) -> None:
    website.pages.lang = "sv-SE"
    await page.goto(website.url)
    await page.get_by_role("button", name="Öppna chatten").click()
    await expect(page.get_by_role("dialog").get_by_text("Hej! Hur kan vi hjälpa dig?")).to_be_visible()
    await page.evaluate("document.documentElement.lang = 'en'")
    await expect(page.get_by_role("dialog").get_by_text("Hello! How can we help?")).to_be_visible()


async def test_a_rating_is_asked_for_in_the_language_of_the_page(
    page: Page, website: Website, rondo: FakeRondo
) -> None:
    rondo.config = {"ratings": True}
    website.pages.lang = "sv"
    await page.goto(website.url)
    widget = WidgetOnPage(page)
    await page.get_by_role("button", name="Öppna chatten").click()
    await widget.button("Starta chatten").click()
    await expect(widget.panel.get_by_text("Vi letar upp någon åt dig…")).to_be_visible()
    rondo.accept()
    rondo.end()
    await expect(widget.panel.get_by_role("group", name="Hur var chatten?")).to_be_visible()
    await widget.button("5 av 5 stjärnor").click()
    await expect(widget.panel.get_by_text("Tack!")).to_be_visible()
    await expect(widget.field("Något mer du vill säga?")).to_be_visible()


async def test_the_tag_can_choose_another_language(page: Page, website: Website) -> None:
    website.pages.tag_attributes = 'data-language="sv"'
    await page.goto(website.url)
    await expect(page.get_by_role("button", name="Öppna chatten")).to_be_visible()


@pytest.mark.parametrize(("direction", "side"), [("ltr", "right"), ("rtl", "left")])
async def test_a_message_stands_on_its_writers_side(
    page: Page, website: Website, rondo: FakeRondo, direction: str, side: Literal["left", "right"]
) -> None:
    website.pages.direction = direction
    await page.goto(website.url)
    widget = WidgetOnPage(page)
    await _talk(widget, rondo)
    mine = await widget.log.locator(".mine .bubble").bounding_box()
    theirs = await widget.log.locator(".theirs .bubble").first.bounding_box()
    assert mine is not None
    assert theirs is not None
    assert (mine["x"] > theirs["x"]) == (side == "right")


async def test_the_websites_colour_is_taken_and_stays_readable(
    page: Page, website: Website, rondo: FakeRondo
) -> None:
    rondo.config = {"colour": "#ffe066", "title": "Ask Nordlys"}
    await page.goto(website.url)
    widget = WidgetOnPage(page)
    await widget.open()
    await expect(widget.panel.get_by_role("heading", name="Ask Nordlys")).to_be_visible()
    header = widget.panel.locator("header")
    await expect(header).to_have_css("background-color", "rgb(255, 224, 102)")
    await expect(header).to_have_css("color", "rgb(17, 17, 17)")
    await page.add_style_tag(content="rondo-chat { --rondo-accent: rgb(1, 2, 3) }")
    await expect(header).to_have_css("background-color", "rgb(1, 2, 3)")
