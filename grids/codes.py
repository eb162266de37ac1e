"""Code lists: component and matter categories with their time limits, departments."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, identity

DEFAULT_SYSTEM = "GBT47678.5-2026"


class Department(Base):
    """A department (专业部门) that handles cases."""

    __tablename__ = "department"
    __level__ = "L1"

    code: Mapped[str] = mapped_column(primary_key=True)
    name_zh: Mapped[str]
    name_en: Mapped[str]
    sort: Mapped[int] = mapped_column(server_default="0")


class Category(Base):
    """A component (部件) or matter (事项) sub-class. Both use the same five digits."""

    __tablename__ = "category"
    __table_args__ = (UniqueConstraint("code_system", "kind", "code"),)
    __level__ = "L1"

    id: Mapped[int] = identity()
    code_system: Mapped[str] = mapped_column(server_default=DEFAULT_SYSTEM)
    kind: Mapped[str]  #: component, matter
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


class CategoryLimit(Base):
    """How long handling may take, by category: value and unit, as of a day."""

    __tablename__ = "category_limit"
    __table_args__ = (Index("category_limit_category_id_idx", "category_id"),)
    __level__ = "L1"

    id: Mapped[int] = identity()
    category_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("category.id"))
    urgency: Mapped[str]  #: A emergency, B urgent, C ordinary, D complex
    value: Mapped[float]
    unit: Mapped[str]  #: elapsed_hour, work_hour, work_day
    department_code: Mapped[str | None] = mapped_column(ForeignKey("department.code"))
    source: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class Workday(Base):
    """A day that differs from the weekly rule: a public holiday or a make-up workday."""

    __tablename__ = "workday"
    __level__ = "L1"

    day: Mapped[date] = mapped_column(primary_key=True)
    is_workday: Mapped[bool]
    name: Mapped[str] = mapped_column(server_default="")
