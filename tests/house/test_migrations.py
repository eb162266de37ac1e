"""Migrations are numbered without gaps and give the schema of the models."""

import re

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql.base import ischema_names

from grids.incidents.models import Xid8
from grids.migrate import FOLDER, is_ours
from grids.models import Base


def test_migrations_are_numbered_without_gaps() -> None:
    names = sorted(path.name for path in (FOLDER / "versions").glob("*.py"))

    numbers = [int(name[:4]) for name in names]

    assert numbers == list(range(1, len(names) + 1))
    assert all(re.fullmatch(r"\d{4}_[a-z0-9_]+\.py", name) for name in names)


#: As migrations read the database: SQLAlchemy does not know this type of PostgreSQL by itself.
ischema_names["xid8"] = Xid8


def test_migrations_give_the_schema_of_the_models(connection: Connection) -> None:
    context = MigrationContext.configure(
        connection.execution_options(), opts={"compare_type": True, "include_object": is_ours}
    )

    differences = compare_metadata(context, Base.metadata)

    assert differences == []


def test_every_table_says_how_sensitive_it_is() -> None:
    levels = {
        m.class_.__name__: getattr(m.class_, "__level__", None) for m in Base.registry.mappers
    }

    assert {
        name for name, level in levels.items() if level not in {"L1", "L2", "L3", "L4"}
    } == set()
