"""Results and alarms of data quality, the figures of each month and their signatures.

Revision ID: 0051
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0051"
down_revision = "0050"

# GB 32100: 31 characters, weights 3^i mod 31. Written out, so that the planner takes it inline.
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_SUM = " + ".join(
    f"(strpos('{_ALPHABET}', substr(code, {place + 1}, 1)) - 1) * {pow(3, place, 31)}"
    for place in range(17)
)
CREDIT_CODE = f"""
CREATE FUNCTION is_credit_code(code text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $body$
  SELECT CASE WHEN code ~ '^[0-9A-HJ-NPQRTUWXY]{{2}}[0-9]{{6}}[0-9A-HJ-NPQRTUWXY]{{10}}$'
         THEN substr('{_ALPHABET}', (31 - ({_SUM}) % 31) % 31 + 1, 1) = substr(code, 18, 1)
         ELSE false END
$body$
"""


def code() -> sa.Column[str]:
    return sa.Column("area_code", sa.Text(collation="C"), nullable=False)


def upgrade() -> None:
    op.execute(CREDIT_CODE)
    op.create_table(
        "quality_result",
        sa.Column("day", sa.Date(), nullable=False),
        code(),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("checked", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "area_code", "rule", "source", name=op.f("quality_result_pkey")),
    )  # fmt: skip
    op.create_index("quality_result_area_idx", "quality_result", ["area_code", "day"])
    op.create_table(
        "quality_alarm",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        code(),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("checked", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("before", sa.Float()),
        sa.Column("noted_at", sa.DateTime(timezone=True)),
        sa.Column("noted_by", sa.BigInteger()),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("id", name=op.f("quality_alarm_pkey")),
        sa.ForeignKeyConstraint(["noted_by"], ["account.id"], name=op.f("quality_alarm_seen_by_fkey")),
    )  # fmt: skip
    op.create_index(
        "quality_alarm_open_idx", "quality_alarm", ["rule", "area_code", "source"], unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )  # fmt: skip
    op.create_table(
        "base_number",
        sa.Column("month", sa.Date(), nullable=False),
        code(),
        sa.Column("register", sa.Text(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", "area_code", "register", name=op.f("base_number_pkey")),
    )
    op.create_table(
        "base_signature",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        code(),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_by", sa.BigInteger(), nullable=False),
        sa.Column("figures", postgresql.JSONB(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("base_signature_pkey")),
        sa.ForeignKeyConstraint(["signed_by"], ["account.id"], name=op.f("base_signature_signed_by_fkey")),
    )  # fmt: skip
    op.create_index("base_signature_area_idx", "base_signature", ["area_code", "signed_at"])


def downgrade() -> None:
    for table in ("base_signature", "base_number", "quality_alarm", "quality_result"):
        op.drop_table(table)
    op.execute("DROP FUNCTION is_credit_code")
