"""The second wall before notes on residents, requests, exports and the feed; changes of keys.

Revision ID: 0040
"""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"

IN_AREAS = "area_code ^@ ANY ((SELECT scope_areas())::text[])"
MINE = "account_id = (SELECT scope_actor())"
# Who looked at a resident is told to whoever sees the resident. One sees what one has just noted.
SEES_NOTE = f"""(
  {MINE} OR EXISTS (SELECT FROM person AS p WHERE p.id = person_id)
)"""
SEES_REQUEST = f"""(
  (SELECT scope_may('subject')) AND (SELECT scope_department()) IS NULL AND {IN_AREAS}
)"""
# The own, for who decides what lies in their areas altogether.
ALL_MINE = """NOT EXISTS (
  SELECT FROM unnest(areas) AS one
  WHERE NOT coalesce(one ^@ ANY ((SELECT scope_areas())::text[]), false)
)"""
SEES_EXPORT = f"({MINE} OR ((SELECT scope_may('export')) AND {ALL_MINE}))"
# The live process reads for everybody and says so on a connection of its own.
SEES_FEED = f"""(
  (SELECT scope_may('feed'))
  OR ({IN_AREAS} AND ((SELECT scope_department()) IS NULL
    OR department_code = (SELECT scope_department())))
)"""

WATCHED = ("person_access", "subject_request", "export_request", "feed")
POLICIES = (
    ("person_access", "scope", "SELECT", "wangge_app", SEES_NOTE, None),
    ("person_access", "noted", "INSERT", "wangge_app", None, MINE),
    ("subject_request", "scope", "ALL", "wangge_app", SEES_REQUEST, SEES_REQUEST),
    ("export_request", "scope", "SELECT", "wangge_app", SEES_EXPORT, None),
    ("export_request", "traced", "SELECT", "wangge_app", "(SELECT scope_may('trace'))", None),
    ("export_request", "asked", "INSERT", "wangge_app", None, MINE),
    ("export_request", "decided", "UPDATE", "wangge_app", SEES_EXPORT, SEES_EXPORT),
    ("feed", "scope", "SELECT", "wangge_app", SEES_FEED, None),
    ("feed", "audited", "SELECT", "wangge_auditor", "true", None),
    *((table, "everything", "ALL", "wangge_worker", "true", "true") for table in WATCHED),
)

# When the feed was sealed last, for the page that watches the processes: an instant, no event.
DOOR = """
CREATE FUNCTION feed_sealed_at() RETURNS timestamptz
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
  SELECT f.sealed_at FROM feed AS f WHERE f.no = (SELECT no FROM feed_state)
$body$;
REVOKE ALL ON FUNCTION feed_sealed_at FROM PUBLIC;
GRANT EXECUTE ON FUNCTION feed_sealed_at TO wangge_app, wangge_worker;
"""


def upgrade() -> None:
    op.execute(DOOR)
    for table, name, command, roles, seen, written in POLICIES:
        using = f" USING ({seen})" if seen else ""
        check = f" WITH CHECK ({written})" if written else ""
        op.execute(
            f"CREATE POLICY {table}_{name} ON {table} FOR {command} TO {roles}{using}{check}"
        )
    for table in WATCHED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    _make_key_tables()


def _make_key_tables() -> None:
    op.create_table(
        "key_use",
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("key_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "table_name", "column_name", "provider", "key_id", name=op.f("key_use_pkey")
        ),
    )
    op.create_table(
        "key_run",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("key_id", sa.SmallInteger(), nullable=True),
        sa.Column("asked_by", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows_before", sa.BigInteger(), nullable=True),
        sa.Column("rows_done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("broken", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("act IN ('rotate', 'retire')", name=op.f("key_run_act_check")),
        sa.ForeignKeyConstraint(["asked_by"], ["account.id"], name=op.f("key_run_asked_by_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("key_run_pkey")),
    )


def downgrade() -> None:
    op.drop_table("key_run")
    op.drop_table("key_use")
    for table in WATCHED:
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for table, name, *_ in POLICIES:
        op.execute(f"DROP POLICY {table}_{name} ON {table}")
    op.execute("DROP FUNCTION feed_sealed_at")
