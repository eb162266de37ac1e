"""Functions that know the city's space: envelope, metric CRS, cells, links.

Revision ID: 0001
"""

from alembic import op

revision = "0001"
down_revision = None

# One city per installation: its numbers live in functions that `set_city_space` replaces, so
# that CHECK constraints and triggers reach them without reading a table.
SPACE = """
CREATE FUNCTION city_west() RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT -180::float8';
CREATE FUNCTION city_south() RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT -90::float8';
CREATE FUNCTION city_east() RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 180::float8';
CREATE FUNCTION city_north() RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 90::float8';
CREATE FUNCTION city_srid() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 4549';
CREATE FUNCTION city_county() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$SELECT '339901'$$;

CREATE FUNCTION set_city_space(
  srid int, county text, west float8, south float8, east float8, north float8
) RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
  name text;
  value float8;
BEGIN
  FOR name, value IN VALUES ('west', west), ('south', south), ('east', east), ('north', north) LOOP
    EXECUTE format(
      'CREATE OR REPLACE FUNCTION city_%s() RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE'
      ' AS ''SELECT %s::float8''', name, value);
  END LOOP;
  EXECUTE format(
    'CREATE OR REPLACE FUNCTION city_srid() RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE'
    ' AS ''SELECT %s''', srid);
  EXECUTE format(
    'CREATE OR REPLACE FUNCTION city_county() RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE'
    ' AS $$SELECT %L$$', county);
END $body$;
REVOKE ALL ON FUNCTION set_city_space FROM PUBLIC;

-- ST_IsValid is false for NaN and infinite coordinates, also of points.
CREATE FUNCTION geom_ok(g geometry) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT g IS NULL OR (
    NOT ST_IsEmpty(g) AND ST_IsValid(g)
    AND ST_XMin(g) >= city_west() AND ST_XMax(g) <= city_east()
    AND ST_YMin(g) >= city_south() AND ST_YMax(g) <= city_north())
$$;

-- The twin of gis.lattice: 100 m in the metric CRS, column and row packed into one integer.
CREATE FUNCTION cell_id_of(g geometry) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT ((floor(ST_X(p) / 100)::bigint + 1048576) << 21) | (floor(ST_Y(p) / 100)::bigint + 1048576)
  FROM (SELECT ST_Transform(CASE WHEN ST_Dimension(g) = 0 AND ST_NumGeometries(g) = 1
                                 THEN g ELSE ST_PointOnSurface(g) END, city_srid()) AS p) AS t
$$;

-- Partitions of the tables that grow without end, made ahead by the worker's monthly job.
CREATE FUNCTION ensure_months(parent text, from_day date, months int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $body$
DECLARE
  start_day date;
BEGIN
  IF parent NOT IN ('audit_event', 'incident_event', 'feed') THEN
    RAISE EXCEPTION 'not a table that is partitioned by month: %', parent;
  END IF;
  FOR i IN 0 .. months - 1 LOOP
    start_day := date_trunc('month', from_day) + make_interval(months => i);
    EXECUTE format(
      'CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
      parent || to_char(start_day, '"_y"YYYY"m"MM'), parent,
      start_day::timestamp AT TIME ZONE 'UTC',
      (start_day + interval '1 month') AT TIME ZONE 'UTC');
  END LOOP;
END $body$;
REVOKE ALL ON FUNCTION ensure_months FROM PUBLIC;
"""

DROP = """
DROP FUNCTION ensure_months, cell_id_of, geom_ok, set_city_space, city_county, city_srid,
  city_north, city_east, city_south, city_west;
"""


def upgrade() -> None:
    for extension in ("postgis", "btree_gist", "pg_trgm"):
        op.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
    op.execute(SPACE)


def downgrade() -> None:
    op.execute(DROP)
