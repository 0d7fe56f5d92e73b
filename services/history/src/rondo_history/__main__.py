"""``python -m rondo_history``: run the history until it is told to stop; ``… migrate``: its schema;
``… reread``: read the topics from their beginning again, after a restore."""

from __future__ import annotations

import asyncio
import sys

from rondo_common.consumer_groups import HISTORY
from rondo_common.errors import Conflict, Unavailable
from rondo_common.kafka.connection import KafkaConnection
from rondo_common.kafka.settings import KafkaSettings
from rondo_common.service import read_settings, run_service
from rondo_history.adapters.kafka_reread import reread
from rondo_history.adapters.schema import migrate
from rondo_history.bootstrap import run
from rondo_history.settings import HistorySettings, MigrateSettings

USAGE = "usage: python -m rondo_history [migrate | reread]"


def main(arguments: list[str]) -> int:
    """Run the command; the exit status."""
    match arguments:
        case []:
            return run_service("history", HistorySettings, run)
        case ["migrate"]:
            return _migrate()
        case ["reread"]:
            return _reread()
    print(USAGE, file=sys.stderr)
    return 2


def _migrate() -> int:
    try:
        settings = read_settings(MigrateSettings)
        dsn, run_role = settings.postgres_dsn.get_secret_value(), settings.postgres_run_role
        version = asyncio.run(migrate(dsn, run_role=run_role))
    except Unavailable as error:
        print(f"{error}; check RONDO_POSTGRES_DSN", file=sys.stderr)
        return 1
    print(f"schema of the history: version {version}")
    return 0


def _reread() -> int:
    connection = KafkaConnection.of(read_settings(KafkaSettings), client_id="rondo-reread")
    try:
        count = asyncio.run(reread(connection, HISTORY.name, HISTORY.topics))
    except (Conflict, Unavailable) as error:
        print(str(error), file=sys.stderr)
        return 1
    print(f"the history will read {count} partitions from their beginning")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
