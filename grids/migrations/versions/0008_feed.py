"""The sealed feed of committed events.

Revision ID: 0008
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from grids.incidents.models import Xid8

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "feed",
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("department_code", sa.Text(), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sealed_at", "no", name=op.f("feed_pkey")),
        postgresql_partition_by="RANGE (sealed_at)",
    )
    op.create_index("feed_no_idx", "feed", ["no"], unique=False)
    op.create_table(
        "feed_state",
        sa.Column("id", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("no", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("'0'"), nullable=False),
        sa.Column("hash", sa.LargeBinary(), server_default=sa.text("''::bytea"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("feed_state_one_row_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("feed_state_pkey")),
    )
    op.execute(
        "SELECT ensure_months('feed', date_trunc('month', now() - interval '13 months')::date, 40)"
    )
    op.execute("INSERT INTO feed_state DEFAULT VALUES")


def downgrade() -> None:
    op.drop_table("feed_state")
    op.drop_index("feed_no_idx", table_name="feed")
    op.drop_table("feed")
