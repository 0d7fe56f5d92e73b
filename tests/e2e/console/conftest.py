"""The console in a real browser over the whole stack: one browser, one loop, a workspace for each test."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from rondo_local.layout import Layout
from rondo_local.pages import Pages
from tests.e2e.client import Caller, Workspace, new_workspace
from tests.e2e.conftest import REQUEST_TIMEOUT_S, RunningStack
from tests.web.chromium import chromium_path

PATIENCE_MS = 60_000
DESK = {"width": 1440, "height": 900}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all of them, so that they share one browser."""
    for item in items:
        is_asynchronous = inspect.iscoroutinefunction(getattr(item, "obj", None))
        if item.path.parent == Path(__file__).parent and is_asynchronous:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def console_browser() -> AsyncIterator[Browser]:
    """A browser, and the pages built from the present sources."""
    await Pages.of_checkout(lambda _name, _line: None).build()
    program = chromium_path(Layout.of_checkout().root)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--headless=shell"]
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def company(running: RunningStack) -> AsyncIterator[Workspace]:
    """A workspace with nobody in it."""
    async with httpx.AsyncClient(
        base_url=running.env["RONDO_URL"], timeout=REQUEST_TIMEOUT_S, trust_env=False
    ) as http:
        yield await new_workspace(
            Caller(http, {"Authorization": f"Bearer {running.env['RONDO_ROOT_KEY']}"})
        )


@dataclass
class Console:
    """The console as somebody has it before them."""

    page: Page
    url: str
    troubles: list[str]
    """What the browser complained of: scripts that failed, and what the page's policy refused."""

    async def open(self, path: str, heading: str | None = None) -> None:
        """Go there and wait until it stands."""
        await self.page.goto(f"{self.url}/inbox/{path}")
        await self.stands(heading)

    async def stands(self, heading: str | None = None) -> None:
        """Wait for the screen's heading, and until nothing is being fetched."""
        headings = self.page.get_by_role("heading", level=1)
        await expect(headings if heading is None else headings.filter(has_text=heading)).to_be_visible()
        await expect(self.page.get_by_label("Loading", exact=True)).to_have_count(0)

    async def save(self) -> None:
        """Save, and wait for the word that it was."""
        await self.page.get_by_role("button", name="Save", exact=True).click()
        await expect(self.said("Saved.").last).to_be_visible()

    async def choose(self, label: str, option: str) -> None:
        """Choose from a list."""
        await self.page.get_by_role("combobox", name=label).first.click()
        await self.page.get_by_role("option", name=option, exact=True).click()

    def said(self, words: str) -> Locator:
        """A notice."""
        return self.page.locator(".mantine-Notification-root").filter(has_text=words)


async def signed_in(
    browser: Browser, workspace: Workspace, url: str, agent: str, **context: object
) -> Console:
    """The pages in a browser of their own, with that agent signed in by a link."""
    made = await browser.new_context(**{"locale": "en-GB", "viewport": DESK, **context})  # type: ignore[arg-type]
    made.set_default_timeout(PATIENCE_MS)
    page = await made.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if "Policy" in message.text else None)
    link = await workspace.post(f"/v1/agents/{agent}/sign_in_links", {"ttl_s": 300})
    await page.goto(url + link["url"][link["url"].index("/inbox/") :])
    await expect(page.get_by_role("navigation").first).to_be_visible()
    return Console(page, url, troubles)


@pytest_asyncio.fixture(loop_scope="session")
async def console(
    console_browser: Browser, company: Workspace, running: RunningStack
) -> AsyncIterator[Console]:
    """The console of an administrator who takes no chats."""
    astrid = {"name": "Astrid", "email": "astrid@example.com", "profile": "marketing_admin"}
    await company.put("/v1/agents/astrid", {**astrid, "live_chat": False})
    made = await signed_in(console_browser, company, running.env["RONDO_URL"], "astrid")
    expect.set_options(timeout=PATIENCE_MS)
    yield made
    await made.page.context.close()
    assert made.troubles == []
