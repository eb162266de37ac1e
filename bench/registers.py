"""The customer's city from nothing: time, memory and disk, beside a plain COPY of its largest tables.

Nothing of the build is left out: drawing, sealing, linking, three years of cases, every index,
the counts of the map. The baseline takes the finished rows of three tables and copies them
into tables of the same columns, checks and indexes, which is what loading alone costs here.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql

from app import installation, keys
from app.config import Settings
from bench import Result
from bench.kept import SEED, YEARS, new_city
from grids import synth

#: The full city within 25 minutes and 4 GiB on two cores; a part of it takes its share.
GOAL_S, GOAL_MB = 1_500.0, 4_096.0
COPIED = ("person", "household", "incident_event")
SAMPLE_S = 2.0


def run(scale: float) -> list[Result]:
    """Build the kept city of this scale anew and measure it."""
    with new_city(scale) as (settings, url):
        rows, seconds, peak_mb, size_mb = _built(settings, url, scale)
        load = _copied(url)
    plain = sum(count for count, _ in load) / sum(took for _, took in load)
    print(f"{rows:,} rows, {size_mb:,.0f} MB on disk, {1e6 * seconds / rows:.1f} us a row")
    return [
        Result("city build", scale, seconds, GOAL_S * max(scale, 0.05), "s", 1.0, better="lower"),
        Result("builder memory", scale, peak_mb, GOAL_MB, "MB", 1.0, better="lower"),
        Result("rows built, to rows copied", scale, rows / seconds, plain, "rows/s", 0.1),
    ]


def _built(settings: Settings, url: str, scale: float) -> tuple[int, float, float, float]:
    """Build; return rows, seconds, the most memory of the builder's processes, and disk in MB."""
    now = datetime.now(UTC)
    before = _family_mb()
    started = time.perf_counter()

    def told(text: str) -> None:
        print(f"{time.perf_counter() - started:7.0f} s  {_family_mb():6.0f} MB  {text}", flush=True)

    with installation.owner_engine(settings) as engine, _watched() as peak:
        report = synth.build(
            engine, scale=scale, seed=SEED, vault=keys.vault_of(settings), progress=told,
            today=now.date(), now=now, years=YEARS,
        )  # fmt: skip
    seconds = time.perf_counter() - started
    with psycopg.connect(url, autocommit=True) as conn:
        row = conn.execute("SELECT pg_database_size(current_database()) / 1e6").fetchone()
    return sum(report.counts.values()), seconds, peak[0] - before, float(row[0]) if row else 0.0


@contextlib.contextmanager
def _watched() -> Iterator[list[float]]:
    """Sample the memory of this process and its children, pages shared between them once."""
    peak, over = [0.0], threading.Event()

    def watch() -> None:
        while not over.wait(SAMPLE_S):
            peak[0] = max(peak[0], _family_mb())

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def _family_mb() -> float:
    own = Path("/proc/self/task")
    children = " ".join(
        (task / "children").read_text() for task in own.iterdir() if (task / "children").exists()
    ).split()
    return sum(_pss_mb(Path(f"/proc/{pid}")) for pid in ("self", *children))


def _pss_mb(process: Path) -> float:
    """Return a process's share of memory; nothing for one that ended or is no Python."""
    try:
        if "python" not in (process / "comm").read_text():
            return 0.0
        for line in (process / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def _copied(url: str) -> list[tuple[int, float]]:
    """Copy finished tables into new ones with the same indexes; return rows and seconds of each."""
    out = []
    with tempfile.TemporaryDirectory() as folder, psycopg.connect(url, autocommit=True) as conn:
        for table in COPIED:
            path = Path(folder) / table
            names = _columns(conn, table)
            columns = sql.SQL(", ").join(map(sql.Identifier, names))
            again = sql.Identifier(f"{table}_again")
            conn.execute(
                sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(
                    again, sql.Identifier(table)
                )
            )
            taken = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT (FORMAT BINARY)").format(
                columns, sql.Identifier(table)
            )
            with path.open("wb") as file, conn.cursor().copy(taken) as copy:
                for block in copy:
                    file.write(block)
            given = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(again, columns)
            started = time.perf_counter()
            with path.open("rb") as file, conn.cursor().copy(given) as copy:
                while block := file.read(1 << 20):
                    copy.write(block)
            took = time.perf_counter() - started
            row = conn.execute(sql.SQL("SELECT count(*) FROM {}").format(again)).fetchone()
            out.append((int(row[0]) if row else 0, took))
            conn.execute(sql.SQL("DROP TABLE {}").format(again))
    return out


def _columns(conn: psycopg.Connection[tuple[object, ...]], table: str) -> list[str]:
    rows = conn.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position",
        (table,),
    )
    return [str(name) for (name,) in rows]
