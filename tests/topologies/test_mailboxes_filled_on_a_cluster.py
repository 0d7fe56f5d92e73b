"""Mailboxes, as the notifier fills them, on a cluster and as its user."""

from __future__ import annotations

from rondo_common.redis.users import NOTIFIER
from tests.notifier.test_mailboxes_contract import *  # noqa: F403 - the suite

USER = NOTIFIER
