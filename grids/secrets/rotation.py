"""Bring every sealed value and blind index to the current keys while people work.

What is left to do is read from the rows themselves: each value carries the suite and the key
that made it. So nothing is kept beside the rows, and a run that was killed is simply started
again. A row changes in one statement, values and blind indexes together; before and after,
it opens and is found (`Vault.blind_indexes` asks for every live key).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    RowMapping,
    Table,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
    update,
)

from grids.db import Base
from grids.errors import Conflict
from grids.secrets.columns import SEALED, SealedColumn, tables
from grids.secrets.providers import BY_ALGORITHM
from grids.secrets.ring import Kind, RingFile
from grids.secrets.vault import Mark, SealBroken, Vault

BATCH: Final = 500
#: A request that read the ring before the change has long ended by then.
SETTLED_AFTER: Final = timedelta(seconds=60)


@dataclass(frozen=True)
class Rotator:
    """What the worker needs to change keys: the ring, and the owner's rights for that time."""

    ring: RingFile
    open_owner: Callable[[], AbstractContextManager[Engine]]


class KeyInUse(Conflict):
    """Rows still need this key, or it was current a moment ago."""

    code = "secrets.key_in_use"


@dataclass(frozen=True)
class Usage:
    """How many values of a column were made with one suite and key."""

    table: str
    column: str
    kind: Kind
    provider: str
    key_id: int
    rows: int


@dataclass
class Resealed:
    """What a run did: rows changed, and rows that do not open, by table."""

    rows: int = 0
    broken: dict[str, list[str]] = field(default_factory=dict)


def usage(connection: Connection) -> list[Usage]:
    """Count the values of every sealed column and blind index by what made them."""
    found: list[Usage] = []
    for column in SEALED:
        table = Base.metadata.tables[column.table]
        for name, kind in _parts(column):
            mark = func.substring(table.c[name], 1, 2).label("mark")
            counted = select(mark, func.count()).where(table.c[name].is_not(None)).group_by(mark)
            found += [
                Usage(column.table, name, kind, BY_ALGORITHM[made[0]].name, made[1], rows)
                for made, rows in sorted((bytes(m), n) for m, n in connection.execute(counted))
            ]
    return found


def left(connection: Connection, vault: Vault) -> int:
    """Count the rows that are not yet on the current keys."""
    return sum(
        connection.scalar(
            select(func.count()).select_from(_table(name)).where(_is_stale(name, vault))
        )
        or 0
        for name in tables()
    )


def reseal(
    engine: Engine,
    vault: Vault,
    *,
    batch: int = BATCH,
    progress: Callable[[str, int], None] = lambda _table, _rows: None,
    on_batch: Callable[[str, int], None] = lambda _table, _rows: None,
) -> Resealed:
    """Bring all rows to the current keys, in short transactions; return what was done.

    Passes over a table until one finds nothing: who sealed with the old key meanwhile is
    found by the next. Rows that do not open are left as they are and named.
    """
    done = Resealed()
    for name in tables():
        broken: set[str] = set()
        while changed := _pass(engine, vault, name, batch, broken, on_batch):
            done.rows += changed
            progress(name, changed)
        if broken:
            done.broken[name] = sorted(broken)
    return done


def retire(engine: Engine, ring: RingFile, kind: Kind, key_id: int, *, now: datetime) -> None:
    """Forget a key of the ring once nothing is left on it.

    The tables are locked against writers while they are counted, so a transaction that still
    holds a value of the old key is waited for and counted. Raises `KeyInUse`.
    """
    since = ring.ring().of(kind).since
    if since is not None and now - since < SETTLED_AFTER:
        raise KeyInUse(
            f"the current {kind} key is {(now - since).seconds} s old; wait a minute", rows=0
        )
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '20s'"))
        for name in tables():
            quoted = connection.dialect.identifier_preparer.quote(name)
            connection.exec_driver_sql("LOCK TABLE {} IN SHARE MODE".format(quoted))  # noqa: UP032 - a name of the list, quoted by the dialect
        rows = sum(u.rows for u in usage(connection) if u.kind == kind and u.key_id == key_id)
        if rows:
            raise KeyInUse(f"{rows} values still need {kind} key {key_id}", rows=rows)
        ring.remove(kind, key_id)


def _pass(
    engine: Engine, vault: Vault, name: str, batch: int, broken: set[str],
    on_batch: Callable[[str, int], None],
) -> int:  # fmt: skip
    """Go through a table once by its key; return how many rows changed."""
    table, changed, last = _table(name), 0, None
    key = _key(table)
    while True:
        with engine.begin() as connection:
            wanted = select(table).where(_is_stale(name, vault))
            if last is not None:
                wanted = wanted.where(key > last)
            rows = (
                connection.execute(wanted.order_by(key).limit(batch).with_for_update())
                .mappings()
                .all()
            )
            if not rows:
                return changed
            written = _write(connection, vault, table, rows, broken)
        changed += written
        on_batch(name, written)
        last = rows[-1][key.name]


def _write(
    connection: Connection, vault: Vault, table: Table, rows: Iterable[RowMapping], broken: set[str]
) -> int:
    """Seal the rows of a batch anew; return how many."""
    columns = [column for column in SEALED if column.table == table.name]
    key = _key(table)
    values = []
    for row in rows:
        try:
            values.append({"row_key": row[key.name], **_resealed(vault, columns, row, key.name)})
        except SealBroken:
            broken.add(str(row[key.name]))
    if values:
        names = [name for name in values[0] if name != "row_key"]
        connection.execute(
            update(table)
            .where(key == bindparam("row_key"))
            .values({name: bindparam(name) for name in names}),
            values,
        )
    return len(values)


def _resealed(
    vault: Vault, columns: list[SealedColumn], row: RowMapping, key: str
) -> dict[str, Any]:
    """Open the values of a row and seal them with the current keys, index and all."""
    values: dict[str, Any] = {}
    for column in columns:
        sealed = row[column.column]
        if sealed is None:
            values[column.column] = None
            if column.index:
                values[column.index] = None
            continue
        plain = vault.open(column.table, row[key], column.column, sealed)
        values[column.column] = vault.seal(column.table, row[key], column.column, plain)
        if column.index:
            values[column.index] = vault.blind_index(
                column.table, column.field, column.indexed(plain, row.get("area_code", ""))
            )
    return values


def _is_stale(name: str, vault: Vault) -> ColumnElement[bool]:
    """Say that a row holds a value or an index of another suite or key than the current.

    So is a row without an index of its own community: the database cannot make one.
    """
    table = _table(name)
    marks: dict[Kind, Mark] = {"data": vault.data_mark(), "index": vault.index_mark()}
    return or_(
        *(
            and_(
                table.c[part].is_not(None),
                func.substring(table.c[part], 1, 2) != bytes(marks[kind]),
            )
            for column in SEALED
            if column.table == name
            for part, kind in _parts(column)
        ),
        *(
            and_(table.c[column.column].is_not(None), table.c[column.index].is_(None))
            for column in SEALED
            if column.table == name and column.index and column.is_local
        ),
    )


def _parts(column: SealedColumn) -> list[tuple[str, Kind]]:
    parts: list[tuple[str, Kind]] = [(column.column, "data")]
    return [*parts, (column.index, "index")] if column.index else parts


def _table(name: str) -> Table:
    return Base.metadata.tables[name]


def _key(table: Table) -> Any:
    (key,) = table.primary_key.columns
    return key
