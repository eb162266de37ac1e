"""Code lists in versions: systems, conversion, rules by date, loads; working time as tables.

Revision ID: 0030
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0029"

TEXT, DAY = sa.Text(), sa.Date()
ORIGIN = ("category", "category_limit", "workday")


def _validity(table: str, *keys: str) -> postgresql.ExcludeConstraint:
    in_force = sa.text("daterange(valid_from, valid_to)")
    return postgresql.ExcludeConstraint(
        *((sa.column(key), "=") for key in keys), (in_force, "&&"),
        name=f"{table}_one_at_a_time", using="gist",
    )  # fmt: skip


def _column(
    name: str, kind: sa.types.TypeEngine[Any], default: str | None = None
) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, server_default=default)


def upgrade() -> None:
    for table in ORIGIN:
        op.add_column(table, _column("origin", TEXT, "file"))
    op.add_column("workday", _column("name_en", TEXT, ""))
    op.add_column("workday", _column("source", TEXT, ""))
    op.execute(
        "ALTER TABLE category_limit ADD CONSTRAINT category_limit_one_at_a_time EXCLUDE USING gist"
        " (category_id WITH =, urgency WITH =, daterange(valid_from, valid_to) WITH &&)"
    )
    op.create_table(
        "code_system",
        _column("code", TEXT), _column("name_zh", TEXT), _column("name_en", TEXT),
        _column("digits", sa.Integer()), _column("identifier_digits", sa.Integer()),
        _column("needs_table", sa.Boolean()), _column("valid_from", DAY),
        sa.Column("valid_to", DAY, nullable=True), _column("source", TEXT),
        sa.PrimaryKeyConstraint("code", name=op.f("code_system_pkey")),
    )  # fmt: skip
    keys = ("kind", "from_system", "from_code", "to_system", "to_code")
    op.create_table(
        "code_map",
        *(_column(name, TEXT) for name in (*keys, "relation", "source")),
        _column("valid_from", DAY), sa.Column("valid_to", DAY, nullable=True),
        _column("origin", TEXT, "file"),
        sa.PrimaryKeyConstraint(*keys, name=op.f("code_map_pkey")),
    )  # fmt: skip
    op.create_table(
        "category_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _column("category_id", sa.BigInteger()), _column("part", TEXT), _column("name", TEXT, ""),
        _column("text_zh", TEXT), _column("text_en", TEXT),
        sa.Column("options", postgresql.JSONB(), nullable=False, server_default=sa.text("'[]'")),
        sa.Column("is_required", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.Column("value", sa.Float(), nullable=True), sa.Column("unit", TEXT, nullable=True),
        _column("sort", sa.Integer(), "0"), _column("source", TEXT), _column("valid_from", DAY),
        sa.Column("valid_to", DAY, nullable=True), _column("origin", TEXT, "file"),
        sa.ForeignKeyConstraint(
            ["category_id"], ["category.id"], name=op.f("category_rule_category_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("category_rule_pkey")),
        _validity("category_rule", "category_id", "part", "name"),
    )  # fmt: skip
    op.create_table(
        "code_load",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False,
                  server_default=sa.text("now()")),
        _column("loaded_on", DAY), _column("origin", TEXT), _column("digest", TEXT),
        sa.PrimaryKeyConstraint("id", name=op.f("code_load_pkey")),
    )  # fmt: skip
    op.create_table(
        "code_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        _column("load_id", sa.BigInteger()), _column("table_name", TEXT), _column("key", TEXT),
        _column("what", TEXT), sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["load_id"], ["code_load.id"], name=op.f("code_change_load_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("code_change_pkey")),
    )  # fmt: skip
    op.create_index("code_change_load_id_idx", "code_change", ["load_id"])
    op.create_table(
        "work_span",
        _column("kind", TEXT), _column("opens", sa.Time()), _column("valid_from", DAY),
        _column("closes", sa.Time()), sa.Column("valid_to", DAY, nullable=True),
        _column("source", TEXT),
        sa.PrimaryKeyConstraint("kind", "opens", "valid_from", name=op.f("work_span_pkey")),
    )  # fmt: skip
    op.create_table(
        "stage_limit",
        _column("stage", TEXT), _column("valid_from", DAY), _column("value", sa.Float()),
        _column("unit", TEXT), sa.Column("valid_to", DAY, nullable=True), _column("source", TEXT),
        sa.PrimaryKeyConstraint("stage", "valid_from", name=op.f("stage_limit_pkey")),
    )  # fmt: skip


def downgrade() -> None:
    for table in ("stage_limit", "work_span", "code_change", "code_load", "category_rule",
                  "code_map", "code_system"):  # fmt: skip
        op.drop_table(table)
    op.drop_constraint("category_limit_one_at_a_time", "category_limit")
    op.drop_column("workday", "source")
    op.drop_column("workday", "name_en")
    for table in ORIGIN:
        op.drop_column(table, "origin")
