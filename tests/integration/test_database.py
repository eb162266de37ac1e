"""The database that tests run on is the one that installations get."""

import psycopg
import pytest
from sqlalchemy import Connection, text

from app.config import as_role

REFUSED = (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction)


def test_the_schema_is_migrated_and_has_postgis(connection: Connection) -> None:
    version = connection.scalar(text("SELECT postgis_lib_version()"))
    tables = connection.scalar(text("SELECT count(*) FROM pg_tables WHERE tablename = 'incident'"))

    assert version.startswith("3.")
    assert tables == 1


@pytest.mark.parametrize("role", ["wangge_app", "wangge_worker", "wangge_tiles"])
def test_roles_of_the_platform_own_and_create_nothing(admin_url: str, role: str) -> None:
    with psycopg.connect(as_role(admin_url, role, "none")) as conn:
        with pytest.raises(REFUSED):
            conn.execute("CREATE TABLE mine (id int)")
        conn.rollback()
        owned = conn.execute(
            "SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole"
        ).fetchone()

    assert owned == (0,)


def test_the_tile_role_cannot_read_people_or_write(admin_url: str) -> None:
    with psycopg.connect(as_role(admin_url, "wangge_tiles", "none")) as conn:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("SELECT 1 FROM person")
        conn.rollback()
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            conn.execute("DELETE FROM area")


def test_serving_roles_run_without_parallel_query(admin_url: str) -> None:
    found = {}
    for role in ("wangge_app", "wangge_tiles"):
        with psycopg.connect(as_role(admin_url, role, "none")) as conn:
            row = conn.execute("SHOW max_parallel_workers_per_gather").fetchone()
            found[role] = row[0] if row else None

    assert found == {"wangge_app": "0", "wangge_tiles": "0"}
