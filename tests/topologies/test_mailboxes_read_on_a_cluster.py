"""Mailboxes and answers, as the gateway reads them, on a cluster and as its user."""

from __future__ import annotations

from rondo_common.redis.users import GATEWAY
from tests.gateway.test_mailboxes_contract import *  # noqa: F403 - the suite

USER = GATEWAY
