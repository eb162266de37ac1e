"""Plans of new duty grids for a town, and each edit of one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, deferred, mapped_column

from grids.db import Base, code_column, identity

STATES = ("drafting", "failed", "draft", "waiting", "approved", "switched", "dropped")


class GridPlan(Base):
    """New duty grids for a town (网格调整方案), from the first draft to the day of the switch.

    It holds which grid each patch of ground shall belong to. Until the switch nothing else
    knows of it.
    """

    __tablename__ = "grid_plan"
    __table_args__ = (
        CheckConstraint(
            "state IN (" + ", ".join(f"'{state}'" for state in STATES) + ")", name="state"
        ),
        CheckConstraint("length(town_code) = 9", name="of_a_town"),
        # Who drew a plan, changed it or asked for its approval does not approve it.
        CheckConstraint("approved_by <> ALL (editors)", name="two_people"),
        CheckConstraint(
            "state NOT IN ('approved', 'switched')"
            " OR (approved_by IS NOT NULL AND starts_on IS NOT NULL)",
            name="approved",
        ),
        Index("grid_plan_town_code_idx", "town_code", "id"),
    )
    __level__ = "L1"

    id: Mapped[int] = identity()
    town_code: Mapped[str] = mapped_column(code_column())
    name: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="drafting")
    #: what the designer was asked for: `grids.regrid.wishes.Wishes`
    wishes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    base_on: Mapped[date]  #: the day whose grids it starts from
    #: those grids in the order of their codes: [{id, version, code, name, area_m2}]
    base: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    #: grids that the plan adds: [{community, name}]; they have no code before the switch
    added: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default=text("'[]'"))
    #: patches with what stands on them (`grids.regrid.fabric`); drawn up once
    fabric: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    labels: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))  #: grid of each patch
    #: figures of every grid before and after, and what is wrong
    figures: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    edit_no: Mapped[int] = mapped_column(Integer, server_default="0")
    made_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    made_at: Mapped[datetime]
    editors: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), server_default=text("'{}'")
    )  #: everybody who had a hand in it
    edited_at: Mapped[datetime]
    asked_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    asked_at: Mapped[datetime | None]
    approved_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    approved_at: Mapped[datetime | None]
    starts_on: Mapped[date | None]
    switched_at: Mapped[datetime | None]
    #: what the switch did, or why it could not
    outcome: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))


class GridPlanEdit(Base):
    """One edit of a plan with what it was before, so that it can be taken back."""

    __tablename__ = "grid_plan_edit"
    __level__ = "L1"

    plan_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("grid_plan.id", ondelete="CASCADE"), primary_key=True
    )
    no: Mapped[int] = mapped_column(Integer, primary_key=True)
    action: Mapped[str] = mapped_column(Text)  #: move, split, merge
    labels: Mapped[bytes] = mapped_column(LargeBinary)  #: before
    added: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)  #: before
    edited_by: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    edited_at: Mapped[datetime]
