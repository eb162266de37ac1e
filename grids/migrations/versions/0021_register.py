"""Keep who looked at a resident's record, what residents ask for, and certificates of erasure.

A record can lose all that names somebody and still be counted.

Revision ID: 0021
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0021"
down_revision = "0020"

NAMING = ("name_sealed", "id_number_sealed", "id_number_index", "birth_sealed")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    for column in NAMING:
        op.alter_column("person", column, nullable=True)
    op.add_column("person", sa.Column("anonymised_at", INSTANT, nullable=True))
    op.create_table(
        "person_access",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), server_default="", nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("case_number", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("person_access_pkey")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("person_access_account_id_fkey")
        ),
    )
    op.create_index("person_access_person_id_idx", "person_access", ["person_id", "at"])
    op.create_table(
        "subject_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("identity_checked", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("received_by", sa.BigInteger(), nullable=False),
        sa.Column("handled_by", sa.BigInteger(), nullable=True),
        sa.Column("handled_at", INSTANT, nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column(
            "result",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("copy_until", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("subject_request_pkey")),
        sa.ForeignKeyConstraint(
            ["received_by"], ["account.id"], name=op.f("subject_request_received_by_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["handled_by"], ["account.id"], name=op.f("subject_request_handled_by_fkey")
        ),
    )
    op.create_index("subject_request_person_id_idx", "subject_request", ["person_id"])
    op.create_index("subject_request_area_code_idx", "subject_request", ["area_code"])
    op.create_table(
        "erasure_certificate",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("erasure_certificate_pkey")),
    )


def downgrade() -> None:
    op.drop_table("erasure_certificate")
    op.drop_index("subject_request_area_code_idx", table_name="subject_request")
    op.drop_index("subject_request_person_id_idx", table_name="subject_request")
    op.drop_table("subject_request")
    op.drop_index("person_access_person_id_idx", table_name="person_access")
    op.drop_table("person_access")
    op.drop_column("person", "anonymised_at")
    op.execute("DELETE FROM person WHERE name_sealed IS NULL")
    for column in NAMING:
        op.alter_column("person", column, nullable=False)
