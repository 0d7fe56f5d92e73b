"""The history's use cases: keep what happened, tell it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rondo_common.conversation import Message
from rondo_common.envelope import Envelope
from rondo_common.errors import Rejected
from rondo_common.events import ConversationEvent, Event
from rondo_common.ids import ConversationId, WorkspaceId
from rondo_history.domain.assignments import Assignments, assignments_of
from rondo_history.domain.fact import Fact, Place, fact_of
from rondo_history.domain.transcript import Transcript, message_of, transcript_of
from rondo_history.ports import Archive

Logged = tuple[Envelope[Event], Place]
"""An event as it came, and where it stands in the log."""

Reading = Callable[[Envelope[ConversationEvent], Place], Fact | None]
"""What one kind of event leaves in the archive; None is nothing. Raises ``Rejected``."""


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Some messages of a conversation; ``next_after`` goes on behind them, None at the end."""

    messages: tuple[Message, ...]
    next_after: int | None


def fact(envelope: Envelope[ConversationEvent], place: Place) -> Fact | None:
    """A :data:`Reading`: it happened, keep it."""
    return fact_of(envelope, place)


def no_fact(_: Envelope[ConversationEvent], __: Place) -> Fact | None:
    """A :data:`Reading`: a command. What comes of it is a fact of its own."""
    return None


async def keep_facts(
    logged: Sequence[Logged], readings: Mapping[type[Event], Reading], archive: Archive
) -> None:
    """Keep the facts among ``logged``.

    Raises:
        Rejected: the record at its ``index`` can never be kept; nothing was done.
        Unavailable: repeat it.
    """
    facts: list[Fact] = []
    for index, (envelope, place) in enumerate(logged):
        reading = readings.get(type(envelope.event), no_fact)
        try:
            kept = reading(envelope, place)  # type: ignore[arg-type]  # readings go by the event's type
        except Rejected as error:
            raise Rejected(str(error), index) from None
        if kept is not None:
            facts.append(kept)
    if facts:
        await archive.keep(facts)


async def read_transcript(
    workspace_id: WorkspaceId, conversation_id: ConversationId, archive: Archive
) -> Transcript | None:
    """The whole conversation so far, None when it is not known. Raises ``Unavailable``."""
    return transcript_of(await archive.facts_of(workspace_id, conversation_id))


async def read_assignments(
    workspace_id: WorkspaceId, conversation_id: ConversationId, archive: Archive
) -> Assignments | None:
    """Whom it was offered to so far, and why; None when it is not known. Raises ``Unavailable``."""
    return assignments_of(await archive.facts_of(workspace_id, conversation_id))


async def read_messages(
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    archive: Archive,
    *,
    after: int,
    limit: int,
) -> MessagePage:
    """Up to ``limit`` messages behind the log position ``after``, in order. Raises ``Unavailable``."""
    found = await archive.messages_of(workspace_id, conversation_id, after=after, limit=limit + 1)
    page = found[:limit]
    return MessagePage(
        messages=tuple(message_of(each) for each in page),
        next_after=page[-1].place.offset if len(found) > limit else None,
    )
