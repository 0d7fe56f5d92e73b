"""The schedule of webhooks on a cluster, as the notifier's user."""

from __future__ import annotations

from rondo_common.redis.users import NOTIFIER
from tests.notifier.test_webhook_schedule_contract import *  # noqa: F403 - the suite

USER = NOTIFIER

# Its hundreds of steps say nothing more of a cluster.
del test_whatever_happens_redis_does_as_the_simple_model  # noqa: F821 - it comes with the suite
