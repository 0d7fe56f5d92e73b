"""After a restore the history reads its topics again; but never behind the back of one that runs."""

from __future__ import annotations

import uuid

import pytest
from aiokafka import TopicPartition

from rondo_common.errors import Conflict
from rondo_common.kafka.connection import KafkaConnection, make_group_consumer
from rondo_common.kafka.topic_admin import create_topics
from rondo_common.topics import CHAT_REQUESTS, TOPICS
from rondo_history.adapters.kafka_reread import reread


async def test_a_group_begins_again_once_nobody_is_in_it(kafka_bootstrap: str) -> None:
    connection = KafkaConnection(kafka_bootstrap, client_id="reread-tests")
    await create_topics(connection, TOPICS, replication_factor=1)
    group = f"reread-{uuid.uuid4().hex}"
    member = make_group_consumer(connection, group, session_timeout_ms=6_000, rebalance_timeout_ms=10_000)
    partition = TopicPartition(CHAT_REQUESTS.name, 3)
    member.subscribe([CHAT_REQUESTS.name])
    await member.start()
    try:
        await member.commit({partition: 77})
        with pytest.raises(Conflict, match="stop every process"):
            await reread(connection, group, [CHAT_REQUESTS])
        assert await member.committed(partition) == 77
    finally:
        await member.stop()
    assert await reread(connection, group, [CHAT_REQUESTS]) == CHAT_REQUESTS.partitions
    after = make_group_consumer(connection, group, session_timeout_ms=6_000, rebalance_timeout_ms=10_000)
    await after.start()
    try:
        assert await after.committed(partition) == 0
    finally:
        await after.stop()
