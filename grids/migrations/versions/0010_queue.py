"""The job queue's own tables and functions (procrastinate).

Revision ID: 0010
"""

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    # One literal statement per call: the schema holds percent signs and colons.
    op.get_bind().connection.cursor().execute(SchemaManager.get_schema())


def downgrade() -> None:
    op.execute(
        """
        DO $$
        DECLARE
          r record;
        BEGIN
          FOR r IN SELECT tablename AS name FROM pg_tables
                   WHERE tablename LIKE 'procrastinate_%' LOOP
            EXECUTE format('DROP TABLE %I CASCADE', r.name);
          END LOOP;
          FOR r IN SELECT oid::regprocedure AS name FROM pg_proc
                   WHERE proname LIKE 'procrastinate_%' LOOP
            EXECUTE format('DROP FUNCTION %s CASCADE', r.name);
          END LOOP;
          FOR r IN SELECT typname AS name FROM pg_type
                   WHERE typname LIKE 'procrastinate_%' AND typtype IN ('e', 'c') LOOP
            EXECUTE format('DROP TYPE %I CASCADE', r.name);
          END LOOP;
        END $$
        """
    )
