"""The router's settings, from the environment (``RONDO_…``)."""

from __future__ import annotations

from rondo_common.settings import ConsumerSettings, KafkaSettings, ProcessSettings, RedisSettings


class RouterSettings(ProcessSettings, KafkaSettings, RedisSettings, ConsumerSettings):
    """Everything the router can be told."""
