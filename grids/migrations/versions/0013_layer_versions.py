"""Versions of what maps are drawn from, and counts for the zooms below a layer's smallest.

Revision ID: 0013
"""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"

TABLES = (
    "city", "area", "grid", "grid_version", "cell", "road", "water", "landuse", "place",
    "building", "address", "component", "facility", "enterprise", "premises", "category",
    "people_count",
)  # fmt: skip

# A tile's ETag carries the versions of its tables. The row stays locked until the writer
# commits, so that a version is never seen before the rows that it stands for. Cases are not
# among the tables: their layer follows the feed, and their writers must not wait for another.
FUNCTIONS = """
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public AS $body$
BEGIN
  INSERT INTO source_version (name, no, changed_at) VALUES (TG_TABLE_NAME, 1, now())
  ON CONFLICT (name) DO UPDATE SET no = source_version.no + 1, changed_at = now();
  RETURN NULL;
END $body$;

-- The twin of gis.lattice at level n: squares of 100 m * 2^n, column and row packed.
CREATE FUNCTION cell_at_level(cell bigint, level int) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT ((cell >> 21) >> level) << 21 | ((cell & 2097151) >> level)
$$;

CREATE FUNCTION level_cell_box(cell bigint, level int) RETURNS geometry
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT ST_Transform(ST_MakeEnvelope(x, y, x + 100 * (1 << level), y + 100 * (1 << level),
                                      city_srid()), 3857)
  FROM (SELECT ((((cell >> 21) << level) - 1048576) * 100)::float8 AS x,
               ((((cell & 2097151) << level) - 1048576) * 100)::float8 AS y) AS corner
$$;
"""


def upgrade() -> None:
    op.create_table(
        "source_version",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("no", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("source_version_pkey")),
    )
    op.create_table(
        "layer_stat",
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("breaks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("layer", name=op.f("layer_stat_pkey")),
    )
    op.create_table(
        "layer_count",
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("cell_id", sa.BigInteger(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("x", sa.Double(), nullable=False),
        sa.Column("y", sa.Double(), nullable=False),
        sa.Column("geom", Geometry("POLYGON", srid=3857, spatial_index=False), nullable=False),
        sa.PrimaryKeyConstraint(
            "layer", "level", "cell_id", "area_code", "class", name=op.f("layer_count_pkey")
        ),
    )
    op.create_index(
        "layer_count_geom_idx", "layer_count", ["layer", "level", "geom"], postgresql_using="gist"
    )
    op.execute(FUNCTIONS)
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_note_change"
            f" AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
        )


def downgrade() -> None:
    for table in TABLES:
        op.execute(f"DROP TRIGGER {table}_note_change ON {table}")
    op.execute("DROP FUNCTION level_cell_box, cell_at_level, note_change")
    op.drop_table("layer_count")
    op.drop_table("layer_stat")
    op.drop_table("source_version")
