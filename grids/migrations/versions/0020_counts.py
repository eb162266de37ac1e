"""What is drawn and told of groups of people and of key population.

Revision ID: 0020
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"


def _code() -> sa.Column[str]:
    return sa.Column("area_code", sa.Text(collation="C"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "people_draw",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("leaf", sa.Text(collation="C"), nullable=False),
        sa.Column("drawn_on", sa.Date(), nullable=False),
        sa.Column("lasts", sa.Integer(), nullable=False),
        sa.Column("kinds", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("told", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("subject", "leaf", name=op.f("people_draw_pkey")),
    )
    op.create_table(
        "people_group_count",
        sa.Column("age", sa.Text(), nullable=False),
        sa.Column("residency", sa.Text(), nullable=False),
        sa.Column("household", sa.Text(), nullable=False),
        _code(),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "age", "residency", "household", "area_code", name=op.f("people_group_count_pkey")
        ),
    )
    op.create_index("people_group_count_area_code_idx", "people_group_count", ["area_code"])
    op.create_table(
        "population_category",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("sort", sa.Integer(), server_default="0", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("population_category_pkey")),
    )
    op.create_table(
        "population_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("population_batch_account_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("population_batch_pkey")),
    )
    op.create_index("population_batch_uploaded_at_idx", "population_batch", ["uploaded_at"])
    op.create_table(
        "population_count",
        sa.Column("batch_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        _code(),
        sa.Column("count", sa.Integer(), nullable=True),
        sa.CheckConstraint("count >= 10", name=op.f("population_count_count_check")),
        sa.CheckConstraint(
            "length(area_code) IN (6, 9, 12, 15)", name=op.f("population_count_area_code_check")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["population_batch.id"], name=op.f("population_count_batch_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["category"], ["population_category.code"],
            name=op.f("population_count_category_fkey"),
        ),
        sa.PrimaryKeyConstraint(
            "batch_id", "category", "period", "area_code", name=op.f("population_count_pkey")
        ),
    )  # fmt: skip
    op.create_index(
        "population_count_category_idx", "population_count", ["category", "period", "area_code"]
    )
    op.create_table(
        "population_told",
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        _code(),
        sa.Column("value", sa.Integer(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["category"], ["population_category.code"], name=op.f("population_told_category_fkey")
        ),
        sa.PrimaryKeyConstraint(
            "category", "period", "area_code", name=op.f("population_told_pkey")
        ),
    )
    op.create_index("population_told_area_code_idx", "population_told", ["area_code"])


def downgrade() -> None:
    op.drop_table("population_told")
    op.drop_table("population_count")
    op.drop_table("population_batch")
    op.drop_table("population_category")
    op.drop_table("people_group_count")
    op.drop_table("people_draw")
