"""The day that decides which grids are valid is the city's, not the database's.

Revision ID: 0052
"""

from alembic import op

revision = "0052"
down_revision = "0051"

# Grids are switched at midnight in the city. A database whose clock stands at UTC would go on
# with the old ones for eight hours while everything else had followed the new ones.
TODAY = """
CREATE FUNCTION city_today() RETURNS date LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = public, pg_temp AS $$
  SELECT (now() AT TIME ZONE coalesce((SELECT city_zone FROM city), 'UTC'))::date
$$;
"""
LINK = """
CREATE OR REPLACE FUNCTION link_place(
  g geometry, OUT cell_id bigint, OUT grid_id bigint, OUT area_code text, OUT grid_version_id bigint
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
DECLARE
  p geometry := CASE WHEN ST_Dimension(g) = 0 AND ST_NumGeometries(g) = 1
                     THEN g ELSE ST_PointOnSurface(g) END;
  today date := {today};
BEGIN
  cell_id := cell_id_of(p);
  SELECT gr.id, gr.code, v.id INTO grid_id, area_code, grid_version_id
  FROM grid_version AS v JOIN grid AS gr ON gr.id = v.grid_id
  WHERE v.valid @> today AND ST_Covers(v.geom, p)
  ORDER BY gr.code LIMIT 1;
  IF area_code IS NULL THEN
    SELECT a.code INTO area_code FROM area AS a
    WHERE a.valid_to IS NULL AND ST_Covers(a.geom, p)
    ORDER BY a.level DESC, a.code LIMIT 1;
  END IF;
  area_code := coalesce(area_code, city_county());
END $body$;
"""


def upgrade() -> None:
    op.execute(TODAY)
    op.execute(LINK.format(today="city_today()"))


def downgrade() -> None:
    op.execute(LINK.format(today="current_date"))
    op.execute("DROP FUNCTION city_today")
