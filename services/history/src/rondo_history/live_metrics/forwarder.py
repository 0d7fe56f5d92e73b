"""From the topics, which lie by conversation, to the internal one, which lies by workspace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog
from faust import EventT
from faust.types import TP

from rondo_common.envelope import decode
from rondo_common.errors import Rejected
from rondo_common.events import ConversationEvent
from rondo_common.kafka.publisher import Outgoing, Publisher
from rondo_history.domain.chat_moments import STEPS, moment_of
from rondo_history.live_metrics.entries import MomentEntry, moment_record

log = structlog.get_logger(__name__)

_COUNTED = frozenset(event.TYPE.encode() for event in STEPS)


class Forwarder:
    """Forwards the moments of a batch, and knows how far each partition was forwarded."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self.next_offsets: dict[TP, int] = {}
        """The first offset of each partition that is not forwarded yet, as far as any was."""

    async def forward(self, events: Sequence[EventT[bytes]]) -> None:
        """Return when the internal topic has every moment among ``events``. Raises ``Unavailable``."""
        records = [record for event in events if (record := _record_of(event)) is not None]
        if records:
            await self._publisher.publish(records)
        for event in events:
            self.next_offsets[event.message.tp] = event.message.offset + 1

    def forget(self) -> None:
        """Partitions come and go: what was known of their progress may be old."""
        self.next_offsets.clear()


def _record_of(event: EventT[bytes]) -> Outgoing | None:
    given = event.message.headers or ()
    headers = list(given.items() if isinstance(given, Mapping) else given)
    if dict(headers).get("ce_type") not in _COUNTED:
        return None  # Most are messages: they need not even be read.
    try:
        envelope = decode(headers, event.message.value)
    except Rejected as error:
        # The history reads the same topics and puts it aside.
        log.warning("record_not_counted", offset=event.message.offset, reason=str(error))
        return None
    moment = moment_of(envelope, event.message.offset)
    if moment is None or not isinstance(envelope.event, ConversationEvent):
        return None
    return moment_record(
        MomentEntry(
            workspace_id=envelope.workspace_id,
            conversation_id=envelope.event.conversation_id,
            moment=moment,
        )
    )
