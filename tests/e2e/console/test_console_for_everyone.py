"""Every screen for those who use a screen reader, a phone, the dark, or another language."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, expect

from tests.e2e.client import Workspace
from tests.e2e.conftest import RunningStack
from tests.e2e.console.conftest import DESK, Console, signed_in

AXE = Path(__file__).resolve().parents[3] / "services/gateway/web/node_modules/axe-core/axe.min.js"
IN_THE_GUIDE = {"console_rules_1440_light": "console-rules.png", "console_wall_1440_dark": "wall.png"}
PHONE = {"width": 360, "height": 740}
SCREENS = {
    "agents": "console/agents",
    "agent": "console/agents/edit/grace",
    "new_agent": "console/agents/new",
    "teams": "console/teams",
    "team": "console/teams/edit/sales",
    "rules": "console/rules",
    "rule": "console/rules/edit/nordic",
    "try_a_route": "console/try",
    "accounts": "console/accounts",
    "account": "console/accounts/edit/acme",
    "saved_replies": "console/saved_replies",
    "saved_reply": "console/saved_replies/edit/hours",
    "settings_routing": "console/settings",
    "settings_waiting": "console/settings?group=waiting",
    "settings_website": "console/settings?group=website",
    "settings_safety": "console/settings?group=safety",
    "settings_limits": "console/settings?group=limits",
    "settings_alerts": "console/settings?group=alerts",
    "webhooks": "console/webhooks",
    "webhook": "console/webhooks/edit/crm",
    "api_keys": "console/api_keys",
    "profiles": "console/profiles",
    "profile": "console/profiles/edit/live_agent",
    "wall": "wall",
    "reports": "reports",
}


async def furnished(company: Workspace) -> None:
    """Something of everything."""
    week = [{"weekday": day, "from": "09:00", "to": "12:00"} for day in ("mon", "tue", "wed", "thu", "fri")]
    await company.agents("ada", "edsger", "katherine")
    night = {"weekday": "fri", "from": "22:00", "to": "02:00"}
    await company.agents("grace", schedule=[*week, night], time_zone="Europe/Stockholm", capacity=3)
    await company.put("/v1/teams/sales", {"name": "Sales", "agent_ids": ["ada", "grace"]})
    sweden = {"attribute": "visitor.country", "operator": "in", "value": ["SE", "NO"]}
    prices = {"attribute": "answers.topic", "operator": "is", "value": "prices"}
    known = {"attribute": "visitor.email", "operator": "is_not_empty"}
    tree: dict[str, Any] = {"any": [sweden, {"all": [prices, known]}]}
    rule = {"name": "Nordic", "priority": 1, "conditions": tree, "agent_ids": ["ada", "edsger"]}
    await company.put("/v1/rules/nordic", rule)
    never = {"all": [prices, {**prices, "operator": "is_not"}]}
    await company.put(
        "/v1/rules/never", {**rule, "name": "Contradiction", "priority": 2, "conditions": never}
    )
    await company.put(
        "/v1/rules/rest", {**rule, "name": "Everybody else", "priority": 3, "conditions": {"all": []}}
    )
    await company.put(
        "/v1/accounts/acme", {"company": "Acme", "domains": ["acme.example"], "owner_id": "grace"}
    )
    hours = {"shortcut": "hours", "title": "Opening hours", "text": "We are here from nine to five."}
    await company.put("/v1/saved_replies/hours", hours)
    await company.put("/v1/webhooks/crm", {"url": "https://crm.example.com/rondo", "enabled": False})
    asked, ada, _ = await company.connected("ada")
    await ada.post(f"/v1/conversations/{asked['id']}/end")
    await company.ask(to="edsger")


async def test_no_screen_has_a_barrier_in_light_and_dark_on_a_desk_and_on_a_phone(
    console: Console, company: Workspace
) -> None:
    await furnished(company)
    page = console.page
    await page.add_init_script(path=AXE)
    barriers: dict[tuple[str, str], list[str]] = {}
    for name, path in SCREENS.items():
        await page.set_viewport_size(DESK)  # type: ignore[arg-type]
        await page.emulate_media(color_scheme="light", reduced_motion="reduce")
        await console.open(path)
        if name == "try_a_route":
            await page.get_by_label("Country").fill("SE")
            await page.get_by_role("button", name="Show the route").click()
            await expect(
                page.get_by_text(re.compile("^(Ada|Edsger) would be offered the chat$"))
            ).to_be_visible()
        for size in (DESK, PHONE):
            await page.set_viewport_size(size)  # type: ignore[arg-type]
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                attribute = page.locator(f"html[data-mantine-color-scheme={scheme}]")
                await expect(attribute).to_have_count(1)
                for found in await page.evaluate("axe.run().then(({ violations }) => violations)"):
                    for node in found["nodes"]:
                        where = barriers.setdefault((found["id"], node["html"][:200]), [])
                        where.append(f"{name} {size['width']} {scheme}")
                await _keep_picture(console, f"console_{name}_{size['width']}_{scheme}")
            width = await page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
            assert width <= 0, f"{name} is {width} px wider than {size['width']}"
    assert barriers == {}


async def test_the_console_speaks_swedish(
    console_browser: Browser, company: Workspace, running: RunningStack
) -> None:
    await company.agents("astrid", profile="marketing_admin", live_chat=False)
    console = await signed_in(console_browser, company, running.env["RONDO_URL"], "astrid", locale="sv-SE")
    try:
        for path, heading in {
            "console/rules": "Regler",
            "wall": "Livetavla",
            "reports": "Rapporter",
        }.items():
            await console.page.goto(f"{console.url}/inbox/{path}")
            await expect(console.page.get_by_role("heading", level=1, name=heading)).to_be_visible()
        assert await console.page.evaluate("document.documentElement.lang") == "sv"
    finally:
        await console.page.context.close()
    assert console.troubles == []


async def _keep_picture(console: Console, name: str) -> None:
    """Where RONDO_PICTURES names a folder, people can look at what was tested; and where
    RONDO_SCREENSHOTS does, the guide for administrators gets its pictures."""
    folder, guides = os.environ.get("RONDO_PICTURES"), os.environ.get("RONDO_SCREENSHOTS")
    if folder:
        await console.page.screenshot(path=Path(folder) / f"{name}.png")
    if guides and name in IN_THE_GUIDE:
        await console.page.screenshot(path=Path(guides) / IN_THE_GUIDE[name])
