"""The departments of a case stand in its own row: who of them may see it, without asking tasks.

A row policy asks for each row; looking up the department's task for each of 45,000 open cases
took most of the time of its counts. The list follows from the events, as all of the row does.

Revision ID: 0045
"""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"

OVER = ("not_accepted", "not_filed", "closed", "void", "merged", "self_handled")
OPEN = sa.text("status <> ALL (ARRAY[" + ", ".join(f"'{code}'::text" for code in OVER) + "])")
SAMPLE = sa.text("right(number, 2) = '00'")
FACTS = [
    "status", "due_at", "stage_at", "channel", "category_code", "department_code", "urgency",
    "received_at", "holder_id", "reporter_id", "id",
]  # fmt: skip
FROM_TASKS = """
UPDATE incident SET involved = given.codes
FROM (
  SELECT incident_id, array_agg(department_code ORDER BY first) AS codes
  FROM (SELECT incident_id, department_code, min(id) AS first
        FROM incident_task GROUP BY 1, 2) AS task
  GROUP BY incident_id
) AS given
WHERE given.incident_id = incident.id
"""
IN_AREAS = "area_code ^@ ANY ((SELECT scope_areas())::text[])"
INVOLVED = "(SELECT scope_department()) = ANY (involved)"
MY_TASK = """EXISTS (
  SELECT FROM incident_task AS t
  WHERE t.incident_id = incident.id AND t.department_code = (SELECT scope_department())
)"""


def seen_where(mine: str) -> str:
    """Say which cases a caller sees; `mine` is what a department is asked for."""
    return f"""(
  ({IN_AREAS} AND ((SELECT scope_department()) IS NULL OR {mine}))
  OR id = (SELECT scope_case()) OR reporter_id = (SELECT scope_actor())
)"""


def see(mine: str) -> None:
    seen = seen_where(mine)
    op.execute(f"ALTER POLICY incident_scope ON incident USING ({seen})")
    op.execute(f"ALTER POLICY incident_moved ON incident USING ({seen}) WITH CHECK ({seen})")
    op.execute(f"""
CREATE OR REPLACE FUNCTION case_in_scope(wanted uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $body$
  SELECT EXISTS (SELECT FROM incident WHERE id = wanted AND {seen})
$body$""")  # noqa: S608 - no value comes from outside: one condition stands in three places


def index(facts: list[str]) -> None:
    for name, where in (("incident_open_facts_idx", OPEN), ("incident_sample_idx", SAMPLE)):
        op.drop_index(name, table_name="incident")
        op.create_index(
            name, "incident", ["area_code"], postgresql_include=facts, postgresql_where=where
        )


def upgrade() -> None:
    op.add_column(
        "incident",
        sa.Column("involved", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
    )
    op.execute(FROM_TASKS)
    op.create_index("incident_involved_idx", "incident", ["involved"], postgresql_using="gin")
    index([*FACTS, "involved"])
    see(INVOLVED)


def downgrade() -> None:
    see(MY_TASK)
    index(FACTS)
    op.drop_index("incident_involved_idx", table_name="incident")
    op.drop_column("incident", "involved")
