"""Keep the pipes and cables under the streets, for those who may see them.

Revision ID: 0067
"""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0067"
down_revision = "0066"

# The columns are named: linking rows anew fires nothing.
KEPT = ("identifier", "kind", "rank", "depth_m", "diameter_mm", "owner_code", "road", "laid_year",
        "source")  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "pipe",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rank", sa.Text(), nullable=False),
        sa.Column("depth_m", sa.Double(), nullable=False),
        sa.Column("diameter_mm", sa.SmallInteger(), nullable=True),
        sa.Column("owner_code", sa.Text(), nullable=True),
        sa.Column("road", sa.Text(), nullable=True),
        sa.Column("laid_year", sa.SmallInteger(), nullable=True),
        sa.Column("geom", Geometry("LINESTRING", srid=4490, spatial_index=False), nullable=False),
        sa.Column("cell_id", sa.BigInteger(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("coord_source", sa.Text(), server_default="survey", nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("source", sa.Text(), server_default="local", nullable=False),
        sa.Column("valid_from", sa.Date(), server_default=sa.text("current_date"), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("geom_ok(geom)", name=op.f("pipe_geom_ok_check")),
        sa.CheckConstraint(
            "kind IN ('water', 'sewage', 'gas', 'heat', 'power')", name=op.f("pipe_pipe_kind_check")
        ),
        sa.CheckConstraint(
            "rank IN ('trunk', 'main', 'branch')", name=op.f("pipe_pipe_rank_check")
        ),
        sa.CheckConstraint("depth_m >= 0 AND depth_m < 100", name=op.f("pipe_pipe_depth_check")),
        sa.ForeignKeyConstraint(
            ["owner_code"], ["department.code"], name=op.f("pipe_owner_code_fkey")
        ),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.id"], name=op.f("pipe_grid_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("pipe_pkey")),
        sa.UniqueConstraint("identifier", name=op.f("pipe_identifier_key")),
    )
    op.execute(
        "ALTER TABLE pipe ADD COLUMN geom_3857 geometry(Geometry, 3857)"
        " GENERATED ALWAYS AS (web_geom(geom)) STORED"
    )
    op.create_index("pipe_geom_idx", "pipe", ["geom"], postgresql_using="gist")
    op.create_index("pipe_geom_3857_idx", "pipe", ["geom_3857"], postgresql_using="gist")
    op.create_index("pipe_area_code_idx", "pipe", ["area_code"])
    op.create_index("pipe_grid_id_idx", "pipe", ["grid_id"])
    op.execute(
        "CREATE TRIGGER pipe_link_new BEFORE INSERT ON pipe"
        " FOR EACH ROW WHEN (NEW.cell_id IS NULL) EXECUTE FUNCTION link_row()"
    )
    op.execute(
        "CREATE TRIGGER pipe_link_moved BEFORE UPDATE OF geom ON pipe"
        " FOR EACH ROW WHEN (NOT ST_Equals(OLD.geom, NEW.geom)) EXECUTE FUNCTION link_row()"
    )
    op.execute(
        "CREATE TRIGGER pipe_note_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON pipe"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
    )
    given = ", ".join(f"'{name}'" for name in KEPT)
    op.execute(
        f"CREATE TRIGGER pipe_history AFTER UPDATE OF {', '.join(KEPT)} ON pipe"
        f" FOR EACH ROW EXECUTE FUNCTION keep_register_change({given})"
    )


def downgrade() -> None:
    op.drop_table("pipe")
