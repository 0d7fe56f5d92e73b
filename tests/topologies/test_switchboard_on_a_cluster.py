"""The switchboard on a cluster, as the router's user."""

from __future__ import annotations

from rondo_common.redis.users import ROUTER
from tests.router.conftest import hall, open_hall  # noqa: F401 - the suite's fixtures
from tests.router.test_switchboard_showing import *  # noqa: F403 - the suite

USER = ROUTER
