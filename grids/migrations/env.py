"""Alembic environment: runs on the connection that `grids.migrate` opened."""

from typing import Any, Literal

from alembic import context
from geoalchemy2 import Geometry
from sqlalchemy.dialects.postgresql.base import ischema_names

from grids.incidents.models import Xid8
from grids.migrate import is_ours
from grids.models import Base


def render_item(kind: str, obj: Any, _context: Any) -> str | Literal[False]:
    """Write our column types the short way in generated migrations."""
    if kind == "type" and isinstance(obj, Geometry):
        return f'Geometry("{obj.geometry_type}", srid={obj.srid}, spatial_index=False)'
    if kind == "type" and isinstance(obj, Xid8):
        return "Xid8()"
    return False


ischema_names["xid8"] = Xid8
connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    include_object=is_ours,
    render_item=render_item,
    compare_type=True,
    compare_server_default=False,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
