"""What an administrator does in the console counts at once, for chats and for other callers."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, expect
from playwright.async_api import TimeoutError as PlaywrightTimeout

from rondo_common.webhooks import KNOWN_TYPES
from tests.e2e.client import Workspace, eventually
from tests.e2e.conftest import RunningStack
from tests.e2e.console.conftest import Console, signed_in
from tests.notifier.hostile_receiver import receiving

KEY_PATIENCE_MS = 5_000
KEY_PRESSES_MAX = 10


async def test_an_agent_a_team_and_a_rule_are_made_and_a_chat_is_routed_by_them(
    console: Console, company: Workspace
) -> None:
    page = console.page
    await console.open("console/agents/new", "New agent")
    await page.get_by_label("Name", exact=False).first.fill("Grace Hopper")
    await page.get_by_label("Email", exact=False).first.fill("grace@example.com")
    await page.get_by_text("By the week").click()
    await page.get_by_role("button", name="Copy to … (Monday)").click()
    await page.get_by_role("menuitem", name="All days").click()
    for day in ("Monday", "Saturday"):
        await page.get_by_label(f"{day}, block 1: from").fill("22:00")
        await page.get_by_label(f"{day}, block 1: to").fill("02:00")
    await expect(page.get_by_text("Ends the next day")).to_have_count(2)
    await page.get_by_text("Always", exact=True).click()
    await console.save()
    await console.stands("Agents")
    await expect(page.get_by_role("link", name="Grace Hopper")).to_be_visible()
    grace = await company.get("/v1/agents/grace-hopper")
    assert (grace["schedule"], grace["own_capacity"]) == (None, None)

    await console.open("console/teams/new", "New team")
    await page.get_by_label("Name", exact=False).first.fill("Sales")
    await console.choose("Agents", "Grace Hopper")
    await page.keyboard.press("Escape")
    await console.save()
    assert (await company.get("/v1/teams/sales"))["agent_ids"] == ["grace-hopper"]

    await console.open("console/rules/new", "New rule")
    await page.get_by_role("textbox", name="Name").first.fill("Nordic")
    await console.choose("How it is compared", "is one of")
    await page.get_by_role("combobox", name="Values").fill("SE,NO,")
    await page.get_by_role("button", name="Add a group: any of …").click()
    await page.get_by_label("Value", exact=True).last.fill("prices")
    await console.choose("Agents", "Grace Hopper")
    await page.keyboard.press("Escape")
    await console.save()
    assert (await company.get("/v1/rules/nordic"))["conditions"] == {
        "all": [
            {"attribute": "visitor.country", "operator": "in", "value": ["SE", "NO"]},
            {"any": [{"attribute": "visitor.country", "operator": "is", "value": "prices"}]},
        ]
    }
    # Nobody meets that; without the group, Norwegians do.
    await console.open("console/rules/edit/nordic", "Nordic")
    await page.get_by_role("button", name="Remove this group").click()
    await console.save()

    await console.open("console/try", "Try a route")
    await page.get_by_label("Country").fill("DE")
    await page.get_by_role("button", name="Show the route").click()
    await expect(page.get_by_text("No rule is met.")).to_be_visible()
    await page.get_by_label("Country").fill("NO")
    await page.get_by_role("button", name="Show the route").click()
    await expect(page.get_by_text("Grace Hopper would be offered the chat")).to_be_visible()
    await expect(page.get_by_text("Rule: Nordic")).to_be_visible()
    visitor = {"country": "NO"}
    asked = await company.post("/v1/conversations", {"visitor": visitor, "route": {"type": "custom_rules"}})
    offered = await company.until(asked["id"], "offered")
    assert offered["offer"]["agent_id"] == "grace-hopper"


async def test_a_schedule_by_the_week_is_kept_with_its_time_zone_and_its_nights(
    console: Console, company: Workspace
) -> None:
    night = [
        {"weekday": "fri", "from": "09:00", "to": "12:00"},
        {"weekday": "fri", "from": "22:00", "to": "02:00"},
    ]
    await company.agents("grace", schedule=night, time_zone="America/New_York", capacity=3)
    page = console.page
    await console.open("console/agents/edit/grace", "Grace")
    await expect(page.get_by_role("combobox", name="Time zone")).to_have_value("America/New_York")
    await expect(page.get_by_text("7 hours a week")).to_be_visible()
    await page.get_by_role("button", name="Add a block: Sunday").click()
    await page.get_by_label("Sunday, block 1: to").fill("10:30")
    await page.get_by_label("Chats at the same time").fill("")
    await console.save()
    grace = await company.get("/v1/agents/grace")
    assert grace["schedule"] == [*night, {"weekday": "sun", "from": "09:00", "to": "10:30"}]
    assert (grace["time_zone"], grace["own_capacity"], grace["capacity"]) == ("America/New_York", None, 10)
    await page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("Sign-in link", exact=True).and_(page.locator("pre"))
    await expect(link).to_contain_text("/inbox/sign-in#token=")


async def test_rules_are_ordered_with_the_mouse_and_with_keys_and_findings_stand_beside_them(
    console: Console, company: Workspace
) -> None:
    await company.agents("grace")
    for priority, (name, value) in enumerate({"first": "SE", "second": "NO", "third": ""}.items(), 1):
        condition = {"attribute": "visitor.country", "operator": "is", "value": value}
        denied = [{**condition, "operator": "is_not"}] if name == "second" else []
        body = {
            "name": name,
            "priority": priority * 10,
            "conditions": {"all": [condition, *denied]},
            "agent_ids": ["grace"],
        }
        await company.put(f"/v1/rules/{name}", body)
    page = console.page
    await console.open("console/rules", "Rules")
    rows = page.get_by_role("list", name="Rules, in the order").locator("> li")
    await expect(rows).to_have_count(3)
    await expect(rows.filter(has_text="second")).to_contain_text("Can never be met.")
    await expect(rows.filter(has_text="first")).not_to_contain_text("Can never be met.")

    async def ordered(*names: str) -> None:
        await expect(rows.locator("a")).to_have_text(list(names))

        async def kept() -> bool | None:
            rules = (await company.get("/v1/rules"))["data"]
            return [each["id"] for each in sorted(rules, key=lambda each: each["priority"])] == [
                *names
            ] or None

        await eventually(kept, f"the order {names}")

    await _drag(console, page.get_by_role("button", name="Move third"), rows.first)
    await ordered("third", "first", "second")
    await _move_down_by_keys(console, "third", from_place=1)
    await ordered("first", "third", "second")
    await page.get_by_role("button", name="More for second").click()
    await page.get_by_role("menuitem", name="Move up").click()
    await ordered("first", "second", "third")


async def _move_down_by_keys(console: Console, name: str, from_place: int) -> None:
    """One place down, as announced."""
    await console.page.get_by_role("button", name=f"Move {name}").focus()
    await _press(console, "Space", f"{name} is at place {from_place} of")
    await _press(console, "ArrowDown", f"{name} is at place {from_place + 1} of")
    await _press(console, "Space", f"{name} is dropped at place {from_place + 1} of")


async def _press(console: Console, key: str, told: str) -> None:
    """Press a key until it is answered: one in the moment of lifting may go unheard."""
    for _ in range(KEY_PRESSES_MAX):
        await console.page.keyboard.press(key)
        with contextlib.suppress(PlaywrightTimeout):
            await console.page.get_by_text(told).wait_for(state="attached", timeout=KEY_PATIENCE_MS)
            return
    pytest.fail(f"no answer to {key}: {told}")


async def _drag(console: Console, handle: Locator, target: Locator) -> None:
    """With the mouse, as a hand does it: by and by."""
    box = await target.bounding_box()
    assert box is not None
    mouse = console.page.mouse
    await handle.hover()
    await mouse.down()
    await mouse.move(box["x"] + 30, box["y"] + box["height"] / 2, steps=12)
    await mouse.move(box["x"] + 30, box["y"] + 8, steps=4)
    await mouse.up()


async def test_accounts_come_from_csv_and_each_line_that_was_not_taken_is_named(
    console: Console, company: Workspace
) -> None:
    await company.agents("grace")
    page = console.page
    await console.open("console/accounts", "Accounts")
    await page.get_by_role("button", name="Import CSV").click()
    lines = "company,domain,owner\nAcme,acme.example,grace\nGlobex,globex.example,nobody\n"
    await page.get_by_label("Lines").fill(lines)
    await page.get_by_role("button", name="Import", exact=True).click()
    report = page.get_by_role("dialog").get_by_role("status")
    await expect(report).to_contain_text("1 line taken")
    await expect(report).to_contain_text("Line 3:")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("link", name="Acme")).to_be_visible()
    assert [each["company"] for each in (await company.get("/v1/accounts"))["data"]] == ["Acme"]


async def test_a_change_by_somebody_else_meanwhile_is_shown_and_loses_nothing(
    console: Console, company: Workspace
) -> None:
    await company.agents("grace")
    await company.put("/v1/teams/sales", {"name": "Sales", "agent_ids": []})
    page = console.page
    await console.open("console/teams/edit/sales", "Sales")
    await page.get_by_label("Name", exact=False).first.fill("Sales of mine")
    await company.put("/v1/teams/sales", {"name": "Sales of theirs", "agent_ids": ["grace"]})
    await page.get_by_role("button", name="Save", exact=True).click()
    alert = page.get_by_role("alert").filter(has_text="Changed by someone else meanwhile")
    await expect(alert.get_by_role("cell", name="Sales of theirs")).to_be_visible()
    await expect(alert.get_by_role("cell", name="Sales of mine")).to_be_visible()
    await alert.get_by_role("button", name="Keep mine").click()
    await expect(console.said("Saved.")).to_be_visible()
    assert (await company.get("/v1/teams/sales"))["name"] == "Sales of mine"
    # The other way: theirs instead of mine.
    await page.get_by_label("Name", exact=False).first.fill("Mine again")
    await company.put("/v1/teams/sales", {"name": "Theirs again", "agent_ids": ["grace"]})
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.get_by_role("button", name="Show theirs").click()
    await expect(page.get_by_label("Name", exact=False).first).to_have_value("Theirs again")


async def test_settings_are_patched_and_what_cannot_be_is_said_at_its_field(
    console: Console, company: Workspace
) -> None:
    page = console.page
    await console.open("console/settings?group=waiting", "Settings")
    await page.get_by_role("switch", name="Queue").check()
    await page.get_by_label("Longest wait in the queue").fill("90")
    await page.get_by_role("tab", name="Website").click()
    await page.get_by_role("combobox", name="Allowed origins").fill("https://shop.example")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Tag for your website").and_(page.locator("pre"))).to_contain_text(
        "data-site-key="
    )
    await console.save()
    now = await company.get("/v1/workspace")
    assert now["queue"] == {"enabled": True, "max_wait_s": 90, "size_max": 100}
    assert now["allowed_origins"] == ["https://shop.example"]
    await page.get_by_role("combobox", name="Allowed origins").fill("nowhere")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("must be an origin such as")).to_be_visible()
    await page.get_by_role("button", name="Make a new secret").click()
    await page.get_by_role("dialog").get_by_role("button", name="Make a new secret").click()
    secret = page.get_by_role("dialog", name="Identity secret").locator("pre")
    await expect(secret).not_to_be_empty()


async def test_a_webhook_shows_its_secret_once_and_what_was_sent_with_the_answer(
    console: Console,
) -> None:
    page = console.page
    async with receiving() as receiver:
        await console.open("console/webhooks/new", "New webhook")
        await page.get_by_role("textbox", name="Address").fill(receiver.url("/rondo"))
        await page.get_by_role("textbox", name="Id").fill("crm")
        await page.get_by_role("button", name="Save", exact=True).click()
        dialog = page.get_by_role("dialog", name="Signing secret")
        await expect(dialog.locator("pre")).to_contain_text("whsec_")
        secret = (await dialog.locator("pre").inner_text()).strip()
        await dialog.get_by_role("button", name="I have copied it").click()
        await console.stands("crm")
        await page.get_by_role("button", name="Send a test").click()
        delivery = page.get_by_role("button", name="webhook.test")
        await expect(delivery).to_contain_text("Delivered")
        assert receiver.requests[0].verified(secret)["type"] == "webhook.test"
        await delivery.click()
        await expect(page.get_by_label("Request", exact=True)).to_contain_text("webhook-id")
        await expect(page.get_by_text("200", exact=False).first).to_be_visible()


async def test_an_api_key_is_shown_once_works_and_is_deleted(console: Console, company: Workspace) -> None:
    page = console.page
    await console.open("console/api_keys", "API keys")
    await page.get_by_role("button", name="New API key").click()
    await page.get_by_label("Name").fill("Website")
    await page.get_by_role("button", name="Make the key").click()
    dialog = page.get_by_role("dialog", name="Your new API key")
    await expect(dialog.locator("pre")).to_contain_text("rk_")
    key = company.bearer((await dialog.locator("pre").inner_text()).strip())
    await dialog.get_by_role("button", name="I have copied it").click()
    assert (await key.call("GET", "/v1/workspace")).status_code == 200
    await page.get_by_role("button", name="Delete Website").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    await expect(page.get_by_role("row", name="Website")).to_have_count(0)
    assert (await key.call("GET", "/v1/workspace")).status_code == 401


async def test_profiles_and_saved_replies_are_made(console: Console, company: Workspace) -> None:
    page = console.page
    await console.open("console/profiles/new", "New profile")
    await page.get_by_role("textbox", name="Name").first.fill("Lead")
    await page.get_by_role("checkbox", name="Teams").check()
    await console.save()
    lead = await company.get("/v1/profiles/lead")
    assert set(lead["permissions"]) == {"live_chat_view_my", "own_availability", "admin_teams"}
    await console.open("console/saved_replies/new", "New saved reply")
    await page.get_by_label("Title").fill("Opening hours")
    await page.get_by_label("Shortcut").fill("hours")
    await page.get_by_role("textbox", name="Text").fill("From nine to five.")
    await console.save()
    reply = await company.get("/v1/saved_replies/opening-hours")
    assert (reply["shortcut"], reply["text"]) == ("hours", "From nine to five.")


async def test_who_lacks_a_permission_does_not_see_the_screen_and_a_refusal_is_in_words(
    console_browser: Browser, company: Workspace, running: RunningStack
) -> None:
    await company.put(
        "/v1/profiles/lead", {"name": "Lead", "permissions": ["admin_teams", "own_availability"]}
    )
    await company.agents("lena", profile="lead")
    await company.put("/v1/teams/sales", {"name": "Sales", "agent_ids": []})
    console = await signed_in(console_browser, company, running.env["RONDO_URL"], "lena")
    page = console.page
    try:
        await console.open("console", "Teams")
        screens = page.get_by_role("navigation", name="Screens of the console").get_by_role("link")
        await expect(screens).to_have_text(["Teams"])
        await expect(page.get_by_role("link", name="Live wall")).to_have_count(0)
        await page.goto(f"{console.url}/inbox/console/rules")
        await expect(page.get_by_role("heading", name="This is not for your profile")).to_be_visible()
        await page.goto(f"{console.url}/inbox/reports")
        await expect(page.get_by_role("heading", name="This is not for your profile")).to_be_visible()
        # A permission that ends while the page is open: the API refuses, and the page says so.
        await console.open("console/teams/edit/sales", "Sales")
        await company.put("/v1/profiles/lead", {"name": "Lead", "permissions": ["own_availability"]})
        await page.get_by_label("Name", exact=False).first.fill("Mine")
        await page.get_by_role("button", name="Save", exact=True).click()
        await expect(page.get_by_role("alert")).to_contain_text("Your profile does not allow this.")
    finally:
        await page.context.close()


def test_the_console_offers_only_types_of_events_that_are_sent() -> None:
    path = Path(__file__).resolve().parents[3] / "services/gateway/web/inbox/src/console/event_types.ts"
    listed = [line.strip().strip('",') for line in path.read_text(encoding="utf-8").splitlines()]
    offered = [each for each in listed if each and each.replace(".", "").replace("_", "").isalpha()]
    assert offered
    assert set(offered) <= set(KNOWN_TYPES)
