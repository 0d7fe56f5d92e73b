"""``python -m rondo_history``: run the history until it is told to stop; ``… migrate``: its schema."""

from __future__ import annotations

import asyncio
import sys

from rondo_common.errors import Unavailable
from rondo_common.service import read_settings, run_service
from rondo_history.adapters.schema import migrate
from rondo_history.bootstrap import run
from rondo_history.settings import HistorySettings, PostgresSettings

USAGE = "usage: python -m rondo_history [migrate]"


def main(arguments: list[str]) -> int:
    """Run the command; the exit status."""
    match arguments:
        case []:
            return run_service("history", HistorySettings, run)
        case ["migrate"]:
            return _migrate()
    print(USAGE, file=sys.stderr)
    return 2


def _migrate() -> int:
    try:
        version = asyncio.run(migrate(read_settings(PostgresSettings).postgres_dsn))
    except Unavailable as error:
        print(f"{error}; check RONDO_POSTGRES_DSN", file=sys.stderr)
        return 1
    print(f"schema of the history: version {version}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
