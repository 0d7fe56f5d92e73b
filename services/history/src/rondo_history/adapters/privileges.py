"""What the role that runs the history may do, and no more: it owns nothing and changes no table.

Months are made and dropped by functions with their owner's rights. The partitions themselves need no
grants: rows are reached through their parent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import Connection, text

TABLES: Mapping[str, Sequence[str]] = {
    "conversation_events": ("SELECT", "INSERT", "DELETE"),
    "message_texts": ("SELECT", "INSERT", "DELETE"),
    "conversations": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "transcript_mails": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "log_progress": ("SELECT", "INSERT", "UPDATE"),
    "alembic_version": ("SELECT",),
}
"""Privileges by table."""

FUNCTIONS = ("add_history_month(date)", "drop_history_partition(text)")
"""May be executed."""

OF_THE_FIRST_VERSION = "conversation_events_before"
"""The one partition that is read by its own name, where it still is: its conversations get summaries."""


def grant(connection: Connection, role: str) -> None:
    """Grant ``role`` all of that, in the transaction the caller opened. Safe to repeat."""
    quoted = connection.dialect.identifier_preparer.quote_identifier
    for what in _granted(quoted(str(connection.scalar(text("SELECT current_schema()"))))):
        connection.exec_driver_sql(f"GRANT {what} TO {quoted(role)}")
    if connection.scalar(text("SELECT to_regclass(:name)::text"), {"name": OF_THE_FIRST_VERSION}):
        connection.exec_driver_sql(f"GRANT SELECT ON {OF_THE_FIRST_VERSION} TO {quoted(role)}")


def _granted(schema: str) -> Iterator[str]:
    yield f"USAGE ON SCHEMA {schema}"
    for table, privileges in TABLES.items():
        yield f"{', '.join(privileges)} ON {table}"
    for function in FUNCTIONS:
        yield f"EXECUTE ON FUNCTION {function}"
