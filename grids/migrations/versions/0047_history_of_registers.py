"""Keep what an entry of a register said before each change.

Revision ID: 0047
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0047"
down_revision = "0046"

# The columns are named: linking rows anew, which touches millions, fires nothing.
KEPT = {
    "building": ("name", "kind", "levels", "height_m", "built_year", "area_m2", "source"),
    "address": ("text", "street", "number", "estate", "building", "source"),
    "enterprise": ("name", "uscc", "kind", "industry", "status", "staff", "registered_on", "source"),
    "premises": ("name", "kind", "floor_area_m2", "source"),
    "component": ("identifier", "code", "name", "state", "department_code", "source"),
    "facility": ("name", "kind", "source"),
}  # fmt: skip

FUNCTION = """
CREATE FUNCTION keep_register_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $body$
DECLARE
  before jsonb := to_jsonb(OLD);
  after jsonb := to_jsonb(NEW);
  changed jsonb;
BEGIN
  SELECT jsonb_object_agg(name, before -> name) INTO changed
  FROM unnest(TG_ARGV) AS name WHERE before -> name IS DISTINCT FROM after -> name;
  IF changed IS NOT NULL THEN
    INSERT INTO register_change (register, entry_id, changed_by, reason, old)
    VALUES (TG_TABLE_NAME, OLD.id, nullif(current_setting('wangge.actor', true), '')::bigint,
            coalesce(current_setting('wangge.reason', true), ''), changed);
  END IF;
  RETURN NULL;
END $body$
"""


def upgrade() -> None:
    op.create_table(
        "register_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("register", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_by", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("old", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("register_change_pkey")),
        sa.ForeignKeyConstraint(["changed_by"], ["account.id"], name=op.f("register_change_changed_by_fkey")),
    )  # fmt: skip
    op.create_index(
        "register_change_entry_idx", "register_change", ["register", "entry_id", "changed_at"]
    )
    op.execute(FUNCTION)
    for table, columns in KEPT.items():
        names = ", ".join(columns)
        given = ", ".join(f"'{name}'" for name in columns)
        op.execute(
            f"CREATE TRIGGER {table}_history AFTER UPDATE OF {names} ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION keep_register_change({given})"
        )
    # What stands at an address, in a building: asked by every page of one.
    op.create_index("building_address_id_idx", "building", ["address_id"])
    op.create_index("enterprise_address_id_idx", "enterprise", ["address_id"])
    op.create_index("premises_building_id_idx", "premises", ["building_id"])
    op.create_index(
        "incident_component_id_idx", "incident", ["component_id"],
        postgresql_where=sa.text("component_id IS NOT NULL"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("incident_component_id_idx")
    op.drop_index("premises_building_id_idx")
    op.drop_index("enterprise_address_id_idx")
    op.drop_index("building_address_id_idx")
    for table in KEPT:
        op.execute(f"DROP TRIGGER {table}_history ON {table}")
    op.execute("DROP FUNCTION keep_register_change")
    op.drop_table("register_change")
