"""A day of fifteen departments through the import: timed, cut off once, and counted again.

The files are those of `grids/synth/feeds`; the departments are sources that have delivered
before. Two workers take the files as the product's worker does, one step after the other; the
one that writes the largest file is killed half-way and its step is begun again. Then come the
rules of quality and the search for duplicates: all of it is one day's work.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app.config import ROOT, as_role
from bench import Result
from bench.city import BenchCity
from bench.day_found import Found, duplicates, failing, score, show
from grids.accounts import Actor
from grids.blobs import Store
from grids.city import the_city
from grids.db import engine as make_engine
from grids.facts import asking
from grids.importing.batches import running, service
from grids.importing.batches.committing import CHUNK
from grids.importing.batches.models import ImportBatch, ImportSource
from grids.importing.batches.settings import settings_of
from grids.quality import running as quality
from grids.synth.feeds import DEPARTMENTS, introduce, write_day
from grids.synth.feeds.departments import A_DAY

SEED: Final = 3
#: A day's records, with everything that follows from them.
ALLOWED_S: Final = 900.0
WANTED_PER_S: Final = A_DAY / ALLOWED_S
PRECISION, RECALL = 0.98, 0.95
OPERATOR: Final = Actor(0, "bench", frozenset(), frozenset(), ("",))
WORKER: Final = (
    "import sys; from pathlib import Path; from grids.db import engine; import grids.models;"
    "from grids.blobs import Store; from bench.day import take;"
    "take(engine(sys.argv[1]), Store(Path(sys.argv[2])), [int(n) for n in sys.argv[3:]])"
)


@dataclass
class Day:
    """One day on its way: the city, its files and what each part took."""

    pool: Engine
    url: str
    store: Store
    blobs: Path
    batches: dict[str, int]
    seconds: dict[str, float] = field(default_factory=dict)

    def timed(self, name: str, work: Callable[[], Any]) -> Any:
        """Do some work and note how long it took."""
        started = time.perf_counter()
        done = work()
        self.seconds[name] = time.perf_counter() - started
        return done


def run(made: BenchCity, scale: float) -> list[Result]:
    """Measure a day in a city that may be written into."""
    url = as_role(made.url, "wangge_owner", "none")
    pool = make_engine(url)
    with tempfile.TemporaryDirectory(prefix="wangge-day-") as folder:
        files = Path(folder)
        today = _prepared(pool, files)
        blobs = Path(made.settings.var_dir) / "blobs"
        store = Store(blobs)
        day = Day(pool, url, store, blobs, _sent(pool, store, files))
        with pool.connect() as connection:
            before = failing(connection, today)
        day.timed("looked at, checked, written, killed once", lambda: _imported(day))
        rows = _balanced(day)
        day.timed("rules of quality", lambda: _judged(pool, today))
        asked = day.timed("questions for the spot", lambda: _asked(pool))
        print(f"  {asked:,} questions for the spot", file=sys.stderr)
        pairs = day.timed("duplicates looked for", lambda: duplicates(pool))
        with pool.connect() as connection:
            found = score(connection, files, day.batches, before, failing(connection, today), pairs)
    pool.dispose()
    show(found)
    return _results(day, rows, found, scale)


def _prepared(pool: Engine, files: Path) -> date:
    """Write the files and make the departments known; both are not the day's work."""
    now = datetime.now(UTC)
    with Session(pool) as session, session.begin():
        today: date = session.execute(text("SELECT current_date")).scalar_one()
        write_day(session.connection(), files, seed=SEED, day=1, today=today)
        introduce(session, OPERATOR, seed=SEED, now=now)
        the_city(session)
    with pool.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE import_key"))
    return today


def _sent(pool: Engine, store: Store, files: Path) -> dict[str, int]:
    """Send every department's file; return the batches by department, the largest first."""
    sent = {}
    with Session(pool) as session, session.begin():
        for department in sorted(DEPARTMENTS, key=lambda one: -one.rows):
            source = service.known_source(session, OPERATOR, department.code)
            if source is None:
                raise RuntimeError(f"{department.code} is no source")
            data = (files / department.file_name).read_bytes()
            sent[department.code] = service.start(
                session, store, OPERATOR, source, data, name=department.file_name, now=_now()
            ).id
    return sent


def take(pool: Engine, store: Store, batches: Sequence[int]) -> None:
    """Take batches one after the other, each from where it stands: what a worker does."""
    for batch_id in batches:
        running.run_look(pool, store, batch_id)
        with Session(pool) as session, session.begin():
            batch = session.get_one(ImportBatch, batch_id)
            if batch.state == "looked":
                service.ask_check(session, batch, settings_of(batch.settings))
        running.run_check(pool, store, batch_id, now=_now())
        with Session(pool) as session, session.begin():
            batch = session.get_one(ImportBatch, batch_id)
            if batch.state == "checked":
                service.ask_commit(session, batch, OPERATOR, now=_now())
        running.run_commit(pool, batch_id)


def _imported(day: Day) -> None:
    """Let two workers take the files; the one with the largest is killed half-way."""
    largest, *rest = day.batches.values()
    # The largest file, and about half of what remains, in the order of size.
    shares = ([largest, *rest[2::3]], [one for k, one in enumerate(rest) if k % 3 != 2])
    first, second = (_worker(day, share) for share in shares)
    while first.poll() is None and not _is_half_written(day.pool, largest):
        time.sleep(0.05)
    first.kill()
    first.wait()
    cut = _batch(day.pool, largest)
    if cut.state != "committing":
        raise RuntimeError(f"the worker was not killed half-way: {cut.state}, {cut.rows_done}")
    print(f"  killed after {cut.rows_done:,} rows of the largest file", file=sys.stderr)
    again = _worker(day, shares[0])
    for worker in (again, second):
        if worker.wait():
            raise RuntimeError("a worker has failed")


def _worker(day: Day, batches: Sequence[int]) -> subprocess.Popen[bytes]:
    numbers = [str(one) for one in batches]
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, day.url, str(day.blobs), *numbers], cwd=ROOT
    )


def _is_half_written(pool: Engine, batch_id: int) -> bool:
    batch = _batch(pool, batch_id)
    wanted = batch.rows_new + batch.rows_changed + batch.rows_same
    # A file of one chunk is cut off inside it: once it is noted, nothing is left to go on with.
    half = min(wanted // 2, 2 * CHUNK) if wanted > CHUNK else 0
    return batch.state == "committing" and batch.rows_done >= half


def _balanced(day: Day) -> int:
    """Count again what became of every row; return how many there were."""
    rows = 0
    with Session(day.pool) as session:
        for code, batch_id in day.batches.items():
            batch = session.get_one(ImportBatch, batch_id)
            told = (batch.rows_new + batch.rows_changed + batch.rows_same + batch.rows_rejected
                    + batch.rows_held)  # fmt: skip
            if batch.state != "committed" or told != batch.rows_total:
                raise RuntimeError(f"{code}: {batch.state} {batch.refusal}, {told} of {rows}")
            source = session.get_one(ImportSource, batch.source_id)
            made = session.execute(
                text("SELECT count(DISTINCT entry_id) FILTER (WHERE verdict = 'new'),"
                     " count(*) FILTER (WHERE verdict = 'new') FROM import_row WHERE batch_id = :b"),
                {"b": batch_id},
            ).one()  # fmt: skip
            if made[0] != made[1] or made[1] != batch.rows_new:
                raise RuntimeError(f"{source.code}: {made} entries of {batch.rows_new}")
            print(f"  {code:20} {batch.rows_total:7} rows: {batch.rows_new:6} new"
                  f" {batch.rows_changed:6} changed {batch.rows_same:6} the same"
                  f" {batch.rows_rejected:6} refused {batch.rows_held:6} held", file=sys.stderr)  # fmt: skip
            rows += batch.rows_total
    return rows


def _judged(pool: Engine, today: date) -> None:
    with pool.begin() as connection:
        quality.run(connection, today)


def _asked(pool: Engine) -> int:
    """Make questions of what sources say otherwise, as the worker does by night."""
    with Session(pool) as session, session.begin():
        return asking.ask_all(session, now=_now())


def _batch(pool: Engine, batch_id: int) -> ImportBatch:
    with Session(pool, expire_on_commit=False) as session:
        return session.get_one(ImportBatch, batch_id)


def _results(day: Day, rows: int, found: Found, scale: float) -> list[Result]:
    total = sum(day.seconds.values())
    peak = max(
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(one.ru_utime + one.ru_stime for one in used)
    for name, value in {**day.seconds, "all": total}.items():
        print(f"  {name:42} {value:8.1f} s", file=sys.stderr)
    print(
        f"  {rows:,} records, {cpu:.0f} s of Python's time, most memory of a process"
        f" {peak / 2**20:.2f} GiB",
        file=sys.stderr,
    )
    return [
        Result("day: records of fifteen departments", scale, rows / total, WANTED_PER_S, "rows/s", 1.0),
        Result("day: duplicates, precision", scale, found.precision(), 1.0, "share", PRECISION),
        Result("day: duplicates, recall", scale, found.recall(), 1.0, "share", RECALL),
        Result("day: other faults, recall", scale, found.recall_of_rules(), 1.0, "share", RECALL),
    ]  # fmt: skip


def _now() -> datetime:
    return datetime.now(UTC)
