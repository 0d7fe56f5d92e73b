"""Creating the declared topics on a broker."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from rondo_common.errors import Fatal, Unavailable
from rondo_common.kafka.connection import KafkaConnection, make_admin
from rondo_common.topics import Topic

SAFE_REPLICATION = 3
SAFE_IN_SYNC = 2
"""Of so many replicas so many in sync: one broker may be lost, nothing confirmed is, and it goes on."""


async def create_topics(
    connection: KafkaConnection,
    topics: Sequence[Topic],
    *,
    replication_factor: int,
    in_sync_min: int | None = None,
) -> list[str]:
    """Create the topics that do not exist yet; the names of those created. Safe to repeat.

    ``in_sync_min`` replicas must have a record before it is confirmed; None: SAFE_IN_SYNC where there are
    enough replicas for it, else what the broker says.

    Raises:
        Fatal: more replicas are to have a record than there are.
        Unavailable: the broker cannot be reached or refuses.
    """
    in_sync = in_sync_config(replication_factor, in_sync_min)
    admin = make_admin(connection)
    try:
        await admin.start()
        answer = await admin.create_topics(
            [
                NewTopic(
                    name=topic.name,
                    num_partitions=topic.partitions,
                    replication_factor=replication_factor,
                    topic_configs=topic.config() | in_sync,
                )
                for topic in topics
            ]
        )
    except KafkaError as error:
        raise Unavailable("kafka", error) from error
    finally:
        await admin.close()
    created: list[str] = []
    for name, code, *_ in answer.topic_errors:
        refusal = for_code(code)
        if code == 0:
            created.append(name)
        elif refusal is not TopicAlreadyExistsError:
            raise Unavailable("kafka", f"topic {name}: {refusal.__name__}")
    return created


def in_sync_config(replication_factor: int, in_sync_min: int | None) -> dict[str, str]:
    """The setting of a topic that says how many replicas must have a record. Raises ``Fatal``."""
    if in_sync_min is None:
        in_sync_min = SAFE_IN_SYNC if replication_factor >= SAFE_REPLICATION else None
    elif in_sync_min > replication_factor:
        raise Fatal(
            f"RONDO_KAFKA_MIN_INSYNC_REPLICAS={in_sync_min} is more than "
            f"RONDO_KAFKA_REPLICATION_FACTOR={replication_factor}: no record could be confirmed; lower it"
        )
    return {} if in_sync_min is None else {"min.insync.replicas": str(in_sync_min)}
