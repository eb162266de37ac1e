"""The pairs of a case in one call: joining its texts in the statement would bar the index.

Behind a row policy an index serves only conditions made of LEAKPROOF functions, and `||` is
none; so a function takes text and address as they are.

Revision ID: 0033
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"

BOTH = """
CREATE FUNCTION text_pairs(words text, more text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT SET search_path = public, pg_temp AS $body$
BEGIN
  RETURN text_pairs(words || ' ' || more);
END $body$;
-- What a call takes beside a comparison, so that the planner looks into the index first.
ALTER FUNCTION text_pairs(text) COST 4000;
ALTER FUNCTION text_pairs(text, text) COST 4000;
"""
INDEX = "incident_pairs_idx"


def upgrade() -> None:
    op.execute(BOTH)
    op.drop_index(INDEX, table_name="incident")
    op.create_index(
        INDEX, "incident", [sa.text("text_pairs(text, address)")], postgresql_using="gin"
    )


def downgrade() -> None:
    op.drop_index(INDEX, table_name="incident")
    op.create_index(
        INDEX, "incident", [sa.text("text_pairs((text || ' '::text) || address)")],
        postgresql_using="gin",
    )  # fmt: skip
    op.execute("DROP FUNCTION text_pairs(text, text)")
