"""Tables of responsibility: versions of the matrix, their rules and trials, moratoria."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Computed, ForeignKey, Index, Integer, Text
from sqlalchemy import text as sql_text
from sqlalchemy.dialects.postgresql import (
    ARRAY,
    DATERANGE,
    JSONB,
    TSTZRANGE,
    ExcludeConstraint,
    Range,
)
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, code_column, identity

#: `Selector.rank` of grids.responsibility.matrix, kept by the database.
RANK = (
    "(CASE WHEN owner <> '' THEN 1000000 ELSE 0 END)"
    " + 10000 * (2 * length(category) + CASE WHEN kind <> '' THEN 1 ELSE 0 END)"
    " + 100 * length(area)"
    " + CASE WHEN lower_inf(days) AND upper_inf(days) THEN 0 ELSE 10 END"
    " + CASE band WHEN 'off_hours' THEN 1 WHEN 'working' THEN 2 WHEN 'weekend' THEN 3"
    " WHEN 'night' THEN 4 ELSE 0 END"
)


class RuleSet(Base):
    """One version of the responsibility matrix (权责清单): draft, on trial, in force, ended.

    `valid` says from when until when it is in force; no two versions are at the same instant.
    Once it has been put in force its rules never change again (a trigger says so too).
    """

    __tablename__ = "responsibility_set"
    __table_args__ = (
        CheckConstraint("status IN ('draft', 'trial', 'live')", name="status"),
        CheckConstraint("(status = 'live') = (valid IS NOT NULL)", name="live_from"),
        ExcludeConstraint(("valid", "&&"), name="responsibility_set_one_at_a_time", using="gist"),
    )
    __level__ = "L1"

    id: Mapped[int] = identity()
    #: names the content in caches, which outlive a database
    uid: Mapped[UUID] = mapped_column(unique=True, server_default=sql_text("gen_random_uuid()"))
    name: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")
    status: Mapped[str] = mapped_column(server_default="draft")
    revision: Mapped[int] = mapped_column(server_default="1")  #: counts changes of the rules
    based_on: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("responsibility_set.id"))
    is_rollback: Mapped[bool] = mapped_column(server_default=sql_text("false"))
    valid: Mapped[Range[datetime] | None] = mapped_column(TSTZRANGE)
    created_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    created_at: Mapped[datetime]
    live_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    live_note: Mapped[str] = mapped_column(server_default="")


class Rule(Base):
    """One rule: category x area x asset owner x time -> who leads, who assists, and why."""

    __tablename__ = "responsibility_rule"
    __table_args__ = (
        CheckConstraint("kind IN ('', 'component', 'matter', 'social')", name="kind"),
        CheckConstraint("category = '' OR kind <> ''", name="category_of_a_kind"),
        CheckConstraint("length(category) <= 12 AND length(area) <= 15", name="lengths"),
        CheckConstraint(
            "band IN ('', 'off_hours', 'working', 'weekend', 'night')", name="band"
        ),
        CheckConstraint("NOT isempty(days)", name="days"),
        CheckConstraint("NOT department_code = ANY (assisting)", name="lead_does_not_assist"),
        # Equal in all of these: nothing would decide between the two.
        ExcludeConstraint(
            ("rule_set_id", "="), ("kind", "="), ("category", "="), ("area", "="),
            ("owner", "="), ("rank", "="), ("days", "&&"),
            name="responsibility_rule_no_tie", using="gist",
        ),
        Index("responsibility_rule_place_idx", "rule_set_id", "category", "area"),
    )  # fmt: skip
    __level__ = "L1"

    id: Mapped[int] = identity()
    rule_set_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("responsibility_set.id", ondelete="CASCADE")
    )
    kind: Mapped[str] = mapped_column(server_default="")
    category: Mapped[str] = mapped_column(code_column(), server_default="")
    area: Mapped[str] = mapped_column(code_column(), server_default="")
    owner: Mapped[str] = mapped_column(server_default="")
    band: Mapped[str] = mapped_column(server_default="")
    days: Mapped[Range[date]] = mapped_column(DATERANGE, server_default=sql_text("'(,)'"))
    department_code: Mapped[str] = mapped_column(ForeignKey("department.code"))
    assisting: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=sql_text("'{}'"))
    why: Mapped[str]
    basis: Mapped[str] = mapped_column(server_default="")  #: the law or document it rests on
    rank: Mapped[int] = mapped_column(Integer, Computed(RANK, persisted=True))
    changed_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    changed_at: Mapped[datetime]


class RuleTrial(Base):
    """A version tried on the cases of a year: asked for, running, done or failed."""

    __tablename__ = "responsibility_trial"
    __table_args__ = (
        CheckConstraint("state IN ('asked', 'running', 'done', 'failed')", name="state"),
        Index("responsibility_trial_rule_set_id_idx", "rule_set_id", "id"),
    )
    __level__ = "L1"

    id: Mapped[int] = identity()
    rule_set_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("responsibility_set.id", ondelete="CASCADE")
    )
    revision: Mapped[int]  #: of the version when it was asked for
    against_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("responsibility_set.id"))
    since: Mapped[datetime]
    until: Mapped[datetime]
    state: Mapped[str] = mapped_column(server_default="asked")
    done_share: Mapped[float] = mapped_column(server_default="0")  #: 0 to 1
    cases: Mapped[int | None] = mapped_column(BigInteger)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)  #: counts, and ids of examples
    asked_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    asked_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Moratorium(Base):
    """A time in which cases of a class in an area are not pursued, e.g. in planned works."""

    __tablename__ = "moratorium"
    __table_args__ = (
        CheckConstraint("kind IN ('', 'component', 'matter', 'social')", name="kind"),
        CheckConstraint("category = '' OR kind <> ''", name="category_of_a_kind"),
        CheckConstraint("NOT isempty(valid) AND NOT upper_inf(valid)", name="has_an_end"),
        Index("moratorium_area_idx", "area"),
    )
    __level__ = "L1"

    id: Mapped[int] = identity()
    kind: Mapped[str] = mapped_column(server_default="")
    category: Mapped[str] = mapped_column(code_column(), server_default="")
    area: Mapped[str] = mapped_column(code_column())
    valid: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    reason: Mapped[str]  #: shown to the desk
    public_note: Mapped[str]  #: what the reporter is told
    approved_by: Mapped[str]  #: the office or leader whose decision it is
    document: Mapped[str] = mapped_column(server_default="")  #: number of the approval
    set_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    set_at: Mapped[datetime]
    ended_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    ended_at: Mapped[datetime | None]
    end_note: Mapped[str] = mapped_column(server_default="")

    @property
    def until(self) -> datetime | None:
        """Return when it ends: what desk and reporter are told."""
        return self.valid.upper
