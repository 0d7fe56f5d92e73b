"""Transcripts, as history keeps them."""

from __future__ import annotations

from collections.abc import Callable

from rondo_common.clock import Clock
from rondo_common.envelope import Envelope
from rondo_common.errors import Conflict
from rondo_common.events import TranscriptRequested
from rondo_common.ids import ConversationId, EventId, WorkspaceId
from rondo_gateway.domain.limits import TRANSCRIPT_MAILS_MAX
from rondo_gateway.domain.permissions import require_member
from rondo_gateway.domain.principals import Principal
from rondo_gateway.domain.refusals import LimitReached, NotFound
from rondo_gateway.domain.transcript import Transcript
from rondo_gateway.handlers.source import SOURCE
from rondo_gateway.handlers.visible_conversations import readable_conversation
from rondo_gateway.ports import Conversations, DirectoryView, EventLog, History


class Transcripts:
    """Reads transcripts for those who took part, and those who may view all."""

    def __init__(
        self,
        directory: DirectoryView,
        conversations: Conversations,
        history: History,
        log: EventLog,
        clock: Clock,
        new_event_id: Callable[[], EventId],
    ) -> None:
        self._directory = directory
        self._conversations = conversations
        self._history = history
        self._log = log
        self._clock = clock
        self._new_event_id = new_event_id

    async def read(
        self, caller: Principal, conversation_id: ConversationId, time_zone: str | None = None
    ) -> Transcript:
        """The whole conversation, for its parties and those who may view all.

        Raises:
            NotFound: there is none, or history does not know it yet.
            NotPermitted: the calling agent may not read it.
        """
        member = require_member(caller)
        view = await readable_conversation(
            self._directory, self._conversations, self._history, member, conversation_id
        )
        transcript = await self._history.transcript(member.workspace_id, view.id, at_least=view.log_offset)
        if transcript is None:
            raise NotFound("transcript (yet) of conversation", conversation_id)
        zone = time_zone or self._time_zone(member.workspace_id)
        return transcript.model_copy(update={"time_zone": zone})

    async def email(self, caller: Principal, conversation_id: ConversationId, to: str) -> None:
        """Have the transcript sent, with all that was said so far. Returns when the log has that.

        Raises:
            Conflict: no email can be sent from here.
            LimitReached: the conversation was sent too often lately.
        """
        member = require_member(caller)
        view = await readable_conversation(
            self._directory, self._conversations, self._history, member, conversation_id
        )
        if not await self._history.can_mail():
            detail = "No mail server is configured here. Read the transcript, or set RONDO_SMTP_URL."
            raise Conflict("mail-not-configured", detail)
        wait_s = await self._conversations.reserve_mail(member.workspace_id, view.id)
        if wait_s is not None:
            raise LimitReached(f"of {TRANSCRIPT_MAILS_MAX} emails a conversation and day", wait_s)
        event = TranscriptRequested(
            conversation_id=view.id,
            to=to,
            by=member.party(),
            time_zone=self._time_zone(member.workspace_id),
        )
        now = self._clock()
        await self._log.publish(Envelope(self._new_event_id(), SOURCE, now, member.workspace_id, event))

    def _time_zone(self, workspace_id: WorkspaceId) -> str:
        found = self._directory.find(workspace_id)
        if found is None or found.workspace is None:
            return "UTC"
        return found.workspace.settings.time_zone
