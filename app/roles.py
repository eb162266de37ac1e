"""Roles, databases and extensions of a server, ours or the city's own."""

import contextlib
import logging
from collections.abc import Mapping
from typing import LiteralString

import psycopg
from psycopg import sql

from app.cluster import DURABLE, ClusterError
from app.config import ROLES

log = logging.getLogger("wangge.roles")

EXTENSIONS = ("postgis", "pgrouting", "btree_gist", "pg_trgm")

#: A row policy must run before any function that might tell of hidden rows; unless these are
#: marked, no spatial index is used behind a policy (2 million points: 45 times the time).
LEAKPROOF = (
    "geometry_overlaps(geometry, geometry)",
    "st_intersects(geometry, geometry)",
    "st_within(geometry, geometry)",
    "st_covers(geometry, geometry)",
    # The search for words: the pairs of a text, and whether they hold others.
    "text_pairs(text)",
    "text_pairs(text, text)",
    "pinyin_initials(text)",
    "arraycontains(anyarray, anyarray)",
)

#: Number of the advisory lock, the same in every process.
ROLES_LOCK = 7_201

#: A tile or a page that takes longer than this has failed for the one who waits.
ROLE_LIMITS = {
    "wangge_app": {
        "statement_timeout": "15s",
        "idle_in_transaction_session_timeout": "60s",
        # One parallel worker makes tiles and lists three to five times slower (measured).
        "max_parallel_workers_per_gather": "0",
        # A sort that spills this much fills the disk that everybody writes to.
        "temp_file_limit": "1GB",
        "lock_timeout": "10s",
    },
    "wangge_tiles": {
        "statement_timeout": "5s",
        "idle_in_transaction_session_timeout": "15s",
        "max_parallel_workers_per_gather": "0",
        "default_transaction_read_only": "on",
        "temp_file_limit": "256MB",
    },
}


class UnsafeServer(ClusterError):
    """The server may lose writes that it has acknowledged."""


def prepare(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Make roles, the database of the address and its extensions, where missing."""
    info = psycopg.conninfo.conninfo_to_dict(admin_url)
    name = str(info["dbname"])
    with psycopg.connect(admin_url, dbname="postgres", autocommit=True) as conn:
        ensure_roles(conn, passwords)
        create_database(conn, name)
    with psycopg.connect(admin_url, autocommit=True) as conn:
        ensure_extensions(conn)


def ensure_roles(conn: psycopg.Connection, passwords: Mapping[str, str]) -> None:
    """Make the login roles, set their passwords and limits; the same again changes nothing."""
    conn.execute("SELECT pg_advisory_lock(%s)", (ROLES_LOCK,))
    try:
        for role in ROLES:
            _ensure_role(conn, role, passwords[role])
        # The backup role reads everything, as pg_dump must; it writes nothing.
        # Without BYPASSRLS it would stop at the first table that has row policies.
        conn.execute("GRANT pg_read_all_data TO wangge_backup")
        if not _may(conn, "ALTER ROLE wangge_backup BYPASSRLS"):
            log.warning(
                "wangge_backup has no BYPASSRLS: a superuser must give it (docs/decisions/0007)"
            )
    finally:
        conn.execute("SELECT pg_advisory_unlock(%s)", (ROLES_LOCK,))


def _ensure_role(conn: psycopg.Connection, role: str, password: str) -> None:
    name = sql.Identifier(role)
    exists = conn.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    if not exists:
        conn.execute(sql.SQL("CREATE ROLE {} LOGIN NOSUPERUSER").format(name))
    # Only the verifier travels and may be logged, never the password.
    verifier = conn.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    conn.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(name, sql.Literal(verifier.decode())))
    for setting, value in ROLE_LIMITS.get(role, {}).items():
        conn.execute(
            sql.SQL("ALTER ROLE {} SET {} = {}").format(
                name, sql.Identifier(setting), sql.Literal(value)
            )
        )


def create_database(conn: psycopg.Connection, name: str, template: str = "template0") -> None:
    """Make a database owned by the owner role, unless it is there."""
    if conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
        return
    statement = sql.SQL("CREATE DATABASE {} OWNER wangge_owner TEMPLATE {}").format(
        sql.Identifier(name), sql.Identifier(template)
    )
    if template == "template0":
        statement += sql.SQL(" ENCODING 'UTF8' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'")
    conn.execute(statement)
    # Only the roles of the platform may connect, and nobody makes tables in `public`.
    conn.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
    conn.execute(
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(
            sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, ROLES))
        )
    )


def ensure_extensions(conn: psycopg.Connection) -> None:
    """Add the extensions to the database of the connection."""
    for name in EXTENSIONS:
        statement = sql.SQL("CREATE EXTENSION IF NOT EXISTS {} CASCADE")
        conn.execute(statement.format(sql.Identifier(name)))
    with contextlib.suppress(psycopg.Error):  # for reading load only; not every server has it
        conn.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    mark_leakproof(conn)
    conn.execute("GRANT USAGE, CREATE ON SCHEMA public TO wangge_owner")
    conn.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")


def mark_leakproof(conn: psycopg.Connection) -> bool:
    """Let spatial indexes work behind row policies; False where only a superuser could.

    Extensions forget it when they are updated, so each start asks again. Without it answers
    are the same, only slower (`docs/decisions/0007-scope-twice.md`).
    """
    marked = True
    for name in LEAKPROOF:
        row = conn.execute(
            "SELECT proleakproof FROM pg_proc WHERE oid = to_regprocedure(%s)", (name,)
        ).fetchone()
        if row is not None and not row[0]:
            function, _, arguments = name.partition("(")
            marked &= _may(
                conn,
                sql.SQL("ALTER FUNCTION {}({}) LEAKPROOF").format(
                    sql.Identifier(function),
                    sql.SQL(", ").join(map(sql.Identifier, arguments.rstrip(")").split(", "))),
                ),
            )
    if not marked:
        log.warning(
            "no superuser: maps of cases do without their spatial index (docs/decisions/0007)"
        )
    return marked


def _may(conn: psycopg.Connection, statement: LiteralString | sql.Composed) -> bool:
    """Run a statement that only a superuser may; False where we are none."""
    try:
        with conn.transaction():
            conn.execute(statement)
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def check_durability(conn: psycopg.Connection, *, is_override: bool = False) -> None:
    """Refuse a server that may lose or silently damage what it acknowledged."""
    wanted = {**DURABLE, "data_checksums": "on"}
    for name, good in wanted.items():
        row = conn.execute("SELECT current_setting(%s)", (name,)).fetchone()
        found = row[0] if row else "unknown"
        if found == good or (name == "synchronous_commit" and found.startswith("remote")):
            continue
        message = f"the database runs with {name}={found}, needs {good}"
        if not is_override:
            raise UnsafeServer(f"{message}; WANGGE_ALLOW_UNSAFE_SERVER=1 starts anyway")
        log.warning("%s: started anyway by WANGGE_ALLOW_UNSAFE_SERVER", message)
