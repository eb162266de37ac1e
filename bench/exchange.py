"""A day's records: of fifteen departments (`bench/day.py`), then in one go, as a baseline bears it.

300,000 enterprises as an office sends them (GB18030, dates and figures as people write them)
with one bad row in 2,700, R44's share. The writer is killed half-way and goes on; then the
same file comes again. The baseline copies the finished rows into a table of the same columns,
checks and indexes, which is what loading alone costs here. Counts that do not add up end the run.
"""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.config import ROOT, as_role
from bench import Result, day
from bench.kept import copied_city
from grids.accounts import Actor
from grids.blobs import Store
from grids.db import engine as make_engine
from grids.importing.batches import running, service
from grids.importing.batches.models import ImportBatch
from grids.importing.batches.settings import settings_of
from grids.synth.business import ALPHABET, org_check, uscc_check

ROWS: Final = 300_000
#: From a tenth of the customer's city on, the day is whole.
WHOLE_FROM: Final = 0.1
ONE_BAD_IN: Final = 2_703
#: A day's records within five minutes, on the machine of the customer.
WANTED_PER_S: Final = ROWS / 300
#: What checking, linking and keeping track may cost over loading alone.
OVER_LOADING: Final = 12.0
HEAD: Final = (
    "企业名称",
    "统一社会信用代码",
    "企业类型",
    "所属行业",
    "从业人数",
    "成立日期",
    "经度",
    "纬度",
)
RUN: Final = (
    "import sys; from grids.db import engine; import grids.models;"
    "from grids.importing.batches import running;"
    "running.run_commit(engine(sys.argv[1]), int(sys.argv[2]))"
)
TAKEN: Final = """
    COPY (SELECT id, uscc, name, kind, industry, status, staff, registered_on, geom, cell_id,
                 grid_id, area_code FROM enterprise WHERE source = 'import:day') TO STDOUT
"""
LOADED: Final = """
    COPY loaded (id, uscc, name, kind, industry, status, staff, registered_on, geom, cell_id,
                 grid_id, area_code) FROM STDIN
"""
OPERATOR: Final = Actor(0, "bench", frozenset(), frozenset(), ("",))


def run(scale: float) -> list[Result]:
    """Measure at a scale of the customer's city."""
    rows = round(ROWS * min(1.0, scale / WHOLE_FROM))
    with copied_city(scale) as made:
        of_departments = day.run(made, scale)
        worker = as_role(made.url, "wangge_owner", "none")
        pool = make_engine(worker)
        with psycopg.connect(made.url) as conn:
            points = conn.execute(
                "SELECT ST_X(geom), ST_Y(geom) FROM address ORDER BY id"
            ).fetchall()
        data, bad = firms(rows, points)
        print(f"  {rows} rows, {len(data) / 1e6:.0f} MB, {bad} of them bad", file=sys.stderr)
        store = Store(Path(made.settings.var_dir) / "blobs")
        seconds = _first(pool, worker, store, data, rows=rows, bad=bad)
        again = _again(pool, store, data, rows=rows, bad=bad)
        pool.dispose()
        loading = _loading(made.url)
    total = sum(seconds.values())
    for name, value in {**seconds, "the same file again": again, "loading alone": loading}.items():
        print(f"  {name:22} {value:8.1f} s", file=sys.stderr)
    return [
        *of_departments,
        Result("exchange: checked, cut off, written", scale, rows / total, WANTED_PER_S, "rows/s", 1.0),
        Result("exchange: the same file again", scale, rows / again, WANTED_PER_S, "rows/s", 1.0),
        Result("exchange: over loading alone", scale, total, loading, "s", OVER_LOADING, "lower"),
    ]  # fmt: skip


def firms(rows: int, points: list[tuple[float, float]]) -> tuple[bytes, int]:
    """Write the office's table; return it and how many of its rows are bad."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEAD)
    bad = 0
    kinds, sections = (
        ("有限责任公司", "个体工商户", "股份有限公司"),
        ("批发业", "制造业", "餐饮业", "教育"),
    )
    for k in range(rows):
        stem = "".join(ALPHABET[(k // 31**place) % 31] for place in range(4, -1, -1))
        body = "91339902" + (own := f"MB{stem:0>6}"[:8]) + org_check(own)
        lon, lat = points[k % len(points)]
        # Every 2,703rd row has no place: R44's 37 in 100,000.
        is_bad = k % ONE_BAD_IN == ONE_BAD_IN - 1
        bad += is_bad
        writer.writerow((
            f"第{k}（样本）商贸有限公司", body + uscc_check(body), kinds[k % 3], sections[k % 4], f"{k % 90 + 1}人",
            f"20{10 + k % 15}年{k % 12 + 1}月{k % 28 + 1}日",
            "0" if is_bad else f"{lon + k % 97 * 1e-6:.7f}", "0" if is_bad else f"{lat:.7f}",
        ))  # fmt: skip
    return out.getvalue().encode("gb18030"), bad


def _first(
    pool: Engine, url: str, store: Store, data: bytes, *, rows: int, bad: int
) -> dict[str, float]:  # fmt: skip
    """Take the file over for the first time; the writer is killed half-way."""
    seconds: dict[str, float] = {}
    batch_id = _checked(pool, store, data, seconds)
    started = time.perf_counter()
    with Session(pool) as session, session.begin():
        service.ask_commit(session, session.get_one(ImportBatch, batch_id), OPERATOR, now=_now())
    worker = subprocess.Popen([sys.executable, "-c", RUN, url, str(batch_id)], cwd=ROOT)
    while worker.poll() is None and _batch(pool, batch_id).rows_done < rows // 2:
        time.sleep(0.05)
    worker.kill()
    worker.wait()
    half = _batch(pool, batch_id)
    if half.state != "committing":
        raise RuntimeError(f"the writer was not killed half-way: {half.state}, {half.rows_done}")
    running.run_commit(pool, batch_id)
    seconds["written, killed once"] = time.perf_counter() - started
    done = _batch(pool, batch_id)
    _require(done, rows_new=rows - bad, rows_rejected=bad, rows_done=rows - bad)
    with Session(pool) as session:
        found = (
            session.connection()
            .exec_driver_sql(
                "SELECT count(*), count(DISTINCT uscc) FROM enterprise WHERE source = 'import:day'"
            )
            .one()
        )
    if tuple(found) != (rows - bad, rows - bad):
        raise RuntimeError(f"{found} entries of {rows - bad}")
    return seconds


def _again(pool: Engine, store: Store, data: bytes, *, rows: int, bad: int) -> float:
    seconds: dict[str, float] = {}
    batch_id = _checked(pool, store, data, seconds)
    started = time.perf_counter()
    with Session(pool) as session, session.begin():
        service.ask_commit(session, session.get_one(ImportBatch, batch_id), OPERATOR, now=_now())
    running.run_commit(pool, batch_id)
    _require(_batch(pool, batch_id), rows_same=rows - bad, rows_new=0, rows_rejected=bad)
    return sum(seconds.values()) + time.perf_counter() - started


def _checked(pool: Engine, store: Store, data: bytes, seconds: dict[str, float]) -> int:
    with Session(pool) as session, session.begin():
        source = service.known_source(session, OPERATOR, "day") or service.make_source(
            session, OPERATOR, code="day", name="day", target="enterprise"
        )
        batch_id = service.start(
            session, store, OPERATOR, source, data, name="day.csv", now=_now()
        ).id
    _timed(seconds, "looked at", lambda: running.run_look(pool, store, batch_id))
    with Session(pool) as session, session.begin():
        batch = session.get_one(ImportBatch, batch_id)
        service.ask_check(session, batch, settings_of(batch.settings))
    _timed(
        seconds, "read and checked", lambda: running.run_check(pool, store, batch_id, now=_now())
    )
    found = _batch(pool, batch_id)
    if found.state != "checked":
        raise RuntimeError(f"{found.state}: {found.refusal}")
    return batch_id


def _timed(seconds: dict[str, float], name: str, work: Callable[[], None]) -> None:
    started = time.perf_counter()
    work()
    seconds[name] = time.perf_counter() - started


def _batch(pool: Engine, batch_id: int) -> ImportBatch:
    with Session(pool, expire_on_commit=False) as session:
        return session.get_one(ImportBatch, batch_id)


def _require(batch: ImportBatch, **wanted: int) -> None:
    found = {name: getattr(batch, name) for name in wanted}
    if found != wanted:
        raise RuntimeError(f"{found} instead of {wanted}")


def _loading(url: str) -> float:
    """Copy the finished rows out and into a table of the same columns, checks and indexes."""
    with psycopg.connect(url) as conn:
        conn.execute("CREATE TABLE loaded (LIKE enterprise INCLUDING ALL)")
        with conn.cursor().copy(TAKEN) as copy:
            body = b"".join(bytes(piece) for piece in copy)
        started = time.perf_counter()
        with conn.cursor().copy(LOADED) as copy:
            copy.write(body)
        conn.commit()
        seconds = time.perf_counter() - started
        conn.execute("DROP TABLE loaded")
    return seconds


def _now() -> datetime:
    return datetime.now(UTC)
