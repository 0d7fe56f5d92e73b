"""Places in the queue, as the gateway reads them, on a cluster and as its user."""

from __future__ import annotations

from rondo_common.redis.users import GATEWAY
from tests.gateway.test_waiting_queue_contract import *  # noqa: F403 - the suite

USER = GATEWAY
