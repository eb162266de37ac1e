"""All that is known of one entry: its facts, what stands in and around it, what happened there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.area_tree import area_names
from grids.buildings import Address, Building, Dwelling
from grids.cells import Grid
from grids.codes import Category, Department
from grids.components import Component
from grids.db import queries
from grids.enterprises import Enterprise, Premises
from grids.hazards.models import Hazard, Inspection
from grids.incidents.listing import CaseRow, cases_of
from grids.incidents.models import Incident
from grids.registers.kinds import KINDS, Kind, NoEntry
from grids.regrid.history import grid_at

MOST: Final = 20
#: Cases this far from a place are shown with it; a report is rarely nearer to the truth.
NEAR_M: Final = 30.0
DEGREE_M: Final = 90_000.0  #: no degree is shorter where the city may lie, so the box holds all


@dataclass(frozen=True)
class Relation:
    """Entries that belong to this one: register, how they belong, the first of them, how many."""

    kind: str
    word: str
    entries: tuple[Any, ...]
    total: int


@dataclass(frozen=True)
class Detail:
    """One entry with everything around it that the caller may see."""

    kind: Kind
    entry: Any
    lon: float
    lat: float
    areas: tuple[tuple[str, tuple[str, str]], ...]  #: code and names: town, community
    grid: Grid | None
    worker: str | None
    dwellings: dict[str, int]  #: use -> homes, of a building
    relations: tuple[Relation, ...]
    cases: tuple[CaseRow, ...] | None  #: None: the caller may see no cases
    inspections: tuple[Any, ...] = ()
    hazards: tuple[Any, ...] = ()
    names: dict[str, tuple[str, str]] = field(default_factory=dict)  #: of codes, in both languages


def entry_of(session: Session, actor: Actor, kind: Kind, entry_id: int) -> Any:
    """Return one entry in the caller's scope. Raises `NoEntry`."""
    model = kind.model
    found = session.scalar(select(model).where(scope.condition(actor, model), model.id == entry_id))
    if found is None or not actor.can(kind.permission):
        raise NoEntry(f"no {kind.name} {entry_id}")
    return found


def detail(
    session: Session, actor: Actor, kind: Kind, entry_id: int, *, now: datetime,
    on: date | None = None,
) -> Detail:  # fmt: skip
    """Gather what is known of an entry; with `on`, its grid is that of the day. Raises `NoEntry`."""
    entry = entry_of(session, actor, kind, entry_id)
    lon, lat = session.execute(
        select(func.ST_X(_point(kind)), func.ST_Y(_point(kind))).where(kind.model.id == entry_id)
    ).one()
    grid = session.get(Grid, entry.grid_id) if entry.grid_id else None
    if on is not None:
        grid = grid_at(session, lon, lat, on)
    code = entry.area_code
    is_premises = kind.name == "premises"
    return Detail(
        kind=kind,
        entry=entry,
        lon=lon,
        lat=lat,
        areas=tuple((code[:n], area_names(session, code[:n])) for n in (9, 12) if len(code) >= n),
        grid=grid,
        worker=_worker(session, grid, now) if grid and on is None else None,
        dwellings=_dwellings(session, entry_id) if kind.name == "building" else {},
        relations=tuple(r for r in _relations(session, actor, kind, entry) if r.total),
        cases=_cases(session, actor, kind, entry, lon, lat, now),
        inspections=_of_premises(session, actor, Inspection, entry_id) if is_premises else (),
        hazards=_of_premises(session, actor, Hazard, entry_id) if is_premises else (),
        names=_names(session, kind, entry),
    )


def _point(kind: Kind) -> Any:
    return func.ST_PointOnSurface(kind.model.geom)


def _worker(session: Session, grid: Grid, now: datetime) -> str | None:
    values = {"code": grid.code, "now": now, "today": now.date()}
    row = session.execute(queries("profiles")["worker_of_grid"], values).first()
    return row.name if row else None


def _dwellings(session: Session, building_id: int) -> dict[str, int]:
    rows = session.execute(
        select(Dwelling.use, func.count())
        .where(Dwelling.building_id == building_id)
        .group_by(Dwelling.use)
        .order_by(Dwelling.use)
    )
    return {use: count for use, count in rows}  # noqa: C416 - rows are no pairs


def _relations(session: Session, actor: Actor, kind: Kind, entry: Any) -> Sequence[Relation]:
    def some(name: str, word: str, *conditions: Any) -> Relation:
        other = KINDS[name]
        if not actor.can(other.permission):
            return Relation(name, word, (), 0)
        found = (
            select(other.model)
            .where(scope.condition(actor, other.model), other.model.valid_to.is_(None), *conditions)
            .order_by(other.model.id)
        )
        rows = session.scalars(found.limit(MOST + 1)).all()
        total = len(rows)
        if total > MOST:
            total = session.scalar(select(func.count()).select_from(found.subquery())) or 0
        return Relation(name, word, tuple(rows[:MOST]), total)

    key = entry.id
    if kind.name == "building":
        of_address = Enterprise.address_id == entry.address_id
        return [
            some("address", "names_it", Address.id == entry.address_id),
            some("enterprise", "at_its_address", of_address),
            some("premises", "inside", Premises.building_id == key),
        ]
    if kind.name == "address":
        return [
            some("building", "named_by_it", Building.address_id == key),
            some("enterprise", "registered_here", Enterprise.address_id == key),
        ]
    if kind.name == "enterprise":
        return [
            some("address", "names_it", Address.id == entry.address_id),
            some("premises", "runs", Premises.enterprise_id == key),
            some("building", "at_its_address", Building.address_id == entry.address_id),
        ]
    if kind.name == "site":
        return [some("address", "names_it", Address.id == entry.address_id)]
    if kind.name == "premises":
        return [
            some("enterprise", "run_by", Enterprise.id == entry.enterprise_id),
            some("building", "stands_in", Building.id == entry.building_id),
        ]
    return []


def _cases(
    session: Session, actor: Actor, kind: Kind, entry: Any, lon: float, lat: float, now: datetime
) -> tuple[CaseRow, ...] | None:
    """Return the newest cases of a component, or near the place of anything else."""
    if not actor.can("incident:view"):
        return None
    statement = (
        select(Incident.id)
        .where(scope.condition(actor, Incident))
        .order_by(Incident.received_at.desc())
        .limit(MOST)
    )
    if kind.model is Component:
        statement = statement.where(Incident.component_id == entry.id)
    else:
        reach = NEAR_M / DEGREE_M
        box = func.ST_MakeEnvelope(lon - reach, lat - reach, lon + reach, lat + reach, 4490)
        place = func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4490)
        statement = statement.where(
            Incident.geom.op("&&")(box),
            func.ST_Distance(
                func.geography(func.ST_Transform(Incident.geom, 4326)),
                func.geography(func.ST_Transform(place, 4326)),
            )
            <= NEAR_M,
        )
    rows = cases_of(session, actor, session.scalars(statement).all(), now=now)
    return tuple(sorted(rows, key=lambda row: row.received_at, reverse=True))


def _of_premises(session: Session, actor: Actor, model: Any, key: int) -> tuple[Any, ...]:
    if not actor.can("hazard:view"):
        return ()
    order = model.done_at if model is Inspection else model.opened_at
    rows = session.scalars(
        select(model)
        .where(scope.condition(actor, model), model.premises_id == key)
        .order_by(order.desc())
        .limit(MOST)
    )
    return tuple(rows)


def _names(session: Session, kind: Kind, entry: Any) -> dict[str, tuple[str, str]]:
    """Read the names of the codes that an entry carries."""
    names: dict[str, tuple[str, str]] = {}
    for fact in kind.facts:
        value = getattr(entry, fact.column)
        if value is None:
            continue
        if fact.form == "department":
            row: Any = session.get(Department, value)
        elif fact.form == "category":
            row = session.scalar(
                select(Category).where(
                    Category.kind == "component",
                    Category.code == value,
                    Category.code_system == entry.code_system,
                )
            )
        else:
            continue
        if row is not None:
            names[fact.column] = (row.name_zh, row.name_en)
    return names
