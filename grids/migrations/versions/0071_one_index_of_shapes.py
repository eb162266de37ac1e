"""Ask one index of shapes: the box of a tile is a box in degrees as well.

Revision ID: 0071
"""

from alembic import op

revision = "0071"
down_revision = "0070"

TABLES = (
    "road", "water", "landuse", "building", "address", "component", "facility", "enterprise",
    "premises", "site", "pipe",
)  # fmt: skip


def upgrade() -> None:
    for table in TABLES:
        op.drop_index(f"{table}_geom_3857_idx", table)


def downgrade() -> None:
    for table in TABLES:
        op.create_index(f"{table}_geom_3857_idx", table, ["geom_3857"], postgresql_using="gist")
