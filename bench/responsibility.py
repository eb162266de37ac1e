"""Responsibility: a trial on the cases of a year, and a year of buck-passing with and without T5.

The trial is that of the product (`run_trial`: twelve months in SQL), at scale 1 on 1,000,000
cases of a small simulated city. The year is `bench.passing`; its figures are counts and hours of
the simulated clock, not seconds of this machine.
"""

from __future__ import annotations

import contextlib
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import psycopg
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app import cluster, installation, keys, roles
from app.config import Settings, read_secrets
from bench import Result
from bench.passing import WAYS, Played, play, year
from grids.db import engine as make_engine
from grids.migrate import upgrade
from grids.responsibility import trial
from grids.responsibility.editing import RuleInput, save_rule
from grids.responsibility.versions import new_draft
from grids.synth.story.cast import Cast

ROWS: Final = 1_000_000
CONTESTED: Final = 520
CITY: Final = 0.004
SEED: Final = 1
#: A trial is a job: who asked for it looks again within two minutes.
TRIAL_LIMIT_S: Final = 120.0
#: What the interpreter may grow by during a trial, MB: the groups are counted in the database.
MEMORY_LIMIT_MB: Final = 60.0
GROW: Final = """
    INSERT INTO incident (id, number, category_id, category_code, channel, urgency, status, text,
      address, department_code, reported_at, received_at, stage_at, due_at, filed_at,
      dispatched_at, closed_at, return_count, geom, cell_id, grid_id, grid_version_id, area_code,
      event_count)
    SELECT gen_random_uuid(), 'B' || lpad((n * 100000 + k)::text, 12, '0'), category_id,
      category_code, channel, urgency, status, text, address, department_code, at, at, at, due_at,
      filed_at, dispatched_at, closed_at, return_count, geom, cell_id, grid_id, grid_version_id,
      area_code, event_count
    FROM (SELECT row_number() OVER () AS k, count(*) OVER () AS many, incident.* FROM incident) AS i,
      generate_series(1, 1 + %(rows)s / (SELECT count(*) FROM incident)) AS n,
      LATERAL (SELECT now() - interval '364 days' * ((hashint8(n * 100000 + k) & 16777215) / 16777216.0)
        AS at) AS drawn
    LIMIT %(rows)s
"""


def run(scale: float) -> list[Result]:
    """Time the trial, play the year; the table of the year goes to standard error."""
    with _city() as (settings, url):
        trials = _trial(settings, url, round(ROWS * scale), scale)
    played = [_played(way, max(24, round(CONTESTED * scale))) for way in WAYS]
    sys.stderr.write(table(played))
    before, after = (played[k].figures(len(played[k].passed) // 2) for k in (0, 2))
    return [
        *trials,
        Result("a case is passed on, times", scale, after["passed"], before["passed"], "times",
               0.5, "lower"),
        Result("time lost until the right one, median", scale, after["lost_median"],
               before["lost_median"], "h", 0.5, "lower"),
    ]  # fmt: skip


def table(played: list[Played]) -> str:
    """Write what each way came to as rows of a table, whole year and second half."""
    head = (
        "| | cases | passed on, mean | twice or more | most | hours lost, median | p95 |"
        " right at once | arbitrations | rules |"
    )
    lines = [head, "|---|---|---|---|---|---|---|---|---|---|"]
    for name, part in (("year", 0), ("second half", 2)):
        for one in played:
            f = one.figures(len(one.passed) // part if part else 0)
            lines.append(
                f"| {one.way}, {name} | {f['cases']:.0f} | {f['passed']:.2f} | {f['twice']:.0%} |"
                f" {f['most']:.0f} | {f['lost_median']:.1f} | {f['lost_p95']:.1f} | {f['first']:.0%} |"
                f" {one.arbitrations} | {one.rules} |"
            )
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def _city() -> Iterator[tuple[Settings, str]]:
    """Make a small simulated city on a throw-away cluster."""
    with tempfile.TemporaryDirectory(prefix="wangge-bench-") as folder:
        pg = cluster.Cluster(Path(folder) / "pg", "none", auth="trust")
        cluster.start(pg)
        try:
            url = pg.url("wangge")
            settings = Settings.load(
                {"WANGGE_DATABASE_URL": url, "WANGGE_VAR_DIR": str(Path(folder) / "var")}
            )
            roles.prepare(settings.admin_url, read_secrets(settings.var_dir))
            upgrade(settings.owner_url)
            installation.load_codes(settings)
            installation.build_city(settings, scale=CITY, seed=SEED, progress=lambda _text: None)
            yield settings, url
        finally:
            cluster.stop(pg)


def _played(way: str, count: int) -> Played:
    """Play the year in a fresh city, so that no way sees what another left."""
    with _city() as (settings, _url):
        pool = make_engine(settings.owner_url)
        now = datetime.now(UTC)
        with Session(pool) as session, session.begin():
            cases = year(session, count, SEED, now)
        chosen = next(one for one in WAYS if one == way)
        made = play(pool, cases, chosen, keys.vault_of(settings), now)
        pool.dispose()
        return made


def _trial(settings: Settings, url: str, rows: int, scale: float) -> list[Result]:
    with psycopg.connect(url, autocommit=True) as conn:
        grow(conn, rows)
    pool = make_engine(settings.owner_url)
    asked = _ask(pool)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    trial.run_trial(pool, asked)
    seconds = time.perf_counter() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    with psycopg.connect(url) as conn:
        found = conn.execute(
            "SELECT state, cases, result->>'changed' FROM responsibility_trial WHERE id = %s",
            (asked,),
        ).fetchone()
    pool.dispose()
    if found is None or found[0] != "done" or int(str(found[1])) < rows:
        raise RuntimeError(f"the trial came to {found}")
    return [
        Result(f"trial of {int(str(found[1])):,} cases", scale, seconds, TRIAL_LIMIT_S, "s", 1, "lower"),
        Result("trial, growth of the interpreter", scale, grown, MEMORY_LIMIT_MB, "MB", 1, "lower"),
    ]  # fmt: skip


def grow(conn: psycopg.Connection[tuple[object, ...]], rows: int) -> None:
    """Repeat the cases of the year until there are so many; only the index on time is kept."""
    conn.execute("SET session_replication_role = replica")
    conn.execute("SET synchronous_commit = off")
    conn.execute("SET maintenance_work_mem = '256MB'")
    kept = conn.execute(
        "SELECT i.indexname FROM pg_indexes AS i WHERE i.tablename = 'incident'"
        " AND i.indexname <> 'incident_received_at_idx'"
        " AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conname = i.indexname)"
    ).fetchall()
    for (name,) in kept:
        conn.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(str(name))))
    conn.execute(GROW, {"rows": rows})
    conn.execute("VACUUM ANALYZE incident")


def _ask(pool: Engine) -> int:
    """Make a draft that differs by class, town, owner and hour, and ask for its trial."""
    now = datetime.now(UTC) + timedelta(seconds=1)
    with Session(pool) as session, session.begin():
        cast = Cast(session, np.random.default_rng(0), now)
        commander = cast.find("commander", cast.county)
        draft = new_draft(session, commander, name="bench", now=now)
        town = min(one.areas[0] for one in cast.everybody("town_seat"))
        for given in (
            RuleInput(kind="matter", category="06013", area=town, department="D14", why="bench"),
            RuleInput(kind="matter", category="06034", department="D04", why="bench"),
            RuleInput(kind="matter", category="09", owner="D10", department="D10", why="bench"),
            RuleInput(kind="matter", category="06", band="weekend", department="D02", why="bench"),
        ):
            save_rule(session, draft.id, given, commander, now=now)
        return trial.ask_trial(session, draft.id, commander, now=now).id
