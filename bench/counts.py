"""Publishing how many people live where: 500,000 persons, 800 communities, 1,700 duty grids.

The baseline is the time that the job may take; it runs at night, once a week.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.pool import NullPool

from app import cluster, roles
from app.config import Settings, read_secrets
from bench import Result
from grids.db import engine
from grids.migrate import upgrade
from grids.people.counts import publish_areas
from grids.people.counts_groups import publish_groups

MOST_S = 60.0
PERSONS, TOWNS, COMMUNITIES, GRIDS = 510_000, 14, 57, 1_700
COUNTY = "339901"

FILL = """
INSERT INTO city (id, name_zh, name_en, county_code, metric_srid, city_zone, west, south, east,
north) VALUES (1, 'C', 'C', '339901', 4549, 'Asia/Shanghai', 120, 29, 121, 30);
INSERT INTO area (code, level, kind, name_zh, name_en, geom, valid_from) SELECT code,
length(code), 'x', code, code, ST_Multi(ST_MakeEnvelope(120.1, 29.1, 120.9, 29.9, 4490)),
'2020-01-01' FROM (SELECT '339901' AS code UNION SELECT '339901' || lpad(t::text, 3, '0') FROM
generate_series(1, :towns) AS t UNION SELECT '339901' || lpad(t::text, 3, '0') || lpad(c::text,
3, '0') FROM generate_series(1, :towns) AS t, generate_series(1, :communities) AS c) AS codes;
INSERT INTO grid (code, kind, name) SELECT code || lpad(n::text, 3, '0'), 'basic', code FROM
area, generate_series(1, 3) AS n WHERE level = 12 ORDER BY n, code LIMIT :grids;
INSERT INTO grid_version (grid_id, valid, households, area_m2, geom) SELECT id,
'[2020-01-01,)', 300, 1e6,
ST_Multi(ST_MakeEnvelope(120.1, 29.1, 120.9, 29.9, 4490)) FROM grid;
INSERT INTO building (kind, area_m2, geom, cell_id, area_code) VALUES ('residential', 100,
ST_Multi(ST_MakeEnvelope(120.1, 29.1, 120.11, 29.11, 4490)), 1, '339901');
INSERT INTO dwelling (building_id, use) SELECT id, 'rental' FROM building;
INSERT INTO household (dwelling_id, kind, cell_id, area_code) SELECT d.id, (ARRAY['family',
'shared', 'collective'])[n], 1, g.code FROM dwelling AS d, grid AS g, generate_series(1, 3) AS n;
INSERT INTO person (household_id, name_sealed, id_number_sealed, id_number_index, birth_sealed,
age_band, relation, residency, cell_id, area_code, moved_in_on) SELECT h.id, '', '', '', '',
(ARRAY['0-5', '6-14', '15-59', '15-59', '60-79', '80+'])[1 + n % 6], 'head',
(ARRAY['registered', 'registered', 'migrant'])[1 + n % 3], 1, h.area_code, '2025-01-01' FROM
household AS h, generate_series(1, :each) AS n
"""


def run(scale: float) -> list[Result]:
    """Time a first publication and the one of a week later, of all counts and groups."""
    with _register(float(scale)) as connection:
        found = []
        for name in ("first", "a week later"):
            began = time.perf_counter()
            publish_areas(connection, datetime.now(UTC))
            publish_groups(connection, datetime.now(UTC))
            took = time.perf_counter() - began
            found.append(
                Result(f"publish counts, {name}", float(scale), took, MOST_S, "s", 1.0, "lower")
            )
        return found


@contextmanager
def _register(scale: float) -> Iterator[Connection]:
    """Fill a throw-away database with a register of people and nothing else."""
    with tempfile.TemporaryDirectory(prefix="wangge-bench-") as folder:
        pg = cluster.Cluster(Path(folder) / "pg", "none", auth="trust")
        cluster.start(pg)
        try:
            var_dir = str(Path(folder) / "var")
            settings = Settings.load(
                {"WANGGE_DATABASE_URL": pg.url("wangge"), "WANGGE_VAR_DIR": var_dir}
            )
            roles.prepare(settings.admin_url, read_secrets(settings.var_dir))
            upgrade(settings.owner_url)
            owner = engine(settings.owner_url, poolclass=NullPool)
            grids = max(3, round(GRIDS * scale))
            values = {
                "towns": max(1, round(TOWNS * scale)), "communities": COMMUNITIES,
                "grids": grids, "each": PERSONS // (GRIDS * 3),
            }  # fmt: skip
            with owner.begin() as connection:
                for statement in FILL.split(";\n"):
                    names = [name for name in values if f":{name}" in statement]
                    connection.execute(text(statement), {name: values[name] for name in names})
                connection.execute(text("ANALYZE person"))
                yield connection
            owner.dispose()
        finally:
            cluster.stop(pg)
