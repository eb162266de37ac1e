"""Alarms of the security console, and what the watch counted by the hour.

Revision ID: 0017
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column(
            "detail",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "status IN ('open', 'acknowledged', 'closed')", name=op.f("alarm_status_check")
        ),
        sa.CheckConstraint(
            "(status = 'closed') = (closed_at IS NOT NULL)", name=op.f("alarm_closed_check")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("alarm_account_id_fkey")),
        sa.ForeignKeyConstraint(
            ["acknowledged_by"], ["account.id"], name=op.f("alarm_acknowledged_by_fkey")
        ),
        sa.ForeignKeyConstraint(["closed_by"], ["account.id"], name=op.f("alarm_closed_by_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("alarm_pkey")),
    )
    op.create_index(
        "alarm_one_at_a_time",
        "alarm",
        ["rule", "subject"],
        unique=True,
        postgresql_where=sa.text("status <> 'closed'"),
    )
    op.create_index("alarm_status_idx", "alarm", ["status", "opened_at", "id"])
    op.create_index("alarm_subject_idx", "alarm", ["rule", "subject", "last_at"])
    op.create_table(
        "signal_count",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "kind", "subject", name=op.f("signal_count_pkey")),
    )
    op.create_table(
        "signal_state",
        sa.Column("id", sa.SmallInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("signal_state_one_row_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("signal_state_pkey")),
    )


def downgrade() -> None:
    op.drop_table("signal_state")
    op.drop_table("signal_count")
    op.drop_table("alarm")
