"""The router's settings, from the environment (``RONDO_…``)."""

from __future__ import annotations

from rondo_common.settings import ReaderSettings, RedisSettings


class RouterSettings(ReaderSettings, RedisSettings):
    """Everything the router can be told."""
