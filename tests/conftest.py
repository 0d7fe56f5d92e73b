"""Real servers for the tests, found in this order: addresses in the environment; testcontainers where
a Docker engine answers; the local stack's own servers. Never skipped: no server is a failure.
"""

from __future__ import annotations

import gc
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest
from redis.asyncio import Redis

from rondo_local.servers import local_servers

DOCKER_ANSWER_TIMEOUT_S = 10

# No test fails for the time it took: the machine may be busy.
hypothesis.settings.register_profile(
    "rondo", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("rondo")


def pytest_collection_finish() -> None:
    """What was imported stays for the whole run: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


@dataclass(frozen=True)
class Servers:
    """Where the servers of this test run are."""

    kafka_bootstrap: str
    redis_url: str
    postgres_dsn: str


def _servers_of_environment() -> Servers | None:
    names = ("RONDO_TEST_KAFKA_BOOTSTRAP", "RONDO_TEST_REDIS_URL", "RONDO_TEST_POSTGRES_DSN")
    values = [os.environ.get(name) for name in names]
    if not any(values):
        return None
    if not all(values):
        raise pytest.UsageError(f"set all of {', '.join(names)}, or none of them")
    return Servers(*(value or "" for value in values))


def _docker_answers() -> bool:
    try:
        run = subprocess.run(
            ["docker", "info"], capture_output=True, timeout=DOCKER_ANSWER_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return run.returncode == 0


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Kafka, Redis (or Valkey) and PostgreSQL, real and ready."""
    given = _servers_of_environment()
    if given is not None:
        yield given
    elif _docker_answers():
        # Imported when there is an engine: the library asks for one.
        from tests.containers import servers_in_containers  # noqa: PLC0415

        with servers_in_containers() as contained:
            yield Servers(contained.kafka_bootstrap, contained.redis_url, contained.postgres_dsn)
    else:
        with local_servers(Path(tmp_path_factory.mktemp("servers"))) as local:
            yield Servers(local.kafka_bootstrap, local.redis_url, local.postgres_dsn)


@pytest.fixture(scope="module")
def own_kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker for one module alone: for tests of what reads whole topics, or all of the directory.

    On the shared broker these would first have to work through what every other test has left there.
    """
    with local_servers(Path(tmp_path_factory.mktemp("own"))) as own:
        yield own.kafka_bootstrap


@pytest.fixture(scope="session")
def kafka_bootstrap(servers: Servers) -> str:
    """The broker's ``host:port``; its topics are shared by all tests of the run."""
    return servers.kafka_bootstrap


@pytest.fixture(scope="session")
def redis_url(servers: Servers) -> str:
    """The URL of the Redis of this run."""
    return servers.redis_url


@pytest.fixture(scope="session")
def postgres_dsn(servers: Servers) -> str:
    """The DSN of an empty PostgreSQL database that the tests may fill."""
    return servers.postgres_dsn


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of the real Redis. Tests keep apart by workspaces of their own."""
    client = Redis.from_url(redis_url, decode_responses=True)
    yield client
    await client.aclose()
