"""The chain of the audit log: links of a thousand rows, the heads that were signed, no change.

Revision ID: 0018
"""

import sqlalchemy as sa
from alembic import op

from grids.audit.models import Xid8

revision = "0018"
down_revision = "0017"

# Rights keep the serving roles from changing a log; these keep the owner from doing it by mistake.
GUARD = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'insufficient_privilege';
END $body$;
CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE ON audit_event
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_event
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_link_append_only BEFORE UPDATE OR DELETE ON audit_link
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_link_no_truncate BEFORE TRUNCATE ON audit_link
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_head_append_only BEFORE UPDATE OR DELETE ON audit_head
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON audit_head
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

# A trigger for TRUNCATE does not pass on to partitions, so each one gets its own.
PARTITIONS = """
CREATE FUNCTION guard_audit_partitions() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $body$
DECLARE
  part regclass;
BEGIN
  FOR part IN
    SELECT i.inhrelid::regclass FROM pg_inherits AS i
    WHERE i.inhparent = 'audit_event'::regclass
      AND NOT EXISTS (SELECT 1 FROM pg_trigger AS t
                      WHERE t.tgrelid = i.inhrelid AND t.tgname = 'audit_event_no_truncate')
  LOOP
    EXECUTE format(
      'CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON %s'
      ' FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', part);
  END LOOP;
END $body$;
REVOKE ALL ON FUNCTION guard_audit_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION guard_audit_partitions TO wangge_worker;
SELECT guard_audit_partitions();
"""


def upgrade() -> None:
    op.add_column(
        "audit_event",
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
    )
    op.create_index("audit_event_xid_idx", "audit_event", ["xid", "id"])
    op.create_table(
        "audit_link",
        sa.Column("no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("audit_link_pkey")),
    )
    op.create_index("audit_link_sealed_at_idx", "audit_link", ["sealed_at"])
    # Digests do not compress; trying costs more than the hash itself.
    op.execute("ALTER TABLE audit_link ALTER COLUMN entries SET STORAGE EXTERNAL")
    op.create_table(
        "audit_state",
        sa.Column("id", sa.SmallInteger(), server_default="1", nullable=False),
        sa.Column("no", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("events", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("'0'"), nullable=False),
        sa.Column("event_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("hash", sa.LargeBinary(), server_default=sa.text("''::bytea"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("limit_s", sa.Integer(), server_default="60", nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("audit_state_one_row_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_state_pkey")),
    )
    op.execute("INSERT INTO audit_state DEFAULT VALUES")
    op.create_table(
        "audit_head",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("no", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_head_pkey")),
    )
    op.create_table(
        "audit_check",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("events", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("links", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("heads", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=True),
        sa.Column("row_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_check_pkey")),
    )
    op.execute(GUARD)
    op.execute(PARTITIONS)


def downgrade() -> None:
    op.execute("DROP FUNCTION guard_audit_partitions")
    op.execute("DROP FUNCTION refuse_change CASCADE")
    op.drop_table("audit_check")
    op.drop_table("audit_head")
    op.drop_table("audit_state")
    op.drop_index("audit_link_sealed_at_idx", table_name="audit_link")
    op.drop_table("audit_link")
    op.drop_index("audit_event_xid_idx", table_name="audit_event")
    op.drop_column("audit_event", "xid")
