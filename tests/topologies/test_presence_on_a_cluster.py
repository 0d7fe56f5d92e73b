"""Presence on a cluster, as the gateway's user."""

from __future__ import annotations

from rondo_common.redis.users import GATEWAY
from tests.gateway.test_presence_contract import *  # noqa: F403 - the suite

USER = GATEWAY
