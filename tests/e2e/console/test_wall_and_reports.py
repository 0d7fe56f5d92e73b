"""The live wall moves with what happens, and a report's page says what the API says."""

from __future__ import annotations

import contextlib
import csv
import io

from playwright.async_api import expect

from tests.e2e.client import Json, Workspace, eventually
from tests.e2e.console.conftest import Console


async def test_the_wall_moves_when_a_chat_is_requested(console: Console, company: Workspace) -> None:
    await company.agents("grace", capacity=2)
    page = console.page
    await console.open("wall", "Live wall")
    await expect(page.get_by_text("Live", exact=True)).to_be_visible()
    grace = page.get_by_role("progressbar", name="Grace: 0 of 2 chats")
    await expect(grace).to_be_attached()
    last = page.get_by_role("region", name="In the last 5 minutes")
    await expect(last).to_contain_text("Requested0")
    await company.ask(to="grace")
    await _told_of(company, requested=1)
    await expect(last).to_contain_text("Requested1")
    await expect(last).to_contain_text("Offered1")
    now = page.get_by_role("region", name="Now", exact=True)
    await expect(now).to_contain_text("Waiting1")
    await expect(page.get_by_role("progressbar", name="Grace: 1 of 2 chats")).to_be_attached()
    await company.call("PATCH", "/v1/workspace", {"live_chat_enabled": False})
    await company.ask()
    await expect(page.get_by_role("region", name="Not connected, by reason")).to_contain_text(
        "Live chat switched off1"
    )


async def test_a_report_says_what_the_api_says_and_its_days_are_in_its_address(
    console: Console, company: Workspace
) -> None:
    await company.agents("grace")
    asked, grace, _ = await company.connected("grace")
    await grace.post(f"/v1/conversations/{asked['id']}/end")
    await company.call("PATCH", "/v1/workspace", {"live_chat_enabled": False})
    await company.ask()

    async def counted() -> Json | None:
        rows = (await company.get("/v1/reports/live_chat?group_by=day"))["data"]
        return rows[0] if rows and (rows[0]["requested"], rows[0]["accepted"]) == (2, 1) else None

    row = await eventually(counted, "both conversations in the report")
    page = console.page
    await console.open("reports", "Reports")
    await expect(page.locator(".recharts-surface").first).to_be_attached()
    table = page.get_by_role("table", name="Figures")
    cells = table.locator("tbody tr").first.locator("td")
    shown = [row[each] for each in ("requested", "offered", "accepted", "missed", "declined", "withdrawn")]
    await expect(table.locator("tbody tr")).to_have_count(1)
    assert [int(await cells.nth(index).inner_text()) for index in range(6)] == shown
    await expect(cells.nth(6)).to_contain_text("Live chat switched off: 1")
    await page.get_by_text("Agent", exact=True).click()
    await expect(table.get_by_role("rowheader", name="Grace")).to_be_visible()
    await page.get_by_role("button", name="7 days").click()
    await expect(page).to_have_url(
        f"{console.url}/inbox/reports?by=agent&from={await _from(console)}&to={row['group']}"
    )
    await page.reload()
    await expect(table.get_by_role("rowheader", name="Grace")).to_be_visible()
    async with page.expect_download() as download:
        await page.get_by_role("button", name="Download CSV").click()
    path = await (await download.value).path()
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    assert [(each["group"], each["accepted"]) for each in rows] == [("grace", "1")]
    await console.open("reports?from=2020-01-01&to=2020-01-31", "Reports")
    await expect(page.get_by_text("No conversations in this period")).to_be_visible()


async def _told_of(company: Workspace, requested: int) -> None:
    """Wait until live metrics have counted so many requests.

    A window is told when it is over everywhere, and who counts may only just have started.
    """

    async def counted() -> bool | None:
        windows = (await company.get("/v1/metrics/live"))["data"]
        return sum(each["requested"] for each in windows) >= requested or None

    for _ in range(6):
        with contextlib.suppress(AssertionError):
            await eventually(counted, f"{requested} requests in live metrics")
            return
    assert await counted(), "live metrics told of no request in three minutes"


async def _from(console: Console) -> str:
    return await console.page.get_by_label("From").input_value()
