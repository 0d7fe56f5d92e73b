"""The waiting queue on Redis: the router's sorted set, by its doorbell."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from rondo_common.conversation import Queue, queue_at
from rondo_common.ids import ConversationId, WorkspaceId
from rondo_common.redis.doorbells import Doorbells
from rondo_common.redis.functions import FunctionCall, FunctionLibrary
from rondo_common.redis.keys import queue_key, queue_pace_key, view_key
from rondo_gateway.ports import Bell


class RedisWaitingQueue:
    """See :class:`rondo_gateway.ports.WaitingQueue`."""

    def __init__(self, functions: FunctionLibrary, doorbells: Doorbells) -> None:
        self._functions = functions
        self._doorbells = doorbells

    def listen(self, workspace_id: WorkspaceId) -> AbstractAsyncContextManager[Bell]:
        """See :class:`WaitingQueue`."""
        return self._doorbells.listen(queue_key(workspace_id))

    async def place_of(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> Queue | None:
        """See :class:`WaitingQueue`."""
        keys = place_keys(workspace_id, conversation_id)
        call = FunctionCall("rondo_gateway_place_in_queue", keys, (conversation_id,))
        return place_from(await self._functions.call(call))


def place_keys(workspace_id: WorkspaceId, conversation_id: ConversationId) -> tuple[str, str, str]:
    """What a conversation's place is read from."""
    return view_key(workspace_id, conversation_id), queue_key(workspace_id), queue_pace_key(workspace_id)


def place_from(answer: Sequence[int | str]) -> Queue | None:
    """The place that the functions tell; None when there is none."""
    if not answer:
        return None
    position, pace_s = answer
    return queue_at(int(position), float(pace_s) if pace_s else None)
