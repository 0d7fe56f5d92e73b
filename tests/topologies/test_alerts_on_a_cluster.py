"""Alerts on a cluster, as the notifier's user."""

from __future__ import annotations

from rondo_common.redis.users import NOTIFIER
from tests.notifier.test_alert_store_contract import *  # noqa: F403 - the suite

USER = NOTIFIER
