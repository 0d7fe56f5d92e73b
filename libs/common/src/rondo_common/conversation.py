"""The words about one conversation that events, the switchboard and the HTTP surface share."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from math import floor
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from rondo_common.ids import AgentId, MessageId, TeamId, VisitorId


class Value(BaseModel):
    """An immutable value. Building one with a field it does not have is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Visitor(Value):
    """A person on the website, as the website described them. Personal data, all of it."""

    id: VisitorId
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    job_title: str | None = None
    company: str | None = None
    phone: str | None = None
    crm_status: str | None = None
    language: str | None = None
    country: str | None = None
    state: str | None = None
    city: str | None = None
    company_size: str | None = None
    industry: str | None = None
    attributes: dict[str, str | int | float | bool | None] = {}


def email_domain(email: str | None) -> str | None:
    """The part of an address behind the ``@``, in lower case; None without an address."""
    return None if not email else email.rpartition("@")[2].lower()


class RoundRobinRoute(Value):
    """All live-chat agents, in sequence."""

    type: Literal["round_robin"] = "round_robin"


class AgentRoute(Value):
    """That agent only."""

    type: Literal["agent"] = "agent"
    agent_id: AgentId


class CustomRulesRoute(Value):
    """The agents of every rule whose conditions the visitor meets, in the order of the rules."""

    type: Literal["custom_rules"] = "custom_rules"


class TeamRoute(Value):
    """The agents of that team."""

    type: Literal["team"] = "team"
    team_id: TeamId


Route = Annotated[RoundRobinRoute | AgentRoute | CustomRulesRoute | TeamRoute, Field(discriminator="type")]
"""Where a chat request asks to go."""


class Page(Value):
    """The page the visitor asked from."""

    url: str


class Request(Value):
    """What the visitor asked for; goes along with every offer of the conversation."""

    visitor: Visitor
    route: Route
    page: Page | None = None
    answers: dict[str, str | int | float | bool | None] = {}
    priority: int = 0
    requested_at: datetime


class Status(StrEnum):
    """Where a conversation stands. The last three are final; every conversation reaches one."""

    REQUESTED = "requested"
    QUEUED = "queued"
    OFFERED = "offered"
    ACTIVE = "active"
    ENDED = "ended"
    FELL_BACK = "fell_back"
    WITHDRAWN = "withdrawn"

    @property
    def is_final(self) -> bool:
        """True when nothing more can happen to the conversation."""
        return self in {Status.ENDED, Status.FELL_BACK, Status.WITHDRAWN}


class EndReason(StrEnum):
    """Why a conversation that was active is over."""

    VISITOR_ENDED = "visitor_ended"
    AGENT_ENDED = "agent_ended"
    IDLE = "idle"
    AGENT_LOST = "agent_lost"


class FallbackReason(StrEnum):
    """Why nobody was connected."""

    LIVE_CHAT_DISABLED = "live_chat_disabled"
    ENGAGEMENT_LIMIT = "engagement_limit"
    BLOCKED_EMAIL_DOMAIN = "blocked_email_domain"
    NO_RULE_MATCHED = "no_rule_matched"
    NOBODY_AVAILABLE = "nobody_available"
    NOT_ANSWERED = "not_answered"
    QUEUE_FULL = "queue_full"
    QUEUE_TIMEOUT = "queue_timeout"


class PassedOverReason(StrEnum):
    """Why a candidate's place in the sequence was passed."""

    AWAY = "away"
    AT_CAPACITY = "at_capacity"
    NOT_PRESENT = "not_present"
    ALREADY_TRIED = "already_tried"
    NO_PERMISSION = "no_permission"


class AgentCard(Value):
    """An agent as a visitor may see them, once they accepted."""

    id: AgentId
    name: str
    avatar_url: str | None = None


class Party(Value):
    """Who did something: a visitor, an agent, the website's backend (``key``) or Rondo itself."""

    type: Literal["visitor", "agent", "key", "system"]
    id: str


class Offer(Value):
    """An open offer: this agent may accept or decline until ``expires_at``."""

    agent_id: AgentId
    attempt: int
    offered_at: datetime
    expires_at: datetime


class Queue(Value):
    """A visitor's place among those who wait, counted from 1, and the wait that is left by experience."""

    position: int
    estimated_wait_s: int


QUEUE_PACE_S_DEFAULT = 60.0
"""What a place in the queue is worth while there is no experience."""


def queue_at(position: int, pace_s: float | None) -> Queue:
    """The place ``position`` in a queue in which a place is worth ``pace_s`` seconds.

    Half a second counts as a whole one, as the router tells it: the same place never has two waits.
    """
    pace = QUEUE_PACE_S_DEFAULT if pace_s is None else pace_s
    return Queue(position=position, estimated_wait_s=max(1, floor(position * pace + 0.5)))


class Ended(Value):
    """How a conversation ended."""

    reason: EndReason
    by: Party
    at: datetime


RATING_MAX = 5


class Rating(Value):
    """How good a visitor found a conversation, 5 being best. The comment is theirs, and never markup."""

    score: int = Field(ge=1, le=RATING_MAX)
    comment: str | None = None
    rated_at: datetime


class RescindReason(StrEnum):
    """Why an open offer was taken back."""

    WITHDRAWN = "withdrawn"
    """The visitor no longer waits."""
    ENDED = "ended"
    """The conversation was ended while it was to be transferred."""
    AGENT_REMOVED = "agent_removed"
    AGENT_ABSENT = "agent_absent"
    """The agent's last inbox closed, in a workspace that requires one."""


class Fallback(Value):
    """What the visitor is told instead of a conversation."""

    reason: FallbackReason
    message: str
    offer_meeting: bool


class Author(Value):
    """Who wrote a message. ``name`` is as the other side may see it."""

    type: Literal["visitor", "agent", "system"]
    id: str
    name: str | None = None


class Message(Value):
    """One line of the talk; ``text`` is kept as given and is never markup."""

    id: MessageId
    author: Author
    text: str
    sent_at: datetime


class PassedOver(Value):
    """One agent whose place came earlier, and why they were not offered the chat."""

    agent_id: AgentId
    reason: PassedOverReason


TAKEN = "taken"
"""The stage of an offer that its agent asked for: they took the chat from the queue, which is no turn."""


class Why(Value):
    """Why this agent: the answer to every "why not me" and "why me" about one attempt."""

    stage: str
    pool: str | None = None
    """The pool whose turn it was: ``all``, ``team:<id>`` or ``rule:<id>``; None without a sequence."""
    place: int | None = None
    """The agent's place in the pool's sequence; None where a stage has no sequence."""
    turn: int | None = None
    """Which turn of the pool this was; greater than that of the offer before, unless a turn was kept."""
    passed_over: tuple[PassedOver, ...] = ()
    """The agents whose turn came before, at most 20 of them, in sequence."""
    passed_over_count: int = 0
    attempts_left: int = 0
    stages_left: tuple[str, ...] = ()
    """What comes next if this attempt is not answered or nobody is found."""
