"""The notifier's settings, from the environment (``RONDO_…``)."""

from __future__ import annotations

from rondo_common.settings import ReaderSettings, RedisSettings


class NotifierSettings(ReaderSettings, RedisSettings):
    """Everything the notifier can be told."""
