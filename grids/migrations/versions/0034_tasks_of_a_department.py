"""Whether a department has a task in a case, from the index alone: a row policy asks for each row.

Revision ID: 0034
"""

from alembic import op

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    op.create_index("incident_task_case_idx", "incident_task", ["department_code", "incident_id"])
    op.drop_index("incident_task_department_code_idx", table_name="incident_task")


def downgrade() -> None:
    op.create_index("incident_task_department_code_idx", "incident_task", ["department_code"])
    op.drop_index("incident_task_case_idx", table_name="incident_task")
