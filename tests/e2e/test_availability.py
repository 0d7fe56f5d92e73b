"""Availability on the whole stack: switched by hand, and what is seen of it."""

from __future__ import annotations

from tests.e2e.client import Workspace


async def test_a_switch_is_seen_by_everybody_who_asks_after_its_answer(workspace: Workspace) -> None:
    await workspace.agents("grace", "bob")
    grace = await workspace.agent("grace")
    for available, source in ((False, "toggle"), (True, "toggle"), (None, "schedule")):
        switched = await grace.put("/v1/agents/me/availability", {"available": available})
        assert switched == await workspace.get("/v1/agents/grace/availability")
        assert (switched["available"], switched["source"]) == (available is not False, source)
        async with grace.stream("/v1/agents/me/stream") as events:
            assert (await events.next()).data["availability"] == switched
    bobs = await workspace.get("/v1/agents/bob/availability")
    assert bobs == {"available": True, "source": "schedule", "until": None, "next_change_at": None}
