"""What the history needs from the world, with what it promises."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from rondo_common.ids import ConversationId, EventId, VisitorId, WorkspaceId
from rondo_history.domain.erasure import Erased
from rondo_history.domain.fact import Fact, Place
from rondo_history.domain.listing import Filter, KeptConversation
from rondo_history.domain.mail import TranscriptMail
from rondo_history.domain.report import Grouping, Period, ReportRow
from rondo_history.domain.retention import Cutoffs
from rondo_history.domain.transcript import Transcript


class Archive(Protocol):
    """Keeps facts. What it has is never changed.

    Raises:
        Unavailable: it cannot be reached; nothing of the call happened that repeating it would double.
    """

    async def keep(self, facts: Sequence[Fact], *, read_to: Place | None = None) -> None:
        """Keep all of them, durably, or none. A fact whose id is known stays as it was first kept; of a
        conversation that was erased nothing is kept but its figures.

        ``read_to`` is the last record of the log that these facts come from: all before it in its
        partition is kept then.
        """
        ...

    async def facts_of(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> list[Fact]:
        """Everything kept of a conversation, in no particular order; empty when it is not known."""
        ...

    async def steps_of(self, workspace_id: WorkspaceId, conversation_id: ConversationId) -> list[Fact]:
        """As :meth:`facts_of`, without what was said and read: never many."""
        ...

    async def messages_of(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, *, after: int, limit: int
    ) -> list[Fact]:
        """The first ``limit`` messages of a conversation with an offset above ``after``, by offset."""
        ...

    async def latest_messages_of(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, *, before: int, limit: int
    ) -> list[Fact]:
        """The last ``limit`` messages of a conversation with an offset below ``before``, the last first."""
        ...

    async def has_read(self, place: Place) -> bool:
        """Whether the log was read up to ``place`` in its partition, and all of that is kept."""
        ...

    async def find(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId
    ) -> KeptConversation | None:
        """A conversation at a glance; None when it is not known, or was erased."""
        ...

    async def list_page(
        self, workspace_id: WorkspaceId, wanted: Filter, limit: int
    ) -> list[KeptConversation]:
        """The first ``limit`` of the conversations that are wanted, newest first."""
        ...

    async def has_reached(
        self, workspace_id: WorkspaceId, conversation_id: ConversationId, offset: int
    ) -> bool:
        """Whether the conversation is kept up to ``offset`` of its partition of the log."""
        ...


class Reports(Protocol):
    """Counts how it went. Raises as :class:`Archive`."""

    async def live_chat(
        self, workspace_id: WorkspaceId, period: Period, grouping: Grouping
    ) -> list[ReportRow]:
        """The figures of each group that any conversation of the period belongs to, by name."""
        ...


class Mails(Protocol):
    """Transcripts that are to be sent. Raises as :class:`Archive`."""

    async def claim_due(self, now: datetime) -> list[TranscriptMail]:
        """Some that are due, for the caller alone, until they are settled or postponed, or the caller
        must be thought dead."""
        ...

    async def settle(self, mail: TranscriptMail, *, error: str | None = None) -> None:
        """It was sent, or with an ``error``, it never will be."""
        ...

    async def postpone(self, mail: TranscriptMail, until: datetime, error: str) -> None:
        """It could not be sent now."""
        ...


class Mailer(Protocol):
    """Sends transcripts.

    Raises:
        Rejected: this one can never be sent.
        Unavailable: it may be sent later. Should it have been sent already, its reader can tell.
    """

    async def send(self, mail: TranscriptMail, transcript: Transcript) -> None:
        """Return when it is on its way."""
        ...


class Housekeeping(Protocol):
    """What must not be kept goes. Raises as :class:`Archive`."""

    async def add_months(self, now: datetime) -> None:
        """Make room for the months to come, so that no batch has to."""
        ...

    async def drop_expired(self, cutoffs: Cutoffs) -> int:
        """Delete every conversation that is past its workspace's retention, whole; how many. In small
        steps, and in one process at a time: 0 while another does it."""
        ...

    async def erase_visitor(
        self, workspace_id: WorkspaceId, visitor_id: VisitorId, by: EventId
    ) -> list[Erased]:
        """Erase the visitor from every conversation kept so far: all that was said, asked and mailed is
        deleted, and the summary keeps its figures only. All that the event ``by`` had erased, however
        often this is called."""
        ...


class Announcer(Protocol):
    """Tells the other services."""

    async def announce_erased(
        self, workspace_id: WorkspaceId, erased: Sequence[Erased], *, cause: EventId, at: datetime
    ) -> None:
        """Return when the log has it, each as one fact however often it is told. Raises ``Unavailable``."""
        ...
