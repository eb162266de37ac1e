"""The end of an entry, and that it was taken back, stand in its history too.

Revision ID: 0072
"""

from alembic import op

revision = "0072"
down_revision = "0071"

KEPT = {
    "building": ("name", "kind", "levels", "height_m", "built_year", "area_m2", "source"),
    "address": ("text", "street", "number", "estate", "building", "source"),
    "enterprise": ("name", "uscc", "kind", "industry", "status", "staff", "registered_on", "source"),
    "premises": ("name", "kind", "floor_area_m2", "source"),
    "component": ("identifier", "code", "name", "state", "department_code", "source"),
    "facility": ("name", "kind", "source"),
}  # fmt: skip


def _keep(*more: str) -> None:
    for table, columns in KEPT.items():
        names = (*columns, *more)
        given = ", ".join(f"'{name}'" for name in names)
        op.execute(f"DROP TRIGGER {table}_history ON {table}")
        op.execute(
            f"CREATE TRIGGER {table}_history AFTER UPDATE OF {', '.join(names)} ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION keep_register_change({given})"
        )


def upgrade() -> None:
    _keep("valid_to")


def downgrade() -> None:
    _keep()
