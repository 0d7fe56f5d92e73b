"""The history's settings, from the environment (``RONDO_…``)."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from rondo_common.settings import MailSettings, ReaderSettings

_HOST = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[^\[\]:@]*)(:[0-9]+)?")


class PostgresSettings(BaseSettings):
    """Where PostgreSQL is, and as whom."""

    model_config = SettingsConfigDict(env_prefix="RONDO_", frozen=True, hide_input_in_errors=True)

    postgres_dsn: SecretStr = Field(
        description="postgresql://user:password@host:port/database; over TLS with "
        "`?sslmode=verify-full&sslrootcert=<file of the authority>`"
    )

    @field_validator("postgres_dsn")
    @classmethod
    def _is_a_dsn(cls, dsn: SecretStr) -> SecretStr:
        # Looked at here, because what the client says of one that it cannot read repeats parts of it.
        if not _is_dsn(dsn.get_secret_value()):
            raise ValueError(
                "must be postgresql://user:password@host:port/database, with %2F for /, %3F for ?, %23 for "
                "# and %40 for @ in a password"
            )
        return dsn


class MigrateSettings(PostgresSettings):
    """All that ``migrate`` needs."""

    postgres_run_role: str = Field(
        default="",
        description="Role that `migrate` grants what the history needs to run; empty: whoever migrates "
        "runs it too",
    )


class HistorySettings(ReaderSettings, PostgresSettings, MailSettings):
    """Everything the history can be told."""


def _is_dsn(text: str) -> bool:
    try:
        parts = urlsplit(text)
        if parts.query:
            parse_qsl(parts.query, strict_parsing=True)
    except ValueError:
        return False
    credentials, _, hosts = parts.netloc.rpartition("@")
    return (
        parts.scheme in {"postgresql", "postgres"}
        and all(_HOST.fullmatch(each) for each in hosts.split(","))
        and "@" not in credentials + parts.path
        and not parts.fragment
    )
