"""Keep the sites of the organisations: where each is met, when it is open, how it is called.

Revision ID: 0057
"""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0057"
down_revision = "0056"

# The columns are named: linking rows anew fires nothing.
KEPT = ("name", "kind", "hours", "phone", "source")


def upgrade() -> None:
    op.create_table(
        "site",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("org_code", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("hours", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("address_id", sa.BigInteger(), nullable=True),
        sa.Column("geom", Geometry("POINT", srid=4490, spatial_index=False), nullable=False),
        sa.Column("cell_id", sa.BigInteger(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("coord_source", sa.Text(), server_default="survey", nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("source", sa.Text(), server_default="local", nullable=False),
        sa.Column("valid_from", sa.Date(), server_default=sa.text("current_date"), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("geom_ok(geom)", name=op.f("site_geom_ok_check")),
        sa.CheckConstraint(
            "kind IN ('street', 'town', 'zone', 'community', 'village')",
            name=op.f("site_site_kind_check"),
        ),
        sa.ForeignKeyConstraint(["org_code"], ["area.code"], name=op.f("site_org_code_fkey")),
        sa.ForeignKeyConstraint(["address_id"], ["address.id"], name=op.f("site_address_id_fkey")),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.id"], name=op.f("site_grid_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("site_pkey")),
        sa.UniqueConstraint("org_code", name=op.f("site_org_code_key")),
    )
    op.execute(
        "ALTER TABLE site ADD COLUMN geom_3857 geometry(Geometry, 3857)"
        " GENERATED ALWAYS AS (web_geom(geom)) STORED"
    )
    op.create_index("site_geom_idx", "site", ["geom"], postgresql_using="gist")
    op.create_index("site_geom_3857_idx", "site", ["geom_3857"], postgresql_using="gist")
    op.create_index("site_area_code_idx", "site", ["area_code"])
    op.create_index("site_grid_id_idx", "site", ["grid_id"])
    op.create_index("site_address_id_idx", "site", ["address_id"])
    op.execute(
        "CREATE TRIGGER site_link_new BEFORE INSERT ON site"
        " FOR EACH ROW WHEN (NEW.cell_id IS NULL) EXECUTE FUNCTION link_row()"
    )
    op.execute(
        "CREATE TRIGGER site_link_moved BEFORE UPDATE OF geom ON site"
        " FOR EACH ROW WHEN (NOT ST_Equals(OLD.geom, NEW.geom)) EXECUTE FUNCTION link_row()"
    )
    op.execute(
        "CREATE TRIGGER site_note_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON site"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
    )
    given = ", ".join(f"'{name}'" for name in KEPT)
    op.execute(
        f"CREATE TRIGGER site_history AFTER UPDATE OF {', '.join(KEPT)} ON site"
        f" FOR EACH ROW EXECUTE FUNCTION keep_register_change({given})"
    )


def downgrade() -> None:
    op.drop_table("site")
