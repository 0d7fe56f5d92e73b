"""A gateway over fakes, and whoever calls it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.gateway.fake_world import FakeWorld, client_of


@pytest.fixture
async def world() -> FakeWorld:
    """Two workspaces, acme and globex, with the same agents, and nothing else."""
    furnished = FakeWorld()
    await furnished.furnish()
    return furnished


@pytest.fixture
async def http(world: FakeWorld) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway over ``world``."""
    async with client_of(world.app()) as client:
        yield client
