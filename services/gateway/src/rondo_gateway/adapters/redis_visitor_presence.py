"""Visitors' presence on Redis: a lease a stream, renewed while it is open."""

from __future__ import annotations

from datetime import datetime

from rondo_common.clock import milliseconds
from rondo_common.ids import ConversationId, WorkspaceId
from rondo_common.redis.functions import FunctionCall, FunctionLibrary
from rondo_common.redis.keys import visitor_presence_key, workspace_key

PRESENCE_KEPT_S = 7 * 24 * 60 * 60
"""Longer than anybody waits."""


class RedisVisitorPresence:
    """See :class:`rondo_gateway.ports.VisitorPresence`."""

    def __init__(self, functions: FunctionLibrary) -> None:
        self._functions = functions

    async def see(
        self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        stream_id: str,
        now: datetime,
        until: datetime,
    ) -> None:
        """See :class:`VisitorPresence`."""
        arguments = (
            conversation_id,
            stream_id,
            milliseconds(now),
            milliseconds(until),
            PRESENCE_KEPT_S,
        )
        keys = _keys(workspace_id, conversation_id)
        await self._functions.call(FunctionCall("rondo_gateway_see_visitor", keys, arguments))

    async def leave(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, stream_id: str, now: datetime
    ) -> None:
        """See :class:`VisitorPresence`."""
        arguments = (conversation_id, stream_id, milliseconds(now), PRESENCE_KEPT_S)
        keys = _keys(workspace_id, conversation_id)
        await self._functions.call(FunctionCall("rondo_gateway_leave_visitor", keys, arguments))


def _keys(workspace_id: WorkspaceId, conversation_id: ConversationId) -> tuple[str, str]:
    streams = workspace_key(workspace_id, "conversation", conversation_id, "streams")
    return visitor_presence_key(workspace_id), streams
