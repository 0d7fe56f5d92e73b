"""Webhooks of the whole stack: a website's backend is told of its conversations, come what may."""

from __future__ import annotations

import asyncio

from tests.e2e.client import Json, Workspace, at_most, eventually
from tests.e2e.conftest import RunningStack
from tests.notifier.hostile_receiver import Receiver, receiving

CHATS = 30
DEADLINE_S = 60.0


async def _chat(workspace: Workspace, number: int) -> str:
    """One whole conversation."""
    asked, _, grace = await workspace.connected("grace")
    path = f"/v1/conversations/{asked['id']}"
    await grace.post(f"{path}/messages", {"client_message_id": "1", "text": f"hello {number}"})
    await workspace.post(f"{path}/end")
    return str(asked["id"])


def _told(receiver: Receiver, secret: str, conversation_id: str) -> list[str]:
    """The types told of a conversation, each event once, in the order they first came."""
    told: dict[str, str] = {}
    for each in receiver.requests:
        event = each.verified(secret)
        if event["conversation_id"] == conversation_id:
            told.setdefault(each.id, event["type"])
    return list(told.values())


async def test_a_backend_is_told_of_every_conversation_in_order_though_the_notifier_is_killed(
    workspace: Workspace, running: RunningStack
) -> None:
    await workspace.agents("grace", capacity=1000)
    async with receiving() as receiver:
        types = ["assignment.offered", "assignment.accepted", "message.posted", "conversation.ended"]
        body = {"url": receiver.url("/rondo"), "event_types": types}
        secret = (await workspace.put("/v1/webhooks/crm", body))["secret"]

        async def strike() -> None:
            await receiver.until(lambda: len(receiver.requests) >= CHATS // 2, DEADLINE_S)
            running.kill("notifier")
            await running.heal()

        ids, _ = await asyncio.gather(
            at_most(4, [_chat(workspace, number) for number in range(CHATS)]), strike()
        )
        wanted = CHATS * len(types)
        await receiver.until(lambda: len({each.id for each in receiver.requests}) >= wanted, DEADLINE_S)
        for conversation_id in ids:
            assert _told(receiver, secret, conversation_id) == types


async def test_a_test_is_sent_and_shown_and_a_rotated_secret_signs_beside_the_new_one(
    workspace: Workspace,
) -> None:
    async with receiving() as receiver:
        first = (await workspace.put("/v1/webhooks/crm", {"url": receiver.url("/rondo")}))["secret"]
        second = (await workspace.post("/v1/webhooks/crm/rotate_secret"))["secret"]
        sent = await workspace.post("/v1/webhooks/crm/test")
        await receiver.until(lambda: bool(receiver.requests), DEADLINE_S)
        (received,) = receiver.requests
        assert received.id == sent["id"]
        assert received.verified(first) == received.verified(second)

        async def delivered() -> Json | None:
            log = await workspace.get("/v1/webhooks/crm/deliveries?state=delivered")
            return log["data"][0] if log["data"] else None

        shown = await eventually(delivered, "the test to be delivered")
        assert (shown["id"], shown["event_type"]) == (sent["id"], "webhook.test")
        assert shown["attempts"][0]["response"]["body"] == "thanks"
