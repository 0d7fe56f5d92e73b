"""Conversations on Redis: the router's views, and the gateway's few effects beside them."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from redis.asyncio import Redis

from rondo_common.clock import from_milliseconds, milliseconds
from rondo_common.conversation import Message, Status
from rondo_common.conversation_view import ConversationView
from rondo_common.ids import AgentId, ConversationId, MessageId, WorkspaceId
from rondo_common.redis.connection import redis_errors
from rondo_common.redis.functions import FunctionCall, FunctionLibrary
from rondo_common.redis.keys import agent_conversations_key, view_key, workspace_key
from rondo_gateway.adapters.redis_directory_offsets import directory_offset_key
from rondo_gateway.ports import Beginning, BeginOutcome, PostReservation, PostState, Reservation, Side

IDEMPOTENCY_KEPT_S = 24 * 60 * 60
MESSAGES_KNOWN_S = 24 * 60 * 60
"""How long after the last message a ``client_message_id`` is known."""

NOT_SETTLED = frozenset({Status.REQUESTED, Status.OFFERED})
SHOWN_POLL_S = 0.03
SHOWN_LOOKS_MAX = 10
"""Together far longer than the router takes from the log's confirmation to the view."""


class RedisConversations:
    """See :class:`rondo_gateway.ports.Conversations`."""

    def __init__(self, redis: Redis, functions: FunctionLibrary) -> None:
        self._redis = redis
        self._functions = functions

    async def find(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId
    ) -> ConversationView | None:
        """See :class:`Conversations`."""
        with redis_errors():
            found = await self._redis.hgetall(view_key(workspace_id, conversation_id))
        fields = cast("dict[str, str]", found)
        return ConversationView.from_hash(conversation_id, fields) if fields else None

    async def find_for_agent(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, agent_id: AgentId
    ) -> ConversationView | None:
        """See :class:`Conversations`."""
        view = await self.find(workspace_id, conversation_id)
        for _ in range(SHOWN_LOOKS_MAX):
            if view is None or view.agent_id == agent_id or view.status not in NOT_SETTLED:
                break
            await asyncio.sleep(SHOWN_POLL_S)
            view = await self.find(workspace_id, conversation_id)
        return view

    async def of_agent(self, workspace_id: WorkspaceId, agent_id: AgentId) -> list[ConversationView]:
        """See :class:`Conversations`."""
        with redis_errors():
            key = agent_conversations_key(workspace_id, agent_id)
            members = cast("set[str]", await self._redis.smembers(key))
            ids = [ConversationId(each) for each in members]
            pipeline = self._redis.pipeline(transaction=False)
            for conversation_id in ids:
                pipeline.hgetall(view_key(workspace_id, conversation_id))
            found = await pipeline.execute()
        views = [ConversationView.from_hash(*each) for each in zip(ids, found, strict=True) if each[1]]
        return sorted(views, key=lambda view: view.request.requested_at)

    async def begin_request(self, workspace_id: WorkspaceId, reservation: Reservation) -> Beginning:
        """See :class:`Conversations`."""
        call = FunctionCall(
            "rondo_gateway_begin_request",
            (
                workspace_key(workspace_id, "request", reservation.idempotency_key),
                directory_offset_key(workspace_id),
                workspace_key(workspace_id),
            ),
            (
                reservation.fingerprint,
                reservation.conversation_id,
                milliseconds(reservation.requested_at),
                IDEMPOTENCY_KEPT_S,
            ),
        )
        outcome, conversation_id, requested_at, is_shown, offset = await self._functions.call(call)
        return Beginning(
            outcome=BeginOutcome(outcome),
            conversation_id=ConversationId(conversation_id),
            requested_at=from_milliseconds(int(requested_at)),
            is_shown=bool(is_shown),
            directory_offset=int(offset),
        )

    async def show_requested(self, workspace_id: WorkspaceId, view: ConversationView) -> None:
        """See :class:`Conversations`."""
        fields = [part for field in view.to_hash().items() for part in field]
        key = view_key(workspace_id, view.id)
        await self._functions.call(FunctionCall("rondo_gateway_show_requested", (key,), tuple(fields)))

    async def reserve_message(
        self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        client_message_id: str,
        message: Message,
    ) -> PostReservation:
        """See :class:`Conversations`."""
        author = message.author
        call = FunctionCall(
            "rondo_gateway_reserve_message",
            (view_key(workspace_id, conversation_id), messages_key(workspace_id, conversation_id)),
            (
                _scoped(client_message_id, message),
                message.model_dump_json(),
                author.id if author.type == "agent" else "",
                milliseconds(message.sent_at),
                MESSAGES_KNOWN_S,
            ),
        )
        return _reservation(await self._functions.call(call))

    async def mark_posted(
        self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        client_message_id: str,
        message: Message,
        log_offset: int,
    ) -> bool:
        """See :class:`Conversations`."""
        call = FunctionCall(
            "rondo_gateway_mark_posted",
            (view_key(workspace_id, conversation_id), messages_key(workspace_id, conversation_id)),
            (
                _scoped(client_message_id, message),
                message.model_dump_json(),
                log_offset,
                MESSAGES_KNOWN_S,
                message.id,
            ),
        )
        return bool(await self._functions.call(call))

    async def is_read_further(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, side: Side, message_id: MessageId
    ) -> bool | None:
        """See :class:`Conversations`."""
        keys = _reading_keys(workspace_id, conversation_id)
        call = FunctionCall("rondo_gateway_is_read_further", keys, (side, message_id))
        answer = int(await self._functions.call(call))
        return None if answer < 0 else bool(answer)

    async def mark_read(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, side: Side, message_id: MessageId
    ) -> None:
        """See :class:`Conversations`."""
        keys = _reading_keys(workspace_id, conversation_id)
        call = FunctionCall("rondo_gateway_mark_read", keys, (side, message_id, MESSAGES_KNOWN_S))
        await self._functions.call(call)


def _reading_keys(workspace_id: WorkspaceId, conversation_id: ConversationId) -> tuple[str, str]:
    messages = messages_key(workspace_id, conversation_id)
    return f"{messages}:ids", f"{messages}:read"


def messages_key(workspace_id: WorkspaceId, conversation_id: ConversationId) -> str:
    """The messages of a conversation by their client ids: a hash that expires."""
    return workspace_key(workspace_id, "conversation", conversation_id, "messages")


def _scoped(client_message_id: str, message: Message) -> str:
    """Each side counts its messages by itself."""
    return f"{message.author.type}/{client_message_id}"


def _reservation(answer: list[Any]) -> PostReservation:
    state, *rest = answer
    if not rest:
        return PostReservation(PostState(state))
    text, agent_id = rest
    return PostReservation(PostState(state), Message.model_validate_json(text), AgentId(agent_id))
