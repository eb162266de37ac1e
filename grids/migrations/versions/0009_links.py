"""Link single writes to cell, grid and area by the rule of `gis.link`; number new cases.

Revision ID: 0009
"""

from alembic import op

revision = "0009"
down_revision = "0008"

TABLES = ("address", "building", "enterprise", "premises", "component", "facility", "incident")

# A point on a shared edge goes to the lower code.
LINK = """
CREATE FUNCTION link_place(
  g geometry, OUT cell_id bigint, OUT grid_id bigint, OUT area_code text, OUT grid_version_id bigint
) LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public AS $body$
DECLARE
  p geometry := CASE WHEN ST_Dimension(g) = 0 AND ST_NumGeometries(g) = 1
                     THEN g ELSE ST_PointOnSurface(g) END;
BEGIN
  cell_id := cell_id_of(p);
  SELECT gr.id, gr.code, v.id INTO grid_id, area_code, grid_version_id
  FROM grid_version AS v JOIN grid AS gr ON gr.id = v.grid_id
  WHERE v.valid @> current_date AND ST_Covers(v.geom, p)
  ORDER BY gr.code LIMIT 1;
  IF area_code IS NULL THEN
    SELECT a.code INTO area_code FROM area AS a
    WHERE a.valid_to IS NULL AND ST_Covers(a.geom, p)
    ORDER BY a.level DESC, a.code LIMIT 1;
  END IF;
  area_code := coalesce(area_code, city_county());
END $body$;

CREATE FUNCTION link_row() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  SELECT l.cell_id, l.grid_id, l.area_code INTO NEW.cell_id, NEW.grid_id, NEW.area_code
  FROM link_place(NEW.geom) AS l;
  RETURN NEW;
END $body$;

-- Numbers of a day count from the value its first case found; no row is locked after that.
CREATE SEQUENCE incident_number_seq;
CREATE FUNCTION next_incident_number(on_day date) RETURNS text LANGUAGE plpgsql AS $body$
DECLARE
  base bigint;
BEGIN
  SELECT first INTO base FROM number_day WHERE day = on_day;
  IF base IS NULL THEN
    INSERT INTO number_day (day, first) VALUES (on_day, nextval('incident_number_seq'))
    ON CONFLICT DO NOTHING;
    SELECT first INTO base FROM number_day WHERE day = on_day;
  END IF;
  RETURN to_char(on_day, 'YYYYMMDD-')
      || lpad((nextval('incident_number_seq') - base)::text, 6, '0');
END $body$;
"""


def upgrade() -> None:
    op.execute(LINK)
    for table in TABLES:
        # Bulk loads bring the keys; a single write leaves cell_id null and is linked here.
        op.execute(
            f"CREATE TRIGGER {table}_link_new BEFORE INSERT ON {table}"
            " FOR EACH ROW WHEN (NEW.cell_id IS NULL) EXECUTE FUNCTION link_row()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_link_moved BEFORE UPDATE OF geom ON {table}"
            " FOR EACH ROW WHEN (NOT ST_Equals(OLD.geom, NEW.geom)) EXECUTE FUNCTION link_row()"
        )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TRIGGER {table}_link_moved ON {table}")
        op.execute(f"DROP TRIGGER {table}_link_new ON {table}")
    op.execute("DROP FUNCTION next_incident_number, link_row, link_place")
    op.execute("DROP SEQUENCE incident_number_seq")
