"""Tables of a PostgreSQL database of somebody else: named by its catalogue, read and never written.

Nothing that a person types becomes SQL: a relation is one of those that the server lists, and every
name is quoted. The session is read-only, ends its statements by itself and asks for no function of
the other side beside what its views run.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
import shapely
from psycopg import errors, sql

from gis.errors import UnreadableTable
from gis.tables.model import MOST_COLUMNS, text_of, unreadable

#: Of one statement, and of one lock that it waits for.
STATEMENT_S: Final = 20
_LOCK_S: Final = 2
_CONNECT_S: Final = 5
MOST_RELATIONS: Final = 500
_AT_ONCE: Final = 2_000
#: What servers say to an account that they do not let in.
_SIGN_IN: Final = (
    "password",
    "authentication",
    "role ",
    "permission denied",
    "密码",
    "认证",
    "角色",
)
_GEOMETRY: Final = ("geometry", "geography")
_RELATIONS: Final = """
    SELECT n.nspname, c.relname, c.relkind IN ('v', 'm') AS is_view, greatest(c.reltuples, 0)::bigint
    FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname <> 'information_schema'
      AND n.nspname !~ '^pg_' AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
      AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
    ORDER BY 1, 2 LIMIT %s
"""
_COLUMNS: Final = """
    SELECT a.attname, t.typname
    FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = pg_catalog.format('%%I.%%I', %s::text, %s::text)::regclass
      AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attnum
"""


@dataclass(frozen=True)
class Login:
    """Where and as whom to connect; `address` is what `host` was found to be, and is not asked again."""

    host: str
    address: str
    port: int
    database: str
    user: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Relation:
    """A table or a view that may be read; `rows` is the other server's own estimate."""

    schema: str
    name: str
    is_view: bool
    rows: int

    @property
    def whole(self) -> str:
        """Return schema and name as they are shown and sent back."""
        return f"{self.schema}.{self.name}"


@contextmanager
def reading(login: Login) -> Iterator[psycopg.Connection[Any]]:
    """Open a read-only transaction. Raises `UnreadableTable` with `why` ``db_...``."""
    try:
        conn = psycopg.connect(
            host=login.host, hostaddr=login.address, port=login.port, dbname=login.database,
            user=login.user, password=login.password, connect_timeout=_CONNECT_S,
            # Nothing of this machine's environment takes part, and no password leaves readable.
            passfile="/dev/null", sslmode="prefer", gssencmode="disable", require_auth="!password",
            application_name="wangge", client_encoding="UTF8",
            options=f"-c default_transaction_read_only=on -c statement_timeout={STATEMENT_S}s"
                    f" -c lock_timeout={_LOCK_S}s -c idle_in_transaction_session_timeout=60s"
                    " -c search_path=pg_catalog",
        )  # fmt: skip
    except psycopg.OperationalError as error:
        raise _refused(error) from error
    try:
        with conn:
            conn.read_only = True
            yield conn
    except psycopg.Error as error:
        raise _refused(error) from error


def relations(conn: psycopg.Connection[Any]) -> list[Relation]:
    """List what the account may read, by name."""
    return [Relation(*row) for row in conn.execute(_RELATIONS, (MOST_RELATIONS,))]


def as_csv(
    conn: psycopg.Connection[Any], wanted: str, *, most_rows: int, most_bytes: int,
    leave_out: Callable[[str], bool],
) -> tuple[bytes, Sequence[str]]:  # fmt: skip
    """Return a listed relation as a CSV in UTF-8, and the columns that were not even asked for.

    Geometries come as WKT. Raises `UnreadableTable`: ``db_no_table``, ``db_no_column``, ``rows``,
    ``db_size``, ``db_timeout``.
    """
    relation = next((one for one in relations(conn) if one.whole == wanted), None)
    if relation is None:
        raise unreadable("db_no_table", f"no table {wanted[:60]!r}", table=wanted[:60])
    found = conn.execute(_COLUMNS, (relation.schema, relation.name)).fetchall()
    columns = [(str(name), str(kind)) for name, kind in found if not leave_out(str(name))]
    left_out = [str(name) for name, _ in found if leave_out(str(name))]
    if not columns:
        raise unreadable("db_no_column", "no column may be read")
    if len(columns) > MOST_COLUMNS:
        raise unreadable("columns", f"more than {MOST_COLUMNS} columns", most=MOST_COLUMNS)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([name for name, _ in columns])
    is_shape = [kind in _GEOMETRY for _, kind in columns]
    size = 0
    with conn.cursor(name="wangge_import") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(
            sql.SQL("SELECT {} FROM {} LIMIT {}").format(
                sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns),
                sql.Identifier(relation.schema, relation.name), sql.Literal(most_rows + 1),
            )
        )  # fmt: skip
        for at, row in enumerate(cursor):
            if at == most_rows:
                raise unreadable("rows", f"more than {most_rows} rows", most=most_rows)
            cells = [_shape(value) if shape else text_of(value)
                     for value, shape in zip(row, is_shape, strict=True)]  # fmt: skip
            size += sum(map(len, cells))
            if size > most_bytes:
                raise unreadable("db_size", "the table is too large", most_mb=most_bytes >> 20)
            writer.writerow(cells)
    return out.getvalue().encode(), left_out


def _shape(value: Any) -> str:
    """Write a geometry, which comes as WKB in hexadecimal digits, as WKT."""
    if value is None:
        return ""
    try:
        return str(shapely.to_wkt(shapely.from_wkb(str(value)), rounding_precision=-1))
    except (shapely.errors.GEOSException, ValueError, TypeError):
        return ""


def _refused(error: psycopg.Error) -> UnreadableTable:
    """Say in a word why the other server did not answer; its own words stay out."""
    if isinstance(error, errors.QueryCanceled | errors.LockNotAvailable):
        return unreadable("db_timeout", "the server takes too long", most_s=STATEMENT_S)
    if isinstance(error, errors.InsufficientPrivilege | errors.UndefinedTable):
        return unreadable("db_no_table", "the table may not be read", table="")
    words = str(error)
    # A refused connection brings no code, and the words are in the server's language.
    if any(one in words for one in _SIGN_IN):
        return unreadable("db_sign_in", "user or password are wrong")
    if "does not exist" in words or "不存在" in words:
        return unreadable("db_no_database", "there is no such database")
    return unreadable("db_unreachable", "the server does not answer")
