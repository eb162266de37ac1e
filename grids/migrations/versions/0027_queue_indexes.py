"""Indexes of the queue at millions of cases: open ones, a sample for counts, pairs of characters.

Revision ID: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

# Chinese words have two characters as often as not, and a trigram index knows nothing shorter
# than three: so the index holds every pair of neighbours. In plpgsql, because a function in SQL
# would be put into the statement in its parts, and those may not run before a row policy; this
# one as a whole is marked LEAKPROOF (app/roles.py), and nothing in it can fail.
PAIRS = """
CREATE FUNCTION text_pairs(words text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT SET search_path = public, pg_temp AS $body$
DECLARE
  plain text := translate(lower(words), E'\\x1f', ' ');
  size int := length(plain);
BEGIN
  IF size < 2 THEN
    RETURN '{}';
  END IF;
  -- pairs from the first character on, then from the second on, cut in one pass
  RETURN string_to_array(rtrim(regexp_replace(
    left(plain, size - size % 2) || substr(plain, 2, size - 1 - (size - 1) % 2),
    '(..)', E'\\\\1\\x1f', 'g'), E'\\x1f'), E'\\x1f');
END $body$;
"""
OVER = ("not_accepted", "not_filed", "closed", "void", "merged", "self_handled")
OPEN = sa.text("status <> ALL (ARRAY[" + ", ".join(f"'{code}'::text" for code in OVER) + "])")
#: Every hundredth number of a day: a fair share of each day, place and kind.
SAMPLE = sa.text("right(number, 2) = '00'")
FACTS = [
    "status", "due_at", "stage_at", "channel", "category_code", "department_code", "urgency",
    "received_at", "holder_id", "reporter_id", "id",
]  # fmt: skip


def upgrade() -> None:
    op.execute(PAIRS)
    op.create_index(
        "incident_open_idx", "incident", ["due_at", sa.text("received_at DESC"), "id"],
        postgresql_where=OPEN,
    )  # fmt: skip
    for name, where in (("incident_open_facts_idx", OPEN), ("incident_sample_idx", SAMPLE)):
        op.create_index(
            name, "incident", ["area_code"], postgresql_include=FACTS, postgresql_where=where
        )
    op.create_index("incident_category_code_idx", "incident", ["category_code", "received_at"])
    for table, expression in (
        ("incident", "text_pairs((text || ' '::text) || address)"),
        ("address", "text_pairs(text)"),
        ("enterprise", "text_pairs(name)"),
    ):
        op.create_index(f"{table}_pairs_idx", table, [sa.text(expression)], postgresql_using="gin")


def downgrade() -> None:
    for table in ("enterprise", "address", "incident"):
        op.drop_index(f"{table}_pairs_idx", table_name=table)
    for name in ("category_code", "sample", "open_facts", "open"):
        op.drop_index(f"incident_{name}_idx", table_name="incident")
    op.execute("DROP FUNCTION text_pairs")
