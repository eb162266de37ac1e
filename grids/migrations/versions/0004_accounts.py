"""Accounts, assignments, sign-in sessions, shifts, audit, idempotency.

Revision ID: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.execute("CREATE SEQUENCE audit_event_id_seq")
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("failed_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("account_pkey")),
        sa.UniqueConstraint("login", name=op.f("account_login_key")),
    )
    op.create_table(
        "audit_event",
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "id",
            sa.BigInteger(),
            server_default=sa.text("nextval('audit_event_id_seq')"),
            nullable=False,
        ),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), server_default="", nullable=False),
        sa.Column("is_success", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("source_ip", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "detail",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("at", "id", name=op.f("audit_event_pkey")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("audit_event_actor_id_idx", "audit_event", ["actor_id", "at"], unique=False)
    op.create_table(
        "number_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("number_day_pkey")),
    )
    op.create_table(
        "request_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("request_key_pkey")),
    )
    op.create_index("request_key_created_at_idx", "request_key", ["created_at"], unique=False)
    op.create_table(
        "assignment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("department_code", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), server_default=sa.text("current_date"), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("assignment_account_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["department_code"], ["department.code"], name=op.f("assignment_department_code_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("assignment_pkey")),
    )
    op.create_index("assignment_account_id_idx", "assignment", ["account_id"], unique=False)
    op.create_table(
        "shift",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("shift_account_id_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("shift_pkey")),
    )
    op.create_index(
        "shift_account_id_starts_at_idx", "shift", ["account_id", "starts_at"], unique=False
    )
    op.create_table(
        "sign_in_session",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("csrf_token", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("sign_in_session_account_id_fkey")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("sign_in_session_pkey")),
    )
    op.create_index(
        "sign_in_session_account_id_idx", "sign_in_session", ["account_id"], unique=False
    )
    op.execute(
        "SELECT ensure_months('audit_event', date_trunc('month', now() - interval '13 months')::date, 40)"
    )


def downgrade() -> None:
    op.drop_index("sign_in_session_account_id_idx", table_name="sign_in_session")
    op.drop_table("sign_in_session")
    op.drop_index("shift_account_id_starts_at_idx", table_name="shift")
    op.drop_table("shift")
    op.drop_index("assignment_account_id_idx", table_name="assignment")
    op.drop_table("assignment")
    op.drop_index("request_key_created_at_idx", table_name="request_key")
    op.drop_table("request_key")
    op.drop_table("number_day")
    op.drop_index("audit_event_actor_id_idx", table_name="audit_event")
    op.drop_table("audit_event")
    op.drop_table("account")
    op.execute("DROP SEQUENCE audit_event_id_seq")
