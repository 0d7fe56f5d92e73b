"""Conversations in memory, with what a router would show."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rondo_common.conversation import Message, Queue, Rating, Status, queue_at
from rondo_common.conversation_view import ConversationView
from rondo_common.errors import Unavailable
from rondo_common.ids import AgentId, ConversationId, MessageId, WorkspaceId
from rondo_gateway.domain.limits import TRANSCRIPT_MAILS_MAX, TRANSCRIPT_MAILS_WINDOW_S
from rondo_gateway.ports import Beginning, BeginOutcome, PostReservation, PostState, Reservation, Side

Place = tuple[WorkspaceId, ConversationId]
LOOKS_MAX = 20
"""How often something that may still come is looked for; others have their turn in between."""


@dataclass
class Posting:
    """A message under its client id."""

    message: Message
    is_posted: bool = False


@dataclass
class FakeConversations:
    """A :class:`rondo_gateway.ports.Conversations` without a server."""

    views: dict[Place, ConversationView] = field(default_factory=dict)
    requests: dict[tuple[WorkspaceId, str], Reservation] = field(default_factory=dict)
    messages: dict[tuple[Place, str, str], Posting] = field(default_factory=dict)
    posted_at: dict[tuple[Place, MessageId], int] = field(default_factory=dict)
    read: dict[tuple[Place, Side], int] = field(default_factory=dict)
    offsets: defaultdict[WorkspaceId, int] = field(default_factory=lambda: defaultdict(int))
    mails: defaultdict[Place, int] = field(default_factory=lambda: defaultdict(int))
    request_offsets: defaultdict[WorkspaceId, int] = field(default_factory=lambda: defaultdict(lambda: -1))
    waiting: dict[WorkspaceId, list[ConversationId]] = field(default_factory=dict)
    pace_s: float | None = None
    rebuilding: set[WorkspaceId] = field(default_factory=set)
    """Of these, Redis has lost everything, and the router has not brought it back."""
    is_unreachable: bool = False

    async def serve(self, workspace_id: WorkspaceId) -> None:
        """What the router does once everything is (back) in its place."""
        self.rebuilding.discard(workspace_id)

    async def lose(self, workspace_id: WorkspaceId) -> None:
        """What a Redis does that comes back empty."""
        self.views = {place: view for place, view in self.views.items() if place[0] != workspace_id}
        self.messages = {key: each for key, each in self.messages.items() if key[0][0] != workspace_id}
        self.waiting.pop(workspace_id, None)
        self.rebuilding.add(workspace_id)

    async def line_up(
        self, workspace_id: WorkspaceId, waiting: list[ConversationId], pace_s: float | None = None
    ) -> None:
        """What the router does: this is the order now."""
        self.waiting[workspace_id] = waiting
        self.pace_s = pace_s

    def place_of(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> Queue | None:
        """The place in the queue of a conversation that is shown as queued."""
        view = self.views.get((workspace_id, conversation_id))
        waiting = self.waiting.get(workspace_id, [])
        if view is None or view.status is not Status.QUEUED or conversation_id not in waiting:
            return None
        return queue_at(waiting.index(conversation_id) + 1, self.pace_s)

    async def show(self, workspace_id: WorkspaceId, view: ConversationView) -> None:
        """What the router does."""
        self.views[workspace_id, view.id] = view

    async def note_offset(self, workspace_id: WorkspaceId, offset: int) -> None:
        """What a directory write does."""
        self.offsets[workspace_id] = max(offset, self.offsets[workspace_id])

    async def find(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId
    ) -> ConversationView | None:
        view = await self._once_rebuilt(workspace_id, conversation_id)
        place = self.place_of(workspace_id, conversation_id)
        return None if view is None else replace(view, queue=place)

    async def find_for_agent(
        self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        agent_id: AgentId,  # noqa: ARG002 - what is shown here is shown at once
    ) -> ConversationView | None:
        return await self.find(workspace_id, conversation_id)

    async def find_shown(
        self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        log_offset: int,  # noqa: ARG002 - nobody shows anything while a test waits here
    ) -> ConversationView | None:
        return await self.find(workspace_id, conversation_id)

    async def of_agent(self, workspace_id: WorkspaceId, agent_id: AgentId) -> list[ConversationView]:
        self._check()
        found = self._desk_of(workspace_id, agent_id)
        if not found:
            await self._once_rebuilt(workspace_id, None)
        return sorted(found, key=lambda view: view.request.requested_at)

    async def loads(self, workspace_id: WorkspaceId, agent_ids: Sequence[AgentId]) -> dict[AgentId, int]:
        self._check()
        loads = {each: len(self._desk_of(workspace_id, each)) for each in agent_ids}
        if not any(loads.values()):
            await self._once_rebuilt(workspace_id, None)
        return loads

    async def begin_request(self, workspace_id: WorkspaceId, reservation: Reservation) -> Beginning:
        self._check()
        place = workspace_id, reservation.idempotency_key
        outcome = BeginOutcome.REPLAYED if place in self.requests else BeginOutcome.NEW
        known = self.requests.setdefault(place, reservation)
        if known.fingerprint != reservation.fingerprint:
            outcome = BeginOutcome.MISMATCH
        return Beginning(
            outcome=outcome,
            conversation_id=known.conversation_id,
            requested_at=known.requested_at,
            is_shown=(workspace_id, known.conversation_id) in self.views,
            directory_offset=self.offsets[workspace_id],
        )

    async def show_requested(
        self, workspace_id: WorkspaceId, view: ConversationView, request_offset: int
    ) -> None:
        self._check()
        self.request_offsets[workspace_id] = max(request_offset, self.request_offsets[workspace_id])
        self.views.setdefault((workspace_id, view.id), view)

    async def newest_request(self, workspace_id: WorkspaceId) -> int:
        self._check()
        return self.request_offsets[workspace_id]

    async def find_many(
        self, workspace_id: WorkspaceId, conversation_ids: Sequence[ConversationId]
    ) -> dict[ConversationId, ConversationView]:
        self._check()
        found = {each: self.views.get((workspace_id, each)) for each in conversation_ids}
        return {each: view for each, view in found.items() if view is not None}

    async def reserve_message(
        self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        client_message_id: str,
        message: Message,
    ) -> PostReservation:
        view = await self._once_rebuilt(workspace_id, conversation_id)
        key = (workspace_id, conversation_id), message.author.type, client_message_id
        known = self.messages.get(key)
        agent_id = None if view is None else view.agent_id
        if known is not None and known.is_posted:
            return PostReservation(PostState.POSTED, known.message, agent_id)
        is_another = message.author.type == "agent" and message.author.id != agent_id
        if view is None or view.status is not Status.ACTIVE or is_another:
            return PostReservation(PostState.NOT_ACTIVE)
        known = self.messages.setdefault(key, Posting(message))
        return PostReservation(PostState.RESERVED, known.message, agent_id)

    async def reserve_mail(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> int | None:
        self._check()
        self.mails[workspace_id, conversation_id] += 1
        is_too_many = self.mails[workspace_id, conversation_id] > TRANSCRIPT_MAILS_MAX
        return TRANSCRIPT_MAILS_WINDOW_S if is_too_many else None

    async def mark_posted(
        self,
        workspace_id: WorkspaceId,
        conversation_id: ConversationId,
        client_message_id: str,
        message: Message,
        log_offset: int,
    ) -> bool:
        self._check()
        place = workspace_id, conversation_id
        self.posted_at.setdefault((place, message.id), log_offset)
        view = self.views.get(place)
        if view is not None and view.log_offset < log_offset:
            self.views[place] = replace(view, log_offset=log_offset)
        key = (workspace_id, conversation_id), message.author.type, client_message_id
        known = self.messages.setdefault(key, Posting(message))
        was_posted, known.is_posted = known.is_posted, True
        return not was_posted

    async def is_read_further(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, side: Side, message_id: MessageId
    ) -> bool | None:
        self._check()
        place = workspace_id, conversation_id
        offset = self.posted_at.get((place, message_id))
        return None if offset is None else offset > self.read.get((place, side), -1)

    async def mark_read(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, side: Side, message_id: MessageId
    ) -> None:
        self._check()
        place = workspace_id, conversation_id
        offset = self.posted_at.get((place, message_id), -1)
        self.read[place, side] = max(offset, self.read.get((place, side), -1))

    async def mark_rated(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, rating: Rating, log_offset: int
    ) -> bool:
        self._check()
        place = workspace_id, conversation_id
        view = self.views.get(place)
        if view is None:
            return True
        rated = (
            view
            if view.rating_offset > log_offset
            else replace(view, rating=rating, rating_offset=log_offset)
        )
        self.views[place] = replace(rated, log_offset=max(view.log_offset, log_offset))
        return view.rating_offset < 0

    async def forget_rating(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> None:
        self._check()
        view = self.views.get((workspace_id, conversation_id))
        if view is not None:
            self.views[workspace_id, conversation_id] = replace(view, rating=None)

    async def unread_by_agent(
        self, workspace_id: WorkspaceId, conversation_ids: Sequence[ConversationId]
    ) -> dict[ConversationId, int]:
        self._check()
        return {each: self._unread(workspace_id, each) for each in conversation_ids}

    def _unread(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> int:
        place = workspace_id, conversation_id
        read = self.read.get((place, "agent"), -1)
        said = [
            posting.message.id
            for (where, side, _), posting in self.messages.items()
            if where == place and side == "visitor" and posting.is_posted
        ]
        return sum(self.posted_at[place, each] > read for each in said)

    def _desk_of(self, workspace_id: WorkspaceId, agent_id: AgentId) -> list[ConversationView]:
        open_ones = {Status.OFFERED, Status.ACTIVE}
        return [
            view
            for (where, _), view in self.views.items()
            if where == workspace_id and agent_id in view.agent_ids and view.status in open_ones
        ]

    async def _once_rebuilt(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId | None
    ) -> ConversationView | None:
        for _ in range(LOOKS_MAX):
            self._check()
            found = None if conversation_id is None else self.views.get((workspace_id, conversation_id))
            if found is not None or workspace_id not in self.rebuilding:
                return found
            await asyncio.sleep(0)
        raise Unavailable("redis", "not brought back in time")

    def _check(self) -> None:
        if self.is_unreachable:
            raise Unavailable("redis", "switched off by the test")
