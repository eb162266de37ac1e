"""The dispatch desk: claims, kept filters, drafts of replies, each behind its wall.

Revision ID: 0026
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"

# Who may not see a case learns nothing of its claim. A draft is its writer's alone. A kept
# filter is its maker's; a shared one is read inside the area it was shared for.
SEEN_CASE = "EXISTS (SELECT FROM incident AS i WHERE i.id = incident_id)"
OWN = "account_id = (SELECT scope_actor())"
SHARED = (
    "role IS NOT NULL AND EXISTS (SELECT FROM unnest((SELECT scope_areas())::text[]) AS own"
    " WHERE own ^@ area_code)"
)
POLICIES = (
    ("desk_claim", "scope", "ALL", SEEN_CASE, f"{SEEN_CASE} AND {OWN}"),
    ("saved_filter", "own", "ALL", OWN, OWN),
    ("saved_filter", "shared", "SELECT", SHARED, None),
    ("desk_draft", "own", "ALL", OWN, f"{OWN} AND {SEEN_CASE}"),
)

# The live process serves everybody and asks for nobody: this door tells it who works on what,
# and it hands each line to those whose scope holds the place.
DOOR = """
CREATE FUNCTION desk_claims_now(at timestamptz)
RETURNS TABLE (incident_id uuid, account_id bigint, name text, ends_at timestamptz,
               area_code text, department_code text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
  SELECT c.incident_id, c.account_id, a.name, c.ends_at, c.area_code, c.department_code
  FROM desk_claim AS c JOIN account AS a ON a.id = c.account_id
  WHERE c.ends_at > at
$body$;
REVOKE ALL ON FUNCTION desk_claims_now FROM PUBLIC;
GRANT EXECUTE ON FUNCTION desk_claims_now TO wangge_app;
"""

# With the step that somebody takes goes what they had typed for it; nobody has to think of it.
FORGET = """
CREATE FUNCTION forget_draft() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $body$
BEGIN
  DELETE FROM desk_draft WHERE account_id = NEW.actor_id AND incident_id = NEW.incident_id;
  RETURN NULL;
END $body$;
CREATE TRIGGER incident_event_forget_draft AFTER INSERT ON incident_event FOR EACH ROW
WHEN (NEW.seq > 1 AND NEW.actor_id IS NOT NULL) EXECUTE FUNCTION forget_draft();
"""


def upgrade() -> None:
    op.create_table(
        "desk_claim",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("since_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("department_code", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], ondelete="CASCADE",
            name="desk_claim_incident_id_fkey",
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="desk_claim_account_id_fkey"
        ),
        sa.PrimaryKeyConstraint("incident_id", name="desk_claim_pkey"),
        prefixes=["UNLOGGED"],
    )  # fmt: skip
    op.create_index("desk_claim_account_id_idx", "desk_claim", ["account_id"])
    op.create_table(
        "saved_filter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "length(name) BETWEEN 1 AND 60", name=op.f("saved_filter_has_name_check")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="saved_filter_account_id_fkey"
        ),
        sa.PrimaryKeyConstraint("id", name="saved_filter_pkey"),
    )  # fmt: skip
    op.create_index("saved_filter_account_id_idx", "saved_filter", ["account_id"])
    op.create_index("saved_filter_role_idx", "saved_filter", ["role"])
    op.create_table(
        "desk_draft",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("fields", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name="desk_draft_account_id_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], ondelete="CASCADE",
            name="desk_draft_incident_id_fkey",
        ),
        sa.PrimaryKeyConstraint("account_id", "incident_id", name="desk_draft_pkey"),
    )  # fmt: skip
    op.create_index("desk_draft_updated_at_idx", "desk_draft", ["updated_at"])
    for table in ("desk_claim", "saved_filter", "desk_draft"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_everything ON {table} FOR ALL TO wangge_worker"
            " USING (true) WITH CHECK (true)"
        )
    for table, name, command, seen, written in POLICIES:
        check = f" WITH CHECK ({written})" if written else ""
        op.execute(
            f"CREATE POLICY {table}_{name} ON {table} FOR {command} TO wangge_app"
            f" USING ({seen}){check}"
        )
    op.execute(DOOR)
    op.execute(FORGET)


def downgrade() -> None:
    op.execute("DROP TRIGGER incident_event_forget_draft ON incident_event")
    op.execute("DROP FUNCTION forget_draft")
    op.execute("DROP FUNCTION desk_claims_now")
    op.drop_table("desk_draft")
    op.drop_table("saved_filter")
    op.drop_table("desk_claim")
