"""Announcing decisions on the topic ``rondo.conversations``."""

from __future__ import annotations

from collections.abc import Sequence

from rondo_common.envelope import Envelope
from rondo_common.events import ConversationEvent
from rondo_common.kafka.publisher import Publisher, outgoing


class KafkaAnnouncer:
    """See :class:`rondo_router.ports.Announcer`."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def announce(self, envelopes: Sequence[Envelope[ConversationEvent]]) -> list[int]:
        """See :class:`Announcer`."""
        written = await self._publisher.publish(
            [outgoing(envelope, envelope.event.conversation_id) for envelope in envelopes]
        )
        return [each.offset for each in written]
