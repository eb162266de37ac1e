"""The transactional outbox: who is told what, and how far each message got.

Revision ID: 0036
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0035"

AT = sa.DateTime(timezone=True)
TEXT = sa.Text()

# Text messages go out where the installation says how; the row stands from the first day, so
# that a message to a gateway that is not connected is kept and says so.
RECEIVERS = """
INSERT INTO outbox_receiver (code, kind, name_zh, name_en, is_active) VALUES
  ('sms', 'sms', '短信网关', 'Text messages', false)
"""

SEEN_CASE = "incident_id IS NULL OR EXISTS (SELECT FROM incident AS i WHERE i.id = incident_id)"


def upgrade() -> None:
    op.create_table(
        "outbox_receiver",
        sa.Column("code", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("name_zh", TEXT, nullable=False),
        sa.Column("name_en", TEXT, nullable=False),
        sa.Column("door", TEXT, server_default="", nullable=False),
        sa.Column("path", TEXT, server_default="", nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("most_tries", sa.Integer(), server_default="12", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failing_since", AT, nullable=True),
        sa.Column("paused_until", AT, nullable=True),
        sa.Column("sent_at", AT, nullable=True),
        sa.Column("last_error", TEXT, server_default="", nullable=False),
        sa.CheckConstraint("kind IN ('webhook', 'sms')", name=op.f("outbox_receiver_kind_check")),
        sa.PrimaryKeyConstraint("code", name="outbox_receiver_pkey"),
    )
    op.create_table(
        "outbox_message",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("receiver", TEXT, nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("contact", sa.Uuid(), nullable=True),
        sa.Column(
            "body",
            postgresql.JSONB(astext_type=TEXT),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("state", TEXT, server_default="pending", nullable=False),
        sa.Column("reason", TEXT, server_default="", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("next_at", AT, nullable=False),
        sa.Column("ended_at", AT, nullable=True),
        sa.Column("last_error", TEXT, server_default="", nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'sent', 'given_up', 'cancelled')",
            name=op.f("outbox_message_state_check"),
        ),
        sa.CheckConstraint(
            "(state = 'pending') = (ended_at IS NULL)", name=op.f("outbox_message_ended_check")
        ),
        sa.ForeignKeyConstraint(
            ["receiver"], ["outbox_receiver.code"], name="outbox_message_receiver_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="outbox_message_incident_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="outbox_message_pkey"),
        sa.UniqueConstraint("key", name="outbox_message_key_key"),
    )
    op.create_index(
        "outbox_message_due_idx",
        "outbox_message",
        ["receiver", "next_at", "created_at"],
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index("outbox_message_incident_id_idx", "outbox_message", ["incident_id"])
    op.create_index("outbox_message_state_idx", "outbox_message", ["state", "ended_at"])
    op.execute(RECEIVERS)
    op.execute("ALTER TABLE outbox_message ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY outbox_message_everything ON outbox_message FOR ALL TO wangge_worker"
        " USING (true) WITH CHECK (true)"
    )
    op.execute(
        "CREATE POLICY outbox_message_scope ON outbox_message FOR ALL TO wangge_app"
        f" USING ({SEEN_CASE}) WITH CHECK ({SEEN_CASE})"
    )


def downgrade() -> None:
    op.drop_table("outbox_message")
    op.drop_table("outbox_receiver")
