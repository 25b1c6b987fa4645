"""Alembic's entry: the ledger hands over a connection in a transaction of its own."""

from alembic import context

from tollbridge.ledger.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
