"""Cases of other systems, what an event tells outside, and alarms of the desk.

Revision ID: 0037
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0037"
down_revision = "0036"

AT = sa.DateTime(timezone=True)
TEXT = sa.Text()
CODE = sa.Text(collation="C")
EMPTY = sa.text("'{}'")

# What an event tells and to whom, in the transaction of the event. It runs with its owner's
# rights: a handler who closes the own step may see neither the reporter nor the other systems.
FOLLOW = """
CREATE FUNCTION outbox_follow(
  the_case uuid, event uuid, no int, what text, now_in text, why text, told_at timestamptz
) RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $body$
DECLARE
  word text := CASE
    WHEN what IN ('accept', 'fast_track') THEN 'accepted'
    WHEN what = 'dispatch' THEN 'dispatched'
    WHEN what IN ('close', 'self_close') THEN 'done'
    WHEN what IN ('reject', 'refuse', 'find_untrue', 'void') THEN 'declined'
    WHEN what = 'merge' THEN 'merged'
    WHEN what = 'reopen' THEN 'reopened'
  END;
  facts jsonb := jsonb_build_object('seq', no, 'action', what, 'status', now_in, 'reason', why,
                                    'at', told_at);
  ours uuid[];
  written int := 0;
  n int;
BEGIN
  -- A case that took in others answers for them: six reporters of one merged case are six told.
  WITH RECURSIVE family AS (
    SELECT the_case AS id
    UNION
    SELECT l.incident_id FROM incident_link AS l JOIN family AS f ON l.other_id = f.id
    WHERE l.kind = 'duplicate'
  ) SELECT array_agg(id) INTO ours FROM family;
  IF word IS NOT NULL THEN
    INSERT INTO outbox_message (key, receiver, incident_id, seq, kind, contact, body, created_at,
                                next_at, state, reason, ended_at)
    SELECT event || ':' || to_whom.receiver || ':' || to_whom.contact, to_whom.receiver, the_case,
           no, word, to_whom.contact, facts, told_at, told_at,
           CASE WHEN r.is_active THEN 'pending' ELSE 'cancelled' END,
           CASE WHEN r.is_active THEN '' ELSE 'receiver_off' END,
           CASE WHEN r.is_active THEN NULL ELSE told_at END
    FROM (
      SELECT 'sms' AS receiver, p.id AS contact FROM incident_reporter AS p
      WHERE p.incident_id = ANY (ours) AND p.phone_sealed IS NOT NULL
    ) AS to_whom JOIN outbox_receiver AS r ON r.code = to_whom.receiver
    ON CONFLICT (key) DO NOTHING;
    GET DIAGNOSTICS written = ROW_COUNT;
  END IF;
  IF no > 1 THEN
    INSERT INTO outbox_message (key, receiver, incident_id, seq, kind, body, created_at, next_at)
    SELECT event || ':' || c.id, s.receiver, the_case, no,
           CASE WHEN c.direction = 'in' AND s.kind = 'transfer' AND word = 'declined'
                THEN 'returned' ELSE 'status' END,
           facts || jsonb_build_object('sender_id', c.sender_id, 'system', c.system),
           told_at, told_at
    FROM channel_case AS c JOIN channel_system AS s ON s.code = c.system
    WHERE c.incident_id = ANY (ours) AND s.receiver IS NOT NULL AND c.state <> 'returned'
      AND (c.direction = 'in' OR c.state <> 'ended')
    ON CONFLICT (key) DO NOTHING;
    GET DIAGNOSTICS n = ROW_COUNT;
    written := written + n;
    UPDATE channel_case AS c SET
      ack_at = coalesce(c.ack_at, told_at),
      state = CASE WHEN word = 'declined' AND s.kind = 'transfer' THEN 'returned'
                   WHEN word IN ('done', 'declined') THEN 'ended' ELSE 'acknowledged' END
    FROM channel_system AS s
    WHERE s.code = c.system AND c.incident_id = ANY (ours) AND c.direction = 'in'
      AND c.state IN ('waiting', 'acknowledged');
  END IF;
  RETURN written;
END $body$;
REVOKE ALL ON FUNCTION outbox_follow FROM PUBLIC;
GRANT EXECUTE ON FUNCTION outbox_follow TO wangge_app, wangge_worker;
"""

IN_AREAS = "area_code ^@ ANY ((SELECT scope_areas())::text[])"
SEEN_CASE = "EXISTS (SELECT FROM incident AS i WHERE i.id = incident_id)"

# (table, name, command, what rows are seen, what rows may be written)
POLICIES = (
    ("channel_case", "scope", "ALL", SEEN_CASE, SEEN_CASE),
    ("duty_alarm", "scope", "ALL", IN_AREAS, IN_AREAS),
)


def upgrade() -> None:
    _systems()
    _watch()
    for table, name, command, seen, written in POLICIES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_{name} ON {table} FOR {command} TO wangge_app"
            f" USING ({seen}) WITH CHECK ({written})"
        )
        op.execute(
            f"CREATE POLICY {table}_everything ON {table} FOR ALL TO wangge_worker"
            " USING (true) WITH CHECK (true)"
        )
    op.execute(FOLLOW)


def _systems() -> None:
    op.create_table(
        "channel_system",
        sa.Column("code", TEXT, nullable=False),
        sa.Column("name_zh", TEXT, nullable=False),
        sa.Column("name_en", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("channel", TEXT, server_default="system", nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("receiver", TEXT, nullable=True),
        sa.Column("category", TEXT, server_default="", nullable=False),
        sa.Column("ack_s", sa.Integer(), server_default="60", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default="true", nullable=False),
        sa.CheckConstraint(
            "kind IN ('system', 'transfer')", name=op.f("channel_system_kind_check")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="channel_system_account_id_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["receiver"], ["outbox_receiver.code"], name="channel_system_receiver_fkey"
        ),
        sa.PrimaryKeyConstraint("code", name="channel_system_pkey"),
    )
    op.create_table(
        "channel_case",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system", TEXT, nullable=False),
        sa.Column("direction", TEXT, nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("sender_id", TEXT, server_default="", nullable=False),
        sa.Column("state", TEXT, server_default="waiting", nullable=False),
        sa.Column("received_at", AT, nullable=False),
        sa.Column("ack_due_at", AT, nullable=False),
        sa.Column("ack_at", AT, nullable=True),
        sa.Column("note", TEXT, server_default="", nullable=False),
        sa.CheckConstraint("direction IN ('in', 'out')", name=op.f("channel_case_direction_check")),
        sa.CheckConstraint(
            "state IN ('waiting', 'acknowledged', 'returned', 'ended')",
            name=op.f("channel_case_state_check"),
        ),
        sa.ForeignKeyConstraint(
            ["system"], ["channel_system.code"], name="channel_case_system_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="channel_case_incident_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="channel_case_pkey"),
    )
    op.create_index("channel_case_incident_id_idx", "channel_case", ["incident_id"])
    op.create_index(
        "channel_case_waiting_idx",
        "channel_case",
        ["ack_due_at"],
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index(
        "channel_case_sender_idx",
        "channel_case",
        ["system", "direction", "sender_id"],
        unique=True,
        postgresql_where=sa.text("direction = 'in'"),
    )


def _watch() -> None:
    op.create_table(
        "duty_alarm",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("area_code", CODE, server_default="", nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("count", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "detail", postgresql.JSONB(astext_type=TEXT), server_default=EMPTY, nullable=False
        ),
        sa.Column("opened_at", AT, nullable=False),
        sa.Column("last_at", AT, nullable=False),
        sa.Column("closed_at", AT, nullable=True),
        sa.Column("closed_by", sa.BigInteger(), nullable=True),
        sa.Column("note", TEXT, server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="duty_alarm_incident_id_fkey"
        ),
        sa.ForeignKeyConstraint(["closed_by"], ["account.id"], name="duty_alarm_closed_by_fkey"),
        sa.PrimaryKeyConstraint("id", name="duty_alarm_pkey"),
    )
    op.create_index(
        "duty_alarm_one_at_a_time",
        "duty_alarm",
        ["kind", "subject"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )


def downgrade() -> None:
    op.execute("DROP FUNCTION outbox_follow")
    for table in ("duty_alarm", "channel_case", "channel_system"):
        op.drop_table(table)
