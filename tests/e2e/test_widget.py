"""The widget in a real browser over the whole stack; the agent answers over the API."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, async_playwright, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from rondo_local.layout import Layout
from rondo_local.pages import Pages
from tests.e2e.client import Json, Workspace
from tests.e2e.conftest import RunningStack
from tests.web.chromium import chromium_path
from tests.web.fake_server import served
from tests.web.host_page import HostPages, WidgetOnPage

PATIENCE_MS = 60_000


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    """A visitor's browser."""
    await Pages.of_checkout(lambda _name, _line: None).build()
    program = chromium_path(Layout.of_checkout().root)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--headless=shell"]
        )
        made = await browser.new_page()
        made.set_default_timeout(PATIENCE_MS)
        yield made
        await browser.close()


@pytest.fixture
async def shop(running: RunningStack, workspace: Workspace) -> AsyncIterator[str]:
    """A website with the workspace's widget; its origin."""
    pages = HostPages(running.env["RONDO_URL"])
    pages.site_key = (await workspace.get("/v1/workspace"))["site_key"]

    async def show(_: Request) -> Response:
        return HTMLResponse(pages.html)

    async with served(Starlette(routes=[Route("/", show)])) as url:
        yield url


async def asked(workspace: Workspace) -> Json:
    """The chat that the widget has asked for, once it is offered."""
    listed = await workspace.get("/v1/conversations?limit=1")
    return await workspace.until(listed["data"][0]["id"], "offered")


async def test_a_visitor_and_an_agent_talk_over_a_reload(
    page: Page, shop: str, workspace: Workspace
) -> None:
    await workspace.call("PATCH", "/v1/workspace", {"allowed_origins": [shop]})
    await workspace.agents("grace")
    grace = await workspace.agent("grace")
    await page.goto(shop)
    widget = WidgetOnPage(page)
    await widget.ask("Is it dimmable?")
    await expect(widget.panel.get_by_text("Finding someone")).to_be_visible(timeout=PATIENCE_MS)
    conversation = await asked(workspace)
    assert conversation["answers"] == {"question": "Is it dimmable?"}
    path = f"/v1/conversations/{conversation['id']}"
    await grace.post(f"{path}/accept")
    await expect(widget.composer).to_be_visible(timeout=PATIENCE_MS)
    await widget.say("Hello")
    await expect(widget.log.get_by_text("Sending…")).to_have_count(0, timeout=PATIENCE_MS)
    await grace.post(f"{path}/messages", {"client_message_id": "1", "text": "It is!"})
    await widget.shows(["Hello", "It is!"])
    said = (await workspace.get(f"{path}/messages"))["data"]
    await grace.call("POST", f"{path}/read", {"message_id": said[0]["id"]})
    await expect(widget.log.get_by_text("· Read")).to_be_visible(timeout=PATIENCE_MS)
    await grace.call("POST", f"{path}/typing")
    await expect(widget.panel.get_by_text("Grace is typing…")).to_be_visible(timeout=PATIENCE_MS)
    await page.reload()
    await widget.shows(["Hello", "It is!"])
    await widget.say("Thank you")
    await widget.shows(["Hello", "It is!", "Thank you"])
    await grace.post(f"{path}/end")
    await expect(widget.panel.get_by_text("Grace ended the chat.")).to_be_visible(timeout=PATIENCE_MS)


async def test_a_website_that_the_workspace_does_not_allow_is_told_so(page: Page, shop: str) -> None:
    await page.goto(shop)
    widget = WidgetOnPage(page)
    await widget.open()
    words = widget.panel.get_by_text("The chat is not set up for this website.")
    await expect(words).to_be_visible(timeout=PATIENCE_MS)
