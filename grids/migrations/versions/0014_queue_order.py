"""Order of the queue and addresses of photo copies, each by its own index.

Revision ID: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_index("incident_queue_idx", "incident", ["due_at", sa.text("received_at DESC"), "id"])
    op.create_index("blob_public_sha256_idx", "blob", ["public_sha256"])
    op.create_index("blob_thumb_sha256_idx", "blob", ["thumb_sha256"])


def downgrade() -> None:
    op.drop_index("blob_thumb_sha256_idx", table_name="blob")
    op.drop_index("blob_public_sha256_idx", table_name="blob")
    op.drop_index("incident_queue_idx", table_name="incident")
