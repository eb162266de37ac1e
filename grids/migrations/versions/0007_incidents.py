"""Cases: projection, event log, tasks, clocks, reporters, photos.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

from grids.incidents.models import Xid8

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "blob",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("width", sa.SmallInteger(), nullable=False),
        sa.Column("height", sa.SmallInteger(), nullable=False),
        sa.Column("public_sha256", sa.Text(), nullable=False),
        sa.Column("thumb_sha256", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_geom", Geometry("POINT", srid=4490, spatial_index=False), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("blob_account_id_fkey")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("blob_pkey")),
    )
    op.create_table(
        "incident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("track_hash", sa.LargeBinary(), nullable=True),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.Column("category_code", sa.Text(), nullable=False),
        sa.Column("component_id", sa.BigInteger(), nullable=True),
        sa.Column("grid_version_id", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("urgency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("department_code", sa.Text(), nullable=True),
        sa.Column("holder_id", sa.BigInteger(), nullable=True),
        sa.Column("handler_id", sa.BigInteger(), nullable=True),
        sa.Column("reporter_id", sa.BigInteger(), nullable=True),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stage_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handling_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rework_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("return_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("event_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "flags",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("geom", Geometry("POINT", srid=4490, spatial_index=False), nullable=False),
        sa.Column("cell_id", sa.BigInteger(), nullable=False),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("coord_source", sa.Text(), server_default="survey", nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("source", sa.Text(), server_default="local", nullable=False),
        sa.Column("valid_from", sa.Date(), server_default=sa.text("current_date"), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("geom_ok(geom)", name=op.f("incident_geom_ok_check")),
        sa.ForeignKeyConstraint(
            ["category_id"], ["category.id"], name=op.f("incident_category_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["component_id"], ["component.id"], name=op.f("incident_component_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["department_code"], ["department.code"], name=op.f("incident_department_code_fkey")
        ),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.id"], name=op.f("incident_grid_id_fkey")),
        sa.ForeignKeyConstraint(
            ["grid_version_id"], ["grid_version.id"], name=op.f("incident_grid_version_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["handler_id"], ["account.id"], name=op.f("incident_handler_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["holder_id"], ["account.id"], name=op.f("incident_holder_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["reporter_id"], ["account.id"], name=op.f("incident_reporter_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("incident_pkey")),
        sa.UniqueConstraint("number", name=op.f("incident_number_key")),
        sa.UniqueConstraint("track_hash", name=op.f("incident_track_hash_key")),
    )
    op.create_index("incident_area_code_idx", "incident", ["area_code"], unique=False)
    op.create_index(
        "incident_department_code_idx", "incident", ["department_code", "status"], unique=False
    )
    op.create_index(
        "incident_geom_idx", "incident", ["geom"], unique=False, postgresql_using="gist"
    )
    op.create_index(
        "incident_grid_id_received_at_idx", "incident", ["grid_id", "received_at"], unique=False
    )
    op.create_index("incident_holder_id_idx", "incident", ["holder_id"], unique=False)
    op.create_index("incident_received_at_idx", "incident", ["received_at"], unique=False)
    op.create_index("incident_status_due_at_idx", "incident", ["status", "due_at"], unique=False)
    op.create_table(
        "attachment",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("event_seq", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("attachment_incident_id_fkey")
        ),
        sa.ForeignKeyConstraint(["sha256"], ["blob.sha256"], name=op.f("attachment_sha256_fkey")),
        sa.PrimaryKeyConstraint("id", name=op.f("attachment_pkey")),
    )
    op.create_index("attachment_incident_id_idx", "attachment", ["incident_id"], unique=False)
    op.create_index("attachment_sha256_idx", "attachment", ["sha256"], unique=False)
    op.create_table(
        "incident_clock",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "paused",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("incident_clock_incident_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("incident_clock_pkey")),
    )
    op.create_index(
        "incident_clock_incident_id_idx", "incident_clock", ["incident_id"], unique=False
    )
    op.create_table(
        "incident_event",
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=False),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("department_code", sa.Text(), nullable=True),
        sa.Column("area_code", sa.Text(collation="C"), nullable=False),
        sa.Column("device_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("device", sa.Text(), server_default="", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("geom", Geometry("POINT", srid=4490, spatial_index=False), nullable=True),
        sa.Column(
            "photos", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column(
            "data",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["account.id"], name=op.f("incident_event_actor_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("incident_event_incident_id_fkey")
        ),
        sa.PrimaryKeyConstraint(
            "recorded_at", "incident_id", "seq", name=op.f("incident_event_pkey")
        ),
        postgresql_partition_by="RANGE (recorded_at)",
    )
    op.create_index(
        "incident_event_incident_id_idx", "incident_event", ["incident_id", "seq"], unique=False
    )
    op.create_index(
        "incident_event_xid_idx", "incident_event", ["xid", "incident_id", "seq"], unique=False
    )
    op.create_table(
        "incident_link",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("incident_link_incident_id_fkey")
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["incident.id"], name=op.f("incident_link_other_id_fkey")
        ),
        sa.PrimaryKeyConstraint("incident_id", "other_id", "kind", name=op.f("incident_link_pkey")),
    )
    op.create_table(
        "incident_reporter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("phone_index", sa.LargeBinary(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("incident_reporter_incident_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("incident_reporter_pkey")),
    )
    op.create_index(
        "incident_reporter_incident_id_idx", "incident_reporter", ["incident_id"], unique=False
    )
    op.create_table(
        "incident_task",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("department_code", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), server_default="lead", nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["department_code"],
            ["department.code"],
            name=op.f("incident_task_department_code_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("incident_task_incident_id_fkey")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("incident_task_pkey")),
    )
    op.create_index(
        "incident_task_department_code_idx", "incident_task", ["department_code"], unique=False
    )
    op.create_index("incident_task_incident_id_idx", "incident_task", ["incident_id"], unique=False)
    op.execute(
        "SELECT ensure_months('incident_event', date_trunc('month', now() - interval '13 months')::date, 40)"
    )


def downgrade() -> None:
    op.drop_index("incident_task_incident_id_idx", table_name="incident_task")
    op.drop_index("incident_task_department_code_idx", table_name="incident_task")
    op.drop_table("incident_task")
    op.drop_index("incident_reporter_incident_id_idx", table_name="incident_reporter")
    op.drop_table("incident_reporter")
    op.drop_table("incident_link")
    op.drop_index("incident_event_xid_idx", table_name="incident_event")
    op.drop_index("incident_event_incident_id_idx", table_name="incident_event")
    op.drop_table("incident_event")
    op.drop_index("incident_clock_incident_id_idx", table_name="incident_clock")
    op.drop_table("incident_clock")
    op.drop_index("attachment_sha256_idx", table_name="attachment")
    op.drop_index("attachment_incident_id_idx", table_name="attachment")
    op.drop_table("attachment")
    op.drop_index("incident_status_due_at_idx", table_name="incident")
    op.drop_index("incident_received_at_idx", table_name="incident")
    op.drop_index("incident_holder_id_idx", table_name="incident")
    op.drop_index("incident_grid_id_received_at_idx", table_name="incident")
    op.drop_index("incident_geom_idx", table_name="incident", postgresql_using="gist")
    op.drop_index("incident_department_code_idx", table_name="incident")
    op.drop_index("incident_area_code_idx", table_name="incident")
    op.drop_table("incident")
    op.drop_table("blob")
