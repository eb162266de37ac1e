"""Pairs of entries that may be one thing, and merges of entries with their way back.

Revision ID: 0058
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0058"
down_revision = "0057"

JSONB = postgresql.JSONB(astext_type=sa.Text())
STATES = "state IN ('open', 'same', 'different', 'gone')"
# Everything that refers to an enterprise follows it, and what followed is told. Answers of visits
# are moved whoever may read them: a steward who merges sees their keys, never what they say.
# `wanted` names what shall go; without it all goes.
REPOINT = """
CREATE FUNCTION repoint_enterprise(giver bigint, taker bigint, wanted jsonb) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $body$
DECLARE
  moved jsonb := '{}';
  part jsonb;
BEGIN
  IF (SELECT count(*) FROM enterprise
      WHERE id IN (giver, taker) AND area_code ^@ ANY (scope_areas())) <> 2 THEN
    RAISE EXCEPTION 'outside the area of the caller' USING ERRCODE = 'insufficient_privilege';
  END IF;
  WITH gone AS (
    UPDATE premises SET enterprise_id = taker
    WHERE enterprise_id = giver AND (wanted IS NULL OR wanted -> 'premises' @> to_jsonb(id))
    RETURNING id)
  SELECT coalesce(jsonb_agg(id ORDER BY id), '[]') INTO part FROM gone;
  moved := moved || jsonb_build_object('premises', part);
  WITH gone AS (
    UPDATE enterprise SET merged_into = taker
    WHERE merged_into = giver AND (wanted IS NULL OR wanted -> 'enterprise' @> to_jsonb(id))
    RETURNING id)
  SELECT coalesce(jsonb_agg(id ORDER BY id), '[]') INTO part FROM gone;
  moved := moved || jsonb_build_object('enterprise', part);
  WITH gone AS (
    UPDATE import_key SET entry_id = taker
    WHERE target = 'enterprise' AND entry_id = giver
      AND (wanted IS NULL
           OR wanted -> 'import_key' @> jsonb_build_array(jsonb_build_array(source_id, own_id)))
    RETURNING source_id, own_id)
  SELECT coalesce(jsonb_agg(jsonb_build_array(source_id, own_id) ORDER BY source_id, own_id), '[]')
  INTO part FROM gone;
  moved := moved || jsonb_build_object('import_key', part);
  WITH gone AS (
    UPDATE visit SET subject_id = taker
    WHERE subject = 'enterprise' AND subject_id = giver
      AND (wanted IS NULL OR wanted -> 'visit' @> to_jsonb(id::text))
    RETURNING id)
  SELECT coalesce(jsonb_agg(id::text ORDER BY id), '[]') INTO part FROM gone;
  moved := moved || jsonb_build_object('visit', part);
  WITH gone AS (
    UPDATE observation SET subject_id = taker
    WHERE subject = 'enterprise' AND subject_id = giver
      AND (wanted IS NULL OR wanted -> 'observation' @> to_jsonb(id))
    RETURNING id)
  SELECT coalesce(jsonb_agg(id ORDER BY id), '[]') INTO part FROM gone;
  RETURN moved || jsonb_build_object('observation', part);
END $body$;
REVOKE ALL ON FUNCTION repoint_enterprise FROM PUBLIC;
GRANT EXECUTE ON FUNCTION repoint_enterprise TO wangge_app;
"""
# The app may say something of an entry and take nothing away; a merge moves statements and an
# un-merge brings them back.
PUT_FACTS = """
CREATE FUNCTION put_facts(entry bigint, gone jsonb, come jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $body$
BEGIN
  IF NOT EXISTS (SELECT FROM enterprise
                 WHERE id = entry AND area_code ^@ ANY (scope_areas())) THEN
    RAISE EXCEPTION 'outside the area of the caller' USING ERRCODE = 'insufficient_privilege';
  END IF;
  DELETE FROM fact AS f USING jsonb_to_recordset(gone) AS g (field text, source text)
  WHERE f.register = 'enterprise' AND f.entry_id = entry AND f.field = g.field
    AND f.source = g.source;
  INSERT INTO fact SELECT (jsonb_populate_record(NULL::fact, c || jsonb_build_object(
    'register', 'enterprise', 'entry_id', entry))).* FROM jsonb_array_elements(come) AS c;
END $body$;
REVOKE ALL ON FUNCTION put_facts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION put_facts TO wangge_app;
"""


def _big(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger(), nullable=null)


def _text(name: str, default: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def _at(name: str, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=null)


def _foreign(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"{table}_{column}_fkey"))


def upgrade() -> None:
    op.add_column("enterprise", _big("merged_into", null=True))
    op.create_foreign_key(
        op.f("enterprise_merged_into_fkey"), "enterprise", "enterprise", ["merged_into"], ["id"]
    )
    op.create_index(
        "enterprise_merged_into_idx", "enterprise", ["merged_into"],
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )  # fmt: skip
    op.create_table(
        "entry_merge",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _text("register"), _big("survivor"), _big("given_up"),
        _at("merged_at"), _big("merged_by"), _text("why"),
        sa.Column("before", JSONB, nullable=False),
        sa.Column("after", JSONB, nullable=False),
        sa.Column("moved", JSONB, nullable=False),
        sa.Column("said", JSONB, nullable=False),
        _at("undone_at", null=True), _big("undone_by", null=True),
        sa.Column("kept", JSONB, server_default="{}", nullable=False),
        _foreign("entry_merge", "merged_by", "account.id"),
        _foreign("entry_merge", "undone_by", "account.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("entry_merge_pkey")),
    )  # fmt: skip
    op.create_index("entry_merge_survivor_idx", "entry_merge", ["register", "survivor"])
    op.create_index("entry_merge_given_up_idx", "entry_merge", ["register", "given_up"])
    op.create_table(
        "duplicate_pair",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _text("register"), _big("one"), _big("other"),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("evidence", JSONB, nullable=False),
        _text("reason"),
        sa.Column("distance_m", sa.Float(), nullable=False),
        _text("digest"), _text("source"), _at("found_at"), _text("state", "open"),
        _at("decided_at", null=True), _big("decided_by", null=True), _text("why", ""),
        _big("merge_id", null=True),
        sa.CheckConstraint(STATES, name=op.f("duplicate_pair_state_check")),
        sa.CheckConstraint("one < other", name=op.f("duplicate_pair_order_check")),
        _foreign("duplicate_pair", "decided_by", "account.id"),
        _foreign("duplicate_pair", "merge_id", "entry_merge.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("duplicate_pair_pkey")),
        sa.UniqueConstraint(
            "register", "one", "other", name=op.f("duplicate_pair_register_one_other_key")
        ),
    )  # fmt: skip
    op.create_index(
        "duplicate_pair_state_idx", "duplicate_pair", ["register", "state", "score", "id"]
    )
    op.create_index("duplicate_pair_other_idx", "duplicate_pair", ["register", "other"])
    op.execute(REPOINT)
    op.execute(PUT_FACTS)


def downgrade() -> None:
    op.execute("DROP FUNCTION put_facts")
    op.execute("DROP FUNCTION repoint_enterprise")
    op.drop_table("duplicate_pair")
    op.drop_table("entry_merge")
    op.drop_column("enterprise", "merged_into")
