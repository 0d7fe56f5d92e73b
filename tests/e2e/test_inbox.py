"""The inbox and the widget side by side in a real browser, over the whole stack."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from rondo_local.layout import Layout
from rondo_local.pages import Pages
from tests.e2e.client import Workspace
from tests.e2e.conftest import RunningStack
from tests.web.chromium import chromium_path
from tests.web.fake_server import served
from tests.web.host_page import HostPages, WidgetOnPage
from tests.web.inbox_page import PATIENCE_MS, InboxOnPage

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    await Pages.of_checkout(lambda _name, _line: None).build()
    program = chromium_path(Layout.of_checkout().root)
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--headless=shell"]
        )
        yield started
        await started.close()


@pytest.fixture
async def shop(running: RunningStack, workspace: Workspace) -> AsyncIterator[str]:
    """A website with the workspace's widget; its origin."""
    pages = HostPages(running.env["RONDO_URL"])
    pages.site_key = (await workspace.get("/v1/workspace"))["site_key"]

    async def show(_: Request) -> Response:
        return HTMLResponse(pages.html)

    async with served(Starlette(routes=[Route("/", show)])) as url:
        await workspace.call("PATCH", "/v1/workspace", {"allowed_origins": [url]})
        yield url


async def new_page(context: BrowserContext) -> Page:
    context.set_default_timeout(PATIENCE_MS)
    return await context.new_page()


async def signed_in(browser: Browser, workspace: Workspace, agent_id: str) -> InboxOnPage:
    """The inbox of an agent, in a browser of its own."""
    link = await workspace.post(f"/v1/agents/{agent_id}/sign_in_links", {})
    page = await new_page(await browser.new_context(locale="en-GB"))
    await page.goto(link["url"])
    await expect(page.get_by_role("button", name="Available")).to_be_visible()
    return InboxOnPage(page)


async def test_from_ring_to_transcript_side_by_side(
    browser: Browser, shop: str, workspace: Workspace
) -> None:
    await workspace.agents("grace")
    inbox = await signed_in(browser, workspace, "grace")
    other_device = await signed_in(browser, workspace, "grace")
    visitor = await new_page(await browser.new_context(locale="en-GB"))
    await visitor.goto(shop)
    widget = WidgetOnPage(visitor)
    await widget.ask("Is it dimmable?")
    await expect(inbox.banner).to_contain_text("Is it dimmable?")
    await expect(other_device.banner).to_contain_text("Is it dimmable?")
    await inbox.banner.get_by_role("button", name="Accept").click()
    await expect(other_device.banner).to_contain_text("accepted on another device")
    await expect(widget.composer).to_be_visible()
    await inbox.say("It is!")
    await widget.shows(["It is!"])
    await widget.say("Thank you")
    await inbox.shows(["It is!", "Thank you"])
    await expect(inbox.log.get_by_text("Read")).to_be_visible()
    await visitor.reload()
    await inbox.page.reload()
    await inbox.shows(["It is!", "Thank you"])
    await inbox.say("Bye")
    await widget.shows(["It is!", "Thank you", "Bye"])
    await inbox.button("End").click()
    await inbox.page.get_by_role("menuitem", name="End it now").click()
    await expect(inbox.page.get_by_text("The conversation was ended by the agent").first).to_be_visible()
    await expect(widget.panel.get_by_text("ended the chat")).to_be_visible()
    listed = await workspace.get("/v1/conversations?limit=1")
    transcript = await workspace.transcript(listed["data"][0]["id"], messages=3)
    said = [line["text"] for line in transcript["lines"] if line["type"] == "message"]
    assert said == ["It is!", "Thank you", "Bye"]


async def test_a_missed_ring_goes_on_to_a_colleague_who_takes_it(
    browser: Browser, workspace: Workspace
) -> None:
    await workspace.call("PATCH", "/v1/workspace", {"offer_attempts": {"round_robin": 2}})
    await workspace.agents("ada", "grace")
    inboxes = {name: await signed_in(browser, workspace, name) for name in ("ada", "grace")}
    conversation = await workspace.ask()
    offered = (await workspace.until(conversation["id"], "offered"))["offer"]["agent_id"]
    first = inboxes.pop(offered)
    (second,) = inboxes.values()
    await first.banner.get_by_role("button", name="Decline").click()
    await expect(first.page.locator("[data-ringing]")).to_have_count(0)
    await second.banner.get_by_role("button", name="Accept").click()
    await expect(second.composer).to_be_visible()
    view = await workspace.until(conversation["id"], "active")
    assert view["agent"]["id"] != offered


async def test_an_agent_without_a_network_for_a_while_loses_and_doubles_nothing(
    browser: Browser, workspace: Workspace
) -> None:
    await workspace.agents("grace")
    inbox = await signed_in(browser, workspace, "grace")
    conversation, _, visitor = await workspace.connected("grace")
    path = f"/v1/conversations/{conversation['id']}"
    await inbox.page.goto(f"{inbox.page.url.split('/inbox/')[0]}/inbox/?conversation={conversation['id']}")
    await inbox.say("one")
    await inbox.shows(["one"])
    await inbox.page.context.set_offline(True)
    await inbox.say("two")
    await inbox.composer.press_sequentially("thr")
    await visitor.post(f"{path}/messages", {"client_message_id": "v1", "text": "said meanwhile"})
    await expect(inbox.page.get_by_text("You are offline.")).to_be_visible()
    await inbox.page.context.set_offline(False)
    await inbox.shows(["one", "said meanwhile", "two"])
    await inbox.composer.press_sequentially("ee")
    await inbox.composer.press("Enter")
    await inbox.shows(["one", "said meanwhile", "two", "three"])
    said = [message["text"] for message in (await visitor.get(f"{path}/messages"))["data"]]
    assert said == ["one", "said meanwhile", "two", "three"]
