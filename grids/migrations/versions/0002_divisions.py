"""Areas, duty grids with their versions, unit cells, the city.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "area",
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.Column("parent_code", sa.Text(collation="C"), nullable=True),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), server_default=sa.text("current_date"), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("geom", Geometry("MULTIPOLYGON", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint("geom_ok(geom)", name=op.f("area_geom_ok_check")),
        sa.CheckConstraint("length(code) = level", name=op.f("area_code_level_check")),
        sa.ForeignKeyConstraint(["parent_code"], ["area.code"], name=op.f("area_parent_code_fkey")),
        sa.PrimaryKeyConstraint("code", name=op.f("area_pkey")),
    )
    op.create_index("area_geom_idx", "area", ["geom"], unique=False, postgresql_using="gist")
    op.create_table(
        "city",
        sa.Column("id", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("county_code", sa.Text(), nullable=False),
        sa.Column("metric_srid", sa.Integer(), nullable=False),
        sa.Column("city_zone", sa.Text(), nullable=False),
        sa.Column("west", sa.Double(), nullable=False),
        sa.Column("south", sa.Double(), nullable=False),
        sa.Column("east", sa.Double(), nullable=False),
        sa.Column("north", sa.Double(), nullable=False),
        sa.Column("attribution", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("city_one_row_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("city_pkey")),
    )
    op.create_table(
        "grid",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="basic", nullable=False),
        sa.CheckConstraint("length(code) = 15", name=op.f("grid_code_length_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("grid_pkey")),
        sa.UniqueConstraint("code", name=op.f("grid_code_key")),
    )
    op.create_table(
        "cell",
        sa.Column("cell_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        sa.Column("is_whole", sa.Boolean(), nullable=False),
        sa.Column("geom", Geometry("POLYGON", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint("geom_ok(geom)", name=op.f("cell_geom_ok_check")),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.id"], name=op.f("cell_grid_id_fkey")),
        sa.PrimaryKeyConstraint("cell_id", name=op.f("cell_pkey")),
    )
    op.create_index("cell_area_code_idx", "cell", ["area_code"], unique=False)
    op.create_index("cell_geom_idx", "cell", ["geom"], unique=False, postgresql_using="gist")
    op.create_index("cell_grid_id_idx", "cell", ["grid_id"], unique=False)
    op.create_table(
        "grid_version",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("grid_id", sa.BigInteger(), nullable=False),
        sa.Column("valid", postgresql.DATERANGE(), nullable=False),
        sa.Column("households", sa.Integer(), nullable=False),
        sa.Column("area_m2", sa.Double(), nullable=False),
        sa.Column("geom", Geometry("MULTIPOLYGON", srid=4490, spatial_index=False), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("grid_id"), "="),
            (sa.column("valid"), "&&"),
            using="gist",
            name="grid_version_one_at_a_time",
        ),
        sa.CheckConstraint("geom_ok(geom)", name=op.f("grid_version_geom_ok_check")),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.id"], name=op.f("grid_version_grid_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("grid_version_pkey")),
    )
    op.create_index(
        "grid_version_geom_idx", "grid_version", ["geom"], unique=False, postgresql_using="gist"
    )
    op.create_index(op.f("grid_version_grid_id_idx"), "grid_version", ["grid_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("grid_version_grid_id_idx"), table_name="grid_version")
    op.drop_index("grid_version_geom_idx", table_name="grid_version", postgresql_using="gist")
    op.drop_table("grid_version")
    op.drop_index("cell_grid_id_idx", table_name="cell")
    op.drop_index("cell_geom_idx", table_name="cell", postgresql_using="gist")
    op.drop_index("cell_area_code_idx", table_name="cell")
    op.drop_table("cell")
    op.drop_table("grid")
    op.drop_table("city")
    op.drop_index("area_geom_idx", table_name="area", postgresql_using="gist")
    op.drop_table("area")
