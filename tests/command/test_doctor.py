"""``rondo doctor`` on real servers, whole and broken: what is wrong, and how to mend it."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from redis.asyncio import Redis

from rondo_command.doctor.kafka import SeenTopic, topic_findings
from rondo_command.doctor.redis import LIBRARIES
from rondo_command.doctor.services import beyond_grain
from rondo_common.consumer_groups import CONSUMER_GROUPS
from rondo_common.examination import CLOCK_SKEW_S_MAX, Finding, Level, clock_finding
from rondo_common.kafka.connection import KafkaConnection
from rondo_common.kafka.topic_admin import create_topics
from rondo_common.topics import AGENTS, ALERTS, CHAT_REQUESTS, CONVERSATIONS, DIRECTORY, METRICS, TOPICS
from rondo_history.adapters.schema import migrate, newest_version
from tests.command.conftest import Rondo
from tests.history.mail_server import mail_server

DEADLINE_S = 60
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Diagnosis:
    """What the doctor said."""

    exit_code: int
    findings: Sequence[Finding]

    def about(self, subject: str, level: Level) -> str:
        """All that was said of a subject at a level, and what to do about it."""
        said = [each for each in self.findings if each.subject == subject and each.level == level]
        return "; ".join(f"{each.says} → {each.remedy}" for each in said)


def diagnosed(rondo: Rondo) -> Diagnosis:
    run = rondo("doctor", "--json")
    findings = [Finding(**each | {"level": Level(each["level"])}) for each in json.loads(run.stdout)]
    return Diagnosis(run.exit_code, findings)


@contextmanager
def free_port() -> Iterator[int]:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("URL", "HISTORY_URL", "REDIS_URL", "POSTGRES_DSN", "KAFKA_BOOTSTRAP", "SMTP_URL"):
        monkeypatch.delenv(f"RONDO_{name}", raising=False)


# --- what is made of what is seen ----------------------------------------------------------------

AS_DECLARED = SeenTopic(
    CHAT_REQUESTS.partitions, 3, 0, 0, {"min.insync.replicas": "2", **CHAT_REQUESTS.config()}
)


def test_a_topic_as_it_is_declared_is_fine() -> None:
    (finding,) = topic_findings(CHAT_REQUESTS, AS_DECLARED, 3)
    assert finding.level is Level.OK


@pytest.mark.parametrize(
    ("seen", "level", "says"),
    [
        (None, Level.WRONG, "is not there"),
        (replace(AS_DECLARED, partitions=3), Level.WRONG, "has 3 partitions"),
        (replace(AS_DECLARED, leaderless=1), Level.WRONG, "no leader"),
        (replace(AS_DECLARED, out_of_sync=2), Level.WARNING, "lack replicas"),
        (replace(AS_DECLARED, replicas_min=1), Level.WRONG, "has 1 replicas, not 3"),
        (
            replace(AS_DECLARED, config={"min.insync.replicas": "3"}),
            Level.WRONG,
            "one lost broker stops it",
        ),
        (replace(AS_DECLARED, config={"min.insync.replicas": "1"}), Level.WARNING, "may lose it"),
        (
            replace(AS_DECLARED, config={"cleanup.policy": "compact"}),
            Level.WRONG,
            "cleanup.policy is compact",
        ),
        (replace(AS_DECLARED, config={"retention.ms": "60000"}), Level.WARNING, "retention.ms is 60000"),
    ],
)
def test_a_topic_that_is_not_as_declared_is_told_with_a_remedy(
    seen: SeenTopic | None, level: Level, says: str
) -> None:
    findings = topic_findings(CHAT_REQUESTS, seen, 3)
    (finding,) = (each for each in findings if says in each.says)
    assert finding.level is level
    assert finding.remedy


@pytest.mark.parametrize("ahead_s", [-90.0, 1.5])
def test_a_clock_that_is_off_is_wrong(ahead_s: float) -> None:
    assert clock_finding("x", ahead_s).level is Level.WRONG
    assert clock_finding("x", CLOCK_SKEW_S_MAX / 2).level is Level.OK


def test_the_doctor_knows_every_function_library() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "services").glob("*/src/**/*.py")]
    text = "\n".join(sources)
    for library in LIBRARIES:
        assert f'"{library}"' in text


# --- real servers --------------------------------------------------------------------------------


def test_what_nobody_set_is_not_examined_and_not_wrong(rondo: Rondo) -> None:
    diagnosis = diagnosed(rondo)
    assert diagnosis.exit_code == 0
    for subject in ("kafka", "redis", "postgresql", "gateway", "history"):
        assert "set RONDO_" in diagnosis.about(subject, Level.WARNING)


def test_servers_that_are_gone_are_told_at_once_and_without_their_passwords(
    rondo: Rondo, monkeypatch: pytest.MonkeyPatch
) -> None:
    with free_port() as port:
        monkeypatch.setenv("RONDO_KAFKA_BOOTSTRAP", f"127.0.0.1:{port}")
        monkeypatch.setenv("RONDO_REDIS_URL", f"redis://user:topsecret@127.0.0.1:{port}/0")
        monkeypatch.setenv("RONDO_POSTGRES_DSN", f"postgresql://rondo:topsecret@127.0.0.1:{port}/rondo")
        monkeypatch.setenv("RONDO_SMTP_URL", f"smtp://user:topsecret@127.0.0.1:{port}")
        monkeypatch.setenv("RONDO_URL", f"http://127.0.0.1:{port}")
        diagnosis = diagnosed(rondo)
        told = rondo("doctor")
    assert diagnosis.exit_code == told.exit_code == 1
    for subject, variable in (
        ("kafka", "RONDO_KAFKA_BOOTSTRAP"),
        ("redis", "RONDO_REDIS_URL"),
        ("postgresql", "RONDO_POSTGRES_DSN"),
        ("mail server", "RONDO_SMTP_URL"),
        ("gateway", "RONDO_URL"),
    ):
        assert variable in diagnosis.about(subject, Level.WRONG)
        assert f"✗ {subject}: " in told.stdout
    assert "topsecret" not in told.stdout + told.stderr


def _once(rondo: Rondo, condition: Callable[[Diagnosis], bool]) -> Diagnosis:
    """What the doctor says once it says that: brokers take a moment over what is new."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition(diagnosis := diagnosed(rondo)):
        assert time.monotonic() < deadline, diagnosis
    return diagnosis


async def _make(bootstrap: str, *topics: NewTopic) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics(list(topics))
        assert [each[1] for each in answer.topic_errors] == [0] * len(topics)
    finally:
        await admin.close()


def test_topics_are_held_to_the_registry(
    rondo: Rondo, own_kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RONDO_KAFKA_BOOTSTRAP", own_kafka_bootstrap)
    empty = diagnosed(rondo)
    assert empty.exit_code == 1
    for topic in TOPICS:
        assert "create-topics" in empty.about(f"topic {topic.name}", Level.WRONG)

    kept_for_ever = {"cleanup.policy": "delete", "retention.ms": "-1"}
    asyncio.run(
        _make(
            own_kafka_bootstrap,
            NewTopic(CONVERSATIONS.name, 3, 1, topic_configs=CONVERSATIONS.config()),
            NewTopic(DIRECTORY.name, DIRECTORY.partitions, 1, topic_configs=kept_for_ever),
            NewTopic(ALERTS.name, ALERTS.partitions, 1, topic_configs={"retention.ms": "60000"}),
        )
    )
    connection = KafkaConnection(own_kafka_bootstrap, client_id="tests")
    asyncio.run(create_topics(connection, TOPICS, replication_factor=1))
    broken = _once(rondo, lambda seen: "no leader" not in str(seen) and "is not there" not in str(seen))
    assert broken.exit_code == 1
    assert "has 3 partitions" in broken.about(f"topic {CONVERSATIONS.name}", Level.WRONG)
    assert "cleanup.policy is delete" in broken.about(f"topic {DIRECTORY.name}", Level.WRONG)
    assert "retention.ms=7776000000" in broken.about(f"topic {ALERTS.name}", Level.WARNING)
    for topic in (CHAT_REQUESTS, AGENTS, METRICS):
        assert "as declared" in broken.about(f"topic {topic.name}", Level.OK)
    assert "no authorizer" in broken.about("kafka ACLs", Level.WARNING)

    monkeypatch.setenv("RONDO_KAFKA_REPLICATION_FACTOR", "3")
    alone = diagnosed(rondo)
    assert "1 brokers, and topics are to have 3 replicas" in alone.about("kafka", Level.WRONG)
    assert "has 1 replicas, not 3" in alone.about(f"topic {AGENTS.name}", Level.WRONG)

    # A new broker first makes room for what groups commit.
    _once(
        rondo,
        lambda seen: all(
            "start a" in seen.about(f"group {each.name}", Level.WRONG) for each in CONSUMER_GROUPS
        ),
    )


def test_a_redis_that_would_forget_chats_is_wrong(
    rondo: Rondo, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RONDO_REDIS_URL", redis_url)

    async def set_policy(policy: str) -> None:
        redis = Redis.from_url(redis_url)
        await redis.config_set("maxmemory-policy", policy)
        await redis.aclose()

    assert "never evicted" in diagnosed(rondo).about("redis", Level.OK)
    asyncio.run(set_policy("allkeys-lru"))
    try:
        diagnosis = diagnosed(rondo)
    finally:
        asyncio.run(set_policy("noeviction"))
    assert diagnosis.exit_code == 1
    assert "set maxmemory-policy noeviction" in diagnosis.about("redis", Level.WRONG)
    assert "clock agrees" in diagnosis.about("redis", Level.OK)


def test_a_database_is_held_to_the_newest_migration(
    rondo: Rondo, postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def of_its_own(statement: str) -> None:
        connection = await asyncpg.connect(postgres_dsn)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(of_its_own("CREATE DATABASE doctor_tests"))
    dsn = postgres_dsn.rpartition("/")[0] + "/doctor_tests"
    monkeypatch.setenv("RONDO_POSTGRES_DSN", dsn)
    assert "rondo_history migrate" in diagnosed(rondo).about("postgresql", Level.WRONG)
    asyncio.run(migrate(dsn, "0001"))
    older = diagnosed(rondo)
    assert f"version 0001, this Rondo needs {newest_version()}" in older.about("postgresql", Level.WRONG)
    asyncio.run(migrate(dsn))
    mended = diagnosed(rondo)
    assert mended.exit_code == 0
    assert newest_version() in mended.about("postgresql", Level.OK)
    asyncio.run(of_its_own("DROP DATABASE doctor_tests"))


def test_only_what_is_not_as_it_should_be_is_told_when_asked_so(rondo: Rondo) -> None:
    assert "packages" in rondo("doctor").stdout
    quiet = rondo("doctor", "--quiet").stdout
    assert "packages" not in quiet
    assert "→ set RONDO_KAFKA_BOOTSTRAP" in quiet


def test_a_mail_server_is_greeted_and_sent_nothing(rondo: Rondo, monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server() as mailbox:
        monkeypatch.setenv("RONDO_SMTP_URL", mailbox.url)
        assert "it answers" in diagnosed(rondo).about("mail server", Level.OK)
        assert mailbox.messages == []


@pytest.mark.parametrize(
    ("behind_s", "level"), [(1.8, Level.OK), (2.5, Level.WRONG), (-0.5, Level.OK), (-1.5, Level.WRONG)]
)
def test_a_services_clock_is_told_to_a_whole_second(behind_s: float, level: Level) -> None:
    # A Date header is cut to a second: up to that much behind is not certain.
    assert clock_finding("gateway", beyond_grain(-behind_s)).level is level
