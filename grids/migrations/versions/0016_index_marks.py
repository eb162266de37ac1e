"""Let a blind index say which suite and key made it, so that index keys can rotate.

What stands was made by the first key of the suite `intl`.

Revision ID: 0016
"""

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute(
        "UPDATE person SET id_number_index = '\\x0101'::bytea || id_number_index,"
        " phone_index = '\\x0101'::bytea || phone_index"
    )
    op.execute("UPDATE incident_reporter SET phone_index = '\\x0101'::bytea || phone_index")


def downgrade() -> None:
    op.execute(
        "UPDATE person SET id_number_index = substring(id_number_index FROM 3),"
        " phone_index = substring(phone_index FROM 3)"
    )
    op.execute("UPDATE incident_reporter SET phone_index = substring(phone_index FROM 3)")
