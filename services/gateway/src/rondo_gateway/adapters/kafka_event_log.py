"""The log on Kafka."""

from __future__ import annotations

from rondo_common.envelope import Envelope
from rondo_common.events import ConversationEvent, Event
from rondo_common.kafka.publisher import Publisher, outgoing
from rondo_common.topics import Partitioner


class KafkaEventLog:
    """See :class:`rondo_gateway.ports.EventLog`."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def publish(self, envelope: Envelope[Event]) -> int:
        """See :class:`EventLog`. Keyed as the topic says: by workspace or by conversation."""
        event = envelope.event
        key: str = envelope.workspace_id
        if isinstance(event, ConversationEvent) and event.TOPIC.partitioner is Partitioner.KEY:
            key = event.conversation_id
        (written,) = await self._publisher.publish([outgoing(envelope, key)])
        return written.offset
