"""Tables of a case: its projection, its event log, tasks, clocks, reporters, photos."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import WKBElement
from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, SmallInteger, Text
from sqlalchemy import text as sql_text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grids.audit.models import Xid8 as Xid8
from grids.db import (
    Base,
    LocatedPoint,
    code_column,
    geometry,
    geometry_check,
    identity,
    personal,
)
from grids.incidents.lifecycle import TERMINAL

#: Of open cases, in the words that `listing` asks for them.
IS_OPEN = sql_text(
    "status <> ALL (ARRAY[" + ", ".join(f"'{code}'::text" for code in TERMINAL) + "])"
)
#: Every hundredth case of a day: what large counts are estimated from.
IS_SAMPLE = sql_text("right(number, 2) = '00'")
#: What the queue counts by, beside the place.
COUNTED = [
    "status", "due_at", "stage_at", "channel", "category_code", "department_code", "urgency",
    "received_at", "holder_id", "reporter_id", "id", "involved",
]  # fmt: skip
CONTACT = personal("L3")


class Incident(LocatedPoint, Base):
    """A case (案卷) as lists show it: a projection of its events, rebuilt from them at any time."""

    __tablename__ = "incident"
    __table_args__ = (
        geometry_check(),
        Index(
            "incident_component_id_idx", "component_id",
            postgresql_where=sql_text("component_id IS NOT NULL"),
        ),
        Index("incident_geom_idx", "geom", postgresql_using="gist"),
        Index("incident_area_code_idx", "area_code"),
        Index("incident_grid_id_received_at_idx", "grid_id", "received_at"),
        Index("incident_status_due_at_idx", "status", "due_at"),
        Index("incident_department_code_idx", "department_code", "status"),
        Index("incident_received_at_idx", "received_at"),
        Index("incident_holder_id_idx", "holder_id"),
        Index("incident_queue_idx", "due_at", sql_text("received_at DESC"), "id"),
        Index(
            "incident_open_idx", "due_at", sql_text("received_at DESC"), "id",
            postgresql_where=IS_OPEN,
        ),
        Index(
            "incident_open_facts_idx", "area_code", postgresql_include=COUNTED,
            postgresql_where=IS_OPEN,
        ),
        Index(
            "incident_sample_idx", "area_code", postgresql_include=COUNTED,
            postgresql_where=IS_SAMPLE,
        ),
        Index("incident_involved_idx", "involved", postgresql_using="gin"),
        Index("incident_category_code_idx", "category_code", "received_at"),
        Index(
            "incident_pairs_idx", sql_text("text_pairs(text, address)"),
            postgresql_using="gin",
        ),
    )  # fmt: skip
    __level__ = "L2"

    id: Mapped[UUID] = mapped_column(primary_key=True)  #: made by the client
    number: Mapped[str] = mapped_column(unique=True)  #: 20300101-000123
    track_hash: Mapped[bytes | None] = mapped_column(
        LargeBinary, unique=True
    )  #: hash of the public tracking code
    category_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("category.id"))
    category_code: Mapped[str]
    component_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("component.id"))
    grid_version_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("grid_version.id"))
    text: Mapped[str] = mapped_column(server_default="")
    address: Mapped[str] = mapped_column(server_default="")
    channel: Mapped[str]  #: worker, public, phone, document, media, system
    urgency: Mapped[str]  #: A, B, C, D
    status: Mapped[str]
    department_code: Mapped[str | None] = mapped_column(ForeignKey("department.code"))
    holder_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("account.id")
    )  #: the person who has it now, where one is named
    handler_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    reporter_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    reported_at: Mapped[datetime]  #: claimed by the device
    received_at: Mapped[datetime]  #: by the server; rules every clock
    stage_at: Mapped[datetime]  #: when the present state began
    due_at: Mapped[datetime | None]  #: end of the running clock
    filed_at: Mapped[datetime | None]
    dispatched_at: Mapped[datetime | None]
    handled_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    handling_due_at: Mapped[datetime | None]  #: end of the handling clock, kept after it ends
    rework_count: Mapped[int] = mapped_column(server_default="0")
    return_count: Mapped[int] = mapped_column(server_default="0")
    event_count: Mapped[int] = mapped_column(server_default="0")
    flags: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=sql_text("'{}'"))
    level: Mapped[str] = mapped_column(server_default="county")  #: whose seat decides
    report_count: Mapped[int] = mapped_column(server_default="1")  #: with those merged into it
    extension_count: Mapped[int] = mapped_column(server_default="0")
    suspension_count: Mapped[int] = mapped_column(server_default="0")
    reopen_count: Mapped[int] = mapped_column(server_default="0")
    first_due_at: Mapped[datetime | None]  #: the handling limit before it was extended
    main_id: Mapped[UUID | None] = mapped_column(ForeignKey("incident.id"))  #: merged into
    involved: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=sql_text("'{}'")
    )  #: departments that were ever given a part of it: who of them may see it


class IncidentEvent(Base):
    """One thing that happened to a case; never changed. `seq` has no gaps within a case."""

    __tablename__ = "incident_event"
    __table_args__ = (
        Index("incident_event_incident_id_idx", "incident_id", "seq"),
        Index("incident_event_xid_idx", "xid", "incident_id", "seq"),
        {"postgresql_partition_by": "RANGE (recorded_at)"},
    )
    __level__ = "L2"

    recorded_at: Mapped[datetime] = mapped_column(primary_key=True)  #: server time
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[UUID]  #: of the request, made by the client
    xid: Mapped[int] = mapped_column(Xid8, server_default=sql_text("pg_current_xact_id()"))
    action: Mapped[str]
    from_status: Mapped[str]
    to_status: Mapped[str]
    actor_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    role: Mapped[str]
    department_code: Mapped[str | None]
    area_code: Mapped[str] = mapped_column(code_column())
    device_at: Mapped[datetime | None]  #: claimed by the device
    device: Mapped[str] = mapped_column(server_default="")
    reason: Mapped[str | None]
    note: Mapped[str] = mapped_column(server_default="")
    geom: Mapped[WKBElement | None] = mapped_column(geometry("POINT"))
    photos: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=sql_text("'{}'"))
    data: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=sql_text("'{}'"))


class IncidentTask(Base):
    """What one department has to do for a case; exactly one lead (主办), any number assisting."""

    __tablename__ = "incident_task"
    __table_args__ = (
        Index("incident_task_incident_id_idx", "incident_id"),
        Index("incident_task_case_idx", "department_code", "incident_id"),
    )
    __level__ = "L2"

    id: Mapped[int] = identity()
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    department_code: Mapped[str] = mapped_column(ForeignKey("department.code"))
    part: Mapped[str] = mapped_column(server_default="lead")  #: lead, assist
    dispatched_at: Mapped[datetime]
    signed_at: Mapped[datetime | None]
    replied_at: Mapped[datetime | None]
    returned_at: Mapped[datetime | None]
    number: Mapped[str | None]  #: of the sub-task: 20300101-000123-01
    due_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]  #: given to somebody else, or the case is over


class IncidentClock(Base):
    """One run of a stage's clock. A rework continues the handling clock, it starts none."""

    __tablename__ = "incident_clock"
    __table_args__ = (Index("incident_clock_incident_id_idx", "incident_id"),)
    __level__ = "L2"

    id: Mapped[int] = identity()
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    stage: Mapped[str]  #: S1 .. S8, H
    started_at: Mapped[datetime]
    due_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    paused: Mapped[list[Any]] = mapped_column(JSONB, server_default=sql_text("'[]'"))
    department_code: Mapped[str | None]  #: of handling: whose limit it is
    limit_value: Mapped[float | None]  #: what it was started with
    limit_unit: Mapped[str | None]


class IncidentReporter(Base):
    """Who reported a case and how to reach them; encrypted, several after a merge."""

    __tablename__ = "incident_reporter"
    __table_args__ = (
        Index("incident_reporter_incident_id_idx", "incident_id"),
        Index("incident_reporter_phone_index_idx", "phone_index"),
    )
    __level__ = "L3"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    name_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=CONTACT)
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=CONTACT)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary, info=CONTACT)
    created_at: Mapped[datetime] = mapped_column(server_default=sql_text("now()"))


class Blob(Base):
    """A stored file, named by its content. `public_sha256` is the copy without EXIF."""

    __tablename__ = "blob"
    __table_args__ = (
        Index("blob_public_sha256_idx", "public_sha256"),
        Index("blob_thumb_sha256_idx", "thumb_sha256"),
    )
    __level__ = "L2"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    media_type: Mapped[str]
    width: Mapped[int] = mapped_column(SmallInteger)
    height: Mapped[int] = mapped_column(SmallInteger)
    public_sha256: Mapped[str]
    thumb_sha256: Mapped[str]
    taken_at: Mapped[datetime | None]  #: from EXIF, claimed
    taken_geom: Mapped[WKBElement | None] = mapped_column(geometry("POINT"))
    account_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    created_at: Mapped[datetime] = mapped_column(server_default=sql_text("now()"))


class Attachment(Base):
    """A photo of a case in its role: before, after or evidence. One blob may serve many."""

    __tablename__ = "attachment"
    __table_args__ = (
        Index("attachment_incident_id_idx", "incident_id"),
        Index("attachment_sha256_idx", "sha256"),
    )
    __level__ = "L2"

    id: Mapped[int] = identity()
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    event_seq: Mapped[int]
    sha256: Mapped[str] = mapped_column(ForeignKey("blob.sha256"))
    part: Mapped[str]  #: before, after, evidence


class IncidentLink(Base):
    """How two cases belong together: duplicate of a main case, recurrence."""

    __tablename__ = "incident_link"
    __level__ = "L2"

    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    other_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)  #: duplicate, recurrence
    created_at: Mapped[datetime] = mapped_column(server_default=sql_text("now()"))
