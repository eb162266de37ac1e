"""A bounding box on two million cases: both walls of scope beside no scope at all.

Beside the way that is used (spatial functions marked LEAKPROOF) stand the two that are not:
a policy alone, and a function that runs with its owner's rights and filters by itself.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy.orm import aliased

from app import cluster, installation, roles
from app.config import Settings, as_role, read_secrets
from bench import Result
from grids import scope
from grids.accounts import Actor
from grids.incidents.models import Incident
from grids.layers.access import compiled
from grids.migrate import upgrade

ROWS: Final = 2_000_000
TURNS: Final = 15
#: Without the mark one box takes up to half a minute.
FEW_TURNS: Final = 3
#: What a policy can use of a spatial index only where it is marked.
MARKED: Final = ("LEAKPROOF", "NOT LEAKPROOF")
CALLERS: Final = {
    "a town": Actor(1, "", frozenset(), frozenset(), ("339901003",)),
    "the county": Actor(1, "", frozenset(), frozenset(), ("339901",)),
    "a department": Actor(1, "", frozenset(), frozenset(), ("339901",), "D03"),
}
GOAL: Final = 2.0

FILL: Final = """
    INSERT INTO incident (id, number, category_id, category_code, channel, urgency, status,
        reported_at, received_at, stage_at, geom, cell_id, area_code)
    SELECT gen_random_uuid(), n::text, (SELECT min(id) FROM category), '03001', 'worker', 'C',
        'handling', now(), now(), now(),
        ST_SetSRID(ST_MakePoint(120 + (n %% 20) * 0.05 + 0.05 * random(), 29 + random()), 4490),
        1, '3399010' || lpad((n %% 20 + 1)::text, 2, '0') || '001001'
    FROM generate_series(1, %(rows)s) AS n
"""
TASKS: Final = """
    UPDATE incident SET involved = '{D03}' WHERE number::int % 100 = 0
"""
BOX: Final = "t.geom && ST_MakeEnvelope(120.11, 29.40, 120.13, 29.45, 4490)"
DEFINER: Final = """
    CREATE FUNCTION cases_in(box geometry) RETURNS SETOF incident LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
      SELECT * FROM incident AS t WHERE t.geom && box
        AND t.area_code ^@ ANY ((SELECT scope_areas())::text[]) $$;
    GRANT EXECUTE ON FUNCTION cases_in TO wangge_tiles
"""


def run(scale: float) -> list[Result]:
    """Time the same box; at scale 1 on two million cases."""
    rows = round(ROWS * scale)
    with tempfile.TemporaryDirectory(prefix="wangge-bench-") as folder:
        pg = cluster.Cluster(Path(folder) / "pg", "none", auth="trust")
        cluster.start(pg)
        try:
            url = pg.url("wangge")
            _prepare(url, Path(folder), rows)
            return _timed(url, scale)
        finally:
            cluster.stop(pg)


def _prepare(url: str, folder: Path, rows: int) -> None:
    settings = Settings.load({"WANGGE_DATABASE_URL": url, "WANGGE_VAR_DIR": str(folder / "var")})
    roles.prepare(settings.admin_url, read_secrets(settings.var_dir))
    upgrade(settings.owner_url)
    installation.load_codes(settings)
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute("SET synchronous_commit = off")
        names = conn.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = 'incident' AND indexname NOT IN"
            " ('incident_pkey', 'incident_number_key', 'incident_track_hash_key')"
        ).fetchall()
        for (name,) in names:
            conn.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        conn.execute(FILL, {"rows": rows})
        conn.execute(TASKS)
        conn.execute("CREATE INDEX incident_geom_idx ON incident USING gist (geom)")
        conn.execute("CREATE INDEX incident_area_code_idx ON incident (area_code)")
        conn.execute(DEFINER)
        conn.execute("CREATE INDEX incident_involved_idx ON incident USING gin (involved)")
        conn.execute("VACUUM ANALYZE incident")


def _timed(url: str, scale: float) -> list[Result]:
    results = []
    with psycopg.connect(url, autocommit=True) as admin:
        for how, goal, turns in zip(MARKED, (GOAL, float("inf")), (TURNS, FEW_TURNS), strict=True):
            admin.execute(
                sql.SQL("ALTER FUNCTION geometry_overlaps(geometry, geometry) {}").format(
                    sql.SQL(how)
                )
            )
            for name, caller in CALLERS.items():
                bare = _ms(url, "wangge_owner", None, BOX, turns=turns)
                ours = _ms(url, "wangge_tiles", caller, BOX, turns=turns)
                label = f"a box for {name}, {how.lower()}"
                results.append(Result(label, scale, ours, bare, "ms", goal, "lower"))
        bare = _ms(url, "wangge_owner", None, BOX)
        own = _ms(url, "wangge_tiles", CALLERS["a town"], "", source=_DEFINED)
        results.append(
            Result("a box for a town, definer's function", scale, own, bare, "ms", float("inf"),
                   "lower")
        )  # fmt: skip
    return results


_TABLE: Final = "incident AS t"
_DEFINED: Final = "cases_in(ST_MakeEnvelope(120.11, 29.40, 120.13, 29.45, 4490)) AS t"


def _ms(
    url: str,
    role: str,
    caller: Actor | None,
    box: str,
    *,
    source: str = _TABLE,
    turns: int = TURNS,
) -> float:
    """Return the median time of the box, each in a transaction, as every request has one."""
    wall: sql.Composable = sql.SQL("true")
    values: dict[str, Any] = {}
    if caller is not None:
        first = compiled(scope.condition(caller, aliased(Incident, name="t"), is_boxed=bool(box)))
        wall, values = first.text, dict(first.values)
    statement = sql.SQL("SELECT t.id, t.number, t.status FROM {} WHERE {} AND ({})").format(
        sql.SQL(source), sql.SQL(box or "true"), wall
    )
    with psycopg.connect(as_role(url, role, "none"), autocommit=True) as conn:
        conn.execute("SET max_parallel_workers_per_gather = 0")
        conn.execute("SET jit = off")
        conn.execute("SET plan_cache_mode = force_custom_plan")
        conn.execute("SET statement_timeout = 0")
        times = []
        for _ in range(turns):
            started = time.perf_counter()
            with conn.transaction():
                if caller is not None:
                    scope.state(conn, caller)
                conn.execute(statement, values).fetchall()
            times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)
