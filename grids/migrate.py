"""Bring the database to the newest schema: migrations, privileges, identity ranges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.pool import NullPool

from grids.db import engine
from grids.privileges import apply_privileges

FOLDER = Path(__file__).parent / "migrations"
#: Ids of two installations never meet: node n counts from n * 2^44 (design 10).
NODE_STRIDE = 2**44
#: Made at run time or by a library; the models do not know them.
NOT_OURS = ("procrastinate_", "spatial_ref_sys", "alembic_version")


def alembic_config(connection: Connection) -> Config:
    """Point Alembic at our folder and at an open connection."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    return config


def upgrade(owner_url: str, *, node: int = 0) -> None:
    """Run all missing migrations in one transaction, then set privileges and id ranges."""
    owner = engine(owner_url, poolclass=NullPool)
    with owner.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(727001)"))
        command.upgrade(alembic_config(connection), "head")
        apply_privileges(connection)
        if node:
            _start_identities(connection, node)
    owner.dispose()


def is_ours(_obj: Any, name: str | None, kind: str, reflected: bool, _compare_to: Any) -> bool:
    """Tell Alembic's comparison which objects the models answer for."""
    if kind == "table" and reflected and name:
        return not (name.startswith(NOT_OURS) or "_y20" in name or name.endswith("_default"))
    return True


def _start_identities(connection: Connection, node: int) -> None:
    """Move identity sequences that were never used to the node's own range."""
    fresh = connection.execute(
        text(
            "SELECT quote_ident(sequencename) FROM pg_sequences"
            " WHERE last_value IS NULL AND schemaname = 'public'"
            " AND sequencename NOT LIKE 'procrastinate_%'"
            " AND sequencename <> 'address_code_seq'"  # eight digits; the area tells cities apart
        )
    )
    for name in fresh.scalars():
        connection.execute(
            text("SELECT setval(CAST(:name AS regclass), :first, false)"),
            {"name": name, "first": node * NODE_STRIDE + 1},
        )
