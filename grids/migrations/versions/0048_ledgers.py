"""One entry, all ledgers: lines, questions, forms, visits, observations, departments' ledgers.

Revision ID: 0048
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0048"
down_revision = "0047"

IN_AREAS = "area_code ^@ ANY ((SELECT scope_areas())::text[])"
# Service needs of a home (L3) are for who answers for its own grid, whatever larger area others
# have: the code of a grid has 15 digits.
SEES = (
    f"({IN_AREAS} AND (level < 'L3' OR left(area_code, 15) = ANY ((SELECT scope_areas())::text[])))"
)
OF_A_VISIT = "EXISTS (SELECT FROM visit AS v WHERE v.id = visit_id)"
WALLS = (("visit", IN_AREAS), ("visit_photo", OF_A_VISIT), ("observation", SEES))
TABLES = ("ledger", "visit_photo", "observation", "visit", "form_version", "form_question",
          "work_line")  # fmt: skip
NOW_TEXT = sa.text("''")
NO_ARRAY = sa.text("'{}'")
JSON = postgresql.JSONB(astext_type=sa.Text())
MONTHS = """
DO $body$
BEGIN
  EXECUTE replace(pg_get_functiondef('ensure_months(text, date, integer)'::regprocedure),
                  {before}, {after});
END $body$
"""
# An answer of a visit corrects the register. The app may change these columns and no others, in
# its caller's area, and gets back what stood there.
WRITE_BACK = """
CREATE FUNCTION write_back(kind text, key bigint, col text, said text) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $body$
DECLARE
  stood text;
  place text;
BEGIN
  IF (kind, col) NOT IN (('premises', 'floor_area_m2'), ('enterprise', 'status'),
                         ('enterprise', 'staff'), ('building', 'levels'), ('component', 'state')) THEN
    RAISE EXCEPTION 'no column to write back to: %.%', kind, col;
  END IF;
  EXECUTE format('SELECT %I::text, area_code FROM %I WHERE id = $1 FOR UPDATE', col, kind)
    INTO stood, place USING key;
  IF place IS NULL OR NOT place ^@ ANY ((scope_areas())::text[]) THEN
    RAISE EXCEPTION 'outside the area of the caller' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF stood IS NOT DISTINCT FROM said THEN
    RETURN NULL;
  END IF;
  PERFORM set_config('wangge.reason', 'visit', true);
  EXECUTE format(
    'UPDATE %I SET %I = $1::%s WHERE id = $2', kind, col,
    (SELECT format_type(atttypid, atttypmod) FROM pg_attribute
     WHERE attrelid = kind::regclass AND attname = col)
  ) USING said, key;
  PERFORM set_config('wangge.reason', '', true);
  RETURN jsonb_build_object('was', stood);
END $body$;
REVOKE ALL ON FUNCTION write_back FROM PUBLIC;
GRANT EXECUTE ON FUNCTION write_back TO wangge_app;
"""


def text(name: str, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), **{"nullable": False, **more})


def small(name: str, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.SmallInteger(), **{"nullable": False, **more})


def code(name: str = "area_code") -> sa.Column[Any]:
    return sa.Column(name, sa.Text(collation="C"), nullable=False)


def instant(name: str, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), **{"nullable": False, **more})


def kinds() -> sa.Column[Any]:
    return sa.Column("kinds", sa.ARRAY(sa.Text()), server_default=NO_ARRAY, nullable=False)


def foreign(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"{table}_{column}_fkey"))


def key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"{table}_pkey"))


def upgrade() -> None:
    op.create_table(
        "work_line", text("code"), text("name_zh"), text("name_en"),
        text("department_code", nullable=True), small("sort", server_default=sa.text("'0'")),
        foreign("work_line", "department_code", "department.code"), key("work_line", "code"),
    )  # fmt: skip
    op.create_table(
        "form_question", text("key"), small("no"), text("subject"), text("type"), text("zh"),
        text("en"), *(text(name, server_default=NOW_TEXT)
                      for name in ("hint_zh", "hint_en", "example", "unit")),
        sa.Column("options", JSON, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("checks", JSON, server_default=sa.text("'{}'"), nullable=False),
        small("valid_days"), text("level"), text("register", nullable=True),
        key("form_question", "key", "no"),
    )  # fmt: skip
    op.create_table(
        "form_version",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        text("form"), small("no"), text("line"), text("name_zh"), text("name_en"),
        text("subject"), kinds(), small("visit_days"), sa.Column("items", JSON, nullable=False),
        text("status"), sa.Column("made_by", sa.BigInteger(), nullable=True), instant("made_at"),
        sa.Column("live_from", sa.Date(), nullable=True),
        sa.Column("approved_by", sa.BigInteger(), nullable=True),
        instant("approved_at", nullable=True),
        sa.Column("cost", JSON, server_default=sa.text("'{}'"), nullable=False),
        text("note", server_default=NOW_TEXT),
        sa.CheckConstraint("status IN ('draft', 'waiting', 'live', 'refused')",
                           name=op.f("form_version_status_check")),
        sa.CheckConstraint("approved_by <> made_by", name=op.f("form_version_two_people_check")),
        sa.UniqueConstraint("form", "no", name=op.f("form_version_form_no_key")),
        foreign("form_version", "line", "work_line.code"),
        key("form_version", "id"),
    )  # fmt: skip
    op.create_table(
        "visit", sa.Column("id", sa.Uuid(), nullable=False), text("subject"),
        sa.Column("subject_id", sa.BigInteger(), nullable=False), code(),
        sa.Column("worker_id", sa.BigInteger(), nullable=False), instant("done_at"),
        instant("received_at"), sa.Column("forms", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("versions", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("taps", sa.Integer(), nullable=True), small("asked"), small("reused"),
        small("apart"), small("photos"), foreign("visit", "worker_id", "account.id"),
        key("visit", "id"),
    )  # fmt: skip
    op.create_index("visit_subject_idx", "visit", ["subject", "subject_id", "done_at"])
    op.create_index("visit_area_code_idx", "visit", ["area_code", "done_at"])
    op.create_table(
        "observation", instant("recorded_at"),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False), text("subject"),
        sa.Column("subject_id", sa.BigInteger(), nullable=False), code(), text("question"),
        small("question_no"), sa.Column("version_id", sa.BigInteger(), nullable=False),
        text("level"), sa.Column("value", JSON, nullable=False), instant("observed_at"),
        sa.Column("worker_id", sa.BigInteger(), nullable=False), text("source"),
        sa.Column("seconds", sa.Float(), nullable=True), text("photo", nullable=True),
        sa.Column("replaced", JSON, nullable=True), key("observation", "recorded_at", "id"),
        postgresql_partition_by="RANGE (recorded_at)",
    )  # fmt: skip
    op.create_index("observation_subject_idx", "observation",
                    ["subject", "subject_id", "question", "observed_at"])  # fmt: skip
    op.create_index("observation_area_code_idx", "observation", ["area_code", "question"])
    op.create_index("observation_visit_id_idx", "observation", ["visit_id"])
    op.create_table(
        "visit_photo", sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("visit_id", sa.Uuid(), nullable=False), text("question"), text("sha256"),
        foreign("visit_photo", "visit_id", "visit.id"),
        foreign("visit_photo", "sha256", "blob.sha256"), key("visit_photo", "id"),
    )  # fmt: skip
    op.create_index("visit_photo_visit_id_idx", "visit_photo", ["visit_id"])
    op.create_index("visit_photo_sha256_idx", "visit_photo", ["sha256"])
    op.create_table(
        "ledger", text("code"), text("line"), text("name_zh"), text("name_en"), text("subject"),
        kinds(), small("period_days"), sa.Column("columns", JSON, nullable=False),
        small("sort", server_default=sa.text("'0'")), foreign("ledger", "line", "work_line.code"),
        key("ledger", "code"),
    )  # fmt: skip
    op.execute(MONTHS.format(before="'NOT IN ('", after="'NOT IN (''observation'', '"))
    op.execute(
        "SELECT ensure_months('observation', date_trunc('month', now() - interval '13 months')::date, 18)"
    )
    for table, seen in WALLS:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY {table}_scope ON {table} FOR ALL TO wangge_app"
            f" USING ({seen}) WITH CHECK ({seen})"
        )
        op.execute(
            f"CREATE POLICY {table}_everything ON {table} FOR ALL TO wangge_worker"
            " USING (true) WITH CHECK (true)"
        )
    op.execute(WRITE_BACK)


def downgrade() -> None:
    op.execute("DROP FUNCTION write_back")
    op.execute(MONTHS.format(before="'''observation'', '", after="''"))
    for table in TABLES:
        op.drop_table(table)
