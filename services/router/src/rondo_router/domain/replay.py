"""Replaying recorded chats: how each went, so that it can go again under another directory.

A chat's story is what people did, apart from who they were: how long the agents took to answer, whether
they did, how long the talk was, when the visitor gave up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from rondo_common.conversation import TAKEN, FallbackReason, Request
from rondo_common.events import (
    AssignmentAccepted,
    AssignmentDeclined,
    AssignmentOffered,
    AssignmentTimedOut,
    ChatEnded,
    ChatFellBack,
    ChatQueued,
    ChatWithdrawn,
    ConversationEvent,
)
from rondo_common.ids import AgentId, ConversationId
from rondo_router.domain.memory import Recorded

ANSWER_S_DEFAULT = 15.0
TALK_S_DEFAULT = 300.0
"""What is assumed of a chat that nobody had: how long an agent takes to accept, and to talk."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one offer, and after how many seconds."""

    outcome: Literal["accepted", "declined", "missed"]
    after_s: float


@dataclass(slots=True)
class Story:
    """One recorded chat: its request, what people did, and what came of it."""

    conversation_id: ConversationId
    request: Request
    answers: list[Answer] = field(default_factory=list)
    talk_s: float | None = None
    """From acceptance to end; None when it never began, or has not ended."""
    withdrawn_after_s: float | None = None
    taken: tuple[AgentId, float] | None = None
    """Who took it out of the queue, and how long after it was asked for."""
    offered: list[AgentId] = field(default_factory=list)
    accepted_by: AgentId | None = None
    fell_back: FallbackReason | None = None
    since: datetime | None = None
    """When the latest offer was made, or the talk began."""

    def answer(self, offer: int) -> Answer:
        """How the ``offer``-th agent (from 1) answers: as was recorded, else as the last one who accepted,
        else after the usual time."""
        if offer <= len(self.answers):
            return self.answers[offer - 1]
        accepted = [each for each in self.answers if each.outcome == "accepted"]
        return accepted[-1] if accepted else Answer("accepted", ANSWER_S_DEFAULT)

    @property
    def outcome(self) -> Outcome:
        """What came of it."""
        return Outcome(tuple(self.offered), self.accepted_by, self.fell_back)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Who was offered a chat, who had it, or why nobody."""

    offered: tuple[AgentId, ...]
    accepted_by: AgentId | None
    fell_back: FallbackReason | None


def stories_of(records: Iterable[Recorded], since: datetime, until: datetime) -> list[Story]:
    """The stories of the chats asked for in ``[since, until)``, by when they were asked for.

    ``records`` are a workspace's, each conversation's in order; the same event twice is harmless.
    """
    stories: dict[ConversationId, Story] = {}
    known: set[str] = set()
    for record in records:
        event = record.envelope.event
        if record.envelope.id in known or not isinstance(event, ConversationEvent):
            continue
        known.add(record.envelope.id)
        story = stories.get(event.conversation_id)
        if story is None and isinstance(event, AssignmentOffered | ChatQueued | ChatFellBack):
            story = stories[event.conversation_id] = Story(event.conversation_id, event.request)
        if story is not None:
            _tell(story, event, record.envelope.time)
    told = [each for each in stories.values() if since <= each.request.requested_at < until]
    return sorted(told, key=lambda story: (story.request.requested_at, story.conversation_id))


def _tell(story: Story, event: ConversationEvent, at: datetime) -> None:
    match event:
        case AssignmentOffered(transferred_by=None):
            story.offered.append(event.agent.id)
            story.since = at
            if event.why.stage == TAKEN:
                story.taken = event.agent.id, _seconds_since_request(story, at)
        case AssignmentAccepted() if story.taken is not None and story.accepted_by is None:
            story.accepted_by = event.agent.id  # Of their own accord: that is no answer.
        case AssignmentAccepted() if story.accepted_by is None:
            _answer(story, "accepted", at)
            story.accepted_by = event.agent.id
            story.since = at
        case AssignmentDeclined() if story.accepted_by is None:
            _answer(story, "declined", at)
        case AssignmentTimedOut() if story.accepted_by is None:
            _answer(story, "missed", at)
        case ChatWithdrawn():
            story.withdrawn_after_s = _seconds_since_request(story, at)
        case ChatEnded() if story.since is not None:
            story.talk_s = (at - story.since).total_seconds()
        case ChatFellBack():
            story.fell_back = event.fallback.reason


def _seconds_since_request(story: Story, at: datetime) -> float:
    return (at - story.request.requested_at).total_seconds()


def _answer(story: Story, outcome: Literal["accepted", "declined", "missed"], at: datetime) -> None:
    since = story.since or at
    story.answers.append(Answer(outcome, (at - since).total_seconds()))
