"""Tables of others become batches: sources, batches, staged rows, and what a source calls what.

Revision ID: 0053
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0053"
down_revision = "0052"

STATES = (
    "state IN ('uploaded', 'looked', 'checking', 'checked', 'committing', 'committed', 'undoing',"
    " 'undone', 'refused')"
)
VERDICTS = "verdict IN ('new', 'change', 'same', 'rejected', 'held')"
ROW_STATES = "state IN ('staged', 'done', 'undone', 'kept')"
JSONB = postgresql.JSONB(astext_type=sa.Text())


def _text(name: str, default: str | None = None, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=null)


def _at(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _account(name: str, table: str) -> list[Any]:
    return [
        sa.Column(name, sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint([name], ["account.id"], name=op.f(f"{table}_{name}_fkey")),
    ]


def upgrade() -> None:
    op.create_table(
        "import_source",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _text("code"), _text("name"), _text("target"), _text("department_code", null=True),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("settings", JSONB, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        *_account("created_by", "import_source"),
        sa.ForeignKeyConstraint(
            ["department_code"], ["department.code"], name=op.f("import_source_department_code_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("import_source_pkey")),
        sa.UniqueConstraint("code", name=op.f("import_source_code_key")),
    )  # fmt: skip
    op.create_table(
        "import_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        *_account("account_id", "import_batch"),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("areas", postgresql.ARRAY(sa.Text()), nullable=False),
        _text("file_sha256"), _text("file_name"),
        sa.Column("file_size", sa.BigInteger(), nullable=False),
        sa.Column("settings", JSONB, nullable=False),
        sa.Column("look", JSONB, server_default="{}", nullable=False),
        _text("state", "uploaded"),
        sa.Column("refusal", JSONB, server_default="{}", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        _text("grids_seen", ""),
        *(
            sa.Column(f"rows_{name}", sa.Integer(), server_default="0", nullable=False)
            for name in ("total", "new", "changed", "same", "rejected", "held", "done", "undone", "kept")
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        _at("checked_at"), _at("committed_at"),
        *_account("committed_by", "import_batch"),
        _at("undone_at"),
        *_account("undone_by", "import_batch"),
        _at("cleared_at"),
        sa.CheckConstraint(STATES, name=op.f("import_batch_state_check")),
        sa.ForeignKeyConstraint(
            ["source_id"], ["import_source.id"], name=op.f("import_batch_source_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("import_batch_pkey")),
    )  # fmt: skip
    op.create_index("import_batch_created_at_idx", "import_batch", ["created_at"])
    op.create_index("import_batch_source_id_idx", "import_batch", ["source_id"])
    op.create_table(
        "import_row",
        sa.Column("batch_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        _text("own_id"), _text("code", null=True),
        sa.Column("data", JSONB, nullable=True),
        sa.Column("raw", JSONB, nullable=True),
        sa.Column("errors", JSONB, nullable=True),
        sa.Column("geom", Geometry("GEOMETRY", srid=4490, spatial_index=False), nullable=True),
        sa.Column("cell_id", sa.BigInteger(), nullable=True),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        sa.Column("area_code", sa.Text(collation="C"), nullable=True),
        _text("coord_source", null=True),
        _text("verdict", "new"), _text("state", "staged"),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.Column("before", JSONB, nullable=True),
        sa.CheckConstraint(VERDICTS, name=op.f("import_row_verdict_check")),
        sa.CheckConstraint(ROW_STATES, name=op.f("import_row_state_check")),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batch.id"], name=op.f("import_row_batch_id_fkey")
        ),
        sa.PrimaryKeyConstraint("batch_id", "number", name=op.f("import_row_pkey")),
    )  # fmt: skip
    op.create_index("import_row_own_id_idx", "import_row", ["batch_id", "own_id"])
    op.create_index("import_row_code_idx", "import_row", ["batch_id", "code"])
    op.create_index("import_row_verdict_idx", "import_row", ["batch_id", "verdict", "number"])
    op.create_index(
        "import_row_waiting_idx", "import_row", ["batch_id", "number"],
        postgresql_where=sa.text("state = 'staged'"),
    )  # fmt: skip
    op.create_table(
        "import_key",
        sa.Column("source_id", sa.BigInteger(), autoincrement=False, nullable=False),
        _text("own_id"), _text("target"),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["import_source.id"], name=op.f("import_key_source_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batch.id"], name=op.f("import_key_batch_id_fkey")
        ),
        sa.PrimaryKeyConstraint("source_id", "own_id", name=op.f("import_key_pkey")),
    )  # fmt: skip
    op.create_index("import_key_entry_idx", "import_key", ["target", "entry_id"])


def downgrade() -> None:
    for table in ("import_key", "import_row", "import_batch", "import_source"):
        op.drop_table(table)
