"""How safe the topics are that create-topics makes."""

from __future__ import annotations

import pytest

from rondo_common.errors import Fatal
from rondo_common.kafka.connection import KafkaConnection
from rondo_common.kafka.topic_admin import create_topics, in_sync_config


@pytest.mark.parametrize(
    ("replicas", "wanted", "config"),
    [
        (3, None, {"min.insync.replicas": "2"}),
        (5, None, {"min.insync.replicas": "2"}),
        (3, 3, {"min.insync.replicas": "3"}),
        (2, None, {}),
        (1, None, {}),
        (1, 1, {"min.insync.replicas": "1"}),
    ],
)
def test_of_three_replicas_two_must_have_a_record_unless_it_is_said_otherwise(
    replicas: int, wanted: int | None, config: dict[str, str]
) -> None:
    assert in_sync_config(replicas, wanted) == config


async def test_more_confirmations_than_replicas_are_refused_before_anything_is_created() -> None:
    nowhere = KafkaConnection("127.0.0.1:1", client_id="test")

    with pytest.raises(Fatal, match=r"RONDO_KAFKA_MIN_INSYNC_REPLICAS=2 is more than .*=1"):
        await create_topics(nowhere, [], replication_factor=1, in_sync_min=2)
