"""A real browser, the pages as built, and a small Rondo behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from rondo_local.pages import Pages
from tests.web.chromium import chromium_path
from tests.web.fake_desk import FakeDesk
from tests.web.fake_rondo import FakeRondo
from tests.web.fake_server import served
from tests.web.host_page import HostPages, Website, WidgetOnPage
from tests.web.inbox_page import InboxOnPage

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_MS = 60_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all tests of pages, so that they share one browser."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program."""
    return chromium_path(CHECKOUT / ".local")


@pytest.fixture(scope="session")
def axe() -> str:
    """The script that checks accessibility."""
    return (CHECKOUT / "services/gateway/web/node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def built_pages() -> None:
    """The pages, built from the present sources."""
    await Pages.of_checkout(lambda _name, _line: None).build()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--headless=shell"]
        )
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A visitor's browser, whose tabs share what it keeps."""
    made = await browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800})
    made.set_default_timeout(PATIENCE_MS)
    yield made
    await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> Page:
    return await context.new_page()


@pytest_asyncio.fixture(loop_scope="session")
async def rondo(built_pages: None) -> AsyncIterator[FakeRondo]:  # noqa: ARG001 - it serves them
    made = FakeRondo()
    async with served(made.app()) as url:
        made.url = url
        yield made
        made.cut_streams()


@pytest_asyncio.fixture(loop_scope="session")
async def website(rondo: FakeRondo) -> AsyncIterator[Website]:
    """A website of another origin, with the widget on its pages."""
    pages = HostPages(rondo.url)

    async def show(_: Request) -> Response:
        return HTMLResponse(pages.html, headers=pages.headers)

    async with served(Starlette(routes=[Route("/{path:path}", show)])) as url:
        yield Website(url, pages)


@pytest_asyncio.fixture(loop_scope="session")
async def widget(page: Page, website: Website) -> WidgetOnPage:
    """The widget on a page just loaded."""
    await page.goto(website.url)
    return WidgetOnPage(page)


@pytest_asyncio.fixture(loop_scope="session")
async def talking(widget: WidgetOnPage, rondo: FakeRondo) -> WidgetOnPage:
    """A visitor and an agent who talk."""
    await widget.ask()
    await expect(widget.panel.get_by_text("Finding someone")).to_be_visible()
    rondo.accept()
    await expect(widget.composer).to_be_visible()
    return widget


@pytest_asyncio.fixture(loop_scope="session")
async def desk(built_pages: None) -> AsyncIterator[FakeDesk]:  # noqa: ARG001 - it serves them
    """An agent's Rondo, in which nothing has happened yet."""
    made = FakeDesk()
    async with served(made.app()) as url:
        made.url = url
        yield made
        made.cut_streams()


@pytest_asyncio.fixture(loop_scope="session")
async def inbox(page: Page) -> InboxOnPage:
    """An agent's tab, not loaded yet."""
    page.set_default_timeout(PATIENCE_MS)
    return InboxOnPage(page)
