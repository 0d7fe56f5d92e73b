"""What the widget costs a page that carries it."""

from __future__ import annotations

import gzip
import statistics
from typing import Any

import pytest
from playwright.async_api import Page

from rondo_gateway.entrypoints.pages import BUILT
from tests.web.host_page import Website, WidgetOnPage

BYTES_MAX = 25 * 1024
MAIN_THREAD_MS_MAX = 50
LOADS = 5


@pytest.mark.usefixtures("built_pages")
async def test_the_widget_is_one_small_file() -> None:
    files = {path.name for path in (BUILT / "widget").iterdir()}
    assert files == {"rondo.js", "rondo.js.br", "rondo.js.gz"}
    zipped = gzip.compress((BUILT / "widget/rondo.js").read_bytes(), 9)
    print(f"rondo.js: {len(zipped)} bytes gzipped")
    assert len(zipped) <= BYTES_MAX


async def test_the_widget_keeps_the_page_busy_for_a_moment_only(page: Page, website: Website) -> None:
    """The work on the page's main thread with the widget, less that without: script, style and layout."""
    added = []
    for _ in range(LOADS):
        busy = {}
        for website.pages.has_widget in (False, True):
            busy[website.pages.has_widget] = await _busy_ms(page, website)
        added.append(busy[True] - busy[False])
    added_ms = statistics.median(added)
    print(f"main thread: {added_ms:.1f} ms at load")
    assert added_ms < MAIN_THREAD_MS_MAX


async def _busy_ms(page: Page, website: Website) -> float:
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable")
    await page.goto("about:blank")
    before = _task_s(await session.send("Performance.getMetrics"))
    await page.goto(website.url)
    if website.pages.has_widget:
        await WidgetOnPage(page).button("Open the chat").wait_for()
    await page.evaluate("new Promise(resolve => requestIdleCallback(resolve))")
    after = _task_s(await session.send("Performance.getMetrics"))
    await session.detach()
    return (after - before) * 1000


def _task_s(answer: dict[str, Any]) -> float:
    metrics = {each["name"]: each["value"] for each in answer["metrics"]}
    return float(sum(metrics[name] for name in ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")))
