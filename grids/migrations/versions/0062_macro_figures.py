"""The macro-economy: figures by indicator, area and period, every revision kept.

Revision ID: 0062
"""

import sqlalchemy as sa
from alembic import op

revision = "0062"
down_revision = "0061"


def upgrade() -> None:
    op.create_table(
        "macro_figure",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("indicator", sa.Text(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("value", sa.Numeric(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["account.id"], name=op.f("macro_figure_recorded_by_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("macro_figure_pkey")),
    )
    op.create_index(
        "macro_figure_known_idx", "macro_figure",
        ["indicator", "area_code", "period", "recorded_at"],
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("macro_figure")
