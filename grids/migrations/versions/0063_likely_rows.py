"""Rows of a table that mean an entry by their likeness; questions on the spot follow a merge.

Revision ID: 0063
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0063"
down_revision = "0062"

# A question that waits about the same field of the survivor stays the one that is asked.
FOLLOW = """
  WITH gone AS (
    UPDATE fact_check SET entry_id = taker
    WHERE register = 'enterprise' AND entry_id = giver
      AND (wanted IS NULL OR wanted -> 'fact_check' @> to_jsonb(id))
      AND NOT (state IN ('waiting', 'open') AND EXISTS (
        SELECT FROM fact_check AS o WHERE o.register = 'enterprise' AND o.entry_id = taker
          AND o.field = fact_check.field AND o.state IN ('waiting', 'open')))
    RETURNING id)
  SELECT coalesce(jsonb_agg(id ORDER BY id), '[]') INTO part FROM gone;
  moved := moved || jsonb_build_object('fact_check', part);
"""
LAST = "  WITH gone AS (\n    UPDATE observation"
CHANGED = """
DO $change$
BEGIN
  EXECUTE replace(pg_get_functiondef('repoint_enterprise'::regproc), $before${before}$before$,
                  $after${after}$after$);
END $change$
"""


def upgrade() -> None:
    op.add_column(
        "import_row", sa.Column("match", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )
    op.create_index(
        "import_row_match_idx", "import_row", ["batch_id", "number"],
        postgresql_where=sa.text("match IS NOT NULL"),
    )  # fmt: skip
    op.execute(CHANGED.format(before=LAST, after=FOLLOW + LAST))


def downgrade() -> None:
    op.execute(CHANGED.format(before=FOLLOW + LAST, after=LAST))
    op.drop_column("import_row", "match")
