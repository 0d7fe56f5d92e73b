"""The pictures in the guides: taken of the pages as they are, so that they never show anything else.

`make screenshots` keeps them in `docs/pictures`; a test only sees that they can be taken.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.web.fake_desk import ME, FakeDesk
from tests.web.fake_rondo import FakeRondo
from tests.web.fake_server import Json
from tests.web.host_page import Website, WidgetOnPage
from tests.web.inbox_page import PATIENCE_MS, InboxOnPage

PICTURE_BYTES_MAX = 200_000

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where pictures are kept."""
    named = Path(os.environ.get("RONDO_SCREENSHOTS", tmp_path))
    named.mkdir(parents=True, exist_ok=True)
    return named


@pytest_asyncio.fixture(loop_scope="session")
async def window(browser: Browser) -> AsyncIterator[Page]:
    """A window as people have it, in which nothing moves."""
    context = await browser.new_context(
        locale="en-GB", viewport={"width": 1280, "height": 760}, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    yield await context.new_page()
    await context.close()


def _furnish(desk: FakeDesk) -> None:
    colleague: Json = {**ME, "available": True, "present": True, "load": 2, "capacity": 10, "teams": []}
    desk.roster = [colleague, {**colleague, "id": "grace", "name": "Grace Hopper", "load": 3}]
    desk.saved_replies = [
        {"id": "1", "shortcut": "hello", "title": "Greeting", "text": "Hello {{first_name}}!"},
        {"id": "2", "shortcut": "hours", "title": "Opening hours", "text": "We are here from 9 to 17."},
    ]
    visitor = {"email": "bo@ljus.example", "job_title": "Architect", "country": "SE", "city": "Lund"}
    desk.activate("cnv_1", first_name="Bo", last_name="Ek", company="Ljus AB", **visitor)
    desk.activate("cnv_2", first_name="Mia", last_name="Lind", company="Lampor & Co")
    earlier = (datetime.now(UTC) - timedelta(minutes=3)).isoformat()
    desk.say("cnv_1", "Hi! Does the reading lamp come in white?", at=earlier)
    desk.say("cnv_1", "It does: https://shop.example/lamps/reading", by="agent", at=earlier)
    desk.say("cnv_1", "Perfect. And ten of them, for an office?")
    desk.say("cnv_2", "Hello? Is anybody there?")


async def _take(page: Page, to: Path) -> None:
    picture = await page.screenshot(path=to)
    assert 5_000 < len(picture) <= PICTURE_BYTES_MAX


async def test_pictures_of_the_inbox(window: Page, desk: FakeDesk, folder: Path) -> None:
    _furnish(desk)
    inbox = InboxOnPage(window)
    await inbox.open(desk.url, "/inbox/?conversation=cnv_1")
    await expect(inbox.log.get_by_text("for an office?")).to_be_visible()
    await _take(window, folder / "inbox.png")
    await inbox.composer.fill("/h")
    await expect(inbox.page.get_by_role("option", name="Greeting")).to_be_visible()
    await _take(window, folder / "inbox-saved-replies.png")
    await inbox.composer.fill("")
    await inbox.button("Transfer").click()
    await expect(inbox.page.get_by_role("button", name="Grace Hopper")).to_be_visible()
    await _take(window, folder / "inbox-transfer.png")
    await inbox.page.keyboard.press("Escape")
    await expect(inbox.page.get_by_role("dialog")).to_have_count(0)
    answers = {"topic": "A quote", "rooms": "12"}
    desk.offer("cnv_3", first_name="Åsa", last_name="Öberg", company="Nordljus", answers=answers)
    await expect(inbox.card("Åsa")).to_be_visible()
    await _take(window, folder / "inbox-ringing.png")


async def test_a_picture_of_the_inbox_on_a_phone(window: Page, desk: FakeDesk, folder: Path) -> None:
    _furnish(desk)
    await window.set_viewport_size({"width": 390, "height": 780})
    await window.emulate_media(color_scheme="dark")
    inbox = InboxOnPage(window)
    await window.goto(f"{desk.url}/inbox/?conversation=cnv_1")
    await expect(inbox.log.get_by_text("for an office?")).to_be_visible()
    await _take(window, folder / "inbox-phone.png")


async def test_a_picture_of_the_widget(
    window: Page, website: Website, rondo: FakeRondo, folder: Path
) -> None:
    await window.goto(website.url)
    widget = WidgetOnPage(window)
    await widget.ask()
    await expect(widget.panel.get_by_text("Finding someone")).to_be_visible()
    rondo.accept()
    await widget.say("Does the reading lamp come in white?")
    rondo.say("It does, and it ships today.")
    await expect(widget.panel.get_by_text("it ships today")).to_be_visible()
    await _take(window, folder / "widget.png")
