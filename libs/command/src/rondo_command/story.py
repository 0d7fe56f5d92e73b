"""A conversation's events in words, with markup for the terminal. What people wrote is escaped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich.markup import escape

from rondo_common.conversation import RATING_MAX, Message, Party, Request, Route, Why
from rondo_common.events import (
    AcceptChat,
    AcknowledgeAlert,
    AlertAcknowledged,
    AlertDelivered,
    AlertEscalated,
    AlertFailed,
    AlertSent,
    AlertWithdrawn,
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
    ConversationErased,
    ConversationIdleWarned,
    ConversationRated,
    DeclineChat,
    EndChat,
    Event,
    MessagePosted,
    MessagesRead,
    TakeChat,
    TranscriptRequested,
    TransferChat,
    TransferReturned,
    WithdrawChat,
)

FINAL: tuple[type[Event], ...] = (ChatEnded, ChatFellBack, ChatWithdrawn)
"""With one of these a story is over."""


def sentence(event: Event) -> str:
    """One event in words, on one line."""
    teller = _SENTENCES.get(type(event))
    return escape(event.TYPE.removeprefix("rondo.")) if teller is None else teller(event)


def reasons(event: Event) -> list[str]:
    """Why it came so, a line each; nothing where an event has no why."""
    why: Why | None = getattr(event, "why", None)
    if why is None:
        return []
    lines = [_place(why)]
    if why.passed_over:
        passed = ", ".join(f"{each.agent_id} ({_plain(each.reason)})" for each in why.passed_over)
        more = why.passed_over_count - len(why.passed_over)
        lines.append(f"passed over: {passed}{f' and {more} more' if more > 0 else ''}")
    then = ", ".join(_plain(stage) for stage in why.stages_left) or "nothing"
    lines.append(f"attempts left: {why.attempts_left}; then: {then}")
    return [escape(line) for line in lines]


def agents_in(event: Event) -> set[str]:
    """The ids of the agents an event is about."""
    fields = dict(event)
    named = {fields.get("agent_id")}
    named |= {getattr(fields.get(name), "id", None) for name in ("agent", "from_agent", "to_agent")}
    by = fields.get("by")
    if isinstance(by, str):
        named.add(by)
    elif isinstance(by, Party) and by.type == "agent":
        named.add(by.id)
    return {each for each in named if isinstance(each, str)}


def _requested(event: ChatRequested) -> str:
    request: Request = event.request
    where = f" on {request.page.url}" if request.page is not None else ""
    who, route = escape(_visitor(request)), escape(f"{where} (route {_route(request.route)})")
    return f"[bold]{who}[/] asks for a chat{route}"


def _visitor(request: Request) -> str:
    visitor = request.visitor
    name = " ".join(filter(None, (visitor.first_name, visitor.last_name))) or visitor.email or visitor.id
    return name if visitor.company is None else f"{name} of {visitor.company}"


def _route(route: Route) -> str:
    target = getattr(route, "agent_id", None) or getattr(route, "team_id", None)
    return _plain(route.type) if target is None else f"{_plain(route.type)} {target}"


def _offered(event: AssignmentOffered) -> str:
    by = "" if event.transferred_by is None else f" by {event.transferred_by.name}, who hands it over"
    attempt = "" if event.attempt == 1 else f" (attempt {event.attempt})"
    return f"[yellow]offered to[/] [bold]{escape(event.agent.name)}[/]{escape(by + attempt)}"


def _posted(event: MessagePosted) -> str:
    message: Message = event.message
    author = message.author.name or message.author.type
    return f"[bold]{escape(author)}[/]: {escape(' '.join(message.text.splitlines()))}"


def _fell_back(event: ChatFellBack) -> str:
    return f"[red]nobody is connected[/]: {_plain(event.fallback.reason)}"


def _queued(event: ChatQueued) -> str:
    queue = event.queue
    return f"[magenta]waits in the queue[/] at place {queue.position}, for about {queue.estimated_wait_s} s"


def _hands_over(event: TransferChat) -> str:
    target = event.agent_id if event.agent_id is not None else f"team {event.team_id}"
    return f"{escape(event.by)} presses Transfer to {escape(str(target))}"


def _transferred(event: ChatTransferred) -> str:
    before, now = escape(event.from_agent.name), escape(event.to_agent.name)
    return f"[green]the conversation goes from {before} to[/] [bold]{now}[/]"


def _place(why: Why) -> str:
    if why.place is None:
        return f"stage {_plain(why.stage)}"
    turn = "" if why.turn is None else f", turn {why.turn}"
    return f"stage {_plain(why.stage)}: place {why.place} in the sequence of {why.pool or 'all'}{turn}"


def _plain(word: str) -> str:
    return str(word).replace("_", " ")


_SENTENCES: Mapping[type[Event], Callable[[Any], str]] = {
    ChatRequested: _requested,
    AcceptChat: lambda event: f"{escape(event.agent_id)} presses Accept",
    DeclineChat: lambda event: f"{escape(event.agent_id)} presses Decline",
    TakeChat: lambda event: f"{escape(event.agent_id)} presses Take",
    WithdrawChat: lambda event: f"the {event.by.type} withdraws the request",
    EndChat: lambda event: f"the {event.by.type} presses End",
    TransferChat: _hands_over,
    AssignmentOffered: _offered,
    AssignmentAccepted: lambda event: f"[bold green]{escape(event.agent.name)} has the conversation[/]",
    AssignmentDeclined: lambda event: f"[red]{escape(event.agent_id)} declined[/]",
    AssignmentTimedOut: lambda event: f"[red]{escape(event.agent_id)} did not answer[/]",
    AssignmentRescinded: lambda event: (
        f"the offer to {escape(event.agent_id)} is taken back: {_plain(event.reason)}"
    ),
    ChatQueued: _queued,
    ChatTransferred: _transferred,
    TransferReturned: lambda event: f"nobody took it: it stays with {escape(event.agent_id)}",
    ChatFellBack: _fell_back,
    ChatWithdrawn: lambda event: f"[bold]over[/]: withdrawn by the {event.by.type}",
    ChatEnded: lambda event: f"[bold]over[/]: {_plain(event.reason)}",
    MessagePosted: _posted,
    MessagesRead: lambda event: f"read by the {event.reader.type}, up to {escape(event.message_id)}",
    ConversationIdleWarned: lambda event: f"silent: it ends at {event.ends_at:%H:%M:%S} UTC",
    ConversationRated: lambda event: (
        f"the {event.by.type} rates it [bold]{event.rating.score} of {RATING_MAX}[/]"
    ),
    TranscriptRequested: lambda event: f"the {event.by.type} wants the transcript by email",
    AcknowledgeAlert: lambda event: f"{escape(event.agent_id)} has seen the alert",
    AlertSent: lambda event: f"{escape(event.agent_id)} is told by {_plain(event.channel)}",
    AlertDelivered: lambda event: f"{_plain(event.channel)} has the alert for {escape(event.agent_id)}",
    AlertAcknowledged: lambda event: f"{escape(event.agent_id)} has acknowledged the alert",
    AlertEscalated: lambda event: f"{escape(event.agent_id)} is told by {_plain(event.channel)} next",
    AlertWithdrawn: lambda event: f"alert of {escape(event.agent_id)} withdrawn: {_plain(event.reason)}",
    AlertFailed: lambda event: f"{escape(event.agent_id)} could not be told: {escape(event.error)}",
    ConversationErased: lambda _: "[bold]erased[/]: nothing of it is kept but this log, until it expires",
}
"""What each kind of event reads like."""
