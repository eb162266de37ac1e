"""The registry of standard addresses: codes, plates, names of old, questions, what was learned.

Revision ID: 0049
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0049"
down_revision = "0048"

# Area (12 digits), a sequence of the city (8), check digit of ISO 7064 mod 11,10. The code is
# given once and says nothing of the text: an address keeps it through all its names.
CODE = """
CREATE SEQUENCE address_code_seq MAXVALUE 99999999;
CREATE FUNCTION address_code_of(area text, number bigint) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = public, pg_temp AS $body$
DECLARE
  body text := rpad(left(area, 12), 12, '0') || lpad(number::text, 8, '0');
  rest int := 10;
BEGIN
  FOR k IN 1..20 LOOP
    rest := (rest + substr(body, k, 1)::int) % 10;
    IF rest = 0 THEN rest := 10; END IF;
    rest := (rest * 2) % 11;
  END LOOP;
  RETURN body || ((11 - rest) % 10)::text;
END $body$;
CREATE FUNCTION give_address_code() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $body$
BEGIN
  NEW.code := address_code_of(NEW.area_code, nextval('address_code_seq'));
  NEW.plate_state := coalesce(NEW.plate_state, 'in_use');
  NEW.plate_type := coalesce(NEW.plate_type, 'door');
  RETURN NEW;
END $body$;
"""
IN_AREAS = "area_code ^@ ANY ((SELECT scope_areas())::text[])"
STATES = "plate_state IN ('in_use', 'cancelled', 'reserved')"
TYPES = "plate_type IN ('door', 'building', 'unit', 'home')"


def upgrade() -> None:
    op.execute(CODE)
    for name in ("unit", "floor", "room"):
        op.add_column("address", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("address", sa.Column("code", sa.Text(collation="C"), nullable=True))
    op.add_column(
        "address", sa.Column("plate_state", sa.Text(), server_default="in_use", nullable=False)
    )
    op.add_column(
        "address", sa.Column("plate_type", sa.Text(), server_default="door", nullable=False)
    )
    op.add_column("address", sa.Column("parent_id", sa.BigInteger(), nullable=True))
    op.add_column("address", sa.Column("quality", sa.SmallInteger(), nullable=True))
    op.execute(
        "UPDATE address SET code = address_code_of(area_code, nextval('address_code_seq')),"
        " plate_type = CASE WHEN building IS NULL THEN 'door' ELSE 'building' END"
    )
    op.alter_column("address", "code", nullable=False)
    op.create_unique_constraint(op.f("address_code_key"), "address", ["code"])
    op.create_check_constraint(op.f("address_plate_state_check"), "address", STATES)
    op.create_check_constraint(op.f("address_plate_type_check"), "address", TYPES)
    op.create_check_constraint(
        op.f("address_quality_check"), "address", "quality BETWEEN 0 AND 100"
    )
    op.create_foreign_key(
        op.f("address_parent_id_fkey"), "address", "address", ["parent_id"], ["id"]
    )
    op.create_index("address_street_idx", "address", ["street", "number"])
    op.create_index("address_estate_idx", "address", ["estate", "building"])
    op.create_index("address_parent_id_idx", "address", ["parent_id"])
    # After `address_link_new`, by its name: the area is known then.
    op.execute(
        "CREATE TRIGGER address_number_new BEFORE INSERT ON address"
        " FOR EACH ROW WHEN (NEW.code IS NULL) EXECUTE FUNCTION give_address_code()"
    )
    _remembered()
    op.execute(
        f"CREATE POLICY address_question_scope ON address_question FOR ALL TO wangge_app"
        f" USING ({IN_AREAS}) WITH CHECK ({IN_AREAS})"
    )
    op.execute(
        "CREATE POLICY address_question_everything ON address_question FOR ALL TO wangge_worker"
        " USING (true) WITH CHECK (true)"
    )
    op.execute("ALTER TABLE address_question ENABLE ROW LEVEL SECURITY")
    for table in ("address_name", "address_alias"):
        op.execute(
            f"CREATE TRIGGER {table}_note_change"
            f" AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION note_change()"
        )


def _remembered() -> None:
    op.create_table(
        "address_name",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("old", sa.Text(), nullable=False),
        sa.Column("new", sa.Text(), nullable=False),
        sa.Column("address_id", sa.BigInteger(), nullable=True),
        sa.Column("changed_on", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "level IN ('street', 'estate', 'number')", name=op.f("address_name_level_check")
        ),
        sa.CheckConstraint(
            "(level = 'number') = (address_id IS NOT NULL)", name=op.f("address_name_of_one_check")
        ),
        sa.ForeignKeyConstraint(
            ["address_id"], ["address.id"], name=op.f("address_name_address_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("address_name_pkey")),
        sa.UniqueConstraint(
            "level", "old", "new", "address_id", postgresql_nulls_not_distinct=True,
            name=op.f("address_name_level_old_new_address_id_key"),
        ),
    )  # fmt: skip
    op.create_index("address_name_address_id_idx", "address_name", ["address_id"])
    op.create_table(
        "address_question",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("normal", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("candidates", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.BigInteger(), nullable=True),
        sa.Column("answer_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'answered', 'dropped')", name=op.f("address_question_state_check")
        ),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["account.id"], name=op.f("address_question_answered_by_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["address.id"], name=op.f("address_question_answer_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("address_question_pkey")),
    )
    op.create_index("address_question_area_code_idx", "address_question", ["area_code"])
    op.create_index("address_question_answer_id_idx", "address_question", ["answer_id"])
    op.create_index(
        "address_question_normal_key", "address_question", ["normal"], unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )  # fmt: skip
    op.create_table(
        "address_alias",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("address_id", sa.BigInteger(), nullable=True),
        sa.Column("learned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("learned_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["address_id"], ["address.id"], name=op.f("address_alias_address_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["learned_by"], ["account.id"], name=op.f("address_alias_learned_by_fkey")
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("address_alias_pkey")),
    )
    op.create_index("address_alias_address_id_idx", "address_alias", ["address_id"])


def downgrade() -> None:
    op.drop_table("address_alias")
    op.drop_table("address_question")
    op.drop_table("address_name")
    op.execute("DROP TRIGGER address_number_new ON address")
    for name in ("parent_id", "estate", "street"):
        op.drop_index(f"address_{name}_idx", "address")
    op.drop_constraint("address_parent_id_fkey", "address")
    for name in ("quality", "plate_type", "plate_state"):
        op.drop_constraint(f"address_{name}_check", "address")
    op.drop_constraint("address_code_key", "address")
    for name in (
        "quality",
        "parent_id",
        "plate_type",
        "plate_state",
        "code",
        "room",
        "floor",
        "unit",
    ):
        op.drop_column("address", name)
    op.execute("DROP FUNCTION give_address_code, address_code_of")
    op.execute("DROP SEQUENCE address_code_seq")
