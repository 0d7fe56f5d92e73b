"""A memory brought back on a cluster, as the router's user."""

from __future__ import annotations

from rondo_common.redis.users import ROUTER
from tests.router.test_memory import *  # noqa: F403 - the suite

USER = ROUTER
