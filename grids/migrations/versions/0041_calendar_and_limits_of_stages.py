"""Numbered changes of the working calendar; limits by stage, category, urgency and kind of area.

Revision ID: 0041
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0041"
down_revision = "0040"

TEXT, NO = sa.Text(), sa.text("''")
PARTS = ("code_system", "kind", "code", "urgency", "area_kind")


def upgrade() -> None:
    op.create_table(
        "calendar_version",
        sa.Column("no", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False,
                  server_default=sa.text("now()")),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", TEXT, nullable=False, server_default=NO),
        sa.Column("origin", TEXT, nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("recomputed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("calendar_version_account_id_fkey")
        ),
        sa.PrimaryKeyConstraint("no", name=op.f("calendar_version_pkey")),
    )  # fmt: skip
    op.create_table(
        "calendar_change",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("version_no", sa.BigInteger(), nullable=False),
        sa.Column("what", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        sa.Column("after", postgresql.JSONB(), nullable=True),
        sa.ForeignKeyConstraint(
            ["version_no"], ["calendar_version.no"],
            name=op.f("calendar_change_version_no_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("calendar_change_pkey")),
    )  # fmt: skip
    op.create_table(
        "calendar_draft",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False,
                  server_default=sa.text("now()")),
        sa.Column("base_no", sa.Integer(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("edit", postgresql.JSONB(), nullable=False),
        sa.Column("outlook", postgresql.JSONB(), nullable=True),
        sa.Column("version_no", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("calendar_draft_account_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["version_no"], ["calendar_version.no"],
            name=op.f("calendar_draft_version_no_fkey"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("calendar_draft_pkey")),
    )  # fmt: skip
    op.create_table(
        "code_upload",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False,
                  server_default=sa.text("now()")),
        sa.Column("origin", TEXT, nullable=False),
        sa.Column("files", postgresql.JSONB(), nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("load_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("code_upload_account_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["load_id"], ["code_load.id"], name=op.f("code_upload_load_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("code_upload_pkey")),
    )  # fmt: skip
    op.create_index("calendar_change_version_no_idx", "calendar_change", ["version_no"])
    op.add_column("work_span", _text("origin", "file"))
    op.add_column("stage_limit", _text("origin", "file"))
    for part in PARTS:
        op.add_column("stage_limit", _text(part))
    op.drop_constraint("stage_limit_pkey", "stage_limit")
    op.create_primary_key("stage_limit_pkey", "stage_limit", ["stage", *PARTS, "valid_from"])
    op.execute(
        "ALTER TABLE stage_limit ADD CONSTRAINT stage_limit_one_at_a_time EXCLUDE USING gist"
        " (stage WITH =, code_system WITH =, kind WITH =, code WITH =, urgency WITH =,"
        " area_kind WITH =, daterange(valid_from, valid_to) WITH &&)"
    )
    op.add_column("category_limit", _text("area_kind"))
    op.drop_constraint("category_limit_one_at_a_time", "category_limit")
    op.execute(
        "ALTER TABLE category_limit ADD CONSTRAINT category_limit_one_at_a_time EXCLUDE USING gist"
        " (category_id WITH =, urgency WITH =, area_kind WITH =,"
        " daterange(valid_from, valid_to) WITH &&)"
    )


def downgrade() -> None:
    op.execute("DELETE FROM category_limit WHERE area_kind <> ''")
    op.drop_constraint("category_limit_one_at_a_time", "category_limit")
    op.execute(
        "ALTER TABLE category_limit ADD CONSTRAINT category_limit_one_at_a_time EXCLUDE USING gist"
        " (category_id WITH =, urgency WITH =, daterange(valid_from, valid_to) WITH &&)"
    )
    op.drop_column("category_limit", "area_kind")
    op.execute("DELETE FROM stage_limit WHERE code <> '' OR urgency <> '' OR area_kind <> ''")
    op.drop_constraint("stage_limit_one_at_a_time", "stage_limit")
    op.drop_constraint("stage_limit_pkey", "stage_limit")
    for part in (*PARTS, "origin"):
        op.drop_column("stage_limit", part)
    op.create_primary_key("stage_limit_pkey", "stage_limit", ["stage", "valid_from"])
    op.drop_column("work_span", "origin")
    op.drop_table("code_upload")
    op.drop_table("calendar_draft")
    op.drop_table("calendar_change")
    op.drop_table("calendar_version")


def _text(name: str, default: str = "") -> sa.Column[str]:
    return sa.Column(name, TEXT, nullable=False, server_default=default)
