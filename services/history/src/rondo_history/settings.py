"""The history's settings, from the environment (``RONDO_…``)."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from rondo_common.settings import MailSettings, ReaderSettings


class PostgresSettings(BaseSettings):
    """Where PostgreSQL is. All that ``migrate`` needs."""

    model_config = SettingsConfigDict(env_prefix="RONDO_", frozen=True)

    postgres_dsn: str = Field(description="postgresql://user@host:port/database")


class HistorySettings(ReaderSettings, PostgresSettings, MailSettings):
    """Everything the history can be told."""
