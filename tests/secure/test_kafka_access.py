"""What each user may do at Kafka and what they may not: by the registry, with the clients of services.

What is expected is read from who writes and reads each topic, not from the ACLs that are derived from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    TopicAuthorizationFailedError,
)

from rondo_command.dead_letters import put_back
from rondo_command.doctor.kafka import examine_kafka
from rondo_command.failures import CommandFailed
from rondo_command.topic_reader import open_topics
from rondo_common.access import OPERATORS, USERS
from rondo_common.consumer_groups import CONSUMER_GROUPS
from rondo_common.errors import Unavailable
from rondo_common.examination import Level
from rondo_common.kafka.connection import (
    KafkaConnection,
    make_admin,
    make_group_consumer,
    make_producer,
    make_reader,
)
from rondo_common.kafka.publisher import Outgoing
from rondo_common.kafka.refusals import why_refused
from rondo_common.kafka.topic_admin import create_topics
from rondo_common.topics import AGENTS, CHAT_REQUESTS, TOPICS, Partitioner, Topic
from rondo_local.certificates import Certificates
from rondo_local.kafka_users import declared_acls, set_acls
from tests.secure.conftest import SecureServers

DEADLINE_S = 60.0
REQUEST_TIMEOUT_MS = 20_000
NEW = Topic("rondo.new", "Nothing", "none", Partitioner.KEY, (), (), 1000, partitions=1)

Way = Callable[[SecureServers, str], KafkaConnection]
WAYS: dict[str, Way] = {"password": SecureServers.by_password, "certificate": SecureServers.by_certificate}


@dataclass
class Powers:
    """What somebody may do."""

    sees: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    reads: set[str] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)


def declared(user: str) -> Powers:
    writes = {topic.name for topic in TOPICS if user in topic.writers}
    reads = {topic.name for topic in TOPICS if user in topic.readers}
    sees = reads | writes
    if user == OPERATORS:
        reads = {topic.name for topic in TOPICS if not topic.internal}
        sees = {topic.name for topic in TOPICS}
    return Powers(sees, writes, reads, {each.name for each in CONSUMER_GROUPS if each.service == user})


async def powers(connection: KafkaConnection) -> Powers:
    """What works, tried out on every topic and with every group."""
    found = Powers(sees=await _seen(connection))
    await _try_writing(connection, found)
    if found.sees:
        await _try_reading(connection, found)
    for group in CONSUMER_GROUPS:
        if await _may_join(connection, group.name, min(found.reads, default=TOPICS[0].name)):
            found.groups.add(group.name)
    return found


async def _seen(connection: KafkaConnection) -> set[str]:
    """Who does not see a topic may not read it either: to Kafka, reading is seeing and more."""
    admin = make_admin(connection)
    try:
        await admin.start()
        answers = await admin.describe_topics([topic.name for topic in TOPICS])
    finally:
        await admin.close()
    codes = {each["topic"]: each["error_code"] for each in answers}
    assert set(codes.values()) <= {0, TopicAuthorizationFailedError.errno}
    return {name for name, code in codes.items() if code == 0}


async def _try_writing(connection: KafkaConnection, found: Powers) -> None:
    producer = make_producer(connection, request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        async with asyncio.timeout(DEADLINE_S):
            await producer.start()
            for topic in TOPICS:
                if not await _writes(producer, topic):
                    continue
                found.writes.add(topic.name)
    except ClusterAuthorizationFailedError:
        return  # Who may write nowhere gets no number to be idempotent with.
    finally:
        await producer.stop()


async def _writes(producer: AIOKafkaProducer, topic: Topic) -> bool:
    try:
        await producer.send_and_wait(topic.name, b"tried", key=b"access", partition=0)
    except TopicAuthorizationFailedError:
        return False
    return True


async def _try_reading(connection: KafkaConnection, found: Powers) -> None:
    consumer = make_reader(connection)
    try:
        async with asyncio.timeout(DEADLINE_S):
            await consumer.start()
            for name in sorted(found.sees):
                if await _reads(consumer, name):
                    found.reads.add(name)
    finally:
        await consumer.stop()


async def _reads(consumer: AIOKafkaConsumer, topic: str) -> bool:
    partition = TopicPartition(topic, 0)
    try:
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        return (await consumer.getone(partition)) is not None
    except TopicAuthorizationFailedError:
        return False


async def _may_join(connection: KafkaConnection, group: str, topic: str) -> bool:
    consumer = make_group_consumer(connection, group, session_timeout_ms=6_000, rebalance_timeout_ms=10_000)
    consumer.subscribe([topic])
    try:
        async with asyncio.timeout(DEADLINE_S):
            await consumer.start()
            await consumer.getone()
            await consumer.commit()
    except (GroupAuthorizationFailedError, TopicAuthorizationFailedError):
        return False
    finally:
        await consumer.stop()
    return True


@pytest.fixture(scope="module")
def filled(alone: SecureServers) -> SecureServers:
    """Something stands on each topic, for whoever may read it."""

    async def fill() -> None:
        producer = make_producer(alone.admin, request_timeout_ms=REQUEST_TIMEOUT_MS)
        await producer.start()
        try:
            for topic in TOPICS:
                await producer.send_and_wait(topic.name, b"to be read", key=b"access", partition=0)
        finally:
            await producer.stop()

    asyncio.run(fill())
    return alone


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("way", WAYS)
async def test_a_user_may_do_what_the_registry_says_and_nothing_else(
    filled: SecureServers, user: str, way: str
) -> None:
    assert await powers(WAYS[way](filled, user)) == declared(user)


@pytest.mark.parametrize("user", USERS)
async def test_no_user_makes_topics(filled: SecureServers, user: str) -> None:
    with pytest.raises(Unavailable, match="TopicAuthorizationFailed"):
        await create_topics(filled.by_password(user), [NEW], replication_factor=1)


async def test_an_operator_is_told_why_dead_letters_are_not_put_back(filled: SecureServers) -> None:
    record = Outgoing(CHAT_REQUESTS, 0, "access", b"{}", [])
    with pytest.raises(CommandFailed, match=r"operators may not write rondo\.chat\.requests"):
        await put_back(filled.by_password(OPERATORS), [record])


async def test_a_topic_that_may_not_be_read_is_named(filled: SecureServers) -> None:
    with pytest.raises(Unavailable, match=r"rondo\.agents: not there, or this user may not read it"):
        async with open_topics(filled.by_password("history"), [AGENTS], since=None):
            pytest.fail("it was opened")


async def test_the_doctor_names_an_acl_that_is_missing(filled: SecureServers) -> None:
    everything = declared_acls()
    taken = {each for each in everything if (each.principal, each.name) == ("User:router", AGENTS.name)}
    assert taken
    admin = make_admin(filled.admin)
    await admin.start()
    try:
        await set_acls(admin, everything - taken)
        findings = await examine_kafka(filled.servers.told(OPERATORS))
    finally:
        await set_acls(admin, everything)
        await admin.close()
    (wrong,) = (each for each in findings if each.subject == "kafka ACLs")
    assert wrong.level is Level.WRONG
    assert (
        wrong.says == "User:router may not Describe and Read and Write topic rondo.agents, as router must"
    )


async def test_a_stranger_is_not_let_in_and_told_why(filled: SecureServers, tmp_path: Path) -> None:
    router, by_certificate = filled.by_password("router"), filled.by_certificate("router")
    theirs = Certificates(tmp_path / "theirs")
    foreign = theirs.client("router")

    def changed(connection: KafkaConnection, **changes: object) -> KafkaConnection:
        return replace(connection, security=replace(connection.security, **changes))  # type: ignore[arg-type]

    strangers = {
        "nobody, in clear": (changed(router, protocol="PLAINTEXT"), "hung up: it may speak TLS"),
        "nobody, over TLS": (changed(router, protocol="SSL"), "asks for a password"),
        "a wrong password": (changed(router, password="guessed"), "does not let router in"),
        "an unknown user": (changed(router, username="mallory"), "does not let mallory in"),
        "the password in clear": (changed(router, mechanism="PLAIN"), "does not take PLAIN"),
        "who trusts another authority": (changed(router, ca_file=theirs.ca_file), "RONDO_KAFKA_CA_FILE"),
        "without a certificate": (
            changed(by_certificate, certificate_file=None, key_file=None),
            "asks for a client's certificate",
        ),
        "with the certificate of another authority": (
            changed(by_certificate, certificate_file=foreign.certificate, key_file=foreign.key),
            "does not take our certificate",
        ),
    }
    for who, (connection, told) in strangers.items():
        refusal = await why_refused(connection)
        assert told in str(refusal), who
        assert "guessed" not in str(refusal)
        assert router.security.password not in repr(refusal)
        reader = make_reader(connection)
        try:
            with pytest.raises(KafkaConnectionError):
                await reader.start()
        finally:
            await reader.stop()
    assert await why_refused(router) is None
    assert await why_refused(by_certificate) is None


async def test_whose_certificate_names_nobody_known_may_do_nothing(filled: SecureServers) -> None:
    assert await powers(filled.by_certificate("mallory")) == Powers()
