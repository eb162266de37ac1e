"""The sheet of an area: every register counted live, and the change of the month explained.

    kept when the month began + entered since - left since + closed and opened again
        + entered late or moved = stands now

Each term is counted by itself; only the last is what remains, for an entry whose dates lie
before the month but which nobody had entered yet, or which a new border has moved here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Date, case, func, select, text, true
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.area_tree import AreaNode
from grids.base_numbers.models import BaseNumber
from grids.cells import Grid, GridVersion
from grids.divisions import AREAS_OF_CODE
from grids.hazards.models import Inspection
from grids.ledgers.models import Visit
from grids.quality import findings
from grids.registers import overview
from grids.registers.changes import RegisterChange

#: Register -> the column and the word that take an entry out of the count while its row stays.
_OUT: Final = {"enterprise": ("status", "closed"), "component": ("state", "removed")}


@dataclass(frozen=True)
class Change:
    """Why a count is another than when the month began."""

    kept: int | None  #: none: nobody kept a figure then
    added: tuple[tuple[str, int], ...]  #: by source
    left: int
    closed: int
    reopened: int
    other: int  #: entered late, or moved by a new border

    @property
    def sum(self) -> int:
        """Return by how much the count has changed."""
        return sum(n for _, n in self.added) - self.left - self.closed + self.reopened + self.other


@dataclass(frozen=True)
class Line:
    """One register of the sheet. People and households have a published figure only."""

    register: str
    now: int | str | None
    complete: float | None = None
    change: Change | None = None
    checked_at: datetime | None = None  #: the last visit, inspection or correction


@dataclass(frozen=True)
class Sheet:
    """The base numbers of an area."""

    area: AreaNode
    month: date
    lines: tuple[Line, ...]
    redrawn_on: date | None  #: a border of its grids has changed since the month began

    @property
    def figures(self) -> dict[str, Any]:
        """Return what is signed: register -> count."""
        return {line.register: line.now for line in self.lines}

    @property
    def digest(self) -> str:
        """Return the SHA-256 of area and figures: a signature holds for what was seen."""
        said = json.dumps([self.area.code, self.figures], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(said.encode()).hexdigest()


def sheet(session: Session, actor: Actor, node: AreaNode, *, today: date) -> Sheet:
    """Make the sheet of an area of the caller's scope; `today` is the day in the city."""
    month = today.replace(day=1)
    counts = overview.by_area(session, actor, [node])[0].counts
    kept = _kept(session, actor, node.code, month)
    lines = [Line(name, counts[name]) for name in overview.PEOPLE]
    for name, model in overview.THINGS.items():
        now = counts[name]
        assert isinstance(now, int)
        lines.append(
            Line(
                name, now,
                findings.completeness(session, actor, name, node.code, today=today),
                _change(session, actor, name, model, node.code, now, kept.get(name), month, today),
                _checked_at(session, actor, name, node.code),
            )
        )  # fmt: skip
    return Sheet(node, month, tuple(lines), _redrawn_on(session, node.code, month))


def _kept(session: Session, actor: Actor, area: str, month: date) -> Mapping[str, int]:
    rows = session.execute(
        select(BaseNumber.register, BaseNumber.n).where(
            scope.condition(actor, BaseNumber), BaseNumber.area_code == area,
            BaseNumber.month == month,
        )
    )  # fmt: skip
    return {register: n for register, n in rows}  # noqa: C416 - rows are no pairs


def _change(
    session: Session, actor: Actor, name: str, model: Any, area: str, now: int, kept: int | None,
    month: date, today: date,
) -> Change:  # fmt: skip
    here = (scope.condition(actor, model), scope.in_areas(model.area_code, (area,)))
    is_in, was_in = _standing(name, model, month)
    source = func.split_part(model.source, ":", 1)
    added = session.execute(
        select(source, func.count())
        .where(*here, model.valid_from >= month, model.valid_to.is_(None), is_in)
        .group_by(source)
        .order_by(func.count().desc(), source)
    ).all()
    old = model.valid_from < month
    row = session.execute(
        select(
            func.count().filter(
                old, model.valid_to >= month, model.valid_to <= today, was_in
            ).label("left"),
            func.count().filter(old, model.valid_to.is_(None), was_in, ~is_in).label("closed"),
            func.count().filter(old, model.valid_to.is_(None), is_in, ~was_in).label("reopened"),
        ).where(*here)
    ).one()  # fmt: skip
    fresh = tuple((where, n) for where, n in added)
    explained = sum(n for _, n in fresh) - row.left - row.closed + row.reopened
    other = 0 if kept is None else now - kept - explained
    return Change(kept, fresh, row.left, row.closed, row.reopened, other)


def _standing(
    name: str, model: Any, month: date
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Say whether an entry counts now, and whether it did when the month began."""
    if name not in _OUT:
        return true(), true()
    column, out = _OUT[name]
    is_in = getattr(model, column) != out
    # What stood before the first change of the month is what stood when it began.
    first = (
        select(RegisterChange.old[column].astext)
        .where(
            RegisterChange.register == model.__tablename__, RegisterChange.entry_id == model.id,
            RegisterChange.changed_at >= month, RegisterChange.old.has_key(column),
        )
        .order_by(RegisterChange.changed_at, RegisterChange.id)
        .limit(1)
        .scalar_subquery()
    )  # fmt: skip
    # Few entries change in a month: the others are not looked up one by one.
    changed = model.id.in_(
        select(RegisterChange.entry_id).where(
            RegisterChange.register == model.__tablename__, RegisterChange.changed_at >= month
        )
    )
    was_in = case((changed, func.coalesce(first, getattr(model, column)) != out), else_=is_in)
    return is_in, was_in


def _checked_at(session: Session, actor: Actor, name: str, area: str) -> datetime | None:
    """Return when somebody last looked at an entry of a register of an area."""
    seen = [
        session.scalar(
            select(func.max(Visit.done_at)).where(
                scope.condition(actor, Visit), scope.in_areas(Visit.area_code, (area,)),
                Visit.subject == name,
            )
        )
    ]  # fmt: skip
    if name == "premises":
        seen.append(
            session.scalar(
                select(func.max(Inspection.done_at)).where(
                    scope.condition(actor, Inspection),
                    scope.in_areas(Inspection.area_code, (area,)),
                )
            )
        )
    times = [at for at in seen if at is not None]
    return max(times) if times else None


def _redrawn_on(session: Session, area: str, month: date) -> date | None:
    """Return the last day of the month on which a border of a grid of the area has changed."""
    begun = func.lower(GridVersion.valid, type_=Date)
    return session.scalar(
        select(func.max(begun))
        .join(Grid, Grid.id == GridVersion.grid_id)
        .where(scope.in_areas(Grid.code, (area,)), begun > month)
    )


def keep(connection: Connection, month: date) -> int:
    """Keep the counts of every area as a month began, by the dates of the entries.

    What is kept already stays. Needs a role that may write the figures; commits nothing.
    Returns how many figures were kept.
    """
    kept = 0
    for name, model in overview.THINGS.items():
        column, out = _OUT.get(name, ("", ""))
        is_in = f"AND {column} <> '{out}'" if column else ""
        done = connection.execute(
            text(_KEEP.format(levels=AREAS_OF_CODE, table=model.__tablename__, is_in=is_in)),
            {"month": month, "register": name},
        )
        kept += done.rowcount
    return kept


_KEEP: Final = """
    INSERT INTO base_number (month, area_code, register, n)
    SELECT :month, coalesce(grid, community, town, county), :register, n
    FROM (
      SELECT grid, community, town, county, count(*) AS n
      FROM (SELECT {levels}
            FROM {table}
            WHERE valid_from < :month AND (valid_to IS NULL OR valid_to >= :month) {is_in}
           ) AS one
      GROUP BY GROUPING SETS ((county), (town), (community), (grid))
    ) AS summed
    WHERE coalesce(grid, community, town, county) IS NOT NULL
    ON CONFLICT DO NOTHING
"""
