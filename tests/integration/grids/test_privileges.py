"""What each database role may do is what the list says, and no more."""

import pytest
from sqlalchemy import create_engine, inspect, text

from grids.db import Base
from grids.privileges import PRIVILEGES, ROLES

PERSONAL = ("person", "household", "account", "sign_in_session", "incident_reporter")


def _held(session, role):
    """Return table -> rights of a role, the queue's and PostGIS's own tables left out."""
    rows = session.execute(
        text(
            "SELECT table_name, array_agg(privilege_type::text ORDER BY privilege_type)"
            " FROM information_schema.table_privileges"
            " WHERE grantee = :role AND table_schema = 'public' GROUP BY 1"
        ),
        {"role": role},
    )
    known = Base.metadata.tables.keys()
    return {table: sorted(rights) for table, rights in rows if table in known}


@pytest.mark.parametrize("role", [role for role in ROLES if role in PRIVILEGES])
def test_the_catalogue_holds_exactly_the_list(session, role):
    assert _held(session, role) == {
        table: sorted(rights) for table, rights in PRIVILEGES[role].items()
    }


def test_no_serving_role_owns_a_table(session):
    owners = session.scalars(
        text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    ).all()

    assert not set(owners) & set(ROLES)


@pytest.mark.parametrize("table", ["audit_event", "incident_event", "feed"])
@pytest.mark.parametrize("role", sorted(PRIVILEGES))
def test_logs_are_append_only_for_every_serving_role(role, table):
    assert not {"UPDATE", "DELETE"} & set(PRIVILEGES[role].get(table, ()))


@pytest.mark.parametrize("table", PERSONAL)
def test_the_tile_role_reads_nothing_personal(table):
    assert table not in PRIVILEGES["wangge_tiles"]


def test_the_web_role_adds_and_removes_no_resident():
    # What it reads, one at a time and behind the wall, is held by test_row_walls.py.
    assert set(PRIVILEGES["wangge_app"]["person"]) == {"SELECT", "UPDATE"}
    assert PRIVILEGES["wangge_app"]["household"] == ("SELECT",)


def test_every_table_states_its_data_level():
    import grids.models  # noqa: F401 - registers every model

    levels = {m.class_.__tablename__: m.class_.__level__ for m in Base.registry.mappers}
    assert set(levels) == set(Base.metadata.tables)
    assert set(levels.values()) <= {"L1", "L2", "L3", "L4"}


def test_ids_of_a_node_start_in_its_own_range(empty_database):
    from grids.migrate import NODE_STRIDE, upgrade

    upgrade(empty_database, node=3)

    engine = create_engine("postgresql+psycopg://" + empty_database.partition("://")[2])
    with engine.begin() as connection:
        first = connection.scalar(text("SELECT nextval(pg_get_serial_sequence('account', 'id'))"))
        names = set(inspect(connection).get_table_names())
    engine.dispose()
    assert first == 3 * NODE_STRIDE + 1
    assert "incident" in names
