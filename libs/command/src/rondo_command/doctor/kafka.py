"""Kafka: brokers, topics against their registry, who may do what, and who reads."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.metadata import MetadataRequest
from pydantic import ValidationError

from rondo_command.doctor.kafka_acls import examine_acls
from rondo_common.consumer_groups import CONSUMER_GROUPS, ConsumerGroup
from rondo_common.examination import Finding, doubtful, fine, not_examined, wrong
from rondo_common.given_settings import settings_of
from rondo_common.kafka.connection import KafkaConnection, make_admin
from rondo_common.kafka.refusals import why_refused
from rondo_common.kafka.settings import PROTOCOL, KafkaSettings
from rondo_common.service import problems
from rondo_common.topics import TOPICS, Topic

BOOTSTRAP = "RONDO_KAFKA_BOOTSTRAP"
REPLICATION = "RONDO_KAFKA_REPLICATION_FACTOR"
CREATE = "run `python -m rondo_common create-topics`"
SAFE_REPLICATION = 3
REQUEST_TIMEOUT_MS = 10_000

TOPIC_NOT_AUTHORIZED = 29


@dataclass(frozen=True, slots=True)
class SeenTopic:
    """A topic as the brokers have it."""

    partitions: int
    replicas_min: int
    out_of_sync: int
    """Partitions with fewer replicas in sync than there should be."""
    leaderless: int
    config: Mapping[str, str] | None
    """None: whoever asks may not see it."""


async def examine_kafka(environ: Mapping[str, str]) -> Sequence[Finding]:
    """See :data:`rondo_common.examination.Examination`."""
    bootstrap = environ.get(BOOTSTRAP, "")
    if not bootstrap:
        return [not_examined("kafka", BOOTSTRAP)]
    try:
        settings = settings_of(KafkaSettings, environ)
    except ValidationError as error:
        return [
            wrong("kafka", each, "set it as services have it; see docs/settings.md")
            for each in problems(error)
        ]
    connection = KafkaConnection.of(settings, client_id="rondo-doctor")
    try:
        async with _admin(connection) as admin:
            return await _examine(admin, connection, settings.kafka_replication_factor)
    except (KafkaError, OSError, TimeoutError) as error:
        refusal = await why_refused(connection)
        if refusal is not None:
            return [wrong("kafka", refusal.says, refusal.remedy)]
        says = f"brokers at {bootstrap} do not answer all of it ({type(error).__name__})"
        return [wrong("kafka", says, "ask again in a minute; then look into the brokers' log")]


@contextlib.asynccontextmanager
async def _admin(connection: KafkaConnection) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = make_admin(connection, request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


async def _examine(
    admin: AIOKafkaAdminClient, connection: KafkaConnection, replication: int
) -> list[Finding]:
    cluster = await admin.describe_cluster()
    brokers = len(cluster["brokers"])
    found = [_brokers(brokers, replication), _listener(connection)]
    seen, hidden = await _seen_topics(admin)
    for topic in TOPICS:
        if topic.name in hidden:
            found.append(_hidden(topic))
        else:
            found += topic_findings(topic, seen.get(topic.name), replication)
    found += await examine_acls(admin)
    found += await _groups(admin)
    return found


def _brokers(brokers: int, replication: int) -> Finding:
    if brokers < replication:
        says = f"{brokers} brokers, and topics are to have {replication} replicas"
        return wrong("kafka", says, f"start more brokers, or lower {REPLICATION}")
    return fine("kafka", f"{brokers} brokers answer")


def _listener(connection: KafkaConnection) -> Finding:
    """How they let us in."""
    security = connection.security
    if security.over_tls and security.with_password:
        return fine("kafka", f"they let {security.username} in, over TLS")
    if security.over_tls:
        return fine("kafka", "they let us in over TLS" + (", by certificate" if security.key_file else ""))
    told = f"as {security.username}, " if security.with_password else ""
    if all(_is_here(each) for each in connection.bootstrap.split(",")):
        return fine("kafka", f"they let us in {told}without TLS, on this machine")
    return doubtful(
        "kafka",
        f"they let us in {told}without TLS: who is on the way reads and changes everything",
        f"open a listener with TLS, and set {PROTOCOL}; see docs/operations/security.md",
    )


def _is_here(address: str) -> bool:
    host = address.strip().rpartition(":")[0].strip("[]")
    return host in {"localhost", "::1"} or host.startswith("127.")


# --- topics --------------------------------------------------------------------------------------


async def _seen_topics(admin: AIOKafkaAdminClient) -> tuple[dict[str, SeenTopic], set[str]]:
    """The topics that are there, and the names of those that whoever asks may not see."""
    # aiokafka's own call would let brokers that make topics by themselves make those that are missing.
    request = MetadataRequest([topic.name for topic in TOPICS], allow_auto_topic_creation=False)
    answer = await admin._send_request(request)  # noqa: SLF001 - it has no other
    answers = answer.to_object()["topics"]
    described = {each["topic"]: each["partitions"] for each in answers if not each["error_code"]}
    hidden = {each["topic"] for each in answers if each["error_code"] == TOPIC_NOT_AUTHORIZED}
    configs = await _configs(admin, list(described)) if described else {}
    return {name: _seen(each, configs.get(name)) for name, each in described.items()}, hidden


def _hidden(topic: Topic) -> Finding:
    return doubtful(
        f"topic {topic.name}",
        "is not there, or these credentials may not see it",
        "ask with those of the operators, or give these Describe and DescribeConfigs on it",
    )


def _seen(partitions: Sequence[Any], config: Mapping[str, str] | None) -> SeenTopic:
    return SeenTopic(
        partitions=len(partitions),
        replicas_min=min((len(each["replicas"]) for each in partitions), default=0),
        out_of_sync=sum(len(each["isr"]) < len(each["replicas"]) for each in partitions),
        leaderless=sum(each["leader"] < 0 for each in partitions),
        config=config,
    )


async def _configs(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found = {}
    for answer in await admin.describe_configs(resources):
        for code, _, _, name, entries in answer.resources:
            if code == 0:
                found[name] = {entry[0]: entry[1] for entry in entries}
    return found


def topic_findings(topic: Topic, seen: SeenTopic | None, replication: int) -> list[Finding]:
    """What is to be said of a topic, as it is declared and as it is there. Pure."""
    subject = f"topic {topic.name}"
    if seen is None:
        return [wrong(subject, "is not there", CREATE)]
    found = list(_problems(subject, topic, seen, replication))
    return found or [
        fine(subject, f"{seen.partitions} partitions, {seen.replicas_min} replicas, as declared")
    ]


def _problems(subject: str, topic: Topic, seen: SeenTopic, replication: int) -> Iterator[Finding]:
    if seen.partitions != topic.partitions:
        yield wrong(
            subject,
            f"has {seen.partitions} partitions; keys are spread over {topic.partitions}",
            "stop Rondo, keep what it holds (docs/operations/backup-and-restore.md), delete it, "
            f"{CREATE}, and write the records back by their keys",
        )
    yield from _config_problems(subject, topic, seen)
    if seen.leaderless:
        yield wrong(
            subject,
            f"{seen.leaderless} partitions have no leader: nothing is written or read there",
            "start the brokers that hold them",
        )
    elif seen.out_of_sync:
        yield doubtful(
            subject,
            f"{seen.out_of_sync} partitions lack replicas in sync: losing one more broker may stop them",
            "start the missing brokers, and wait until they have caught up",
        )
    if seen.replicas_min < replication:
        yield wrong(
            subject,
            f"has {seen.replicas_min} replicas, not {replication} as {REPLICATION} says",
            "reassign its partitions with kafka-reassign-partitions",
        )
    yield from _in_sync_problems(subject, seen)


def _config_problems(subject: str, topic: Topic, seen: SeenTopic) -> Iterator[Finding]:
    if seen.config is None:
        yield doubtful(
            subject,
            "these credentials may not see how it is configured",
            "ask with those of the operators, or give these DescribeConfigs on it",
        )
        return
    for name, wanted in topic.config().items():
        has = seen.config.get(name)
        if has is None or has == wanted:
            continue
        where = f"--entity-type topics --entity-name {topic.name}"
        remedy = f"run `kafka-configs --alter {where} --add-config {name}={wanted}`"
        if name == "cleanup.policy":
            yield wrong(
                subject,
                f"{name} is {has}, not {wanted}: what it must keep is deleted, or the reverse",
                remedy,
            )
        else:
            yield doubtful(subject, f"{name} is {has}; {wanted} is declared", remedy)


def _in_sync_problems(subject: str, seen: SeenTopic) -> Iterator[Finding]:
    if seen.config is None:
        return
    in_sync = int(seen.config.get("min.insync.replicas") or 1)
    if in_sync > 1 and in_sync >= seen.replicas_min:
        yield wrong(
            subject,
            f"min.insync.replicas is {in_sync} of {seen.replicas_min} replicas: one lost broker stops it",
            "have one more replica than must be in sync",
        )
    elif in_sync == 1 and seen.replicas_min >= SAFE_REPLICATION:
        yield doubtful(
            subject,
            "one replica in sync is enough for a write to be confirmed, so one lost broker may lose it",
            "set min.insync.replicas=2",
        )


# --- who reads -----------------------------------------------------------------------------------


async def _groups(admin: AIOKafkaAdminClient) -> list[Finding]:
    # One by one: aiokafka 0.14 cannot read an answer about several groups of today's brokers.
    return [await _described(admin, group) for group in CONSUMER_GROUPS]


async def _described(admin: AIOKafkaAdminClient, group: ConsumerGroup) -> Finding:
    try:
        (answer,) = await admin.describe_consumer_groups([group.name])
    except KafkaError as error:
        remedy = "ask again in a minute; or with credentials that may describe groups"
        return doubtful(f"group {group.name}", f"cannot be asked for ({type(error).__name__})", remedy)
    code, _, state, _, _, members, *_ = answer.groups[0]
    return _group(group, code, state, len(members))


def _group(group: ConsumerGroup, code: int, state: str, members: int) -> Finding:
    subject, service = f"group {group.name}", group.service
    if code:
        return doubtful(
            subject, f"the brokers answer {for_code(code).__name__}", "ask again, or as an admin"
        )
    if members == 0:
        return wrong(subject, f"has no members: no {service} runs on these brokers", f"start a {service}")
    if state != "Stable":
        return doubtful(subject, f"is moving ({state}), with {members} members", "ask again in a minute")
    return fine(subject, f"{members} members")
