"""What Alembic runs: always on the connection, and in the transaction, that `upgrade` opened."""

from __future__ import annotations

from alembic import context

from loom_weaver.identity.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
