"""Links by which an outside party reads one task and answers it; callers are known by an index.

Revision ID: 0043
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0043"
down_revision = "0042"

AT = sa.DateTime(timezone=True)
TEXT = sa.Text()

SETTING = """
CREATE FUNCTION scope_link() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('wangge.link', true), '')::uuid
"""

# Who has the secret of a link gets that link, and its case while it waits with the party: a
# case that went on, or was handed to somebody else, is no longer opened by the old secret.
OPEN = """
CREATE FUNCTION hand_over_opened(hash bytea, seen_at timestamptz) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $body$
DECLARE
  link hand_over;
BEGIN
  SELECT h.* INTO link FROM hand_over AS h JOIN incident AS i ON i.id = h.incident_id
  WHERE h.token_hash = hash AND h.revoked_at IS NULL AND h.expires_at > seen_at
    AND (h.answered_at IS NOT NULL
         OR (i.status = 'outside' AND (i.flags -> 'outside' ->> 'seq')::int = h.seq));
  IF link.id IS NULL THEN
    RETURN NULL;
  END IF;
  PERFORM set_config('wangge.link', link.id::text, true);
  IF link.answered_at IS NULL THEN
    PERFORM set_config('wangge.case', link.incident_id::text, true);
  END IF;
  RETURN link.id;
END $body$;
REVOKE ALL ON FUNCTION hand_over_opened FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hand_over_opened TO wangge_app
"""

SEEN_CASE = "EXISTS (SELECT FROM incident AS i WHERE i.id = incident_id)"
SEEN_LINK = f"{SEEN_CASE} OR id = (SELECT scope_link())"
# A report that is being written opens its own contact; a link opens the case without it.
CONTACT = (
    "((incident_id = (SELECT scope_case()) AND (SELECT scope_link()) IS NULL)"
    f" OR (SELECT scope_may('reporter'))) AND {SEEN_CASE}"
)
CONTACT_BEFORE = (
    f"(incident_id = (SELECT scope_case()) OR (SELECT scope_may('reporter'))) AND {SEEN_CASE}"
)


def upgrade() -> None:
    op.create_table(
        "hand_over",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("party", TEXT, nullable=False),
        sa.Column("task", TEXT, nullable=False),
        sa.Column(
            "photos", postgresql.ARRAY(sa.BigInteger()), server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("expires_at", AT, nullable=False),
        sa.Column("revoked_at", AT, nullable=True),
        sa.Column("revoked_by", sa.BigInteger(), nullable=True),
        sa.Column("opened_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("opened_at", AT, nullable=True),
        sa.Column("answered_at", AT, nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="hand_over_incident_id_fkey"
        ),
        sa.ForeignKeyConstraint(["created_by"], ["account.id"], name="hand_over_created_by_fkey"),
        sa.ForeignKeyConstraint(["revoked_by"], ["account.id"], name="hand_over_revoked_by_fkey"),
        sa.PrimaryKeyConstraint("id", name="hand_over_pkey"),
        sa.UniqueConstraint("token_hash", name="hand_over_token_hash_key"),
    )  # fmt: skip
    op.create_index("hand_over_incident_id_idx", "hand_over", ["incident_id"])
    op.execute(SETTING)
    op.execute(OPEN)
    op.execute("ALTER TABLE hand_over ENABLE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY hand_over_scope ON hand_over FOR ALL TO wangge_app"
        f" USING ({SEEN_LINK}) WITH CHECK ({SEEN_LINK})"
    )
    op.execute(
        "CREATE POLICY hand_over_everything ON hand_over FOR ALL TO wangge_worker"
        " USING (true) WITH CHECK (true)"
    )
    op.execute(f"ALTER POLICY incident_reporter_scope ON incident_reporter USING ({CONTACT})")


def downgrade() -> None:
    op.execute(
        f"ALTER POLICY incident_reporter_scope ON incident_reporter USING ({CONTACT_BEFORE})"
    )
    op.execute("DROP FUNCTION hand_over_opened")
    op.drop_table("hand_over")
    op.execute("DROP FUNCTION scope_link")
