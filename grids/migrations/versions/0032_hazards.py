"""Hazards and the inspections that find them, each table behind its wall.

Revision ID: 0032
"""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0032"
down_revision = "0031"

IN_AREAS = "area_code ^@ ANY ((SELECT scope_areas())::text[])"
# A department sees what was escalated to it, everybody else the own area.
SEES = f"""(
  {IN_AREAS} AND ((SELECT scope_department()) IS NULL
    OR department_code = (SELECT scope_department()))
)"""
OF_A_HAZARD = "EXISTS (SELECT FROM hazard AS h WHERE h.id = hazard_id)"
OF_A_VISIT = "EXISTS (SELECT FROM inspection AS i WHERE i.id = inspection_id)"
# (table, what rows are seen and written, roles)
WALLS = (
    ("inspection", IN_AREAS, "wangge_app"),
    ("inspection_answer", OF_A_VISIT, "wangge_app"),
    ("hazard", SEES, "wangge_app, wangge_tiles"),
    ("hazard_event", OF_A_HAZARD, "wangge_app"),
    ("hazard_photo", OF_A_HAZARD, "wangge_app"),
)


def upgrade() -> None:
    op.create_table(
        "inspection",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("premises_id", sa.BigInteger(), nullable=False),
        sa.Column("premises_kind", sa.Text(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("checklist", sa.Text(), nullable=False),
        sa.Column("inspector_id", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("score", sa.SmallInteger(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("failed", sa.SmallInteger(), nullable=False),
        sa.Column("major_failed", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["inspector_id"], ["account.id"], name=op.f("inspection_inspector_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["premises_id"], ["premises.id"], name=op.f("inspection_premises_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("inspection_pkey")),
    )
    op.create_index("inspection_area_code_idx", "inspection", ["area_code"])
    op.create_index("inspection_premises_id_idx", "inspection", ["premises_id", "done_at"])
    op.create_table(
        "inspection_answer",
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("weight", sa.SmallInteger(), nullable=False),
        sa.Column("is_major", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspection.id"], name=op.f("inspection_answer_inspection_id_fkey")
        ),
        sa.PrimaryKeyConstraint("inspection_id", "item", name=op.f("inspection_answer_pkey")),
    )
    op.create_table(
        "hazard",
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("premises_id", sa.BigInteger(), nullable=True),
        sa.Column("inspection_id", sa.Uuid(), nullable=True),
        sa.Column("checklist", sa.Text(), nullable=True),
        sa.Column("item", sa.Text(), nullable=True),
        sa.Column("competent_code", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("term", sa.Text(), nullable=True),
        sa.Column("measures", sa.Text(), server_default="", nullable=False),
        sa.Column("notice_no", sa.Text(), nullable=True),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rework_count", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("escalation_count", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stage_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "limits",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "flags",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("event_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("registrar_id", sa.BigInteger(), nullable=True),
        sa.Column("holder_id", sa.BigInteger(), nullable=True),
        sa.Column("department_code", sa.Text(), nullable=True),
        sa.Column("geom", Geometry("POINT", srid=4490, spatial_index=False), nullable=False),
        sa.Column("cell_id", sa.BigInteger(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("coord_source", sa.Text(), server_default="survey", nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("source", sa.Text(), server_default="local", nullable=False),
        sa.Column("valid_from", sa.Date(), server_default=sa.text("current_date"), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("geom_ok(geom)", name=op.f("hazard_geom_ok_check")),
        sa.ForeignKeyConstraint(
            ["competent_code"], ["department.code"], name=op.f("hazard_competent_code_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["department_code"], ["department.code"], name=op.f("hazard_department_code_fkey")
        ),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.id"], name=op.f("hazard_grid_id_fkey")),
        sa.ForeignKeyConstraint(["holder_id"], ["account.id"], name=op.f("hazard_holder_id_fkey")),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspection.id"], name=op.f("hazard_inspection_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["premises_id"], ["premises.id"], name=op.f("hazard_premises_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["registrar_id"], ["account.id"], name=op.f("hazard_registrar_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("hazard_pkey")),
        sa.UniqueConstraint("number", name=op.f("hazard_number_key")),
    )
    op.create_index("hazard_area_code_idx", "hazard", ["area_code"])
    op.create_index("hazard_department_code_idx", "hazard", ["department_code"])
    op.create_index("hazard_geom_idx", "hazard", ["geom"], postgresql_using="gist")
    op.create_index("hazard_inspection_id_idx", "hazard", ["inspection_id"])
    op.create_index("hazard_premises_id_idx", "hazard", ["premises_id"])
    op.create_index("hazard_queue_idx", "hazard", ["due_at", sa.text("opened_at DESC"), "id"])
    op.create_table(
        "hazard_event",
        sa.Column("hazard_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=False),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "photos", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column(
            "data",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["account.id"], name=op.f("hazard_event_actor_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["hazard_id"], ["hazard.id"], name=op.f("hazard_event_hazard_id_fkey")
        ),
        sa.PrimaryKeyConstraint("hazard_id", "seq", name=op.f("hazard_event_pkey")),
        sa.UniqueConstraint("id", name=op.f("hazard_event_id_key")),
    )
    op.create_table(
        "hazard_photo",
        sa.Column("hazard_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("public_sha256", sa.Text(), nullable=False),
        sa.Column("thumb_sha256", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["hazard_id"], ["hazard.id"], name=op.f("hazard_photo_hazard_id_fkey")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("hazard_photo_sha256_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("hazard_photo_pkey")),
    )
    op.create_index("hazard_photo_hazard_id_idx", "hazard_photo", ["hazard_id"])
    op.create_index("hazard_photo_sha256_idx", "hazard_photo", ["sha256"])
    for table, seen, roles in WALLS:
        op.execute(
            f"CREATE POLICY {table}_scope ON {table} FOR ALL TO {roles}"
            f" USING ({seen}) WITH CHECK ({seen})"
        )
        op.execute(
            f"CREATE POLICY {table}_everything ON {table} FOR ALL TO wangge_worker USING (true)"
            " WITH CHECK (true)"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    # The map shows open hazards: their tiles are made anew when one changes.
    op.execute(
        "CREATE TRIGGER hazard_note_change AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON hazard"
        " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
    )


def downgrade() -> None:
    for table, _seen, _roles in reversed(WALLS):
        op.drop_table(table)
