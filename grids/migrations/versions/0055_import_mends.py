"""What somebody puts right by hand in an imported table is kept with its batch: who, was, is.

Revision ID: 0055
"""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"


def upgrade() -> None:
    op.create_table(
        "import_mend",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("heading", sa.Text(), nullable=False),
        sa.Column("was", sa.Text(), nullable=False),
        sa.Column("became", sa.Text(), nullable=False),
        sa.Column("mended_by", sa.BigInteger(), nullable=True),
        sa.Column("mended_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batch.id"], name=op.f("import_mend_batch_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["mended_by"], ["account.id"], name=op.f("import_mend_mended_by_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("import_mend_pkey")),
    )
    op.create_index("import_mend_row_idx", "import_mend", ["batch_id", "number"])


def downgrade() -> None:
    op.drop_table("import_mend")
