"""Reading the topics again, from a time on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from rondo_common.clock import milliseconds
from rondo_common.envelope import Envelope
from rondo_common.errors import Rejected, Unavailable
from rondo_common.events import Event
from rondo_common.kafka.records import read_record
from rondo_common.webhooks import Reread

log = structlog.get_logger(__name__)

POLL_TIMEOUT_MS = 500
BATCH_MAX = 500


class KafkaPastEvents:
    """See :class:`rondo_notifier.ports.PastEvents`. Each reading has a consumer of its own."""

    def __init__(self, make_reader: Callable[[], AIOKafkaConsumer]) -> None:
        self._make_reader = make_reader

    async def read(
        self, partitions: Mapping[str, Collection[int]], reread: Reread
    ) -> AsyncIterator[tuple[list[Envelope[Event]], dict[str, int]]]:
        """See :class:`PastEvents`."""
        wanted = [TopicPartition(topic, number) for topic in partitions for number in partitions[topic]]
        until_ms = milliseconds(reread.until)
        reader = self._make_reader()
        try:
            await reader.start()
            reader.assign(wanted)
            ends = await reader.end_offsets(wanted)
            await _seek(reader, wanted, ends, reread)
            left = set(wanted)
            while left := {each for each in left if await reader.position(each) < ends[each]}:
                batches = await reader.getmany(*left, timeout_ms=POLL_TIMEOUT_MS, max_records=BATCH_MAX)
                for where, raws in batches.items():
                    events = [each for raw in raws if raw.timestamp <= until_ms and (each := _read(raw))]
                    yield events, {_name(where): raws[-1].offset + 1}
        except KafkaError as error:
            raise Unavailable("kafka", error) from error
        finally:
            await reader.stop()


async def _seek(
    reader: AIOKafkaConsumer,
    wanted: Collection[TopicPartition],
    ends: Mapping[TopicPartition, int],
    reread: Reread,
) -> None:
    """Stand where the reading goes on, or begins: at the first record written since that time."""
    begins = await reader.offsets_for_times(dict.fromkeys(wanted, milliseconds(reread.since)))
    for each in wanted:
        known = reread.positions.get(_name(each))
        begin = ends[each] if begins.get(each) is None else begins[each].offset
        reader.seek(each, begin if known is None else max(known, begin))


def _name(partition: TopicPartition) -> str:
    return f"{partition.topic}/{partition.partition}"


def _read(raw: ConsumerRecord) -> Envelope[Event] | None:
    try:
        return read_record(raw).envelope
    except Rejected as error:
        log.warning("record_not_read_again", topic=raw.topic, offset=raw.offset, reason=str(error))
        return None
