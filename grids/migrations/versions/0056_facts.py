"""Keep what each source says of each field of an entry, whatever the register shows.

Revision ID: 0056
"""

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"


def upgrade() -> None:
    op.create_table(
        "fact",
        sa.Column("register", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("how", sa.Text()),
        sa.Column("observed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confidence", sa.REAL(), nullable=False),
        sa.Column("batch_id", sa.BigInteger()),
        sa.Column("said_by", sa.BigInteger()),
        sa.Column("evidence", sa.Text()),
        sa.PrimaryKeyConstraint("register", "entry_id", "field", "source", name=op.f("fact_pkey")),
    )
    op.add_column(
        "import_batch",
        sa.Column("rows_stated", sa.Integer(), server_default="0", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("import_batch", "rows_stated")
    op.drop_table("fact")
