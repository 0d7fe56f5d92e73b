"""Mailboxes as Redis Streams. The rule is in ``mailboxes/mailboxes.lua``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files
from typing import cast

from redis.asyncio import Redis

from rondo_common.mailbox import ENTRY_FIELD, MAILBOX_ENTRIES_MAX, MAILBOX_KEPT_S
from rondo_common.redis.connection import redis_errors
from rondo_common.redis.functions import FunctionCall, FunctionLibrary, read_library
from rondo_common.redis.keys import agent_mailbox_key, conversation_mailbox_key, view_key
from rondo_notifier.domain.recipients import Delivery, Oblivion, ToAgent


class RedisMailboxes:
    """See :class:`rondo_notifier.ports.Mailboxes`. A batch travels in one round trip."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        folder = files("rondo_notifier.adapters") / "mailboxes"
        source = read_library("rondo_mailboxes", folder, ["mailboxes"])
        self._functions = FunctionLibrary(redis, source)

    async def load(self) -> None:
        """Put this version of the functions on the server. Raises ``Unavailable``."""
        await self._functions.load()

    async def deliver(self, deliveries: Sequence[Delivery]) -> None:
        """See :class:`Mailboxes`."""
        await self._functions.call_all([_call(delivery) for delivery in deliveries])

    async def forget(self, oblivion: Oblivion) -> None:
        """See :class:`Mailboxes`. Repeated, it finds nothing more to do."""
        mailbox = conversation_mailbox_key(oblivion.workspace_id, oblivion.conversation_id)
        view = view_key(oblivion.workspace_id, oblivion.conversation_id)
        with redis_errors():
            await self._redis.delete(mailbox, f"{mailbox}:known")
            # Apart, because of a view its user may do nothing else.
            await self._redis.delete(view, f"{view}:messages")
            for agent_id in oblivion.agent_ids:
                await self._forget_in(agent_mailbox_key(oblivion.workspace_id, agent_id), oblivion)

    async def _forget_in(self, mailbox: str, oblivion: Oblivion) -> None:
        """A mailbox keeps so few entries that looking through all of them is cheap."""
        entries = cast("list[tuple[str, dict[str, str]]]", await self._redis.xrange(mailbox))
        erased = [
            entry_id
            for entry_id, fields in entries
            if json.loads(fields[ENTRY_FIELD])["conversation_id"] == oblivion.conversation_id
        ]
        if erased:
            await self._redis.xdel(mailbox, *erased)


def _call(delivery: Delivery) -> FunctionCall:
    mailbox = mailbox_of(delivery)
    return FunctionCall(
        "rondo_deliver",
        (mailbox, f"{mailbox}:known"),
        (
            delivery.entry.id,
            delivery.entry.model_dump_json(),
            "" if delivery.log_offset is None else delivery.log_offset,
            MAILBOX_ENTRIES_MAX,
            MAILBOX_KEPT_S,
        ),
    )


def mailbox_of(delivery: Delivery) -> str:
    """The key of the mailbox a delivery goes to."""
    if isinstance(delivery.to, ToAgent):
        return agent_mailbox_key(delivery.workspace_id, delivery.to.agent_id)
    return conversation_mailbox_key(delivery.workspace_id, delivery.to.conversation_id)
