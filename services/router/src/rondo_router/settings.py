"""The router's settings, from the environment (``RONDO_…``)."""

from __future__ import annotations

from rondo_common.settings import KafkaSettings, ReaderSettings, RedisSettings


class RouterSettings(ReaderSettings, RedisSettings):
    """Everything the router can be told."""


class ReplaySettings(KafkaSettings, RedisSettings):
    """What ``rondo replay`` needs."""
