"""Keep the shape of big layers in web mercator as well: tiles need no transform per row.

Revision ID: 0012
"""

from alembic import op

revision = "0012"
down_revision = "0011"

TABLES = (
    "road", "water", "landuse", "building", "address",
    "component", "facility", "enterprise", "premises",
)  # fmt: skip

# The column is computed before the CHECK on `geom` speaks: what it would refuse becomes null
# here, so that the caller hears of the check and not of a failed transform. NaN fails too.
WEB_GEOM = """
CREATE FUNCTION web_geom(g geometry) RETURNS geometry LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN ST_XMin(g) >= -180 AND ST_XMax(g) <= 180
               AND ST_YMin(g) > -85.06 AND ST_YMax(g) < 85.06
         THEN ST_Transform(g, 3857) END
$$
"""


def upgrade() -> None:
    op.execute(WEB_GEOM)
    for table in TABLES:
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN geom_3857 geometry(Geometry, 3857)"
            " GENERATED ALWAYS AS (web_geom(geom)) STORED"
        )
        op.create_index(f"{table}_geom_3857_idx", table, ["geom_3857"], postgresql_using="gist")


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "geom_3857")
    op.execute("DROP FUNCTION web_geom")
