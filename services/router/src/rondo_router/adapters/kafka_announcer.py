"""Announcing decisions on the topics of conversations and of agents."""

from __future__ import annotations

from collections.abc import Sequence

from rondo_common.envelope import Envelope
from rondo_common.events import ConversationEvent
from rondo_common.kafka.publisher import Publisher, outgoing
from rondo_router.domain.outcome import RouterEvent


class KafkaAnnouncer:
    """See :class:`rondo_router.ports.Announcer`."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    async def announce(self, envelopes: Sequence[Envelope[RouterEvent]]) -> list[int]:
        """See :class:`Announcer`."""
        written = await self._publisher.publish([outgoing(each, _key(each.event)) for each in envelopes])
        return [each.offset for each in written]


def _key(event: RouterEvent) -> str:
    return event.conversation_id if isinstance(event, ConversationEvent) else event.agent_id
