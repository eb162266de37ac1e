"""Reminders of running clocks: when half and most of a limit is used, told exactly once.

Revision ID: 0038
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"


def upgrade() -> None:
    op.create_table(
        "clock_reminder",
        sa.Column("clock_id", sa.BigInteger(), nullable=False),
        sa.Column("share", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["clock_id"],
            ["incident_clock.id"],
            name=op.f("clock_reminder_clock_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("clock_id", "share", name=op.f("clock_reminder_pkey")),
    )
    op.create_index(
        "clock_reminder_waiting_idx",
        "clock_reminder",
        ["reached_at"],
        postgresql_where=sa.text("told_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("clock_reminder")
