"""Exports that were asked for, approved and handed out, and the marks that their rows carry.

Revision ID: 0023
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"

# Three low bits of a millionth of a degree, on each axis, drawn from the place itself: the mark
# is read back from a leaked row alone, whatever else of the row was dropped. At most 0.8 m.
MARKS = """
CREATE FUNCTION mark_point(place geometry, key text) RETURNS geometry
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $body$
  SELECT CASE WHEN key = '' OR GeometryType(place) <> 'POINT' THEN place ELSE (
    SELECT ST_SetSRID(ST_MakePoint((x * 8 + (get_byte(h, 0) & 7)) / 1e6::float8,
                                   (y * 8 + (get_byte(h, 1) & 7)) / 1e6::float8), ST_SRID(place))
    FROM (SELECT x, y, sha256(convert_to(key || ':' || x || ':' || y, 'UTF8')) AS h
          FROM (SELECT floor(ST_X(place) * 125000)::bigint AS x,
                       floor(ST_Y(place) * 125000)::bigint AS y) AS block) AS hashed) END
$body$;
CREATE FUNCTION mark_instant(moment timestamptz, key text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $body$
  SELECT CASE WHEN key = '' OR moment IS NULL THEN moment ELSE (
    SELECT date_trunc('milliseconds', moment, 'UTC') + interval '1 microsecond'
      * (((get_byte(h, 0) << 8) + get_byte(h, 1)) % 1000)
    FROM (SELECT sha256(convert_to(key || ':' ||
      floor(extract(epoch FROM moment) * 1000)::bigint, 'UTF8')) AS h) AS hashed) END
$body$;
"""


def upgrade() -> None:
    op.create_table(
        "export_request",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("choice", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("areas", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decision_note", sa.Text(), server_default="", nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("file_size", sa.BigInteger(), nullable=True),
        sa.Column("file_sha256", sa.Text(), nullable=True),
        sa.Column("taken_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("mark_key", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "state IN ('direct', 'waiting', 'refused', 'approved', 'ready', 'failed', 'expired')",
            name=op.f("export_request_state_check"),
        ),
        sa.CheckConstraint(
            "decided_by <> account_id", name=op.f("export_request_second_person_check")
        ),
        sa.CheckConstraint(
            "level <> 'L3' OR state IN ('waiting', 'refused') OR decided_by IS NOT NULL",
            name=op.f("export_request_sensitive_check"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("export_request_account_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["account.id"], name=op.f("export_request_decided_by_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("export_request_pkey")),
    )
    op.create_index("export_request_account_id_idx", "export_request", ["account_id", "id"])
    op.create_index("export_request_state_idx", "export_request", ["state", "id"])
    op.execute(MARKS)


def downgrade() -> None:
    op.execute("DROP FUNCTION mark_instant, mark_point")
    op.drop_table("export_request")
