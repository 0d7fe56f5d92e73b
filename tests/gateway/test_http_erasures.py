"""Erasing visitors over HTTP: who may, and what is closed first."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from rondo_common.answers import Answer
from rondo_common.conversation import Status
from rondo_common.directory.entries import AgentEntry, Kind
from rondo_common.events import AgentDefined, EndChat, VisitorErased, WithdrawChat
from rondo_common.ids import AgentId, CommandId, ConversationId, ProfileId
from rondo_gateway.ports import Definition
from tests.gateway.fake_world import (
    ACME,
    ACME_KEY,
    ADA,
    CNV,
    ROOT_KEY,
    FakeWorld,
    active,
    bearer,
    ended,
    offered,
)
from tests.gateway.test_http_conversation_lists import kept

KEY = bearer(ACME_KEY)
PATH = f"/v1/visitors/{ADA}"


def deciding(world: FakeWorld, refused: type | None = None) -> None:
    """Let the router close what it is asked to close, but refuse one kind of command."""

    async def decide(_: CommandId) -> Answer:
        command = world.log.events[-1]
        assert isinstance(command, WithdrawChat | EndChat)
        if refused is not None and isinstance(command, refused):
            return Answer(refusal="not-active", detail="no")
        view = world.conversations.views[ACME, command.conversation_id]
        await world.conversations.show(ACME, replace(view, status=Status.ENDED, offer=None))
        return Answer()

    world.answers.decide = decide


async def test_open_conversations_are_closed_before_the_visitor_is_erased(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    deciding(world)
    over = ConversationId("cnv_over")
    views = (offered(), active(conversation_id=ConversationId("cnv_2")), replace(ended(), id=over))
    for view in views:
        world.history.kept[view.id] = kept(view)
        await world.conversations.show(ACME, view)
    assert (await http.delete(PATH, headers=KEY)).status_code == 202
    withdrawn, closed, erased = world.log.events
    assert isinstance(withdrawn, WithdrawChat)
    assert isinstance(closed, EndChat)
    assert (withdrawn.conversation_id, closed.conversation_id) == (CNV, "cnv_2")
    assert isinstance(erased, VisitorErased)
    assert (erased.visitor_id, erased.by.type) == (ADA, "key")
    assert world.history.wanted[0][1].visitor_id == ADA


async def test_a_chat_accepted_just_now_is_ended_instead_of_withdrawn(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    deciding(world, refused=WithdrawChat)
    world.history.kept[CNV] = kept(offered())
    await world.conversations.show(ACME, offered())
    assert (await http.delete(PATH, headers=KEY)).status_code == 202
    kinds = [type(event).__name__ for event in world.log.events]
    assert kinds == ["WithdrawChat", "EndChat", "VisitorErased"]


async def test_while_a_conversation_is_open_nothing_is_erased(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    world.history.kept[CNV] = kept(active())
    await world.conversations.show(ACME, active())
    assert (await http.delete(PATH, headers=KEY)).status_code == 503
    assert not any(isinstance(event, VisitorErased) for event in world.log.events)


@pytest.mark.parametrize(
    ("profile", "status"), [("live_agent", 403), ("sales_admin", 403), ("marketing_admin", 202)]
)
async def test_an_agent_needs_the_permission(
    http: httpx.AsyncClient, world: FakeWorld, profile: str, status: int
) -> None:
    entry = AgentEntry(id=AgentId("x"), name="X", email="x@example.com", profile=ProfileId(profile))
    await world.directory.write(ACME, [Definition(Kind.AGENT, "x", AgentDefined(agent=entry))])
    token = bearer(world.agent_token(AgentId("x")))
    assert (await http.delete(PATH, headers=token)).status_code == status


async def test_visitors_and_the_operator_erase_nobody(http: httpx.AsyncClient, world: FakeWorld) -> None:
    for credential in (world.visitor_token(), ROOT_KEY):
        assert (await http.delete(PATH, headers=bearer(credential))).status_code == 403
    assert world.log.events == []
