"""Taking a conversation out of the queue, over HTTP."""

from __future__ import annotations

import httpx
import pytest

from rondo_common.answers import Answer
from rondo_common.directory.entries import AgentEntry, Kind
from rondo_common.events import AgentDefined, TakeChat
from rondo_common.ids import AgentId, CommandId, ProfileId
from rondo_gateway.ports import Definition
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    CNV,
    GLOBEX,
    GRACE,
    FakeWorld,
    active,
    bearer,
    json_of,
    queued,
)

TAKE = f"/v1/conversations/{CNV}/take"
LEAD = AgentId("lead")


@pytest.fixture
async def lead(world: FakeWorld) -> dict[str, str]:
    """Who sees the queue."""
    entry = AgentEntry(id=LEAD, name="Lead", email="lead@example.com", profile=ProfileId("sales_admin"))
    await world.directory.write(ACME, [Definition(Kind.AGENT, LEAD, AgentDefined(agent=entry))])
    await world.presence.renew(ACME, LEAD, world.now, 75)
    await world.presence.note_announced(ACME, LEAD, world.now, 75)
    return bearer(world.agent_token(LEAD))


async def test_who_sees_the_queue_takes_a_conversation_and_has_it(
    http: httpx.AsyncClient, world: FakeWorld, lead: dict[str, str]
) -> None:
    await world.conversations.show(ACME, queued())

    async def decide(command_id: CommandId) -> Answer:
        assert world.log.envelopes[-1].id == command_id
        await world.conversations.show(ACME, active(LEAD))
        return Answer()

    world.answers.decide = decide
    shown = json_of(await http.post(TAKE, headers=lead), 200)
    assert (shown["status"], shown["agent"]["id"], shown["queue"]) == ("active", LEAD, None)
    offset = await world.directory.newest_offset(ACME)
    assert world.log.events == [TakeChat(conversation_id=CNV, agent_id=LEAD, directory_offset=offset)]


@pytest.mark.parametrize("refusal", ["conversation-not-queued", "agent-at-capacity"])
async def test_what_the_router_refuses_is_a_conflict(
    http: httpx.AsyncClient, world: FakeWorld, lead: dict[str, str], refusal: str
) -> None:
    await world.conversations.show(ACME, queued())

    async def decide(_: CommandId) -> Answer:
        return Answer(refusal=refusal, detail="Too late.")

    world.answers.decide = decide
    refused = json_of(await http.post(TAKE, headers=lead), 409)
    assert refused["type"] == f"urn:rondo:error:{refusal}"


async def test_others_take_nothing(http: httpx.AsyncClient, world: FakeWorld, lead: dict[str, str]) -> None:
    await world.conversations.show(ACME, queued())
    for credential in (world.agent_token(GRACE), world.visitor_token(), ACME_KEY):
        assert (await http.post(TAKE, headers=bearer(credential))).status_code == 403
    stranger = bearer(world.agent_token(GRACE, GLOBEX))
    assert (await http.post(TAKE, headers=stranger)).status_code == 404
    missing = await http.post("/v1/conversations/cnv_none/take", headers=lead)
    assert missing.status_code == 404
    assert world.log.events == []
