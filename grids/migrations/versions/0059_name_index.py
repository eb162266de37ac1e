"""Residents are found by the exact name within one community.

Revision ID: 0059
"""

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"


def upgrade() -> None:
    # Filled by `./wangge keys rotate`: the database has no keys.
    op.add_column("person", sa.Column("name_index", sa.LargeBinary(), nullable=True))
    op.create_index("person_name_index_idx", "person", ["name_index"])


def downgrade() -> None:
    op.drop_column("person", "name_index")
