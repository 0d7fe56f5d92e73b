"""An agent's availability over HTTP: what it is, and switching it by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from rondo_common.availability import ScheduleBlock, Weekday
from rondo_common.directory.entries import AgentEntry, Kind
from rondo_common.events import AgentDefined
from rondo_common.ids import AgentId, ProfileId
from rondo_gateway.ports import Definition
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    BOB,
    GLOBEX,
    GLOBEX_KEY,
    GRACE,
    NOON,
    ROOT_KEY,
    FakeWorld,
    bearer,
    json_of,
)

PATH = "/v1/agents/grace/availability"
OWN = "/v1/agents/me/availability"
ALWAYS = {"available": True, "source": "schedule", "until": None, "next_change_at": None}
MIDNIGHT = NOON.replace(hour=0, minute=0, second=0) + timedelta(days=1)


async def define(world: FakeWorld, agent_id: AgentId, **fields: Any) -> None:
    """Provision an agent anew."""
    agent = AgentEntry(id=agent_id, name=agent_id.title(), email=f"{agent_id}@example.com", **fields)
    await world.directory.write(ACME, [Definition(Kind.AGENT, agent_id, AgentDefined(agent=agent))])


def block(start: datetime, minutes: int) -> ScheduleBlock:
    """A schedule block, in UTC, that starts at ``start``."""
    end = start + timedelta(minutes=minutes)
    weekday = list(Weekday)[start.weekday()]
    return ScheduleBlock(weekday=weekday, from_=f"{start:%H:%M}", to=f"{end:%H:%M}")


def text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


async def switch(
    http: httpx.AsyncClient, available: bool | None, path: str = PATH, credential: str = ACME_KEY
) -> httpx.Response:
    return await http.put(path, headers=bearer(credential), json={"available": available})


async def test_without_a_schedule_an_agent_is_always_available(http: httpx.AsyncClient) -> None:
    assert json_of(await http.get(PATH, headers=bearer(ACME_KEY)), 200) == ALWAYS


async def test_an_agent_switches_off_and_back_to_the_schedule(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    token = world.agent_token()
    off = {"available": False, "source": "toggle", "until": None, "next_change_at": None}
    assert json_of(await switch(http, False, OWN, token), 200) == off
    assert json_of(await http.get(OWN, headers=bearer(token)), 200) == off
    assert json_of(await http.get(PATH, headers=bearer(ACME_KEY)), 200) == off
    assert json_of(await switch(http, None, OWN, token), 200) == ALWAYS
    assert json_of(await http.get(PATH, headers=bearer(token)), 200) == ALWAYS
    bobs = await http.get("/v1/agents/bob/availability", headers=bearer(ACME_KEY))
    assert json_of(bobs, 200) == ALWAYS


async def test_switched_to_available_it_holds_until_midnight(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await define(world, GRACE, schedule=())
    assert json_of(await switch(http, True), 200) == {
        "available": True,
        "source": "toggle",
        "until": text(MIDNIGHT),
        "next_change_at": text(MIDNIGHT),
    }
    world.now = MIDNIGHT
    assert json_of(await http.get(PATH, headers=bearer(ACME_KEY)), 200) == {
        "available": False,
        "source": "schedule",
        "until": None,
        "next_change_at": None,
    }


async def test_switched_off_it_holds_until_the_next_block_starts(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    world.now = NOON.replace(minute=0, second=0)
    starts = world.now + timedelta(minutes=30)
    await define(world, GRACE, schedule=(block(world.now, 20), block(starts, 60)))
    assert json_of(await switch(http, False), 200) == {
        "available": False,
        "source": "toggle",
        "until": text(starts),
        "next_change_at": text(starts),
    }
    world.now = starts
    assert json_of(await http.get(PATH, headers=bearer(ACME_KEY)), 200) == {
        "available": True,
        "source": "schedule",
        "until": text(starts + timedelta(minutes=60)),
        "next_change_at": text(starts + timedelta(minutes=60)),
    }


async def test_availability_says_nothing_about_permission(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await define(world, GRACE, live_chat=False)
    assert json_of(await http.get(PATH, headers=bearer(ACME_KEY)), 200) == ALWAYS


async def test_who_administers_agents_switches_anybodys(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await define(world, BOB, profile=ProfileId("sales_admin"))
    switched = await switch(http, False, PATH, world.agent_token(BOB))
    assert json_of(switched, 200)["available"] is False
    read = await http.get(PATH, headers=bearer(world.agent_token(BOB)))
    assert json_of(read, 200)["source"] == "toggle"


@pytest.mark.parametrize(
    ("profile", "own", "others"),
    [
        ("live_agent", 200, 403),
        ("calendar_agent", 200, 403),
        ("marketing_user", 403, 403),
        ("sales_admin", 200, 200),
        ("marketing_admin", 200, 200),
        ("unheard-of", 403, 403),
    ],
)
async def test_the_profile_says_whose_availability_an_agent_may_switch(
    http: httpx.AsyncClient, world: FakeWorld, profile: str, own: int, others: int
) -> None:
    await define(world, BOB, profile=ProfileId(profile))
    token = world.agent_token(BOB)
    for path, status in ((OWN, own), ("/v1/agents/bob/availability", own), (PATH, others)):
        assert (await switch(http, False, path, token)).status_code == status
        assert (await http.get(path, headers=bearer(token))).status_code == status


async def test_nobody_else_sees_or_switches_it(http: httpx.AsyncClient, world: FakeWorld) -> None:
    for credential in (world.visitor_token(), ROOT_KEY):
        assert (await switch(http, False, PATH, credential)).status_code == 403
        assert (await http.get(PATH, headers=bearer(credential))).status_code == 403
    assert (await http.get(PATH)).status_code == 401
    assert json_of(await http.get(PATH, headers=bearer(ACME_KEY)), 200) == ALWAYS


async def test_an_agent_who_is_not_there_has_none(http: httpx.AsyncClient, world: FakeWorld) -> None:
    await world.directory.write(GLOBEX, [Definition(Kind.AGENT, BOB, None)])
    for path, credential in (
        ("/v1/agents/ghost/availability", ACME_KEY),
        ("/v1/agents/ghost/availability", world.agent_token()),
        ("/v1/agents/bob/availability", GLOBEX_KEY),
        (OWN, ACME_KEY),
    ):
        assert (await switch(http, False, path, credential)).status_code == 404
        assert (await http.get(path, headers=bearer(credential))).status_code == 404


async def test_an_agent_who_comes_back_finds_no_toggle_of_before(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    await switch(http, False)
    assert (await http.delete("/v1/agents/grace", headers=bearer(ACME_KEY))).status_code == 204
    await define(world, GRACE)
    assert json_of(await http.get(PATH, headers=bearer(ACME_KEY)), 200) == ALWAYS


@pytest.mark.parametrize(
    "body", [{}, {"available": "true"}, {"available": 1}, {"available": True, "until": None}, [], None]
)
async def test_what_is_no_switch_is_refused(http: httpx.AsyncClient, body: object) -> None:
    refused = await http.put(PATH, headers=bearer(ACME_KEY), json=body)
    assert refused.status_code == 422
    assert json_of(await http.get(PATH, headers=bearer(ACME_KEY)), 200) == ALWAYS


async def test_a_switch_that_cannot_be_written_down_is_not_taken(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    world.directory.is_unreachable = True
    refused = await switch(http, False)
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    world.directory.is_unreachable = False
    assert json_of(await http.get(PATH, headers=bearer(ACME_KEY)), 200) == ALWAYS
