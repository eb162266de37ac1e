"""Ask whoever is on the spot which of several statements is true.

Revision ID: 0060
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0060"
down_revision = "0059"

IN_AREAS = "area_code ^@ ANY ((SELECT scope_areas())::text[])"
PENDING = sa.text("state IN ('waiting', 'open')")


def upgrade() -> None:
    op.create_table(
        "fact_check",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("register", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("candidates", postgresql.JSONB(), nullable=False),
        sa.Column("weight", sa.REAL(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="waiting", nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("grid_id", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.BigInteger()),
        sa.Column("answer", sa.Text()),
        sa.Column("value", sa.Text()),
        sa.Column("answered_at", sa.DateTime(timezone=True)),
        sa.Column("answered_by", sa.BigInteger()),
        sa.CheckConstraint(
            "state IN ('waiting', 'open', 'answered', 'dropped')",
            name=op.f("fact_check_state_check"),
        ),
        sa.CheckConstraint(
            "why IN ('conflict', 'finding', 'asked')", name=op.f("fact_check_why_check")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("fact_check_pkey")),
    )
    op.create_index("fact_check_area_code_idx", "fact_check", ["area_code", "state"])
    op.create_index(
        "fact_check_entry_key", "fact_check", ["register", "entry_id", "field"], unique=True,
        postgresql_where=PENDING,
    )  # fmt: skip
    op.create_index(
        "fact_check_waiting_idx", "fact_check", ["grid_id", "weight"], postgresql_where=PENDING
    )
    op.execute(
        f"CREATE POLICY fact_check_scope ON fact_check FOR ALL TO wangge_app"
        f" USING ({IN_AREAS}) WITH CHECK ({IN_AREAS})"
    )
    op.execute(
        "CREATE POLICY fact_check_everything ON fact_check FOR ALL TO wangge_worker"
        " USING (true) WITH CHECK (true)"
    )
    op.execute("ALTER TABLE fact_check ENABLE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.drop_table("fact_check")
