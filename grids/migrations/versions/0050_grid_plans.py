"""Plans of new duty grids, and which plan made a version of a grid.

Revision ID: 0050
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0050"
down_revision = "0049"

STATES = "'drafting', 'failed', 'draft', 'waiting', 'approved', 'switched', 'dropped'"
EMPTY_LIST = sa.text("'[]'")
EMPTY = sa.text("'{}'")

# The worker switches grids at night and may give no role but this one: who works in a grid
# works in what becomes of it, while the plan that says so is being switched.
HAND_OVER = """
CREATE FUNCTION hand_over_grid(plan bigint, old_code text, new_code text, at timestamptz) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $body$
DECLARE
  given int;
BEGIN
  IF length(old_code) <> 15 OR left(old_code, 12) <> left(new_code, 12) OR NOT EXISTS (
    SELECT FROM grid_plan
    WHERE id = plan AND state = 'approved' AND starts_with(old_code, town_code)
  ) THEN
    RAISE EXCEPTION 'no plan hands % over to %', old_code, new_code
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  INSERT INTO assignment (account_id, role, area_code, purpose, valid_from, valid_to)
  SELECT DISTINCT a.account_id, a.role, new_code, 'grid plan ' || plan, at, a.valid_to
  FROM assignment AS a
  WHERE a.area_code = old_code AND a.role IN ('worker', 'grid_leader')
    AND a.valid_from <= at AND (a.valid_to IS NULL OR a.valid_to > at)
    AND NOT EXISTS (
      SELECT FROM assignment AS b
      WHERE b.account_id = a.account_id AND b.role = a.role AND b.area_code = new_code
        AND (b.valid_to IS NULL OR b.valid_to > at));
  GET DIAGNOSTICS given = ROW_COUNT;
  RETURN given;
END $body$;
REVOKE ALL ON FUNCTION hand_over_grid FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hand_over_grid TO wangge_worker;
"""


def upgrade() -> None:
    op.create_table(
        "grid_plan",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("town_code", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="drafting", nullable=False),
        sa.Column("wishes", postgresql.JSONB(), nullable=False),
        sa.Column("base_on", sa.Date(), nullable=False),
        sa.Column("base", postgresql.JSONB(), server_default=EMPTY_LIST, nullable=False),
        sa.Column("added", postgresql.JSONB(), server_default=EMPTY_LIST, nullable=False),
        sa.Column("fabric", sa.LargeBinary(), nullable=True),
        sa.Column("labels", sa.LargeBinary(), nullable=True),
        sa.Column("figures", postgresql.JSONB(), server_default=EMPTY, nullable=False),
        sa.Column("edit_no", sa.Integer(), server_default="0", nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("editors", sa.ARRAY(sa.BigInteger()), server_default=EMPTY, nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.BigInteger(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("switched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", postgresql.JSONB(), server_default=EMPTY, nullable=False),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("grid_plan_state_check")),
        sa.CheckConstraint("length(town_code) = 9", name=op.f("grid_plan_of_a_town_check")),
        sa.CheckConstraint("approved_by <> ALL (editors)", name=op.f("grid_plan_two_people_check")),
        sa.CheckConstraint(
            "state NOT IN ('approved', 'switched')"
            " OR (approved_by IS NOT NULL AND starts_on IS NOT NULL)",
            name=op.f("grid_plan_approved_check"),
        ),
        *(
            sa.ForeignKeyConstraint([name], ["account.id"], name=op.f(f"grid_plan_{name}_fkey"))
            for name in ("made_by", "asked_by", "approved_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("grid_plan_pkey")),
    )
    op.create_index("grid_plan_town_code_idx", "grid_plan", ["town_code", "id"])
    op.create_table(
        "grid_plan_edit",
        sa.Column("plan_id", sa.BigInteger(), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("labels", sa.LargeBinary(), nullable=False),
        sa.Column("added", postgresql.JSONB(), nullable=False),
        sa.Column("edited_by", sa.BigInteger(), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["grid_plan.id"], name=op.f("grid_plan_edit_plan_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["edited_by"], ["account.id"], name=op.f("grid_plan_edit_edited_by_fkey")
        ),
        sa.PrimaryKeyConstraint("plan_id", "no", name=op.f("grid_plan_edit_pkey")),
    )  # fmt: skip
    op.add_column("grid_version", sa.Column("plan_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("grid_version_plan_id_fkey"), "grid_version", "grid_plan", ["plan_id"], ["id"]
    )
    op.execute(HAND_OVER)


def downgrade() -> None:
    op.execute("DROP FUNCTION hand_over_grid")
    op.drop_constraint(op.f("grid_version_plan_id_fkey"), "grid_version")
    op.drop_column("grid_version", "plan_id")
    op.drop_table("grid_plan_edit")
    op.drop_index("grid_plan_town_code_idx", table_name="grid_plan")
    op.drop_table("grid_plan")
