"""Reading the topics from their beginning again, after the database was brought back from a backup."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, KafkaError

from rondo_common.errors import Conflict, Unavailable
from rondo_common.kafka.connection import KafkaConnection, make_group_consumer
from rondo_common.topics import Topic

SESSION_TIMEOUT_MS = 6_000
REBALANCE_TIMEOUT_MS = 10_000


async def reread(connection: KafkaConnection, group: str, topics: Sequence[Topic]) -> int:
    """Let ``group`` begin at the first record of each partition; how many partitions there are.

    What a database has already is known by its event id, so reading it again changes nothing.

    Raises:
        Conflict: the group has members, whose own progress would win.
        Unavailable: Kafka is out of reach.
    """
    consumer = make_group_consumer(
        connection,
        group,
        session_timeout_ms=SESSION_TIMEOUT_MS,
        rebalance_timeout_ms=REBALANCE_TIMEOUT_MS,
    )
    partitions = [
        TopicPartition(topic.name, number) for topic in topics for number in range(topic.partitions)
    ]
    try:
        await consumer.start()
        consumer.assign(partitions)
        await consumer.commit(await consumer.beginning_offsets(partitions))
    except CommitFailedError as error:
        detail = f"{group} has members: stop every process of it first"
        raise Conflict("group-not-empty", detail) from error
    except KafkaError as error:
        raise Unavailable("kafka", error) from error
    finally:
        await consumer.stop()
    return len(partitions)
