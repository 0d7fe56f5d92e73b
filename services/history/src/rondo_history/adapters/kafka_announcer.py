"""Announcements on Kafka."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rondo_common.envelope import Envelope
from rondo_common.events import ConversationErased, Event
from rondo_common.ids import EventId, WorkspaceId, derived_event_id
from rondo_common.kafka.publisher import Publisher, outgoing
from rondo_history.domain.erasure import Erased

SOURCE = "/rondo/history"


class KafkaAnnouncer:
    """See :class:`rondo_history.ports.Announcer`."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def announce_erased(
        self, workspace_id: WorkspaceId, erased: Sequence[Erased], *, cause: EventId, at: datetime
    ) -> None:
        """See :class:`Announcer`."""
        records = []
        for each in erased:
            event: Event = ConversationErased(
                conversation_id=each.conversation_id, agent_ids=each.agent_ids
            )
            event_id = derived_event_id(cause, f"erased/{each.conversation_id}")
            envelope = Envelope(event_id, SOURCE, at, workspace_id, event, cause)
            records.append(outgoing(envelope, each.conversation_id))
        if records:
            await self._publisher.publish(records)
