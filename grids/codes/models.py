"""Tables of the code lists: systems, categories, their rules by date, the working calendar."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Time,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, identity

DEFAULT_SYSTEM = "GBT47678.5-2026"
LOCAL_SYSTEM = "LOCAL"
SOCIAL_SYSTEM = "SG"
#: Where rows come from: the project's files, a page of the administrator, or the name of a
#: folder of the city. A load changes only rows of its own origin.
SHIPPED = "file"
BY_PAGE = "page"


def _in_force() -> Any:
    return func.daterange(text("valid_from"), text("valid_to"))


class Department(Base):
    """A department (专业部门) that handles cases."""

    __tablename__ = "department"
    __level__ = "L1"

    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    sort: Mapped[int] = mapped_column(server_default="0")


class CodeSystem(Base):
    """A list of codes by its name: a standard, a city's variant of one, or our own."""

    __tablename__ = "code_system"
    __level__ = "L1"

    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    digits: Mapped[int]  #: of a sub-class; 0 where codes are no digits
    identifier_digits: Mapped[int]  #: of a component's identifier; 0 where there is none
    needs_table: Mapped[bool]  #: cities differ: their own table has to be named
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    source: Mapped[str]


class Category(Base):
    """A component (部件), matter (事项) or social matter. The first two use the same digits."""

    __tablename__ = "category"
    __table_args__ = (UniqueConstraint("code_system", "kind", "code"),)
    __level__ = "L1"

    id: Mapped[int] = identity()
    code_system: Mapped[str] = mapped_column(server_default=DEFAULT_SYSTEM)
    kind: Mapped[str]  #: component, matter, social
    code: Mapped[str]
    parent: Mapped[str | None]  #: two digits of the class
    name_zh: Mapped[str]
    name_en: Mapped[str]
    search: Mapped[str]  #: pinyin and initials, for typing
    sort: Mapped[int] = mapped_column(server_default="0")
    is_common: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    source: Mapped[str]
    origin: Mapped[str] = mapped_column(server_default=SHIPPED)


class CodeMap(Base):
    """What a code of one list is in another: `relation` says how sure and how wide.

    exact: the same thing under the same name; name: the same thing by the sense of its name;
    broader, narrower: the other code holds more, or is one of several; none: nothing there.
    """

    __tablename__ = "code_map"
    __level__ = "L1"

    kind: Mapped[str] = mapped_column(primary_key=True)
    from_system: Mapped[str] = mapped_column(primary_key=True)
    from_code: Mapped[str] = mapped_column(primary_key=True)
    to_system: Mapped[str] = mapped_column(primary_key=True)
    to_code: Mapped[str] = mapped_column(primary_key=True)  #: empty where there is nothing
    relation: Mapped[str]
    source: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    origin: Mapped[str] = mapped_column(server_default=SHIPPED)


class PopulationCategory(Base):
    """A kind of key population (特殊人群): counted per area, never held as persons."""

    __tablename__ = "population_category"
    __level__ = "L1"

    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    sort: Mapped[int] = mapped_column(server_default="0")
    source: Mapped[str]


class CategoryLimit(Base):
    """How long handling may take, by category: value and unit, as of a day."""

    __tablename__ = "category_limit"
    __table_args__ = (
        Index("category_limit_category_id_idx", "category_id"),
        ExcludeConstraint(
            ("category_id", "="), ("urgency", "="), ("area_kind", "="), (_in_force(), "&&"),
            name="category_limit_one_at_a_time",
        ),
    )  # fmt: skip
    __level__ = "L1"

    id: Mapped[int] = identity()
    category_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("category.id"))
    urgency: Mapped[str]  #: A emergency, B urgent, C ordinary, D complex
    area_kind: Mapped[str] = mapped_column(server_default="")  #: of the town or community; all
    value: Mapped[float]
    unit: Mapped[str]  #: elapsed_hour, work_hour, work_day
    department_code: Mapped[str | None] = mapped_column(ForeignKey("department.code"))
    source: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    origin: Mapped[str] = mapped_column(server_default=SHIPPED)


class CategoryRule(Base):
    """What else a category carries, as of a day: a question, a notice, a condition, a target.

    A row of a class holds for its sub-classes, unless they have a row of that part and name.
    """

    __tablename__ = "category_rule"
    __table_args__ = (
        ExcludeConstraint(
            ("category_id", "="), ("part", "="), ("name", "="), (_in_force(), "&&"),
            name="category_rule_one_at_a_time",
        ),
    )  # fmt: skip
    __level__ = "L1"

    id: Mapped[int] = identity()
    category_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("category.id"))
    part: Mapped[str]  #: question, notice, filing, closing, self_handling, target
    name: Mapped[str] = mapped_column(server_default="")  #: of a question or a target
    text_zh: Mapped[str]
    text_en: Mapped[str]
    #: of a question: [{code, zh, en, value?, unit?}]; the last two are the limit it leads to
    options: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    is_required: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    value: Mapped[float | None]  #: of a target
    unit: Mapped[str | None]
    sort: Mapped[int] = mapped_column(server_default="0")
    source: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    origin: Mapped[str] = mapped_column(server_default=SHIPPED)


class CodeLoad(Base):
    """One load of code lists that changed something: the version of the lists."""

    __tablename__ = "code_load"
    __level__ = "L1"

    id: Mapped[int] = identity()
    loaded_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    loaded_on: Mapped[date]  #: the day on which its limits and rules begin
    origin: Mapped[str]
    digest: Mapped[str]  #: sha256 of the files


class CodeUpload(Base):
    """Files of code lists that somebody has sent, to look at what they would change."""

    __tablename__ = "code_upload"
    __level__ = "L1"

    id: Mapped[int] = identity()
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    made_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    origin: Mapped[str]  #: the name of the city's own rows
    files: Mapped[dict[str, str]] = mapped_column(JSONB)  #: name -> text
    digest: Mapped[str]
    load_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("code_load.id"))


class CodeChange(Base):
    """What a load did to one row."""

    __tablename__ = "code_change"
    __table_args__ = (Index("code_change_load_id_idx", "load_id"),)
    __level__ = "L1"

    id: Mapped[int] = identity()
    load_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("code_load.id"))
    table_name: Mapped[str]
    key: Mapped[str]
    what: Mapped[str]  #: add, change, end, restore
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)  #: column -> [before, after]


class Workday(Base):
    """A day that differs from the weekly rule: a public holiday or a make-up workday."""

    __tablename__ = "workday"
    __level__ = "L1"

    day: Mapped[date] = mapped_column(primary_key=True)
    is_workday: Mapped[bool]
    name: Mapped[str] = mapped_column(server_default="")
    name_en: Mapped[str] = mapped_column(server_default="")
    source: Mapped[str] = mapped_column(server_default="")
    origin: Mapped[str] = mapped_column(server_default=SHIPPED)


class WorkSpan(Base):
    """A part of the day, as of a day: office hours, daylight for checks, the morning after."""

    __tablename__ = "work_span"
    __level__ = "L1"

    kind: Mapped[str] = mapped_column(primary_key=True)  #: office, daylight, morning
    opens: Mapped[time] = mapped_column(Time, primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    closes: Mapped[time] = mapped_column(Time)
    valid_to: Mapped[date | None]
    source: Mapped[str]
    origin: Mapped[str] = mapped_column(server_default=SHIPPED)


class CalendarVersion(Base):
    """One change of the working calendar; events name the number that they were measured by."""

    __tablename__ = "calendar_version"
    __level__ = "L1"

    no: Mapped[int] = identity()
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    account_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    reason: Mapped[str] = mapped_column(server_default="")
    origin: Mapped[str]
    moved: Mapped[int] = mapped_column(server_default="0")  #: cases whose limits it has moved
    recomputed_at: Mapped[datetime | None]  #: when every open case had been looked at


class CalendarChange(Base):
    """What a change of the calendar did to one day, or to the hours of one kind."""

    __tablename__ = "calendar_change"
    __table_args__ = (Index("calendar_change_version_no_idx", "version_no"),)
    __level__ = "L1"

    id: Mapped[int] = identity()
    version_no: Mapped[int] = mapped_column(BigInteger, ForeignKey("calendar_version.no"))
    what: Mapped[str]  #: day, spans
    key: Mapped[str]  #: the day, or the kind of hours
    before: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[Any | None] = mapped_column(JSONB(none_as_null=True))


class CalendarDraft(Base):
    """A change of the calendar that is looked at before it is made."""

    __tablename__ = "calendar_draft"
    __level__ = "L1"

    id: Mapped[int] = identity()
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    made_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    base_no: Mapped[int]  #: the calendar that it was made for
    reason: Mapped[str]
    edit: Mapped[dict[str, Any]] = mapped_column(JSONB)  #: {days: [...], hours: {...}}
    #: what it would do to open limits, worked out by the worker: {earlier, later, looked, is_whole}
    outlook: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    version_no: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("calendar_version.no"))


class StageLimit(Base):
    """How long a stage of a case may take, as of the day on which the case came in.

    What is empty holds for every case; of several rows the closest counts.
    """

    __tablename__ = "stage_limit"
    __table_args__ = (
        ExcludeConstraint(
            ("stage", "="), ("code_system", "="), ("kind", "="), ("code", "="), ("urgency", "="),
            ("area_kind", "="), (_in_force(), "&&"), name="stage_limit_one_at_a_time",
        ),
    )  # fmt: skip
    __level__ = "L1"

    stage: Mapped[str] = mapped_column(primary_key=True)  #: S1 .. S8, O, R; DESK: of A, together
    code_system: Mapped[str] = mapped_column(primary_key=True, server_default="")
    kind: Mapped[str] = mapped_column(primary_key=True, server_default="")
    code: Mapped[str] = mapped_column(primary_key=True, server_default="")
    urgency: Mapped[str] = mapped_column(primary_key=True, server_default="")
    area_kind: Mapped[str] = mapped_column(primary_key=True, server_default="")
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    value: Mapped[float]
    unit: Mapped[str]
    valid_to: Mapped[date | None]
    source: Mapped[str]
    origin: Mapped[str] = mapped_column(server_default=SHIPPED)
