"""News for emails on a cluster, as the notifier's user."""

from __future__ import annotations

from rondo_common.redis.users import NOTIFIER
from tests.notifier.test_news_mails import *  # noqa: F403 - the suite

USER = NOTIFIER
