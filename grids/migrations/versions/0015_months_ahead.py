"""Let the worker make the partitions of coming months.

Revision ID: 0015
"""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute("GRANT EXECUTE ON FUNCTION ensure_months TO wangge_worker")


def downgrade() -> None:
    op.execute("REVOKE EXECUTE ON FUNCTION ensure_months FROM wangge_worker")
