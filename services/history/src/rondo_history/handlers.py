"""The history's use cases: keep what happened, tell it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rondo_common.clock import Clock
from rondo_common.envelope import Envelope
from rondo_common.errors import Rejected, Unavailable
from rondo_common.events import ConversationEvent, Event, MessagePosted, VisitorErased
from rondo_common.ids import ConversationId, VisitorId, WorkspaceId
from rondo_common.topics import CHAT_REQUESTS
from rondo_history.domain.assignments import Assignments, assignments_of
from rondo_history.domain.fact import Fact, Place, fact_of
from rondo_history.domain.listing import Filter, KeptConversation, Position, position_of
from rondo_history.domain.mail import TranscriptMail, next_attempt
from rondo_history.domain.transcript import Transcript, posted_of, transcript_of, transcript_part
from rondo_history.ports import Announcer, Archive, Housekeeping, Mailer, Mails

BEFORE_THE_LOG = -1
"""A log position in front of every record."""

Logged = tuple[Envelope[Event], Place]
"""An event as it came, and where it stands in the log."""

Reading = Callable[[Envelope[ConversationEvent], Place], Fact | None]
"""What one kind of event leaves in the archive; None is nothing. Raises ``Rejected``."""


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Some messages of a conversation; ``next_after`` goes on behind them, None at the end.

    Where they are read from the end, ``next_after`` goes on before them.
    """

    messages: tuple[MessagePosted, ...]
    next_after: int | None


@dataclass(frozen=True, slots=True)
class TranscriptPage:
    """A part of a transcript; the next one goes on behind ``next_after``, None at the end."""

    transcript: Transcript
    next_after: int | None


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """Some conversations, newest first; ``next_after`` goes on behind them, None at the end."""

    conversations: tuple[KeptConversation, ...]
    next_after: Position | None


def fact(envelope: Envelope[ConversationEvent], place: Place) -> Fact | None:
    """A :data:`Reading`: it happened, keep it."""
    return fact_of(envelope, place)


def no_fact(_: Envelope[ConversationEvent], __: Place) -> Fact | None:
    """A :data:`Reading`: a command. What comes of it is a fact of its own."""
    return None


async def take_in(
    logged: Sequence[Logged],
    readings: Mapping[type[Event], Reading],
    archive: Archive,
    housekeeping: Housekeeping,
    announcer: Announcer,
) -> None:
    """Keep the facts among ``logged``, and erase the visitors they name, each in its turn.

    Raises:
        Rejected: as :func:`keep_facts`, by the place in ``logged``.
        Unavailable: repeat it.
    """
    start = 0
    for index, (envelope, _) in enumerate(logged):
        if isinstance(envelope.event, VisitorErased):
            await _keep_part(logged[start:index], start, readings, archive)
            await _erase(envelope, envelope.event.visitor_id, housekeeping, announcer)
            start = index
    await _keep_part(logged[start:], start, readings, archive)


async def _keep_part(
    part: Sequence[Logged], start: int, readings: Mapping[type[Event], Reading], archive: Archive
) -> None:
    try:
        await keep_facts(part, readings, archive)
    except Rejected as error:
        raise Rejected(str(error), start + error.index) from None


async def _erase(
    envelope: Envelope[Event], visitor_id: VisitorId, housekeeping: Housekeeping, announcer: Announcer
) -> None:
    """All that the visitor asked for earlier is kept by now: it stands before this in the same topic."""
    erased = await housekeeping.erase_visitor(envelope.workspace_id, visitor_id, envelope.id)
    await announcer.announce_erased(envelope.workspace_id, erased, cause=envelope.id, at=envelope.time)


async def keep_facts(
    logged: Sequence[Logged], readings: Mapping[type[Event], Reading], archive: Archive
) -> None:
    """Keep the facts among ``logged``.

    Raises:
        Rejected: the record at its ``index`` can never be kept; nothing was done.
        Unavailable: repeat it.
    """
    if not logged:
        return
    facts: list[Fact] = []
    for index, (envelope, place) in enumerate(logged):
        reading = readings.get(type(envelope.event), no_fact)
        try:
            kept = reading(envelope, place)  # type: ignore[arg-type]  # readings go by the event's type
        except Rejected as error:
            raise Rejected(str(error), index) from None
        if kept is not None:
            facts.append(kept)
    await archive.keep(facts, read_to=logged[-1][1])


async def list_conversations(
    workspace_id: WorkspaceId, wanted: Filter, limit: int, archive: Archive
) -> ConversationPage:
    """A page of the conversations that are wanted, newest first. Raises ``Unavailable``."""
    found = await archive.list_page(workspace_id, wanted, limit + 1)
    page = found[:limit]
    return ConversationPage(tuple(page), position_of(page[-1]) if len(found) > limit else None)


async def read_transcript(
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    archive: Archive,
    *,
    after: int | None = None,
    limit: int,
) -> TranscriptPage | None:
    """A part of the conversation so far: up to ``limit`` messages behind the log position ``after``, with
    what happened between them. None when the conversation is not known. Raises ``Unavailable``.

    The parts of a transcript have no line twice, and none is missing, also while the talk goes on.
    """
    start = BEFORE_THE_LOG if after is None else after
    # What is kept meanwhile belongs behind this: then the next question tells all of it.
    known = await archive.find(workspace_id, conversation_id)
    if known is None:
        return None
    said = await archive.messages_of(workspace_id, conversation_id, after=start, limit=limit + 1)
    steps = await archive.steps_of(workspace_id, conversation_id)
    next_after = said[limit - 1].place.offset if len(said) > limit else None
    last = known.log_offset if next_after is None else next_after
    told = [each for each in (*said, *steps) if _stands_between(each, start, last)]
    part = transcript_part(steps, told, opens=after is None)
    return None if part is None else TranscriptPage(part, next_after)


def _stands_between(fact: Fact, start: int, last: int) -> bool:
    """Whether a fact is behind ``start`` and not behind ``last``."""
    return fact.place.topic != CHAT_REQUESTS.name and start < fact.place.offset <= last


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
        messages=tuple(posted_of(each) for each in page),
        next_after=page[-1].place.offset if len(found) > limit else None,
    )


async def read_latest_messages(
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    archive: Archive,
    *,
    before: int,
    limit: int,
) -> MessagePage:
    """Up to ``limit`` messages before a log position, the last one first. Raises ``Unavailable``."""
    found = await archive.latest_messages_of(workspace_id, conversation_id, before=before, limit=limit + 1)
    page = found[:limit]
    return MessagePage(
        messages=tuple(posted_of(each) for each in page),
        next_after=page[-1].place.offset if len(found) > limit else None,
    )


@dataclass(frozen=True, slots=True)
class MailOutcome:
    """A mail that was tried, and why it was not sent, if it was not."""

    mail: TranscriptMail
    error: str | None = None


async def send_due_mails(mails: Mails, archive: Archive, mailer: Mailer, clock: Clock) -> list[MailOutcome]:
    """Send the transcripts that are due, each as it is now. Raises ``Unavailable``."""
    return [await _send(mail, mails, archive, mailer, clock) for mail in await mails.claim_due(clock())]


async def _send(
    mail: TranscriptMail, mails: Mails, archive: Archive, mailer: Mailer, clock: Clock
) -> MailOutcome:
    facts = await archive.facts_of(mail.workspace_id, mail.conversation_id)
    transcript = transcript_of(facts)
    if transcript is None:
        await mails.settle(mail, error="the conversation is not kept any more")
        return MailOutcome(mail, "the conversation is not kept any more")
    try:
        await mailer.send(mail, transcript)
    except Rejected as error:
        await mails.settle(mail, error=str(error))
        return MailOutcome(mail, str(error))
    except Unavailable as error:
        again_at = next_attempt(mail, clock())
        if again_at is None:
            await mails.settle(mail, error=str(error))
        else:
            await mails.postpone(mail, again_at, str(error))
        return MailOutcome(mail, str(error))
    await mails.settle(mail)
    return MailOutcome(mail)
