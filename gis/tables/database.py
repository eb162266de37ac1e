"""A table of a SQLite file, read without running anything that the file brings."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from gis.tables.model import Block, ReadAs, Table, blocks_of, names_of, text_of, unreadable


def open_sqlite(path: Path, how: ReadAs) -> Table:
    """Look at a database file; its tables are offered like sheets. Raises `UnreadableTable`."""
    try:
        with closing(_connect(path)) as conn:
            names = tuple(
                row[0]
                for row in conn.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table'"
                    " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND sql NOT LIKE 'CREATE VIRTUAL%'"
                    " ORDER BY name"
                )
            )
            if not names:
                raise unreadable("empty", "the database has no table")
            name = how.sheet or names[0]
            if name not in names:
                raise unreadable("no_sheet", f"there is no table {name[:40]}", sheet=name[:40])
            heads = [
                str(row[1]) for row in conn.execute("SELECT * FROM pragma_table_info(?)", (name,))
            ]
    except sqlite3.DatabaseError as error:
        raise unreadable("damaged", "the database is damaged") from error
    columns = names_of(heads)

    def blocks() -> Iterator[Block]:
        try:
            with closing(_connect(path)) as conn:
                # The name was found in the file's own list; it is quoted, values there are none.
                rows = conn.execute("SELECT * FROM " + _quoted(name))  # noqa: S608
                yield from blocks_of(
                    ((at, [text_of(value).strip() for value in row], "")
                     for at, row in enumerate(rows, start=1)),
                    len(columns),
                )  # fmt: skip
        except sqlite3.DatabaseError as error:
            raise unreadable("damaged", "the database breaks off") from error

    return Table("sqlite", columns, blocks, sheet=name, sheets=names)


def _connect(path: Path) -> sqlite3.Connection:
    conn = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    # Views, triggers and defaults of a file that a stranger made may call no function.
    conn.execute("PRAGMA trusted_schema = OFF")
    conn.execute("PRAGMA cell_size_check = ON")
    conn.text_factory = lambda data: data.decode("utf-8", errors="replace")
    return conn


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
