"""How Alembic runs the steps: on the caller's connection, each in a transaction of its own.

A step that builds an index beside running writers leaves its transaction for that:
``with op.get_context().autocommit_block():``. Without a connection (``--sql``), the steps are only told.
"""

from __future__ import annotations

from alembic import context

if context.is_offline_mode():
    context.configure(dialect_name="postgresql", transaction_per_migration=True)
else:
    context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
