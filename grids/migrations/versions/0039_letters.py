"""Letters, answers by mail, categories of other systems, and what the nightly care finds.

Revision ID: 0039
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0039"
down_revision = "0038"

AT = sa.DateTime(timezone=True)
TEXT = sa.Text()
CODE = sa.Text(collation="C")
SEALED = sa.LargeBinary()
EMPTY = sa.text("'{}'")
NO = sa.text("false")

# Who wrote a letter is told by letter what becomes of the case, as who called is by text message.
# `outbox_follow` is rewritten in place: what other migrations put into it stays.
REWRITE = """
DO $do$
DECLARE
  body text := pg_get_functiondef('outbox_follow'::regproc);
  changed text := regexp_replace(body, %(found)s, %(wanted)s);
BEGIN
  IF changed = body THEN
    RAISE EXCEPTION 'outbox_follow has no list of contacts to extend';
  END IF;
  EXECUTE changed;
END $do$;
"""
CONTACTS = (
    r"SELECT ''sms'' AS receiver, p.id AS contact FROM incident_reporter AS p\s+"
    r"WHERE p.incident_id = ANY \(ours\) AND p.phone_sealed IS NOT NULL"
)
WITH_LETTERS = (
    r"\& UNION ALL SELECT ''mail'', l.id FROM letter AS l"
    r" WHERE l.incident_id = ANY (ours) AND l.sender_sealed IS NOT NULL"
)
OUT_OF_IT = (
    r" UNION ALL SELECT ''mail'', l.id FROM letter AS l"
    r" WHERE l.incident_id = ANY \(ours\) AND l.sender_sealed IS NOT NULL"
)

# Whoever reads a letter may close it to the others, and then does not see it either.
CONFIDE = """
CREATE FUNCTION confide_letter(the_letter uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $body$
BEGIN
  UPDATE letter SET is_confidential = true
  WHERE id = the_letter AND NOT is_confidential AND scope_may('letter')
    AND area_code ^@ ANY (scope_areas());
  RETURN FOUND;
END $body$;
REVOKE ALL ON FUNCTION confide_letter FROM PUBLIC;
GRANT EXECUTE ON FUNCTION confide_letter TO wangge_app;
"""

SEES_LETTER = (
    "(SELECT scope_may('letter')) AND area_code ^@ ANY ((SELECT scope_areas())::text[])"
    " AND (NOT is_confidential OR (SELECT scope_may('letter_confidential')))"
)
OF_A_LETTER = "EXISTS (SELECT FROM letter AS l WHERE l.id = letter_id)"
POLICIES = (
    ("letter", SEES_LETTER),
    ("letter_photo", OF_A_LETTER),
    ("letter_answer", OF_A_LETTER),
)


def upgrade() -> None:
    _systems()
    _letters()
    op.create_table(
        "reconciliation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("took_s", sa.Float(), nullable=False),
        sa.Column("is_clean", sa.Boolean(), nullable=False),
        sa.Column("checks", postgresql.JSONB(astext_type=TEXT), nullable=False),
        sa.PrimaryKeyConstraint("id", name="reconciliation_pkey"),
    )
    for table, seen in POLICIES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_scope ON {table} FOR ALL TO wangge_app"
            f" USING ({seen}) WITH CHECK ({seen})"
        )
        op.execute(
            f"CREATE POLICY {table}_everything ON {table} FOR ALL TO wangge_worker"
            " USING (true) WITH CHECK (true)"
        )
    op.execute(CONFIDE)
    op.execute(REWRITE % {"found": f"'{CONTACTS}'", "wanted": f"'{WITH_LETTERS}'"})


def _systems() -> None:
    op.drop_constraint(op.f("outbox_receiver_kind_check"), "outbox_receiver", type_="check")
    op.create_check_constraint(
        op.f("outbox_receiver_kind_check"), "outbox_receiver", "kind IN ('webhook', 'sms', 'mail')"
    )
    op.execute(
        "INSERT INTO outbox_receiver (code, kind, name_zh, name_en, is_active)"
        " VALUES ('mail', 'mail', '电子邮件', 'E-mail', false)"
    )
    op.add_column("outbox_message", sa.Column("receipt", TEXT, server_default="", nullable=False))
    op.add_column("channel_case", sa.Column("body_hash", SEALED, nullable=True))
    op.add_column("channel_case", sa.Column("ack_by", sa.BigInteger(), nullable=True))
    op.create_foreign_key("channel_case_ack_by_fkey", "channel_case", "account", ["ack_by"], ["id"])
    op.create_table(
        "channel_category",
        sa.Column("system", TEXT, nullable=False),
        sa.Column("sender_code", TEXT, nullable=False),
        sa.Column("kind", TEXT, server_default="matter", nullable=False),
        sa.Column("category", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["system"], ["channel_system.code"], name="channel_category_system_fkey"
        ),
        sa.PrimaryKeyConstraint("system", "sender_code", name="channel_category_pkey"),
    )


def _letters() -> None:
    op.create_table(
        "letter_box",
        sa.Column("code", TEXT, nullable=False),
        sa.Column("uid_validity", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_uid", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("looked_at", AT, nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_error", TEXT, server_default="", nullable=False),
        sa.PrimaryKeyConstraint("code", name="letter_box_pkey"),
    )
    op.create_table(
        "letter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("box", TEXT, nullable=False),
        sa.Column("seen_hash", SEALED, nullable=False),
        sa.Column("area_code", CODE, nullable=False),
        sa.Column("sender_sealed", SEALED, nullable=True),
        sa.Column("sender_index", SEALED, nullable=True),
        sa.Column("subject_sealed", SEALED, nullable=True),
        sa.Column("text_sealed", SEALED, nullable=True),
        sa.Column("message_id_sealed", SEALED, nullable=True),
        sa.Column("problem", TEXT, server_default="", nullable=False),
        sa.Column("left_out", sa.Integer(), server_default="0", nullable=False),
        sa.Column("is_confidential", sa.Boolean(), server_default=NO, nullable=False),
        sa.Column("state", TEXT, server_default="new", nullable=False),
        sa.Column("reason", TEXT, server_default="", nullable=False),
        sa.Column("written_at", AT, nullable=True),
        sa.Column("received_at", AT, nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("done_by", sa.BigInteger(), nullable=True),
        sa.Column("done_at", AT, nullable=True),
        sa.CheckConstraint(
            "state IN ('new', 'registered', 'answered', 'put_aside')",
            name=op.f("letter_state_check"),
        ),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="letter_incident_id_fkey"),
        sa.ForeignKeyConstraint(["done_by"], ["account.id"], name="letter_done_by_fkey"),
        sa.PrimaryKeyConstraint("id", name="letter_pkey"),
        sa.UniqueConstraint("seen_hash", name="letter_seen_hash_key"),
    )
    op.create_index("letter_state_idx", "letter", ["state", "received_at", "id"])
    op.create_index("letter_incident_id_idx", "letter", ["incident_id"])
    op.create_index("letter_sender_index_idx", "letter", ["sender_index"])
    op.create_table(
        "letter_photo",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("letter_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["letter_id"], ["letter.id"], name="letter_photo_letter_id_fkey", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name="letter_photo_sha256_fkey"),
        sa.PrimaryKeyConstraint("id", name="letter_photo_pkey"),
    )
    op.create_index("letter_photo_letter_id_idx", "letter_photo", ["letter_id"])
    op.create_index("letter_photo_sha256_idx", "letter_photo", ["sha256"])
    op.create_table(
        "letter_answer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("letter_id", sa.Uuid(), nullable=False),
        sa.Column("text_sealed", SEALED, nullable=True),
        sa.Column("written_by", sa.BigInteger(), nullable=True),
        sa.Column("written_at", AT, nullable=False),
        sa.ForeignKeyConstraint(
            ["letter_id"], ["letter.id"], name="letter_answer_letter_id_fkey", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["written_by"], ["account.id"], name="letter_answer_written_by_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="letter_answer_pkey"),
    )
    op.create_index("letter_answer_letter_id_idx", "letter_answer", ["letter_id", "written_at"])


def downgrade() -> None:
    op.execute(REWRITE % {"found": f"'{OUT_OF_IT}'", "wanted": "''"})
    op.execute("DROP FUNCTION confide_letter")
    for table in ("reconciliation", "letter_answer", "letter_photo", "letter", "letter_box",
                  "channel_category"):  # fmt: skip
        op.drop_table(table)
    op.drop_column("channel_case", "ack_by")
    op.drop_column("channel_case", "body_hash")
    op.drop_column("outbox_message", "receipt")
    op.execute("DELETE FROM outbox_message WHERE receiver = 'mail'")
    op.execute("DELETE FROM outbox_receiver WHERE code = 'mail'")
    op.drop_constraint(op.f("outbox_receiver_kind_check"), "outbox_receiver", type_="check")
    op.create_check_constraint(
        op.f("outbox_receiver_kind_check"), "outbox_receiver", "kind IN ('webhook', 'sms')"
    )
