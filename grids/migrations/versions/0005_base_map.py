"""Roads, water, land use and places of the base map.

Revision ID: 0005
"""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "landuse",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("area_m2", sa.Double(), nullable=False),
        sa.Column("geom", Geometry("MULTIPOLYGON", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint("geom_ok(geom)", name=op.f("landuse_geom_ok_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("landuse_pkey")),
    )
    op.create_index("landuse_geom_idx", "landuse", ["geom"], unique=False, postgresql_using="gist")
    op.create_table(
        "place",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=True),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=True),
        sa.Column("geom", Geometry("POINT", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint("geom_ok(geom)", name=op.f("place_geom_ok_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("place_pkey")),
    )
    op.create_index("place_geom_idx", "place", ["geom"], unique=False, postgresql_using="gist")
    op.create_table(
        "road",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rank", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("is_oneway", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("is_bridge", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("is_tunnel", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("speed_kmh", sa.SmallInteger(), nullable=True),
        sa.Column("length_m", sa.Double(), nullable=False),
        sa.Column("geom", Geometry("LINESTRING", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint("geom_ok(geom)", name=op.f("road_geom_ok_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("road_pkey")),
    )
    op.create_index("road_geom_idx", "road", ["geom"], unique=False, postgresql_using="gist")
    op.create_index("road_rank_idx", "road", ["rank"], unique=False)
    op.create_index(op.f("road_source_id_idx"), "road", ["source_id"], unique=False)
    op.create_table(
        "water",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("area_m2", sa.Double(), nullable=True),
        sa.Column("geom", Geometry("GEOMETRY", srid=4490, spatial_index=False), nullable=False),
        sa.CheckConstraint("geom_ok(geom)", name=op.f("water_geom_ok_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("water_pkey")),
    )
    op.create_index("water_geom_idx", "water", ["geom"], unique=False, postgresql_using="gist")


def downgrade() -> None:
    op.drop_index("water_geom_idx", table_name="water", postgresql_using="gist")
    op.drop_table("water")
    op.drop_index(op.f("road_source_id_idx"), table_name="road")
    op.drop_index("road_rank_idx", table_name="road")
    op.drop_index("road_geom_idx", table_name="road", postgresql_using="gist")
    op.drop_table("road")
    op.drop_index("place_geom_idx", table_name="place", postgresql_using="gist")
    op.drop_table("place")
    op.drop_index("landuse_geom_idx", table_name="landuse", postgresql_using="gist")
    op.drop_table("landuse")
