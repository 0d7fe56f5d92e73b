"""The routers survive a bad week, whatever the seed; see :mod:`tests.router.simulation`."""

from __future__ import annotations

import os

import pytest
from redis.asyncio import Redis

from rondo_router.adapters.redis_switchboard import RedisSwitchboard
from rondo_router.entrypoints import partition_desks
from tests.router.fake_switchboard import FakeSwitchboard
from tests.router.hall import FakeWorld, RedisWorld
from tests.router.simulation import PARTITIONS, Simulation

SEEDS = int(os.environ.get("RONDO_SEEDS", "20"))
"""How many seeds are played, from 0 on. See CONTRIBUTING.md."""
SEEDS_PER_REDIS_SEED = 5
STEPS = 120
FIRST_PARTITION = 10_000
"""No partition that other tests of this run use on the same server."""


@pytest.fixture(autouse=True)
def no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partition_desks, "RETRY_S", 0)


@pytest.mark.parametrize("seed", range(SEEDS), ids=lambda seed: f"seed-{seed}")
async def test_routers_keep_every_promise_on_the_plain_switchboard(seed: int) -> None:
    print(f"seed {seed}")
    board = FakeSwitchboard()
    await Simulation(seed, board, FakeWorld(board)).run(STEPS)


@pytest.mark.parametrize("seed", range(0, SEEDS, SEEDS_PER_REDIS_SEED), ids=lambda seed: f"seed-{seed}")
async def test_routers_keep_every_promise_on_the_real_one(redis: Redis, seed: int) -> None:
    print(f"seed {seed}")
    world, first = RedisWorld(redis), FIRST_PARTITION + seed * PARTITIONS
    simulation = Simulation(seed, RedisSwitchboard(redis), world, first_partition=first)
    await simulation.forget()  # What a run before it left on this server.
    await simulation.run(STEPS)
