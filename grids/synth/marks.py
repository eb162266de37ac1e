"""What a build has done so far, kept in the database in the transaction that did it.

A city of the customer's size takes many minutes. Each part is written and marked in one
transaction, so a build that was killed goes on with the parts that have no mark. The table
of marks exists only while a city is under construction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, text

from grids.bulk import driver

RUN = "run"  #: the mark of the whole: what is being built


@dataclass(frozen=True)
class Mark:
    """One finished part: rows by table, the digest of its values, and what others need."""

    name: str
    counts: dict[str, int]
    digest: str
    kept: dict[str, Any]


def begin(connection: Connection, kept: dict[str, Any]) -> None:
    """Open the table of marks; `kept` says what is being built."""
    connection.execute(text("DROP TABLE IF EXISTS synth_part"))
    connection.execute(text("CREATE TABLE synth_part (name text PRIMARY KEY, mark jsonb NOT NULL)"))
    add(connection, Mark(RUN, {}, "", kept))


def add(connection: Connection, mark: Mark) -> None:
    """Mark a part as finished, in the transaction that wrote it."""
    body = Jsonb({"counts": mark.counts, "digest": mark.digest, "kept": mark.kept})
    driver(connection).execute("INSERT INTO synth_part VALUES (%s, %s)", (mark.name, body))


def read(connection: Connection) -> dict[str, Mark]:
    """Return every mark by name; none where no city is under construction."""
    if connection.execute(text("SELECT to_regclass('synth_part')")).scalar_one() is None:
        return {}
    rows = connection.execute(text("SELECT name, mark FROM synth_part ORDER BY name"))
    return {row.name: Mark(row.name, **row.mark) for row in rows}


def end(connection: Connection) -> None:
    """Remove the marks: the city stands."""
    connection.execute(text("DROP TABLE IF EXISTS synth_part"))
