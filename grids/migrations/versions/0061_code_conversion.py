"""Track how old registration numbers become 18-digit credit codes.

Revision ID: 0061
"""

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060"

# GS 15-2006: 15 digits, the last by ISO 7064 MOD 11,10. Numbers of 13 digits are older and have
# no check digit; those of civil affairs and the staffing office never had one.
FUNCTIONS = """
CREATE FUNCTION is_registration_number(given text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp AS $body$
DECLARE
  carry int := 10;
BEGIN
  IF given ~ '^[0-9]{13}$' THEN
    RETURN true;
  END IF;
  IF given !~ '^[0-9]{15}$' THEN
    RETURN false;
  END IF;
  FOR n IN 1..14 LOOP
    carry := (carry + substr(given, n, 1)::int) % 10;
    carry := (CASE carry WHEN 0 THEN 10 ELSE carry END) * 2 % 11;
  END LOOP;
  RETURN (11 - carry) % 10 = substr(given, 15, 1)::int;
END $body$;

CREATE FUNCTION conversion_problem(registrar text, old_number text, uscc text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp AS $body$
  SELECT CASE
    WHEN registrar = 'market' AND NOT is_registration_number(old_number) THEN 'old_check'
    WHEN uscc IS NULL THEN ''
    WHEN NOT is_credit_code(uscc) THEN 'new_check'
    WHEN left(uscc, 1) <> CASE registrar WHEN 'market' THEN '9' WHEN 'civil' THEN '5' ELSE '1' END
      THEN 'new_kind'
    ELSE '' END
$body$;
"""

# What is given up in a merge hands its pairs over too, and gets them back.
BEFORE = "RETURN moved || jsonb_build_object('observation', part);"
AFTER = """moved := moved || jsonb_build_object('observation', part);
  WITH gone AS (
    UPDATE code_conversion SET enterprise_id = taker
    WHERE enterprise_id = giver
      AND (wanted IS NULL OR wanted -> 'code_conversion' @> to_jsonb(id))
    RETURNING id)
  SELECT coalesce(jsonb_agg(id ORDER BY id), '[]') INTO part FROM gone;
  RETURN moved || jsonb_build_object('code_conversion', part);"""
REPLACED = """
DO $change$
BEGIN
  EXECUTE replace(pg_get_functiondef('repoint_enterprise(bigint, bigint, jsonb)'::regprocedure),
                  $before${before}$before$, $after${after}$after$);
END $change$
"""


def upgrade() -> None:
    op.execute(FUNCTIONS)
    op.execute(REPLACED.format(before=BEFORE, after=AFTER))
    op.create_table(
        "code_conversion",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("registrar", sa.Text(), nullable=False),
        sa.Column("old_number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("uscc", sa.Text(), nullable=True),
        sa.Column("converted_on", sa.Date(), nullable=True),
        sa.Column("enterprise_id", sa.BigInteger(), nullable=True),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "problem", sa.Text(),
            sa.Computed("conversion_problem(registrar, old_number, uscc)", persisted=True),
            nullable=False,
        ),
        sa.CheckConstraint(
            "registrar IN ('market', 'civil', 'staffing')",
            name=op.f("code_conversion_registrar_check"),
        ),
        sa.CheckConstraint(
            "(uscc IS NULL) = (converted_on IS NULL)", name=op.f("code_conversion_converted_check")
        ),
        sa.ForeignKeyConstraint(
            ["enterprise_id"], ["enterprise.id"], name=op.f("code_conversion_enterprise_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("code_conversion_pkey")),
        sa.UniqueConstraint(
            "registrar", "old_number", name=op.f("code_conversion_registrar_old_number_key")
        ),
        sa.UniqueConstraint("uscc", name=op.f("code_conversion_uscc_key")),
    )  # fmt: skip
    op.create_index("code_conversion_area_code_idx", "code_conversion", ["area_code"])
    op.create_index("code_conversion_enterprise_id_idx", "code_conversion", ["enterprise_id"])


def downgrade() -> None:
    op.execute(REPLACED.format(before=AFTER, after=BEFORE))
    op.drop_table("code_conversion")
    op.execute("DROP FUNCTION conversion_problem, is_registration_number")
