"""Steps that wait for the one before, and the daily draw of cases to be checked again.

Revision ID: 0042
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0042"
down_revision = "0041"

WAITING = sa.text("state = 'waiting'")
OWN = "account_id = (SELECT scope_actor())"
OF_A_SEEN_CASE = "EXISTS (SELECT FROM incident AS i WHERE i.id = incident_id)"


def upgrade() -> None:
    op.create_table(
        "held_move",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("follows", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("sent", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "photos", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('waiting', 'taken', 'refused')", name=op.f("held_move_state_check")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("held_move_account_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("held_move_pkey")),
    )
    op.create_index("held_move_follows_idx", "held_move", ["follows"], postgresql_where=WAITING)
    op.create_index("held_move_until_idx", "held_move", ["until"], postgresql_where=WAITING)
    op.create_index("held_move_account_id_idx", "held_move", ["account_id", "held_at"])
    op.create_table(
        "sample_draw",
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("on", name=op.f("sample_draw_pkey")),
    )
    op.create_table(
        "sample_case",
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("is_drawn", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("skipped", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "way IN ('self_handled', 'fast_track')", name=op.f("sample_case_way_check")
        ),
        sa.ForeignKeyConstraint(["on"], ["sample_draw.on"], name=op.f("sample_case_on_fkey")),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("sample_case_incident_id_fkey")
        ),
        sa.PrimaryKeyConstraint("on", "number", name=op.f("sample_case_pkey")),
    )
    op.create_index("sample_case_incident_id_idx", "sample_case", ["incident_id"])
    for table, seen in (("held_move", OWN), ("sample_case", OF_A_SEEN_CASE)):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_scope ON {table} FOR ALL TO wangge_app"
            f" USING ({seen}) WITH CHECK ({seen})"
        )
        op.execute(
            f"CREATE POLICY {table}_everything ON {table} FOR ALL TO wangge_worker"
            " USING (true) WITH CHECK (true)"
        )


def downgrade() -> None:
    for table in ("sample_case", "sample_draw", "held_move"):
        op.drop_table(table)
