"""Transcripts: how the facts of a conversation read, line by line.

Both sides may read a transcript. So it tells a visitor nothing they may not know: no agent is named
who did not accept, nor is it said why anybody was passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from rondo_common.conversation import (
    RATING_MAX,
    Author,
    EndReason,
    Fallback,
    FallbackReason,
    Rating,
    Request,
    RescindReason,
    Value,
    Visitor,
)
from rondo_common.events import (
    AssignmentAccepted,
    AssignmentDeclined,
    AssignmentOffered,
    AssignmentRescinded,
    AssignmentTimedOut,
    ChatEnded,
    ChatFellBack,
    ChatQueued,
    ChatRequested,
    ChatTransferred,
    ChatWithdrawn,
    ConversationEvent,
    ConversationIdleWarned,
    ConversationRated,
    MessagePosted,
    TransferReturned,
)
from rondo_common.ids import AgentId, ConversationId, MessageId, WorkspaceId
from rondo_common.mailbox import stream_type
from rondo_history.domain.fact import Fact, in_log_order


class MessageLine(Value):
    """What one side said. ``text`` is as given, and never markup."""

    type: Literal["message"] = "message"
    at: datetime
    text: str
    id: MessageId
    author: Author


class SystemLine(Value):
    """What happened. ``event`` is the type the live streams give it; ``text`` is for people."""

    type: Literal["system"] = "system"
    at: datetime
    text: str
    event: str


class Transcript(Value):
    """One whole conversation. ``agent_ids`` are those who accepted it, in that order."""

    conversation_id: ConversationId
    workspace_id: WorkspaceId
    visitor: Visitor
    agent_ids: tuple[AgentId, ...]
    requested_at: datetime
    rating: Rating | None
    """The visitor's latest; None: they gave none (yet)."""
    lines: tuple[MessageLine | SystemLine, ...]


def transcript_of(facts: Iterable[Fact]) -> Transcript | None:
    """The transcript that one conversation's facts make, in whatever order they are given.

    None as long as none of them says what was asked for: then the conversation is not known yet.
    """
    known = list(facts)
    return transcript_part(known, known, opens=True)


def transcript_part(steps: Iterable[Fact], told: Iterable[Fact], *, opens: bool) -> Transcript | None:
    """The transcript with the lines of ``told`` only, which may be a part of all facts.

    ``steps`` are all facts of the conversation that are no messages: names are taken from them.
    ``opens`` says whether it begins with what was asked for. None as in :func:`transcript_of`.
    """
    ordered = in_log_order(steps)
    request = _request_among(ordered)
    if request is None:
        return None
    agents = _agents_joined(ordered)
    lines = [line for fact in in_log_order(told) for line in _lines_of(fact, agents)]
    return Transcript(
        conversation_id=ordered[0].conversation_id,
        workspace_id=ordered[0].workspace_id,
        visitor=request.visitor,
        agent_ids=tuple(agents),
        requested_at=request.requested_at,
        rating=_latest_rating(ordered),
        lines=(*([_opening(request)] if opens else []), *lines),
    )


def posted_of(fact: Fact) -> MessagePosted:
    """The message a ``MessagePosted`` fact tells."""
    assert isinstance(fact.event, MessagePosted)  # noqa: S101 - only those are asked for
    return fact.event


def _request_among(facts: list[Fact]) -> Request | None:
    """What was asked for. Offers tell it too, so it is known even while the other topic lags."""
    for fact in facts:
        if isinstance(fact.event, ChatRequested | AssignmentOffered | ChatQueued | ChatFellBack):
            return fact.event.request
    return None


def _agents_joined(facts: list[Fact]) -> dict[AgentId, str]:
    """Whoever accepted, by name, in that order."""
    joined: dict[AgentId, str] = {}
    for fact in facts:
        match fact.event:
            case AssignmentAccepted(agent=agent) | ChatTransferred(to_agent=agent):
                joined[agent.id] = agent.name
    return joined


def _latest_rating(facts: list[Fact]) -> Rating | None:
    ratings = [fact.event.rating for fact in facts if isinstance(fact.event, ConversationRated)]
    return ratings[-1] if ratings else None


def _opening(request: Request) -> SystemLine:
    return SystemLine(at=request.requested_at, text=_asked(request), event=stream_type(ChatRequested.TYPE))


def _lines_of(fact: Fact, agents: Mapping[AgentId, str]) -> list[MessageLine | SystemLine]:
    match fact.event:
        case MessagePosted(message=said):
            line = MessageLine(at=said.sent_at, text=said.text, id=said.id, author=said.author)
            return [line]
        case ChatEnded():
            text = _ended(fact.event, agents)
        case TransferReturned(agent_id=agent_id):
            text = f"Nobody took the chat over. {agents.get(agent_id, 'The agent')} goes on."
        case event if type(event) in _SAYINGS:
            text = _SAYINGS[type(event)](event)
        case _:
            return []  # The request is the opening line already; read marks and emails are no part of it.
    return [SystemLine(at=fact.occurred_at, text=text, event=stream_type(fact.event.TYPE))]


def _asked(request: Request) -> str:
    visitor = request.visitor
    name = " ".join(filter(None, (visitor.first_name, visitor.last_name))) or visitor.email
    where = f" on {request.page.url}" if request.page is not None else ""
    return f"{name or 'A visitor'} asked for a chat{where}."


def _offered(event: AssignmentOffered) -> str:
    if event.transferred_by is not None:
        return f"{event.transferred_by.name} is handing the chat over. Another agent was rung."
    return "An agent was rung." if event.attempt == 1 else "Another agent was rung."


def _queued(event: ChatQueued) -> str:
    return f"Everybody was busy. The visitor waits, at place {event.queue.position} of the queue."


def _rescinded(event: AssignmentRescinded) -> str:
    # Why the agent cannot answer any more is nothing a visitor need know.
    if event.reason in {RescindReason.AGENT_REMOVED, RescindReason.AGENT_ABSENT}:
        return "The agent who was rung cannot answer any more."
    return "The offer was taken back."


def _fell_back(event: ChatFellBack) -> str:
    fallback: Fallback = event.fallback
    return f"{_FALLBACKS.get(fallback.reason, _NOBODY)} The visitor was told: {fallback.message}"


def _withdrawn(event: ChatWithdrawn) -> str:
    if event.by.type == "visitor":
        return "The visitor left before anybody joined."
    return "The request was withdrawn before anybody joined."


def _ended(event: ChatEnded, agents: Mapping[AgentId, str]) -> str:
    if event.reason is EndReason.IDLE:
        return "The chat ended, because nobody wrote any more."
    if event.reason is EndReason.AGENT_LOST:
        return "The chat ended, because its agent was lost."
    if event.reason is EndReason.AGENT_ENDED:
        return f"{agents.get(event.agent_id, 'The agent')} ended the chat."
    if event.by.type == "key":
        return "The website ended the chat for the visitor."
    return "The visitor ended the chat."


_NOBODY = "Nobody was connected."

_FALLBACKS: Mapping[FallbackReason, str] = {
    FallbackReason.LIVE_CHAT_DISABLED: "Nobody was rung, because live chat is switched off.",
    FallbackReason.ENGAGEMENT_LIMIT: "Nobody was rung, because this month's chats are used up.",
    FallbackReason.BLOCKED_EMAIL_DOMAIN: "Nobody was rung, because of the visitor's email address.",
    FallbackReason.NO_RULE_MATCHED: "Nobody was rung, because no rule is made for such a visit.",
    FallbackReason.QUEUE_FULL: "Everybody was busy, and too many others waited.",
    FallbackReason.QUEUE_TIMEOUT: "Nobody was free in time.",
    FallbackReason.NOBODY_AVAILABLE: "Nobody was available.",
    FallbackReason.NOT_ANSWERED: "Nobody who was rung accepted.",
}

_SAYINGS: Mapping[type[ConversationEvent], Callable[[Any], str]] = {
    AssignmentOffered: _offered,
    AssignmentAccepted: lambda event: f"{event.agent.name} joined.",
    AssignmentDeclined: lambda _: "The agent declined.",
    AssignmentTimedOut: lambda _: "The agent did not answer in time.",
    AssignmentRescinded: _rescinded,
    ChatQueued: _queued,
    ConversationIdleWarned: lambda _: "Nobody wrote for a while. The chat is about to end.",
    ChatTransferred: lambda event: (
        f"{event.from_agent.name} handed the chat over to {event.to_agent.name}."
    ),
    ChatFellBack: _fell_back,
    ChatWithdrawn: _withdrawn,
    ConversationRated: lambda event: f"The visitor rated the chat {event.rating.score} of {RATING_MAX}.",
}
"""What each kind of event reads like."""
