"""The inbox for everyone: accessible on every screen, in every setting, wide and narrow."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.web.fake_desk import ME, FakeDesk
from tests.web.fake_server import Json
from tests.web.inbox_page import PATIENCE_MS, InboxOnPage, violations

expect.set_options(timeout=PATIENCE_MS)

WIDE = {"width": 1440, "height": 900}
NARROW = {"width": 360, "height": 740}
SETTINGS: dict[str, dict[str, Any]] = {
    "light": {"viewport": WIDE, "color_scheme": "light", "locale": "en-GB"},
    "dark": {"viewport": WIDE, "color_scheme": "dark", "locale": "en-GB"},
    "phone": {"viewport": NARROW, "color_scheme": "light", "locale": "en-GB", "has_touch": True},
    "phone-dark-swedish": {
        "viewport": NARROW,
        "color_scheme": "dark",
        "locale": "sv-SE",
        "has_touch": True,
    },
    "right-to-left": {"viewport": WIDE, "color_scheme": "light", "locale": "ar", "direction": "rtl"},
}


def _furnish(desk: FakeDesk) -> None:
    """A desk with a bit of everything on it."""
    colleague: Json = {**ME, "available": True, "present": True, "load": 2, "capacity": 10, "teams": []}
    desk.roster = [colleague, {**colleague, "id": "grace", "name": "Grace Hopper", "load": 3}]
    desk.availability |= {"until": (datetime.now(UTC) + timedelta(hours=5)).isoformat()}
    visitor = {"email": "bo@ljus.example", "country": "SE", "attributes": {"plan": "pro", "seats": 12}}
    desk.activate("cnv_1", first_name="Bo", last_name="Ek", company="Ljus AB", **visitor)
    desk.activate("cnv_2", first_name="Mia", company="Lampor")
    desk.ask("cnv_3", status="ended", first_name="منى", company="مصابيح")
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    desk.say("cnv_1", "Hi! Does the reading lamp come in white?", at=yesterday)
    desk.say("cnv_1", "It does: https://shop.example/lamps/reading?c=white", by="agent", at=yesterday)
    desk.say("cnv_1", "مرحبا، وكم تكلفة الشحن؟")
    desk.say("cnv_1", "Shipping is free from 500 kr.", by="agent")
    desk.say("cnv_1", "word " * 300)
    desk.say("cnv_2", "Hello? Is anybody there?")


async def _nothing_chosen(inbox: InboxOnPage, desk: FakeDesk) -> None:
    await inbox.page.goto(f"{desk.url}/inbox/")
    await expect(inbox.row("Mia")).to_be_visible()


async def _talking(inbox: InboxOnPage, desk: FakeDesk) -> None:
    await inbox.page.goto(f"{desk.url}/inbox/?conversation=cnv_1")
    await expect(inbox.log.get_by_text("500 kr")).to_be_attached()


async def _ringing(inbox: InboxOnPage, desk: FakeDesk) -> None:
    answers = {"topic": "prices", "size": "10 lamps"}
    desk.offer("ring_1", first_name="Åsa", last_name="Öberg", company="Nordljus", answers=answers)
    desk.offer("ring_2", first_name="A name that is rather long " * 4, company="A company " * 6)
    await expect(inbox.page.locator("[data-ringing]")).to_have_count(2)


async def _gone(inbox: InboxOnPage, desk: FakeDesk) -> None:
    for id_ in ("ring_1", "ring_2"):
        desk.talks[id_].view |= {"status": "fell_back", "offer": None}
    desk.tell("assignment.timed_out", "ring_1", {"attempt": 1})
    desk.tell("assignment.rescinded", "ring_2", {"attempt": 1, "reason": "withdrawn"})
    await expect(inbox.page.locator("[data-ringing]")).to_have_count(0)


async def _visitor(inbox: InboxOnPage, desk: FakeDesk) -> None:
    await _talking(inbox, desk)
    pane = inbox.page.locator("aside")
    if not await pane.is_visible():
        shows = inbox.page.get_by_role(
            "button", name=re.compile("Show or hide the visitor|Visa eller dölj")
        )
        await shows.click()
    await expect(pane).to_contain_text("bo@ljus.example")


async def _all(inbox: InboxOnPage, desk: FakeDesk) -> None:
    await inbox.page.goto(f"{desk.url}/inbox/?list=all&agent=ada")
    await expect(inbox.row("منى")).to_be_visible()


async def _settings(inbox: InboxOnPage, _: FakeDesk) -> None:
    await inbox.page.get_by_role("button", name="Ada Lovelace").click()
    await inbox.page.get_by_role("menuitem").first.click()
    await expect(inbox.page.get_by_role("slider")).to_be_attached()


async def _sign_in(inbox: InboxOnPage, desk: FakeDesk) -> None:
    await inbox.page.goto(f"{desk.url}/inbox/sign-in?problem=expired")
    await expect(inbox.page.get_by_role("alert")).to_be_visible()


STEPS: dict[str, Callable[[InboxOnPage, FakeDesk], Awaitable[None]]] = {
    "nothing-chosen": _nothing_chosen,
    "talking": _talking,
    "ringing": _ringing,
    "gone": _gone,
    "visitor": _visitor,
    "all": _all,
    "settings": _settings,
    "sign-in": _sign_in,
}


@pytest.mark.parametrize("setting", list(SETTINGS))
async def test_every_screen_is_accessible_and_fits(
    browser: Browser, desk: FakeDesk, axe: str, setting: str
) -> None:
    wanted = dict(SETTINGS[setting])
    direction = wanted.pop("direction", None)
    _furnish(desk)
    context = await browser.new_context(**wanted, reduced_motion="reduce")
    try:
        context.set_default_timeout(PATIENCE_MS)
        if direction:
            kept = f'{{"direction": "{direction}"}}'
            await context.add_init_script(f"localStorage.setItem('rondo:preferences', '{kept}')")
        inbox = InboxOnPage(await context.new_page())
        found: dict[str, list[str]] = {}
        for step, go in STEPS.items():
            await go(inbox, desk)
            await _keep_picture(inbox.page, f"inbox-{setting}-{step}")
            wrong = await violations(inbox.page, axe)
            wrong += await inbox.page.evaluate(_OVERFLOWING)
            if wrong:
                found[step] = wrong
        assert found == {}
        assert await inbox.page.evaluate("document.documentElement.dir") == (direction or "ltr")
    finally:
        await context.close()


_OVERFLOWING = """() => document.documentElement.scrollWidth > innerWidth
    ? [`the page is ${document.documentElement.scrollWidth} wide, not ${innerWidth}`] : []"""


async def _keep_picture(page: Page, name: str) -> None:
    """Where RONDO_PICTURES names a folder, people can look at what was tested."""
    folder = os.environ.get("RONDO_PICTURES")
    if folder:
        await page.screenshot(path=Path(folder, f"{name}.png"))
