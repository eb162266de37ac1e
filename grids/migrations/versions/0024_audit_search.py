"""Let the audit log be searched by act and by object without reading all of it.

Revision ID: 0024
"""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_index("audit_event_action_idx", "audit_event", ["action", "at"])
    op.create_index(
        "audit_event_subject_idx",
        "audit_event",
        ["subject", "at"],
        postgresql_ops={"subject": "text_pattern_ops"},
    )


def downgrade() -> None:
    op.drop_index("audit_event_subject_idx", table_name="audit_event")
    op.drop_index("audit_event_action_idx", table_name="audit_event")
