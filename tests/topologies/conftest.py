"""Contract suites again, on a cluster of three primaries, as the user that the service is there.

A module imports the suites and names its ``USER``; the fixtures of the suites find this ``redis``.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from redis.asyncio import Redis

from rondo_common.redis.address import RedisAddress
from rondo_common.redis.connection import connect_redis
from tests.redis_topologies import Cluster, running_cluster

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The suites' fakes are not asked again."""
    items[:] = [each for each in items if HERE not in each.path.parents or not _is_of_fake(each)]


def _is_of_fake(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and "fake" in item.name.partition("[")[2].strip("]").split("-")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three primaries, which know Rondo's users."""
    with running_cluster(Path(tmp_path_factory.mktemp("cluster"))) as running:
        yield running


@pytest.fixture
def redis_url(cluster: Cluster, request: pytest.FixtureRequest) -> RedisAddress:
    """Where the module's user finds the cluster."""
    return cluster.address(request.module.USER)


class ByCaller:
    """Two clients in one: Rondo's own modules are the user, the tests, who prepare and look, the owner."""

    def __init__(self, user: Redis, owner: Redis) -> None:
        self._clients = user, owner

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return type(self._clients[0])

    def __getattr__(self, name: str) -> Any:
        user, owner = self._clients
        caller = str(sys._getframe(1).f_globals["__name__"])
        return getattr(user if caller.startswith("rondo_") else owner, name)


@pytest.fixture
async def redis(redis_url: RedisAddress, cluster: Cluster) -> AsyncIterator[Redis]:
    """A client of the cluster, as the module's user; see :class:`ByCaller`."""
    user = connect_redis(redis_url, client_name="tests")
    owner = connect_redis(cluster.address(), client_name="tests")
    yield cast("Redis", ByCaller(user, owner))
    await user.aclose()
    await owner.aclose()
