"""Alembic environment: runs on the connection that `grids.migrate` opened."""

from alembic import context

from grids.migrate import is_ours
from grids.models import Base

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    include_object=is_ours,
    compare_type=True,
    compare_server_default=False,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
