"""Who was told something before it is shown is asked to come again, not refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
import pytest

from rondo_common.ids import EventId
from rondo_common.mailbox import StreamEvent
from rondo_common.redis.keys import agent_mailbox_key, conversation_mailbox_key
from tests.gateway.fake_world import ACME, BOB, CNV, GRACE, NOON, FakeWorld, active, bearer, ended, offered

PATH = f"/v1/conversations/{CNV}"
MESSAGE = {"client_message_id": "m-1", "text": "Hello"}


def told(kind: str) -> StreamEvent:
    return StreamEvent(id=EventId(kind), type=kind, conversation_id=CNV, occurred_at=NOON, data={})


def refused_for_now(answer: httpx.Response) -> bool:
    """Whether the caller is told to come again, because what they heard is not shown yet."""
    return answer.status_code == 503 and int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize("call", ["accept", "decline"])
async def test_an_offer_that_the_agent_heard_of_but_nobody_is_shown_yet_is_answered_later(
    http: httpx.AsyncClient, world: FakeWorld, call: str
) -> None:
    grace = bearer(world.agent_token())
    await world.mailboxes.deliver(agent_mailbox_key(ACME, GRACE), told("assignment.offered"), 7)

    assert refused_for_now(await http.post(f"{PATH}/{call}", headers=grace))
    assert refused_for_now(await http.get(PATH, headers=grace))
    assert world.log.events == []

    await world.conversations.show(ACME, replace(offered(), state_offset=7))
    assert (await http.get(PATH, headers=grace)).status_code == 200
    assert (await http.post(f"{PATH}/{call}", headers=grace)).status_code == 202  # No router decides here.


async def test_a_visitor_who_heard_that_they_are_answered_may_speak_as_soon_as_it_is_shown(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    visitor = bearer(world.visitor_token())
    await world.conversations.show(ACME, replace(offered(), state_offset=7))
    mailbox = conversation_mailbox_key(ACME, CNV)
    await world.mailboxes.deliver(mailbox, told("assignment.offered"), 7)
    assert (await http.post(f"{PATH}/messages", headers=visitor, json=MESSAGE)).status_code == 409

    await world.mailboxes.deliver(mailbox, told("assignment.accepted"), 9)
    assert refused_for_now(await http.post(f"{PATH}/messages", headers=visitor, json=MESSAGE))

    await world.conversations.show(ACME, replace(active(), state_offset=9))
    assert (await http.post(f"{PATH}/messages", headers=visitor, json=MESSAGE)).status_code == 201


async def test_what_was_told_to_somebody_else_or_of_an_end_explains_no_refusal(
    http: httpx.AsyncClient, world: FakeWorld
) -> None:
    grace, bob = bearer(world.agent_token()), bearer(world.agent_token(BOB))
    await world.mailboxes.deliver(agent_mailbox_key(ACME, GRACE), told("assignment.offered"), 7)
    assert (await http.post(f"{PATH}/accept", headers=bob)).status_code == 404

    await world.conversations.show(ACME, replace(ended(), state_offset=9))
    for kind in ("conversation.ended", "conversation.erased"):  # The view of what is erased stays behind.
        await world.mailboxes.deliver(agent_mailbox_key(ACME, GRACE), told(kind), 11)
    assert (await http.post(f"{PATH}/messages", headers=grace, json=MESSAGE)).status_code == 409


async def test_a_refusal_by_a_view_that_caught_up_meanwhile_is_none(
    http: httpx.AsyncClient, world: FakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = bearer(world.visitor_token())
    await world.conversations.show(ACME, replace(offered(), state_offset=7))
    mailbox = conversation_mailbox_key(ACME, CNV)
    await world.mailboxes.deliver(mailbox, told("assignment.accepted"), 9)
    look_into = world.mailboxes.until

    async def shown_just_now(*arguments: Any) -> Any:
        await world.conversations.show(ACME, replace(active(), state_offset=9))
        return await look_into(*arguments)

    monkeypatch.setattr(world.mailboxes, "until", shown_just_now)

    assert (await http.post(f"{PATH}/messages", headers=visitor, json=MESSAGE)).status_code == 201
