"""Any broker is lost, and every process is replaced, while people talk: nothing is lost, nothing is twice.

One module, for one stack: three Kafka nodes take a while to start.
"""

from __future__ import annotations

import signal

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from rondo_common.topics import TOPICS
from tests.e2e.client import eventually
from tests.e2e_brokers.conftest import BROKERS, Cluster
from tests.load.verdict import check

CHATS_MEANWHILE = 6
BLOWS = (signal.SIGKILL, signal.SIGSTOP, signal.SIGKILL)
ROUNDS = (
    ("gateway", "router", "notifier", "history", "live-metrics"),
    ("gateway-2", "router-2", "notifier-2", "history-2"),
)


async def test_every_topic_is_where_one_broker_may_be_lost(cluster: Cluster) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.env["RONDO_KAFKA_BOOTSTRAP"])
    await admin.start()
    try:
        described = await admin.describe_topics()
        names = [each["topic"] for each in described if not each["topic"].startswith("local.")]
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        answers = [answer for each in await admin.describe_configs(resources) for answer in each.resources]
    finally:
        await admin.close()
    assert {topic.name for topic in TOPICS} < set(names)  # The offsets of the groups are in one too.
    for topic in described:
        if topic["topic"] in names:
            assert {len(each["replicas"]) for each in topic["partitions"]} == {3}, topic["topic"]
    for _, _, _, name, entries in answers:
        assert {entry[0]: entry[1] for entry in entries}["min.insync.replicas"] == "2", name


@pytest.mark.timeout(900)  # Servers die and start anew, on whatever machine this is.
async def test_the_loss_of_any_broker_loses_nothing_and_doubles_nothing(cluster: Cluster) -> None:
    async with cluster.load() as (_, load):
        await load.more(CHATS_MEANWHILE)
        # The active controller is among them: it is another's turn only when the active one is lost.
        for broker, blow in zip(BROKERS, BLOWS, strict=True):
            cluster.signal(broker, blow)
            try:
                await load.more(CHATS_MEANWHILE)
            finally:
                if blow is signal.SIGSTOP:
                    cluster.signal(broker, signal.SIGCONT)
            await cluster.heal()
            await _until_in_sync(cluster)  # Else the next loss would be of two at once.
        await load.more(CHATS_MEANWHILE)
        await load.finish()
        print(await check(load, cluster.env["RONDO_KAFKA_BOOTSTRAP"]))


@pytest.mark.timeout(900)
async def test_while_every_process_is_replaced_no_request_fails_and_no_event_is_missed(
    cluster: Cluster,
) -> None:
    async with cluster.load() as (front, load):
        await load.more(CHATS_MEANWHILE)
        # As a chart's upgrade does: one of each service at a time, all services at once.
        for replaced in ROUNDS:
            gateway = cluster.url(replaced[0])
            await front.take_out(gateway)
            await cluster.replace(replaced)
            await front.put_back(gateway)
            await load.more(CHATS_MEANWHILE)
        await load.finish()
        # A command that is not decided within 5 s is answered 202, and is no failure; a 503 would be one.
        assert [what for what in load.refused if not what.endswith("202")] == []
        assert all(ear.connections > 1 for house in load.houses for ear in house.ears.values())
        print(await check(load, cluster.env["RONDO_KAFKA_BOOTSTRAP"]))


async def _until_in_sync(cluster: Cluster) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.env["RONDO_KAFKA_BOOTSTRAP"])
    await admin.start()
    try:

        async def in_sync() -> bool | None:
            described = await admin.describe_topics()
            partitions = [each for topic in described for each in topic["partitions"]]
            return all(len(each["isr"]) == len(each["replicas"]) for each in partitions) or None

        await eventually(in_sync, "every replica to be in sync")
    finally:
        await admin.close()
