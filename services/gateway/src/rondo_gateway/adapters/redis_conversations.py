"""Conversations on Redis: the router's views, and the gateway's few effects beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from rondo_common.clock import from_milliseconds, milliseconds
from rondo_common.conversation import Message, Rating
from rondo_common.conversation_view import ConversationView
from rondo_common.errors import Unavailable
from rondo_common.ids import AgentId, ConversationId, MessageId, WorkspaceId
from rondo_common.redis.functions import FunctionCall, FunctionLibrary
from rondo_common.redis.keys import agent_conversations_key, epoch_key, view_key, workspace_key
from rondo_gateway.adapters.redis_directory_offsets import directory_offset_key
from rondo_gateway.adapters.redis_queue import place_from, place_keys
from rondo_gateway.domain.limits import TRANSCRIPT_MAILS_MAX, TRANSCRIPT_MAILS_WINDOW_S
from rondo_gateway.ports import Beginning, BeginOutcome, PostReservation, PostState, Reservation, Side

IDEMPOTENCY_KEPT_S = 24 * 60 * 60
MESSAGES_KNOWN_S = 24 * 60 * 60
"""How long after the last message a ``client_message_id`` is known."""

SHOWN_POLL_S = 0.03
SHOWN_LOOKS_MAX = 10
"""Together far longer than the router takes from the log's confirmation to the view."""
CAUGHT_UP_POLL_S = 0.1
CAUGHT_UP_LOOKS_MAX = 50
"""Together as long as a command waits for its answer."""
REBUILT_POLL_S = 0.1
REBUILT_LOOKS_MAX = 20
"""Together 2 s: as long as a caller is let wait for what Redis lost to be brought back."""
LOADS_PER_CALL_MAX = 1_000
"""So that others come in between."""


class RedisConversations:
    """See :class:`rondo_gateway.ports.Conversations`."""

    def __init__(self, functions: FunctionLibrary) -> None:
        self._functions = functions

    async def find(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId
    ) -> ConversationView | None:
        """See :class:`Conversations`."""
        call = _find(workspace_id, conversation_id)
        return _view(conversation_id, await self._once_rebuilt(call))

    async def find_for_agent(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, agent_id: AgentId
    ) -> ConversationView | None:
        """See :class:`Conversations`."""

        def is_enough(view: ConversationView | None) -> bool:
            # An active one may be offered too: by a transfer.
            return view is None or agent_id in view.agent_ids or view.status.is_final

        return await self._find_until(
            is_enough, workspace_id, conversation_id, SHOWN_LOOKS_MAX, SHOWN_POLL_S
        )

    async def find_shown(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, log_offset: int
    ) -> ConversationView | None:
        """See :class:`Conversations`."""

        def has_caught_up(view: ConversationView | None) -> bool:
            return view is not None and view.state_offset >= log_offset

        return await self._find_until(
            has_caught_up, workspace_id, conversation_id, CAUGHT_UP_LOOKS_MAX, CAUGHT_UP_POLL_S
        )

    async def _find_until(
        self,
        is_enough: Callable[[ConversationView | None], bool],
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        looks_max: int,
        poll_s: float,
    ) -> ConversationView | None:
        view = await self.find(workspace_id, conversation_id)
        for _ in range(looks_max):
            if is_enough(view):
                break
            await asyncio.sleep(poll_s)
            view = await self.find(workspace_id, conversation_id)
        return view

    async def of_agent(self, workspace_id: WorkspaceId, agent_id: AgentId) -> list[ConversationView]:
        """See :class:`Conversations`."""
        keys = (agent_conversations_key(workspace_id, agent_id), epoch_key(workspace_id))
        _, *members = await self._once_rebuilt(FunctionCall("rondo_gateway_desk_of_agent", keys))
        ids = [ConversationId(each) for each in members]
        answers = await self._functions.call_all([_find(workspace_id, each) for each in ids])
        found = (_view(*each) for each in zip(ids, answers, strict=True))
        views = [view for view in found if view is not None]
        return sorted(views, key=lambda view: view.request.requested_at)

    async def loads(self, workspace_id: WorkspaceId, agent_ids: Sequence[AgentId]) -> dict[AgentId, int]:
        """See :class:`Conversations`."""
        found: dict[AgentId, int] = {}
        for start in range(0, len(agent_ids), LOADS_PER_CALL_MAX):
            part = agent_ids[start : start + LOADS_PER_CALL_MAX]
            desks = (agent_conversations_key(workspace_id, each) for each in part)
            call = FunctionCall("rondo_gateway_loads", (epoch_key(workspace_id), *desks))
            _, *loads = await self._once_rebuilt(call)
            found.update(zip(part, map(int, loads), strict=True))
        return found

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

    async def show_requested(
        self, workspace_id: WorkspaceId, view: ConversationView, request_offset: int
    ) -> None:
        """See :class:`Conversations`."""
        fields = [part for field in view.to_hash().items() for part in field]
        keys = (view_key(workspace_id, view.id), requests_offset_key(workspace_id))
        call = FunctionCall("rondo_gateway_show_requested", keys, (request_offset, *fields))
        await self._functions.call(call)

    async def newest_request(self, workspace_id: WorkspaceId) -> int:
        """See :class:`Conversations`."""
        call = FunctionCall("rondo_gateway_newest_request", (requests_offset_key(workspace_id),))
        return int(await self._functions.call(call))

    async def find_many(
        self, workspace_id: WorkspaceId, conversation_ids: Sequence[ConversationId]
    ) -> dict[ConversationId, ConversationView]:
        """See :class:`Conversations`."""
        answers = await self._functions.call_all([_find(workspace_id, each) for each in conversation_ids])
        found = {each: _view(each, answer) for each, answer in zip(conversation_ids, answers, strict=True)}
        return {each: view for each, view in found.items() if view is not None}

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
            (
                view_key(workspace_id, conversation_id),
                messages_key(workspace_id, conversation_id),
                epoch_key(workspace_id),
            ),
            (
                _scoped(client_message_id, message),
                message.model_dump_json(),
                author.id if author.type == "agent" else "",
                milliseconds(message.sent_at),
                MESSAGES_KNOWN_S,
            ),
        )
        return _reservation(await self._once_rebuilt(call))

    async def reserve_mail(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> int | None:
        """See :class:`Conversations`."""
        key = workspace_key(workspace_id, "conversation", conversation_id, "mails")
        limits = (TRANSCRIPT_MAILS_MAX, TRANSCRIPT_MAILS_WINDOW_S)
        wait_s = int(await self._functions.call(FunctionCall("rondo_gateway_reserve_mail", (key,), limits)))
        return wait_s or None

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

    async def mark_rated(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, rating: Rating, log_offset: int
    ) -> bool:
        """See :class:`Conversations`."""
        key = view_key(workspace_id, conversation_id)
        arguments = (rating.model_dump_json(exclude_none=True), log_offset)
        call = FunctionCall("rondo_gateway_mark_rated", (key,), arguments)
        return bool(await self._functions.call(call))

    async def forget_rating(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> None:
        """See :class:`Conversations`."""
        key = view_key(workspace_id, conversation_id)
        await self._functions.call(FunctionCall("rondo_gateway_forget_rating", (key,)))

    async def unread_by_agent(
        self, workspace_id: WorkspaceId, conversation_ids: Sequence[ConversationId]
    ) -> dict[ConversationId, int]:
        """See :class:`Conversations`."""
        keys = (messages_key(workspace_id, each) for each in conversation_ids)
        calls = [
            FunctionCall("rondo_gateway_unread_by_agent", (f"{key}:of_visitor", f"{key}:read"))
            for key in keys
        ]
        counts = await self._functions.call_all(calls)
        return {each: int(count) for each, count in zip(conversation_ids, counts, strict=True)}

    async def _once_rebuilt(self, call: FunctionCall) -> list[Any]:
        """The answer to a call that asks for what Redis may have lost.

        Raises:
            Unavailable: the router is still bringing it back, after a moment.
        """
        for _ in range(REBUILT_LOOKS_MAX):
            answer: list[Any] = await self._functions.call(call)
            if answer[0] != "rebuilding":
                return answer
            await asyncio.sleep(REBUILT_POLL_S)
        raise Unavailable("redis", "it lost its data, and the router has not brought it back yet")


def requests_offset_key(workspace_id: WorkspaceId) -> str:
    """Where the log has the newest request that a caller was answered about: a number."""
    return workspace_key(workspace_id, "requests_offset")


def _reading_keys(workspace_id: WorkspaceId, conversation_id: ConversationId) -> tuple[str, str]:
    messages = messages_key(workspace_id, conversation_id)
    return f"{messages}:ids", f"{messages}:read"


def messages_key(workspace_id: WorkspaceId, conversation_id: ConversationId) -> str:
    """The messages of a conversation by their client ids: a hash that expires."""
    return workspace_key(workspace_id, "conversation", conversation_id, "messages")


def _find(workspace_id: WorkspaceId, conversation_id: ConversationId) -> FunctionCall:
    keys = (*place_keys(workspace_id, conversation_id), epoch_key(workspace_id))
    return FunctionCall("rondo_gateway_find_conversation", keys, (conversation_id,))


def _view(conversation_id: ConversationId, answer: list[Any]) -> ConversationView | None:
    state, *rest = answer
    if state != "found":
        return None
    fields, place = rest
    named = dict(zip(fields[::2], fields[1::2], strict=True))
    return ConversationView.from_hash(conversation_id, named, place_from(place))


def _scoped(client_message_id: str, message: Message) -> str:
    """Each side counts its messages by itself."""
    return f"{message.author.type}/{client_message_id}"


def _reservation(answer: list[Any]) -> PostReservation:
    state, *rest = answer
    if not rest:
        return PostReservation(PostState(state))
    text, agent_id = rest
    return PostReservation(PostState(state), Message.model_validate_json(text), AgentId(agent_id))
