"""Tell sources where they say otherwise than what holds, and keep their answer.

Revision ID: 0065
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0065"
down_revision = "0064"

IN_AREAS = "area_code ^@ ANY ((SELECT scope_areas())::text[])"


def _text(name: str, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=null)


def _at(name: str, *, null: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def upgrade() -> None:
    op.create_table(
        "correction_file",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        _at("made_at", null=False),
        sa.Column("made_by", sa.BigInteger()),
        _text("reason"), _text("note"),
        sa.Column("lines", sa.Integer(), nullable=False),
        _at("received_at"), _text("received_from", null=True),
        sa.Column("received_by", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["source_id"], ["import_source.id"], name=op.f("correction_file_source_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("correction_file_pkey")),
    )  # fmt: skip
    op.create_index("correction_file_source_id_idx", "correction_file", ["source_id"])
    op.create_table(
        "correction",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        _text("register"),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        _text("field"), _text("own_id"), _text("said"), _text("holds"), _text("because"),
        _text("evidence", null=True),
        _at("known_at", null=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        _at("closed_at"),
        sa.CheckConstraint(
            "state IN ('open', 'taken', 'refused', 'closed')", name=op.f("correction_state_check")
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["correction_file.id"], name=op.f("correction_file_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["import_source.id"], name=op.f("correction_source_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("correction_pkey")),
    )  # fmt: skip
    op.create_index("correction_file_id_idx", "correction", ["file_id"])
    op.create_index("correction_area_code_idx", "correction", ["area_code"])
    op.create_index(
        "correction_told_key", "correction",
        ["source_id", "register", "entry_id", "field", "said", "holds"], unique=True,
        postgresql_where=sa.text("state <> 'closed'"),
    )  # fmt: skip
    for table in ("correction_file", "correction"):
        op.execute(
            f"CREATE POLICY {table}_scope ON {table} FOR ALL TO wangge_app"
            f" USING ({IN_AREAS}) WITH CHECK ({IN_AREAS})"
        )
        op.execute(
            f"CREATE POLICY {table}_everything ON {table} FOR ALL TO wangge_worker"
            " USING (true) WITH CHECK (true)"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.drop_table("correction")
    op.drop_table("correction_file")
