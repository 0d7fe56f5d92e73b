"""Ratings: put into the log, then shown with the conversation."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from rondo_common.clock import Clock
from rondo_common.conversation import Rating
from rondo_common.envelope import Envelope
from rondo_common.errors import Unavailable
from rondo_common.events import ConversationRated
from rondo_common.ids import ConversationId, EventId
from rondo_gateway.domain.permissions import require_member, require_rater
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.rating import RatingBody, require_rateable
from rondo_gateway.handlers.rate_limits import Limits
from rondo_gateway.handlers.source import SOURCE
from rondo_gateway.handlers.visible_conversations import readable_conversation
from rondo_gateway.ports import Conversations, DirectoryView, EventLog, History


@dataclass(frozen=True, slots=True)
class Rated:
    """The rating, and whether it is the conversation's first."""

    rating: Rating
    is_new: bool


class Ratings:
    """Takes ratings of conversations that have ended."""

    def __init__(
        self,
        directory: DirectoryView,
        conversations: Conversations,
        history: History,
        log: EventLog,
        limits: Limits,
        clock: Clock,
        new_event_id: Callable[[], EventId],
    ) -> None:
        self._directory = directory
        self._conversations = conversations
        self._history = history
        self._log = log
        self._limits = limits
        self._clock = clock
        self._new_event_id = new_event_id

    async def rate(self, caller: Principal, conversation_id: ConversationId, body: RatingBody) -> Rated:
        """Rate a conversation, or rate it anew. Returns when the log has it.

        Raises:
            Conflict: it has not ended, or nobody ever accepted it.
            LimitReached: the visitor has said too much lately.
        """
        member = require_member(caller)
        view = await readable_conversation(
            self._directory, self._conversations, self._history, member, conversation_id
        )
        require_rater(member)
        agent = require_rateable(view)
        await self._limits.of_message(member)
        now = self._clock()
        rating = body.rating(now)
        event = ConversationRated(
            conversation_id=view.id, rating=rating, by=member.party(), agent_id=agent.id
        )
        envelope = Envelope(self._new_event_id(), SOURCE, now, member.workspace_id, event)
        offset = await self._log.publish(envelope)
        is_new = view.rating is None
        with contextlib.suppress(Unavailable):  # It is in the log: history shows it.
            is_new &= await self._conversations.mark_rated(member.workspace_id, view.id, rating, offset)
        return Rated(rating, is_new)
