"""Let what was told to a source be withdrawn, where the word of the desk that it rested on was.

Revision ID: 0068
"""

from alembic import op

revision = "0068"
down_revision = "0067"

_KEY = "source_id, register, entry_id, field, said, holds"


def _states(*names: str) -> None:
    op.execute("ALTER TABLE correction DROP CONSTRAINT correction_state_check")
    told = ", ".join(f"'{name}'" for name in names)
    op.execute(
        f"ALTER TABLE correction ADD CONSTRAINT correction_state_check CHECK (state IN ({told}))"
    )


def _key(waiting: str) -> None:
    op.execute("DROP INDEX correction_told_key")
    op.execute(f"CREATE UNIQUE INDEX correction_told_key ON correction ({_KEY}) WHERE {waiting}")


def upgrade() -> None:
    _states("open", "taken", "refused", "closed", "withdrawn")
    _key("state NOT IN ('closed', 'withdrawn')")


def downgrade() -> None:
    op.execute("UPDATE correction SET state = 'closed' WHERE state = 'withdrawn'")
    _states("open", "taken", "refused", "closed")
    _key("state <> 'closed'")
