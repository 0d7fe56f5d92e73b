"""The router's settings, from the environment (``RONDO_…``)."""

from __future__ import annotations

from rondo_common.kafka.settings import KafkaSettings
from rondo_common.redis.settings import RedisSettings
from rondo_common.settings import ReaderSettings


class RouterSettings(ReaderSettings, RedisSettings):
    """Everything the router can be told."""


class ReplaySettings(KafkaSettings, RedisSettings):
    """What ``rondo replay`` needs."""
