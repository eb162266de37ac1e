"""Lines that a source was told of follow its statements where an entry is given up for another.

Revision ID: 0066
"""

from alembic import op

revision = "0066"
down_revision = "0065"

# A line that says the same of the survivor stays the one that is waited for.
FOLLOW = """
  WITH gone AS (
    UPDATE correction SET entry_id = taker
    WHERE register = 'enterprise' AND entry_id = giver
      AND (wanted IS NULL OR wanted -> 'correction' @> to_jsonb(id))
      AND NOT (state <> 'closed' AND EXISTS (
        SELECT FROM correction AS o WHERE o.register = 'enterprise' AND o.entry_id = taker
          AND o.source_id = correction.source_id AND o.field = correction.field
          AND o.said = correction.said AND o.holds = correction.holds AND o.state <> 'closed'))
    RETURNING id)
  SELECT coalesce(jsonb_agg(id ORDER BY id), '[]') INTO part FROM gone;
  moved := moved || jsonb_build_object('correction', part);
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
    op.execute(CHANGED.format(before=LAST, after=FOLLOW + LAST))


def downgrade() -> None:
    op.execute(CHANGED.format(before=FOLLOW + LAST, after=LAST))
