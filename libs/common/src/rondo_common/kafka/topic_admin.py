"""Creating the declared topics on a broker."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from rondo_common.errors import Unavailable
from rondo_common.kafka.connection import KafkaConnection, make_admin
from rondo_common.topics import Topic


async def create_topics(
    connection: KafkaConnection, topics: Sequence[Topic], *, replication_factor: int
) -> list[str]:
    """Create the topics that do not exist yet; the names of those created. Safe to repeat.

    Raises:
        Unavailable: the broker cannot be reached or refuses.
    """
    admin = make_admin(connection)
    try:
        await admin.start()
        answer = await admin.create_topics(
            [
                NewTopic(
                    name=topic.name,
                    num_partitions=topic.partitions,
                    replication_factor=replication_factor,
                    topic_configs=topic.config(),
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
