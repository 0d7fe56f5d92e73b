"""The servers of a test run in containers, where a Docker engine answers.

Images are the official ones. ``RONDO_TEST_KAFKA_IMAGE``, ``RONDO_TEST_REDIS_IMAGE`` and
``RONDO_TEST_POSTGRES_IMAGE`` name others that are told what to do in the same way.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager

from testcontainers.community.postgres import PostgresContainer
from testcontainers.community.redis import RedisContainer
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient

from rondo_common.kafka.connection import KafkaConnection
from rondo_local.kafka import is_serving
from rondo_local.ports import choose
from rondo_local.servers import Addresses

KAFKA_IMAGE = "apache/kafka:4.4.0"
REDIS_IMAGE = "valkey/valkey:9.1"
POSTGRES_IMAGE = "postgres:18"

READY_TIMEOUT_S = 120.0
READY_DELAY_S = 0.5


@contextmanager
def servers_in_containers() -> Iterator[Addresses]:
    """Kafka, Valkey and PostgreSQL, ready while the body runs. Not for use inside a running event loop."""
    redis_image = os.environ.get("RONDO_TEST_REDIS_IMAGE") or REDIS_IMAGE
    postgres_image = os.environ.get("RONDO_TEST_POSTGRES_IMAGE") or POSTGRES_IMAGE
    with (
        kafka_in_container() as kafka_bootstrap,
        RedisContainer(redis_image) as redis,
        PostgresContainer(postgres_image, driver=None) as postgres,
    ):
        redis_url = f"redis://{redis.get_container_host_ip()}:{redis.get_exposed_port(6379)}/0"
        yield Addresses(kafka_bootstrap, redis_url, postgres.get_connection_url())


@contextmanager
def kafka_in_container() -> Iterator[str]:
    """One broker, as the local stack has it; its ``host:port``.

    A broker tells its clients where it is, so its port is chosen before it starts.
    """
    port = choose((), random.SystemRandom())
    container = DockerContainer(os.environ.get("RONDO_TEST_KAFKA_IMAGE") or KAFKA_IMAGE)
    host = DockerClient().host()
    settings = {
        "NODE_ID": "1",
        "PROCESS_ROLES": "broker,controller",
        "LISTENERS": f"PLAINTEXT://:{port},CONTROLLER://:9093",
        "ADVERTISED_LISTENERS": f"PLAINTEXT://{host}:{port}",
        "LISTENER_SECURITY_PROTOCOL_MAP": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "AUTO_CREATE_TOPICS_ENABLE": "false",
        "OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "OFFSETS_TOPIC_NUM_PARTITIONS": "1",
        "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
    }
    container.with_envs(**{f"KAFKA_{name}": value for name, value in settings.items()})
    container.with_bind_ports(port, port)
    with container:
        asyncio.run(_until_serving(host, port))
        yield f"{host}:{port}"


async def _until_serving(host: str, port: int) -> None:
    async with asyncio.timeout(READY_TIMEOUT_S):
        while not await is_serving(KafkaConnection(f"{host}:{port}", client_id="tests")):
            await asyncio.sleep(READY_DELAY_S)
