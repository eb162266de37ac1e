"""The responsibility matrix: versions, rules, trials on past cases; moratoria.

Revision ID: 0028
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"

# How specific a rule is; the order is that of docs/decisions/0011-which-rule-wins.md.
RANK = (
    "(CASE WHEN owner <> '' THEN 1000000 ELSE 0 END)"
    " + 10000 * (2 * length(category) + CASE WHEN kind <> '' THEN 1 ELSE 0 END)"
    " + 100 * length(area)"
    " + CASE WHEN lower_inf(days) AND upper_inf(days) THEN 0 ELSE 10 END"
    " + CASE band WHEN 'off_hours' THEN 1 WHEN 'working' THEN 2 WHEN 'weekend' THEN 3"
    " WHEN 'night' THEN 4 ELSE 0 END"
)

# What was once in force is what cases were given by: it can be read for ever, and never changed.
FROZEN = """
CREATE FUNCTION responsibility_frozen() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $body$
BEGIN
  IF EXISTS (
    SELECT FROM responsibility_set
    WHERE id IN (NEW.rule_set_id, OLD.rule_set_id) AND status = 'live'
  ) THEN
    RAISE EXCEPTION 'rules of a version that was put in force do not change'
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN coalesce(NEW, OLD);
END $body$;
CREATE TRIGGER responsibility_rule_frozen BEFORE INSERT OR UPDATE OR DELETE
ON responsibility_rule FOR EACH ROW EXECUTE FUNCTION responsibility_frozen();
"""


def upgrade() -> None:
    op.create_table(
        "moratorium",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("category", sa.Text(collation="C"), server_default="", nullable=False),
        sa.Column("area", sa.Text(collation="C"), nullable=False),
        sa.Column("valid", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("public_note", sa.Text(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), server_default="", nullable=False),
        sa.Column("set_by", sa.BigInteger(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_note", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "category = '' OR kind <> ''", name=op.f("moratorium_category_of_a_kind_check")
        ),
        sa.CheckConstraint(
            "kind IN ('', 'component', 'matter', 'social')", name=op.f("moratorium_kind_check")
        ),
        sa.CheckConstraint(
            "NOT isempty(valid) AND NOT upper_inf(valid)", name=op.f("moratorium_has_an_end_check")
        ),
        sa.ForeignKeyConstraint(
            ["ended_by"], ["account.id"], name=op.f("moratorium_ended_by_fkey")
        ),
        sa.ForeignKeyConstraint(["set_by"], ["account.id"], name=op.f("moratorium_set_by_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("moratorium_pkey")),
    )
    op.create_index("moratorium_area_idx", "moratorium", ["area"], unique=False)
    op.create_table(
        "responsibility_set",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("uid", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("revision", sa.Integer(), server_default="1", nullable=False),
        sa.Column("based_on", sa.BigInteger(), nullable=True),
        sa.Column("is_rollback", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("valid", postgresql.TSTZRANGE(), nullable=True),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("live_by", sa.BigInteger(), nullable=True),
        sa.Column("live_note", sa.Text(), server_default="", nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("valid"), "&&"), using="gist", name="responsibility_set_one_at_a_time"
        ),
        sa.CheckConstraint(
            "(status = 'live') = (valid IS NOT NULL)",
            name=op.f("responsibility_set_live_from_check"),
        ),
        sa.CheckConstraint(
            "status IN ('draft', 'trial', 'live')", name=op.f("responsibility_set_status_check")
        ),
        sa.ForeignKeyConstraint(
            ["based_on"], ["responsibility_set.id"], name=op.f("responsibility_set_based_on_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["account.id"], name=op.f("responsibility_set_created_by_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["live_by"], ["account.id"], name=op.f("responsibility_set_live_by_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("responsibility_set_pkey")),
        sa.UniqueConstraint("uid", name=op.f("responsibility_set_uid_key")),
    )
    op.create_table(
        "responsibility_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("rule_set_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), server_default="", nullable=False),
        sa.Column("category", sa.Text(collation="C"), server_default="", nullable=False),
        sa.Column("area", sa.Text(collation="C"), server_default="", nullable=False),
        sa.Column("owner", sa.Text(), server_default="", nullable=False),
        sa.Column("band", sa.Text(), server_default="", nullable=False),
        sa.Column("days", postgresql.DATERANGE(), server_default=sa.text("'(,)'"), nullable=False),
        sa.Column("department_code", sa.Text(), nullable=False),
        sa.Column(
            "assisting", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), server_default="", nullable=False),
        sa.Column("rank", sa.Integer(), sa.Computed(RANK, persisted=True), nullable=False),
        sa.Column("changed_by", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("rule_set_id"), "="),
            (sa.column("kind"), "="),
            (sa.column("category"), "="),
            (sa.column("area"), "="),
            (sa.column("owner"), "="),
            (sa.column("rank"), "="),
            (sa.column("days"), "&&"),
            using="gist",
            name="responsibility_rule_no_tie",
        ),
        sa.CheckConstraint(
            "band IN ('', 'off_hours', 'working', 'weekend', 'night')",
            name=op.f("responsibility_rule_band_check"),
        ),
        sa.CheckConstraint(
            "category = '' OR kind <> ''", name=op.f("responsibility_rule_category_of_a_kind_check")
        ),
        sa.CheckConstraint(
            "kind IN ('', 'component', 'matter', 'social')",
            name=op.f("responsibility_rule_kind_check"),
        ),
        sa.CheckConstraint(
            "NOT department_code = ANY (assisting)",
            name=op.f("responsibility_rule_lead_does_not_assist_check"),
        ),
        sa.CheckConstraint("NOT isempty(days)", name=op.f("responsibility_rule_days_check")),
        sa.CheckConstraint(
            "length(category) <= 12 AND length(area) <= 15",
            name=op.f("responsibility_rule_lengths_check"),
        ),
        sa.ForeignKeyConstraint(
            ["changed_by"], ["account.id"], name=op.f("responsibility_rule_changed_by_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["department_code"],
            ["department.code"],
            name=op.f("responsibility_rule_department_code_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["rule_set_id"],
            ["responsibility_set.id"],
            name=op.f("responsibility_rule_rule_set_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("responsibility_rule_pkey")),
    )
    op.create_index(
        "responsibility_rule_place_idx",
        "responsibility_rule",
        ["rule_set_id", "category", "area"],
        unique=False,
    )
    op.create_table(
        "responsibility_trial",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("rule_set_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("against_id", sa.BigInteger(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), server_default="asked", nullable=False),
        sa.Column("done_share", sa.Double(), server_default="0", nullable=False),
        sa.Column("cases", sa.BigInteger(), nullable=True),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("asked_by", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('asked', 'running', 'done', 'failed')",
            name=op.f("responsibility_trial_state_check"),
        ),
        sa.ForeignKeyConstraint(
            ["against_id"],
            ["responsibility_set.id"],
            name=op.f("responsibility_trial_against_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["asked_by"], ["account.id"], name=op.f("responsibility_trial_asked_by_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["rule_set_id"],
            ["responsibility_set.id"],
            name=op.f("responsibility_trial_rule_set_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("responsibility_trial_pkey")),
    )
    op.create_index(
        "responsibility_trial_rule_set_id_idx",
        "responsibility_trial",
        ["rule_set_id", "id"],
        unique=False,
    )
    op.execute(FROZEN)


def downgrade() -> None:
    op.drop_table("responsibility_trial")
    op.drop_table("responsibility_rule")
    op.drop_table("responsibility_set")
    op.drop_table("moratorium")
    op.execute("DROP FUNCTION responsibility_frozen")
