"""Arbitration between departments that pass a case on, and its precedents.

Revision ID: 0029
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"

# As every table about a case (migration 0022): seen by who may see the case.
OF_A_SEEN_CASE = "EXISTS (SELECT FROM incident AS i WHERE i.id = incident_id)"
OF_A_SEEN_ONE = "EXISTS (SELECT FROM arbitration AS a WHERE a.id = arbitration_id)"
WALLS = (("arbitration", OF_A_SEEN_CASE), ("arbitration_statement", OF_A_SEEN_ONE))


def upgrade() -> None:
    op.create_table(
        "arbitration",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("returns", sa.Integer(), server_default="0", nullable=False),
        sa.Column("parties", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("interim_code", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.BigInteger(), nullable=True),
        sa.Column("statements_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("arbiter_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("department_code", sa.Text(), nullable=True),
        sa.Column(
            "assisting", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("rule_id", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "cause IN ('returns', 'dispute', 'asked')", name=op.f("arbitration_cause_check")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'decided', 'defaulted', 'dropped')",
            name=op.f("arbitration_state_check"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('decided', 'defaulted') OR department_code IS NOT NULL",
            name=op.f("arbitration_decision_check"),
        ),
        sa.ForeignKeyConstraint(
            ["arbiter_id"], ["account.id"], name=op.f("arbitration_arbiter_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["category_id"], ["category.id"], name=op.f("arbitration_category_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["account.id"], name=op.f("arbitration_decided_by_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["department_code"], ["department.code"], name=op.f("arbitration_department_code_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("arbitration_incident_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["interim_code"], ["department.code"], name=op.f("arbitration_interim_code_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["opened_by"], ["account.id"], name=op.f("arbitration_opened_by_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("arbitration_pkey")),
    )
    op.create_index(
        "arbitration_incident_id_idx", "arbitration", ["incident_id", "id"], unique=False
    )
    op.create_index(
        "arbitration_one_open",
        "arbitration",
        ["incident_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "arbitration_state_due_at_idx", "arbitration", ["state", "due_at"], unique=False
    )
    op.create_table(
        "arbitration_statement",
        sa.Column("arbitration_id", sa.BigInteger(), nullable=False),
        sa.Column("department_code", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), server_default="", nullable=False),
        sa.Column("made_by", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["arbitration_id"],
            ["arbitration.id"],
            name=op.f("arbitration_statement_arbitration_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["department_code"],
            ["department.code"],
            name=op.f("arbitration_statement_department_code_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["account.id"], name=op.f("arbitration_statement_made_by_fkey")
        ),
        sa.PrimaryKeyConstraint(
            "arbitration_id", "department_code", name=op.f("arbitration_statement_pkey")
        ),
    )
    op.create_table(
        "precedent",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("arbitration_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(collation="C"), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("area_kind", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("department_code", sa.Text(), nullable=False),
        sa.Column(
            "assisting", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column(
            "refused", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rule_set_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["arbitration_id"], ["arbitration.id"], name=op.f("precedent_arbitration_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["account.id"], name=op.f("precedent_decided_by_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["department_code"], ["department.code"], name=op.f("precedent_department_code_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["rule_set_id"],
            ["responsibility_set.id"],
            name=op.f("precedent_rule_set_id_fkey"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("precedent_pkey")),
        sa.UniqueConstraint("arbitration_id", name=op.f("precedent_arbitration_id_key")),
    )
    op.create_index("precedent_category_idx", "precedent", ["kind", "category"], unique=False)
    for table, seen in WALLS:
        op.execute(
            f"CREATE POLICY {table}_scope ON {table} FOR ALL TO wangge_app"
            f" USING ({seen}) WITH CHECK ({seen})"
        )
        op.execute(
            f"CREATE POLICY {table}_everything ON {table} FOR ALL TO wangge_worker"
            " USING (true) WITH CHECK (true)"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.drop_table("precedent")
    op.drop_table("arbitration_statement")
    op.drop_table("arbitration")
