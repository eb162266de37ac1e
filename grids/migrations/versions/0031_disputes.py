"""Disputes: the record, its events, parties, papers, terms and photos, each behind its wall.

Revision ID: 0031
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0031"
down_revision = "0030"

IN_AREAS = "area_code ^@ ANY ((SELECT scope_areas())::text[])"
# Confidential: without the permission for the whole area one sees what one has part in.
SEES = f"""(
  {IN_AREAS} AND ((SELECT scope_may('dispute'))
    OR registrar_id = (SELECT scope_actor()) OR holder_id = (SELECT scope_actor()))
)"""
OF_A_SEEN = "EXISTS (SELECT FROM dispute AS d WHERE d.id = dispute_id)"
TABLES = (
    "dispute", "dispute_event", "dispute_photo", "dispute_party", "dispute_paper", "dispute_term",
)  # fmt: skip

# Counts leave without the rows: whoever may count asks this door, in the own areas only.
COUNTS = """
CREATE SEQUENCE flow_number_seq;
CREATE FUNCTION dispute_counts(since timestamptz, until timestamptz, by text)
RETURNS TABLE (key text, n bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
  SELECT CASE by WHEN 'kind' THEN kind ELSE left(area_code, 9) END, count(*) FROM dispute
  WHERE scope_may('dispute_count') AND area_code ^@ ANY ((SELECT scope_areas())::text[])
    AND opened_at >= since AND opened_at < until
  GROUP BY 1
$body$;
REVOKE ALL ON FUNCTION dispute_counts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION dispute_counts TO wangge_app;
"""


def upgrade() -> None:
    op.create_table(
        "dispute",
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), server_default="general", nullable=False),
        sa.Column("channel", sa.Text(), server_default="worker", nullable=False),
        sa.Column("level", sa.Text(), server_default="village", nullable=False),
        sa.Column("people", sa.Integer(), server_default="2", nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("party_count", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("meeting_count", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("extension_count", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("reopen_count", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("way", sa.Text(), nullable=True),
        sa.Column("contacted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True),
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
        sa.ForeignKeyConstraint(
            ["department_code"], ["department.code"], name=op.f("dispute_department_code_fkey")
        ),
        sa.ForeignKeyConstraint(["holder_id"], ["account.id"], name=op.f("dispute_holder_id_fkey")),
        sa.ForeignKeyConstraint(
            ["registrar_id"], ["account.id"], name=op.f("dispute_registrar_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("dispute_pkey")),
        sa.UniqueConstraint("number", name=op.f("dispute_number_key")),
    )
    op.create_index("dispute_area_code_idx", "dispute", ["area_code"])
    op.create_index("dispute_holder_id_idx", "dispute", ["holder_id"])
    op.create_index("dispute_queue_idx", "dispute", ["due_at", sa.text("opened_at DESC"), "id"])
    op.create_index("dispute_registrar_id_idx", "dispute", ["registrar_id"])
    op.create_table(
        "dispute_event",
        sa.Column("dispute_id", sa.Uuid(), nullable=False),
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
            ["actor_id"], ["account.id"], name=op.f("dispute_event_actor_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["dispute_id"], ["dispute.id"], name=op.f("dispute_event_dispute_id_fkey")
        ),
        sa.PrimaryKeyConstraint("dispute_id", "seq", name=op.f("dispute_event_pkey")),
        sa.UniqueConstraint("id", name=op.f("dispute_event_id_key")),
    )
    op.create_table(
        "dispute_photo",
        sa.Column("dispute_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("public_sha256", sa.Text(), nullable=False),
        sa.Column("thumb_sha256", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dispute_id"], ["dispute.id"], name=op.f("dispute_photo_dispute_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["sha256"], ["blob.sha256"], name=op.f("dispute_photo_sha256_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("dispute_photo_pkey")),
    )
    op.create_index("dispute_photo_dispute_id_idx", "dispute_photo", ["dispute_id"])
    op.create_index("dispute_photo_sha256_idx", "dispute_photo", ["sha256"])
    op.create_table(
        "dispute_party",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("no", sa.SmallInteger(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("is_organisation", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("dispute_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dispute_id"], ["dispute.id"], name=op.f("dispute_party_dispute_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("dispute_party_pkey")),
    )
    op.create_index("dispute_party_dispute_id_idx", "dispute_party", ["dispute_id"])
    op.create_index("dispute_party_phone_index_idx", "dispute_party", ["phone_index"])
    op.create_table(
        "dispute_paper",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.Text(), server_default="", nullable=False),
        sa.Column("present_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("body_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("dispute_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dispute_id"], ["dispute.id"], name=op.f("dispute_paper_dispute_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("dispute_paper_pkey")),
    )
    op.create_index("dispute_paper_dispute_id_idx", "dispute_paper", ["dispute_id"])
    op.create_table(
        "dispute_term",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("no", sa.SmallInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("text_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("performed_on", sa.Date(), nullable=True),
        sa.Column("dispute_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["dispute_id"], ["dispute.id"], name=op.f("dispute_term_dispute_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("dispute_term_pkey")),
    )
    op.create_index("dispute_term_dispute_id_idx", "dispute_term", ["dispute_id"])
    op.execute(COUNTS)
    for table in TABLES:
        seen = SEES if table == "dispute" else OF_A_SEEN
        op.execute(
            f"CREATE POLICY {table}_scope ON {table} FOR ALL TO wangge_app"
            f" USING ({seen}) WITH CHECK ({seen})"
        )
        op.execute(
            f"CREATE POLICY {table}_everything ON {table} FOR ALL TO wangge_worker USING (true)"
            " WITH CHECK (true)"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute("DROP FUNCTION dispute_counts")
    op.execute("DROP SEQUENCE flow_number_seq")
    for table in reversed(TABLES):
        op.drop_table(table)
