"""Tables of forms, visits, observations and departments' ledgers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, code_column, identity, personal

#: Digits of the code of a duty grid: who answers for nothing larger is its own worker.
GRID_DIGITS = 15


class WorkLine(Base):
    """A department's line of work (条线): its forms and ledgers are rows, never code."""

    __tablename__ = "work_line"
    __level__ = "L1"

    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    department_code: Mapped[str | None] = mapped_column(ForeignKey("department.code"))
    sort: Mapped[int] = mapped_column(SmallInteger, server_default="0")


class FormQuestion(Base):
    """One wording of a question; the key stays, a new wording is a new `no`. Never changed."""

    __tablename__ = "form_question"
    __level__ = "L1"

    key: Mapped[str] = mapped_column(primary_key=True)
    no: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    subject: Mapped[str]  #: building, household, dwelling, enterprise, premises, component, place
    type: Mapped[str]  #: choice, many, number, date, text, photo, place
    zh: Mapped[str]
    en: Mapped[str]
    hint_zh: Mapped[str] = mapped_column(server_default="")
    hint_en: Mapped[str] = mapped_column(server_default="")
    example: Mapped[str] = mapped_column(server_default="")
    unit: Mapped[str] = mapped_column(server_default="")
    options: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    checks: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    valid_days: Mapped[int] = mapped_column(SmallInteger)  #: after that it is asked again
    level: Mapped[str]  #: L1, L2, L3
    register: Mapped[str | None]  #: "premises.floor_area_m2": where the answer is written back


class FormVersion(Base):
    """One version of a form (表单): ordered questions, for whom, how often."""

    __tablename__ = "form_version"
    __table_args__ = (
        UniqueConstraint("form", "no"),
        CheckConstraint("status IN ('draft', 'waiting', 'live', 'refused')", name="status"),
        CheckConstraint("approved_by <> made_by", name="two_people"),
    )
    __level__ = "L1"

    id: Mapped[int] = identity()
    form: Mapped[str]
    no: Mapped[int] = mapped_column(SmallInteger)
    line: Mapped[str] = mapped_column(ForeignKey("work_line.code"))
    name_zh: Mapped[str]
    name_en: Mapped[str]
    subject: Mapped[str]
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    visit_days: Mapped[int] = mapped_column(SmallInteger)  #: 0: on occasion
    items: Mapped[list[Any]] = mapped_column(JSONB)  #: [{"key", "no", "when": [key, [codes]]}]
    status: Mapped[str]
    #: No foreign keys: forms are codes, and outlive the accounts of a city that is replaced.
    made_by: Mapped[int | None] = mapped_column(BigInteger)
    made_at: Mapped[datetime]
    live_from: Mapped[date | None]
    approved_by: Mapped[int | None] = mapped_column(BigInteger)
    approved_at: Mapped[datetime | None]
    cost: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    note: Mapped[str] = mapped_column(server_default="")


class Visit(Base):
    """One visit to one subject: which forms it served and what it cost."""

    __tablename__ = "visit"
    __table_args__ = (
        Index("visit_subject_idx", "subject", "subject_id", "done_at"),
        Index("visit_area_code_idx", "area_code", "done_at"),
    )
    __level__ = "L2"

    id: Mapped[UUID] = mapped_column(primary_key=True)  #: made by the phone
    subject: Mapped[str]
    subject_id: Mapped[int] = mapped_column(BigInteger)
    area_code: Mapped[str] = mapped_column(code_column())
    worker_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    done_at: Mapped[datetime]
    received_at: Mapped[datetime]
    forms: Mapped[list[str]] = mapped_column(ARRAY(Text))
    versions: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    seconds: Mapped[int | None]  #: None: sent without script, nobody counted
    taps: Mapped[int | None]
    asked: Mapped[int] = mapped_column(SmallInteger)
    reused: Mapped[int] = mapped_column(SmallInteger)
    apart: Mapped[int] = mapped_column(SmallInteger)  #: questions that separate forms would ask
    photos: Mapped[int] = mapped_column(SmallInteger)


class Observation(Base):
    """One answer about one subject: never changed, only followed by a later one."""

    __tablename__ = "observation"
    __table_args__ = (
        Index("observation_subject_idx", "subject", "subject_id", "question", "observed_at"),
        Index("observation_area_code_idx", "area_code", "question"),
        Index("observation_visit_id_idx", "visit_id"),
        {"postgresql_partition_by": "RANGE (recorded_at)"},
    )
    __level__ = "L3"

    recorded_at: Mapped[datetime] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False), primary_key=True)
    visit_id: Mapped[UUID]
    subject: Mapped[str]
    subject_id: Mapped[int] = mapped_column(BigInteger)
    area_code: Mapped[str] = mapped_column(code_column())
    question: Mapped[str]
    question_no: Mapped[int] = mapped_column(SmallInteger)
    version_id: Mapped[int] = mapped_column(BigInteger)  #: of the form it was given to
    level: Mapped[str]
    value: Mapped[Any] = mapped_column(JSONB, info=personal("L3"))
    observed_at: Mapped[datetime]
    worker_id: Mapped[int] = mapped_column(BigInteger)
    source: Mapped[str]  #: visit, confirmed, corrected
    seconds: Mapped[float | None]
    photo: Mapped[str | None]  #: sha256 of the evidence
    replaced: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))  #: the register had this

    @staticmethod
    def seen_by(model: Any, actor: Any) -> ColumnElement[bool]:
        """Show service needs (L3) to who answers for single grids, the rest by area."""
        own = tuple(code for code in actor.areas if len(code) >= GRID_DIGITS)
        found: ColumnElement[bool] = (model.level < "L3") | (
            func.left(model.area_code, GRID_DIGITS).in_(own)
        )
        return found


class VisitPhoto(Base):
    """A photo that a visit has taken as evidence of an answer."""

    __tablename__ = "visit_photo"
    __table_args__ = (
        Index("visit_photo_visit_id_idx", "visit_id"),
        Index("visit_photo_sha256_idx", "sha256"),
    )
    __level__ = "L2"

    id: Mapped[int] = identity()
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visit.id"))
    question: Mapped[str]
    sha256: Mapped[str] = mapped_column(ForeignKey("blob.sha256"))


class Ledger(Base):
    """A department's ledger (台账): columns over observations and registers, made on demand."""

    __tablename__ = "ledger"
    __level__ = "L1"

    code: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[str] = mapped_column(ForeignKey("work_line.code"))
    name_zh: Mapped[str]
    name_en: Mapped[str]
    subject: Mapped[str]
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    period_days: Mapped[int] = mapped_column(SmallInteger)  #: only what was seen in it
    columns: Mapped[list[Any]] = mapped_column(JSONB)  #: [[head_zh, head_en, from]]
    sort: Mapped[int] = mapped_column(SmallInteger, server_default="0")
