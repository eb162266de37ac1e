"""Key population beside the forces and services of an area, from what is published only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.area_tree import AreaNode, areas_under
from grids.cells import TODAY, Grid, GridVersion
from grids.codes import PopulationCategory
from grids.db import queries
from grids.key_population.models import PopulationTold
from grids.people import PeopleCount, PeopleGroupCount
from grids.people.counts_groups import AGES, ALL, HOUSEHOLD_KINDS, RESIDENCIES

#: Facilities that serve the people counted here.
SERVICES: Final = ("clinic", "hospital", "community_centre", "social_facility", "grid_station",
                   "police", "government", "school", "kindergarten")  # fmt: skip
#: Groups that every duty grid has a measure of: that table is finer than the one of groups.
MEASURE_OF: Final = {
    (ALL, ALL, ALL): "people",
    (ALL, "migrant", ALL): "migrants",
    ("60+", ALL, ALL): "aged_60",
    ("0-14", ALL, ALL): "children",
}
#: How many months the history shows.
MONTHS: Final = 12
#: A stronger word than None: nobody has given a count of this area.
NOT_GIVEN: Final = "not_given"
WITHHELD: Final = "withheld"
GRID_CODE: Final = 15

#: A number that is told, `WITHHELD`, or `NOT_GIVEN`.
Shown = int | str


@dataclass(frozen=True)
class AreaRow:
    """One area of the table."""

    area: AreaNode
    count: Shown
    before: Shown  #: a month earlier
    people: Shown
    workers: int
    on_duty: int
    services: int

    @property
    def per_worker(self) -> float | None:
        """How many of the counted stand behind one worker on duty."""
        if not isinstance(self.count, int) or not self.on_duty:
            return None
        return self.count / self.on_duty


@dataclass(frozen=True)
class Force:
    """Workers who answer for an area or a part of it, and services that stand in it."""

    workers: int = 0
    on_duty: int = 0
    services: int = 0


def categories(session: Session) -> Sequence[PopulationCategory]:
    """List the kinds of key population."""
    return session.scalars(
        select(PopulationCategory).order_by(PopulationCategory.sort, PopulationCategory.code)
    ).all()


def periods(session: Session, actor: Actor) -> Sequence[date]:
    """List the months of which anything is told in the caller's areas, the latest first."""
    months = scope.visible(select(PopulationTold.period).distinct(), actor, PopulationTold)
    return session.scalars(months.order_by(PopulationTold.period.desc())).all()


def children_of(session: Session, actor: Actor, area: str) -> tuple[AreaNode, ...]:
    """Return the areas right under one; for a caller of one area, those inside it."""
    nodes = areas_under(session, actor, area)
    if not area and len(nodes) == 1 and len(nodes[0].code) < GRID_CODE:
        return areas_under(session, actor, nodes[0].code)
    return nodes


def key_population(
    session: Session, actor: Actor, nodes: Sequence[AreaNode], *,
    category: str, period: date | None, now: datetime,
) -> tuple[AreaRow, ...]:  # fmt: skip
    """Set the count of a kind in a month beside what each area has to answer it."""
    codes = [node.code for node in nodes]
    told = _told(session, actor, codes, category, period)
    before = _told(session, actor, codes, category, _month_before(period))
    return _rows(session, actor, nodes, told, before, now)


def group(
    session: Session, actor: Actor, nodes: Sequence[AreaNode], *,
    age: str, residency: str, household: str, now: datetime,
) -> tuple[AreaRow, ...]:  # fmt: skip
    """Set the published count of a group of people beside the same."""
    codes = [node.code for node in nodes]
    measure = MEASURE_OF.get((age, residency, household))
    if measure is not None:
        by_code = _people(session, actor, codes, measure)
        whole = {code: by_code.get(code, WITHHELD) for code in codes}
        return _rows(session, actor, nodes, whole, {}, now)
    found = session.execute(
        select(PeopleGroupCount.area_code, PeopleGroupCount.value).where(
            scope.condition(actor, PeopleGroupCount),
            PeopleGroupCount.area_code.in_(codes),
            PeopleGroupCount.age == age,
            PeopleGroupCount.residency == residency,
            PeopleGroupCount.household == household,
        )
    )
    told: dict[str, Shown] = {code: WITHHELD if len(code) < GRID_CODE else NOT_GIVEN
                              for code in codes}  # fmt: skip
    told.update((row.area_code, row.value) for row in found)
    return _rows(session, actor, nodes, told, {}, now)


def history(
    session: Session, actor: Actor, area: str, category: str
) -> tuple[tuple[date, int | None], ...]:
    """Return what is told of one area month by month, the oldest first."""
    rows = session.execute(
        select(PopulationTold.period, PopulationTold.value)
        .where(
            scope.condition(actor, PopulationTold),
            PopulationTold.area_code == area,
            PopulationTold.category == category,
        )
        .order_by(PopulationTold.period.desc())
        .limit(MONTHS)
    ).all()
    return tuple((row.period, row.value) for row in reversed(rows))


def published_on(session: Session) -> datetime | None:
    """Return when counts of groups were published last."""
    return session.scalar(select(func.max(PeopleGroupCount.published_at)))


def _rows(
    session: Session, actor: Actor, nodes: Sequence[AreaNode],
    told: Mapping[str, Shown], before: Mapping[str, Shown], now: datetime,
) -> tuple[AreaRow, ...]:  # fmt: skip
    codes = [node.code for node in nodes]
    people = _people(session, actor, codes)
    forces = forces_of(session, codes, now)
    return tuple(
        AreaRow(
            area=node,
            count=told.get(node.code, NOT_GIVEN),
            before=before.get(node.code, NOT_GIVEN),
            people=people.get(node.code, WITHHELD),
            workers=forces[node.code].workers,
            on_duty=forces[node.code].on_duty,
            services=forces[node.code].services,
        )
        for node in nodes
    )


def _told(
    session: Session, actor: Actor, codes: Sequence[str], category: str, period: date | None
) -> dict[str, Shown]:
    if period is None:
        return {}
    rows = session.execute(
        select(PopulationTold.area_code, PopulationTold.value).where(
            scope.condition(actor, PopulationTold),
            PopulationTold.area_code.in_(codes),
            PopulationTold.category == category,
            PopulationTold.period == period,
        )
    )
    return {row.area_code: WITHHELD if row.value is None else row.value for row in rows}


def _people(
    session: Session, actor: Actor, codes: Sequence[str], measure: str = "people"
) -> dict[str, Shown]:
    rows = session.execute(
        select(PeopleCount.area_code, PeopleCount.value).where(
            scope.condition(actor, PeopleCount),
            PeopleCount.area_code.in_(codes),
            PeopleCount.measure == measure,
        )
    )
    return {row.area_code: WITHHELD if row.value is None else row.value for row in rows}


def forces_of(session: Session, codes: Sequence[str], now: datetime) -> dict[str, Force]:
    """Count workers, those on duty, and services of areas of one level."""
    if not codes:
        return {}
    asked = {
        "lo": min(codes),
        "hi": scope.code_range(max(codes))[1],
        "now": now,
        "today": now.date(),
        "length": len(codes[0]),
        "kinds": list(SERVICES),
    }
    found = dict.fromkeys(codes, Force())
    for row in session.execute(queries("key_population")["forces"], asked):
        code = row.code[: len(codes[0])]
        if code in found:
            one = found[code]
            found[code] = Force(one.workers + row.workers, one.on_duty + row.on_duty, one.services)
    for row in session.execute(queries("key_population")["services"], asked):
        if row.code in found:
            one = found[row.code]
            found[row.code] = Force(one.workers, one.on_duty, row.services)
    return found


def _month_before(period: date | None) -> date | None:
    if period is None:
        return None
    return date(period.year - (period.month == 1), (period.month - 2) % 12 + 1, 1)


def is_choice(age: str, residency: str, household: str) -> bool:
    """Say whether a group is one of those that are published."""
    return age in AGES and residency in (ALL, *RESIDENCIES) and household in (ALL, *HOUSEHOLD_KINDS)


def grid_codes(session: Session, actor: Actor, area: str) -> Sequence[str]:
    """List the duty grids of today inside an area of the caller."""
    return session.scalars(
        select(Grid.code)
        .join(GridVersion, GridVersion.grid_id == Grid.id)
        .where(
            GridVersion.valid.op("@>")(TODAY),
            scope.in_areas(Grid.code, actor.areas),
            scope.in_areas(Grid.code, (area,)),
        )
        .order_by(Grid.code)
    ).all()
