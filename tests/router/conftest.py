"""The halls that the switchboard's contract is shown in: of the fake, and of the real Redis Functions."""

from __future__ import annotations

from typing import Any

import pytest
from redis.asyncio import Redis

from tests.router.hall import Hall, OpenHall, fake_hall, redis_hall


@pytest.fixture(params=["fake", "redis"])
def open_hall(request: pytest.FixtureRequest, redis: Redis) -> OpenHall:
    """Opens a hall; its workspace has the settings given."""

    async def opened(**settings: Any) -> Hall:
        return await (fake_hall(**settings) if request.param == "fake" else redis_hall(redis, **settings))

    return opened


@pytest.fixture
async def hall(open_hall: OpenHall) -> Hall:
    """A hall whose workspace has the usual settings."""
    return await open_hall()
