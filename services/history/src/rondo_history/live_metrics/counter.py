"""Counting what the internal topic says, and telling each window when it is over."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

import structlog
from faust import EventT
from pydantic import TypeAdapter

from rondo_common.clock import Clock, milliseconds
from rondo_common.envelope import Envelope
from rondo_common.events import Event, WorkspaceMetrics
from rondo_common.ids import ConversationId, WorkspaceId, derived_event_id
from rondo_common.kafka.partitioning import partition_of
from rondo_common.kafka.publisher import Publisher, outgoing
from rondo_common.topics import LIVE_METRICS_MOMENTS
from rondo_history.domain.chat_moments import Chat, Moment
from rondo_history.domain.metrics_ledger import ChatKey, Closing, MetricsLedger, Told
from rondo_history.live_metrics.entries import ENTRY, MomentEntry, WatermarkEntry, all_sources
from rondo_history.live_metrics.tables import ConfirmedTable

log = structlog.get_logger(__name__)

SOURCE = "/rondo/live-metrics"
PUBLISH_RECORDS_MAX = 500

_MOMENTS: TypeAdapter[tuple[Moment, ...]] = TypeAdapter(tuple[Moment, ...])


class Counter:
    """Keeps a ledger for each partition, with both tables behind it.

    An entry may be taken twice: the ledger knows its moments, and figures that are told again have the
    same id.
    """

    def __init__(
        self,
        chats: ConfirmedTable,
        closed: ConfirmedTable,
        publisher: Publisher,
        clock: Clock,
        *,
        service_level_s: float,
    ) -> None:
        self._chats = chats
        self._closed = closed
        self._publisher = publisher
        self._clock = clock
        self._service_level_ms = round(service_level_s * 1000)
        self._ledgers: dict[int, MetricsLedger] = {}
        self._standing: dict[WorkspaceId, WorkspaceMetrics] = {}
        """Each workspace's newest window, while anybody waits or talks there."""

    def standing(self) -> Collection[WorkspaceMetrics]:
        """The newest windows told here, of the workspaces where anybody waits or talks."""
        return self._standing.values()

    def told_until_ms(self) -> int | None:
        """Up to when every window of every partition here is told; None before the first."""
        told = [self._closed.get(str(number)) for number in self._ledgers]
        return None if not told or None in told else min(told)

    def restart(self, partitions: Collection[int]) -> None:
        """These partitions are this process's now, and the tables are restored."""
        self._chats.keep(partitions, _partition_of_key)
        self._closed.keep(partitions, int)
        self._standing.clear()
        self._ledgers = {
            number: MetricsLedger(
                all_sources(), self._service_level_ms, closed_until_ms=self._closed.get(str(number))
            )
            for number in partitions
        }
        for key, value in self._chats.items():
            workspace_id, conversation_id = _parsed(key)
            chat = Chat(_MOMENTS.validate_python(value))
            self._ledgers[_partition_of_key(key)].remember((workspace_id, conversation_id), chat)

    async def count(self, events: Sequence[EventT[bytes]]) -> None:
        """Return when everything that comes of ``events`` is durable. Raises ``Unavailable``."""
        late: dict[tuple[int, WorkspaceId], list[Moment]] = {}
        for event in events:
            partition = event.message.partition
            ledger = self._ledgers.get(partition)
            if ledger is None:
                continue  # It went to another process meanwhile, which reads this again.
            match ENTRY.validate_json(event.message.value or b""):
                case MomentEntry() as entry:
                    key = (entry.workspace_id, entry.conversation_id)
                    self._take(partition, ledger, key, entry.moment)
                    if ledger.is_late(key, entry.moment):
                        late.setdefault((partition, entry.workspace_id), []).append(entry.moment)
                case WatermarkEntry(source=source, read_until_ms=read_until_ms):
                    closing = ledger.advance(source, read_until_ms)
                    if closing is not None:
                        await self._close(partition, ledger, closing)
        await self._chats.confirm()
        # Also for moments that were known: the process may have died before it told the correction.
        for (partition, workspace_id), moments in late.items():
            await self._tell(self._ledgers[partition].corrected(workspace_id, moments))

    def _take(self, partition: int, ledger: MetricsLedger, key: ChatKey, moment: Moment) -> None:
        chat = ledger.take(key, moment, milliseconds(self._clock()))
        if chat is not None:
            value = [each.model_dump(mode="json", exclude_none=True) for each in chat.moments]
            self._chats.put(partition, "/".join(key), value)

    async def _close(self, partition: int, ledger: MetricsLedger, closing: Closing) -> None:
        # In this order: what is told stands in the log before it counts as told, and what it was
        # counted from is forgotten last.
        await self._chats.confirm()
        await self._tell(closing.told)
        self._closed.put(partition, str(partition), closing.closed_until_ms)
        await self._closed.confirm()
        for key in closing.forgotten:
            self._chats.put(partition, "/".join(key), None)
        ledger.close(closing)

    async def _tell(self, told: Sequence[Told]) -> None:
        records = [outgoing(_envelope(*each, self._clock), each[0]) for each in told]
        for index in range(0, len(records), PUBLISH_RECORDS_MAX):
            await self._publisher.publish(records[index : index + PUBLISH_RECORDS_MAX])
        for workspace_id, metrics in told:
            self._note(workspace_id, metrics)

    def _note(self, workspace_id: WorkspaceId, metrics: WorkspaceMetrics) -> None:
        known = self._standing.get(workspace_id)
        if known is not None and known.window_start > metrics.window_start:
            return  # A correction of an earlier one.
        if metrics.waiting or metrics.active or metrics.queue_length:
            self._standing[workspace_id] = metrics
        else:
            self._standing.pop(workspace_id, None)


def _envelope(workspace_id: WorkspaceId, metrics: WorkspaceMetrics, clock: Clock) -> Envelope[Event]:
    # By its content: the same figures told twice are one event, and a correction is another.
    digest = hashlib.sha256(metrics.model_dump_json().encode()).hexdigest()
    event_id = derived_event_id(f"{workspace_id}/{metrics.window_start.isoformat()}", digest)
    return Envelope(event_id, SOURCE, clock(), workspace_id, metrics)


def _parsed(key: str) -> tuple[WorkspaceId, ConversationId]:
    workspace_id, _, conversation_id = key.partition("/")
    return WorkspaceId(workspace_id), ConversationId(conversation_id)


def _partition_of_key(key: str) -> int:
    return partition_of(LIVE_METRICS_MOMENTS, _parsed(key)[0], "")
