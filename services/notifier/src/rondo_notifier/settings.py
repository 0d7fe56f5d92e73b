"""The notifier's settings, from the environment (``RONDO_…``)."""

from __future__ import annotations

from rondo_common.settings import ConsumerSettings, KafkaSettings, ProcessSettings, RedisSettings


class NotifierSettings(ProcessSettings, KafkaSettings, RedisSettings, ConsumerSettings):
    """Everything the notifier can be told."""
