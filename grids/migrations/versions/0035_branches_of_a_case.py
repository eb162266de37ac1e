"""Branches of a case: level, merging, extensions; numbered sub-tasks; the limit of a clock.

Revision ID: 0035
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"

COUNTS = ("extension_count", "suspension_count", "reopen_count")


def upgrade() -> None:
    op.add_column(
        "incident", sa.Column("level", sa.Text(), server_default="county", nullable=False)
    )
    op.add_column(
        "incident", sa.Column("report_count", sa.Integer(), server_default="1", nullable=False)
    )
    for name in COUNTS:
        op.add_column("incident", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.add_column("incident", sa.Column("first_due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("incident", sa.Column("main_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("incident_main_id_fkey"), "incident", "incident", ["main_id"], ["id"]
    )
    for name in ("due_at", "ended_at"):
        column = sa.Column(name, sa.DateTime(timezone=True), nullable=True)
        op.add_column("incident_task", column)
    op.add_column("incident_task", sa.Column("number", sa.Text(), nullable=True))
    op.add_column("incident_clock", sa.Column("department_code", sa.Text(), nullable=True))
    op.add_column("incident_clock", sa.Column("limit_value", sa.Double(), nullable=True))
    op.add_column("incident_clock", sa.Column("limit_unit", sa.Text(), nullable=True))


def downgrade() -> None:
    for name in ("limit_unit", "limit_value", "department_code"):
        op.drop_column("incident_clock", name)
    for name in ("number", "ended_at", "due_at"):
        op.drop_column("incident_task", name)
    for name in ("main_id", "first_due_at", *COUNTS, "report_count", "level"):
        op.drop_column("incident", name)
