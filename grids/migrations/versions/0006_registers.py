"""Addresses, buildings, people, enterprises, components, facilities.

Revision ID: 0006
"""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "people_count",
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("area_code", "measure", name=op.f("people_count_pkey")),
    )
    op.create_index("people_count_area_code_idx", "people_count", ["area_code"], unique=False)
    op.create_table(
        "address",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=True),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("estate", sa.Text(), nullable=True),
        sa.Column("building", sa.Text(), nullable=True),
        sa.Column("geom", Geometry("POINT", srid=4490, spatial_index=False), nullable=False),
        sa.Column("cell_id", sa.BigInteger(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("coord_source", sa.Text(), server_default="survey", nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("source", sa.Text(), server_default="local", nullable=False),
        sa.Column("valid_from", sa.Date(), server_default=sa.text("current_date"), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("geom_ok(geom)", name=op.f("address_geom_ok_check")),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.id"], name=op.f("address_grid_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("address_pkey")),
    )
    op.create_index("address_area_code_idx", "address", ["area_code"], unique=False)
    op.create_index("address_geom_idx", "address", ["geom"], unique=False, postgresql_using="gist")
    op.create_index("address_grid_id_idx", "address", ["grid_id"], unique=False)
    op.create_index(
        "address_text_idx",
        "address",
        ["text"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"text": "gin_trgm_ops"},
    )
    op.create_table(
        "component",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("identifier", sa.Text(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("code_system", sa.Text(), server_default="GBT47678.5-2026", nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="intact", nullable=False),
        sa.Column("department_code", sa.Text(), nullable=True),
        sa.Column("geom", Geometry("GEOMETRY", srid=4490, spatial_index=False), nullable=False),
        sa.Column("cell_id", sa.BigInteger(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("coord_source", sa.Text(), server_default="survey", nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("source", sa.Text(), server_default="local", nullable=False),
        sa.Column("valid_from", sa.Date(), server_default=sa.text("current_date"), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("geom_ok(geom)", name=op.f("component_geom_ok_check")),
        sa.ForeignKeyConstraint(
            ["department_code"], ["department.code"], name=op.f("component_department_code_fkey")
        ),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.id"], name=op.f("component_grid_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("component_pkey")),
        sa.UniqueConstraint("identifier", name=op.f("component_identifier_key")),
    )
    op.create_index("component_area_code_idx", "component", ["area_code"], unique=False)
    op.create_index("component_code_idx", "component", ["code"], unique=False)
    op.create_index(
        "component_geom_idx", "component", ["geom"], unique=False, postgresql_using="gist"
    )
    op.create_index("component_grid_id_idx", "component", ["grid_id"], unique=False)
    op.create_table(
        "facility",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("geom", Geometry("POINT", srid=4490, spatial_index=False), nullable=False),
        sa.Column("cell_id", sa.BigInteger(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("coord_source", sa.Text(), server_default="survey", nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("source", sa.Text(), server_default="local", nullable=False),
        sa.Column("valid_from", sa.Date(), server_default=sa.text("current_date"), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("geom_ok(geom)", name=op.f("facility_geom_ok_check")),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.id"], name=op.f("facility_grid_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("facility_pkey")),
    )
    op.create_index("facility_area_code_idx", "facility", ["area_code"], unique=False)
    op.create_index(
        "facility_geom_idx", "facility", ["geom"], unique=False, postgresql_using="gist"
    )
    op.create_index("facility_grid_id_idx", "facility", ["grid_id"], unique=False)
    op.create_table(
        "building",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("levels", sa.SmallInteger(), nullable=True),
        sa.Column("height_m", sa.Double(), nullable=True),
        sa.Column("built_year", sa.SmallInteger(), nullable=True),
        sa.Column("dwellings", sa.Integer(), server_default="0", nullable=False),
        sa.Column("area_m2", sa.Double(), nullable=False),
        sa.Column("address_id", sa.BigInteger(), nullable=True),
        sa.Column("geom", Geometry("MULTIPOLYGON", srid=4490, spatial_index=False), nullable=False),
        sa.Column("cell_id", sa.BigInteger(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("coord_source", sa.Text(), server_default="survey", nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("source", sa.Text(), server_default="local", nullable=False),
        sa.Column("valid_from", sa.Date(), server_default=sa.text("current_date"), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("geom_ok(geom)", name=op.f("building_geom_ok_check")),
        sa.ForeignKeyConstraint(
            ["address_id"], ["address.id"], name=op.f("building_address_id_fkey")
        ),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.id"], name=op.f("building_grid_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("building_pkey")),
    )
    op.create_index("building_area_code_idx", "building", ["area_code"], unique=False)
    op.create_index(
        "building_geom_idx", "building", ["geom"], unique=False, postgresql_using="gist"
    )
    op.create_index("building_grid_id_idx", "building", ["grid_id"], unique=False)
    op.create_table(
        "enterprise",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("uscc", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("staff", sa.Integer(), nullable=True),
        sa.Column("registered_on", sa.Date(), nullable=True),
        sa.Column("contact_sealed", sa.LargeBinary(), nullable=True),
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
        sa.CheckConstraint("geom_ok(geom)", name=op.f("enterprise_geom_ok_check")),
        sa.ForeignKeyConstraint(
            ["address_id"], ["address.id"], name=op.f("enterprise_address_id_fkey")
        ),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.id"], name=op.f("enterprise_grid_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("enterprise_pkey")),
        sa.UniqueConstraint("uscc", name=op.f("enterprise_uscc_key")),
    )
    op.create_index("enterprise_area_code_idx", "enterprise", ["area_code"], unique=False)
    op.create_index(
        "enterprise_geom_idx", "enterprise", ["geom"], unique=False, postgresql_using="gist"
    )
    op.create_index("enterprise_grid_id_idx", "enterprise", ["grid_id"], unique=False)
    op.create_index(
        "enterprise_name_idx",
        "enterprise",
        ["name"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops"},
    )
    op.create_table(
        "dwelling",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("building_id", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("floor", sa.SmallInteger(), nullable=True),
        sa.Column("room", sa.Text(), nullable=True),
        sa.Column("use", sa.Text(), nullable=False),
        sa.Column("area_m2", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["building_id"], ["building.id"], name=op.f("dwelling_building_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("dwelling_pkey")),
    )
    op.create_index("dwelling_building_id_idx", "dwelling", ["building_id"], unique=False)
    op.create_table(
        "premises",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=True),
        sa.Column("enterprise_id", sa.BigInteger(), nullable=True),
        sa.Column("building_id", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("floor_area_m2", sa.Double(), nullable=True),
        sa.Column("geom", Geometry("POINT", srid=4490, spatial_index=False), nullable=False),
        sa.Column("cell_id", sa.BigInteger(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("coord_source", sa.Text(), server_default="survey", nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("source", sa.Text(), server_default="local", nullable=False),
        sa.Column("valid_from", sa.Date(), server_default=sa.text("current_date"), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("geom_ok(geom)", name=op.f("premises_geom_ok_check")),
        sa.ForeignKeyConstraint(
            ["building_id"], ["building.id"], name=op.f("premises_building_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("premises_enterprise_id_fkey")
        ),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.id"], name=op.f("premises_grid_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("premises_pkey")),
    )
    op.create_index("premises_area_code_idx", "premises", ["area_code"], unique=False)
    op.create_index("premises_enterprise_id_idx", "premises", ["enterprise_id"], unique=False)
    op.create_index(
        "premises_geom_idx", "premises", ["geom"], unique=False, postgresql_using="gist"
    )
    op.create_index("premises_grid_id_idx", "premises", ["grid_id"], unique=False)
    op.create_table(
        "household",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("dwelling_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cell_id", sa.BigInteger(), nullable=False),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.ForeignKeyConstraint(
            ["dwelling_id"], ["dwelling.id"], name=op.f("household_dwelling_id_fkey")
        ),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.id"], name=op.f("household_grid_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("household_pkey")),
    )
    op.create_index("household_area_code_idx", "household", ["area_code"], unique=False)
    op.create_index("household_dwelling_id_idx", "household", ["dwelling_id"], unique=False)
    op.create_index("household_grid_id_idx", "household", ["grid_id"], unique=False)
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id_number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id_number_index", sa.LargeBinary(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("birth_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("age_band", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("residency", sa.Text(), nullable=False),
        sa.Column("cell_id", sa.BigInteger(), nullable=False),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("moved_in_on", sa.Date(), nullable=False),
        sa.Column("moved_out_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.id"], name=op.f("person_grid_id_fkey")),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name=op.f("person_household_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("person_pkey")),
    )
    op.create_index("person_area_code_idx", "person", ["area_code"], unique=False)
    op.create_index("person_grid_id_idx", "person", ["grid_id"], unique=False)
    op.create_index("person_household_id_idx", "person", ["household_id"], unique=False)
    op.create_index("person_id_number_index_idx", "person", ["id_number_index"], unique=False)
    op.create_index("person_phone_index_idx", "person", ["phone_index"], unique=False)


def downgrade() -> None:
    op.drop_index("person_phone_index_idx", table_name="person")
    op.drop_index("person_id_number_index_idx", table_name="person")
    op.drop_index("person_household_id_idx", table_name="person")
    op.drop_index("person_grid_id_idx", table_name="person")
    op.drop_index("person_area_code_idx", table_name="person")
    op.drop_table("person")
    op.drop_index("household_grid_id_idx", table_name="household")
    op.drop_index("household_dwelling_id_idx", table_name="household")
    op.drop_index("household_area_code_idx", table_name="household")
    op.drop_table("household")
    op.drop_index("premises_grid_id_idx", table_name="premises")
    op.drop_index("premises_geom_idx", table_name="premises", postgresql_using="gist")
    op.drop_index("premises_enterprise_id_idx", table_name="premises")
    op.drop_index("premises_area_code_idx", table_name="premises")
    op.drop_table("premises")
    op.drop_index("dwelling_building_id_idx", table_name="dwelling")
    op.drop_table("dwelling")
    op.drop_index(
        "enterprise_name_idx",
        table_name="enterprise",
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops"},
    )
    op.drop_index("enterprise_grid_id_idx", table_name="enterprise")
    op.drop_index("enterprise_geom_idx", table_name="enterprise", postgresql_using="gist")
    op.drop_index("enterprise_area_code_idx", table_name="enterprise")
    op.drop_table("enterprise")
    op.drop_index("building_grid_id_idx", table_name="building")
    op.drop_index("building_geom_idx", table_name="building", postgresql_using="gist")
    op.drop_index("building_area_code_idx", table_name="building")
    op.drop_table("building")
    op.drop_index("facility_grid_id_idx", table_name="facility")
    op.drop_index("facility_geom_idx", table_name="facility", postgresql_using="gist")
    op.drop_index("facility_area_code_idx", table_name="facility")
    op.drop_table("facility")
    op.drop_index("component_grid_id_idx", table_name="component")
    op.drop_index("component_geom_idx", table_name="component", postgresql_using="gist")
    op.drop_index("component_code_idx", table_name="component")
    op.drop_index("component_area_code_idx", table_name="component")
    op.drop_table("component")
    op.drop_index(
        "address_text_idx",
        table_name="address",
        postgresql_using="gin",
        postgresql_ops={"text": "gin_trgm_ops"},
    )
    op.drop_index("address_grid_id_idx", table_name="address")
    op.drop_index("address_geom_idx", table_name="address", postgresql_using="gist")
    op.drop_index("address_area_code_idx", table_name="address")
    op.drop_table("address")
    op.drop_index("people_count_area_code_idx", table_name="people_count")
    op.drop_table("people_count")
