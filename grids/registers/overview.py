"""How many of each register stand in an area and in the areas right under it.

Things are counted as they stand now; people, households and rentals are published figures of
`grids.people`, which may be withheld.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.area_tree import AreaNode
from grids.buildings import Address, Building
from grids.components import Component, Facility
from grids.enterprises import Enterprise, Premises
from grids.people import PeopleCount
from grids.profiles import WITHHELD
from grids.sites.models import Site

#: Register -> model; what is gone is not counted.
THINGS: Final[dict[str, Any]] = {
    "address": Address,
    "building": Building,
    "enterprise": Enterprise,
    "premises": Premises,
    "component": Component,
    "facility": Facility,
    "site": Site,
}
PEOPLE: Final = ("people", "households", "rentals")
REGISTERS: Final = (*PEOPLE, *THINGS)


@dataclass(frozen=True)
class RegisterRow:
    """The registers of one area: a number, `WITHHELD`, or nothing published."""

    area: AreaNode
    counts: dict[str, int | str | None]


def by_area(session: Session, actor: Actor, nodes: Sequence[AreaNode]) -> tuple[RegisterRow, ...]:
    """Count every register in each of some areas of one level, in the caller's scope."""
    if not nodes:
        return ()
    digits = len(nodes[0].code)
    codes = tuple(node.code for node in nodes)
    things = {name: _things(session, actor, model, codes, digits) for name, model in THINGS.items()}
    people = _people(session, actor, codes)
    return tuple(
        RegisterRow(
            node,
            {name: people.get((node.code, name)) for name in PEOPLE}
            | {name: found.get(node.code, 0) for name, found in things.items()},
        )
        for node in nodes
    )


def _things(
    session: Session, actor: Actor, model: Any, codes: tuple[str, ...], digits: int
) -> dict[str, int]:
    area = func.left(model.area_code, digits)
    statement = (
        select(area, func.count())
        .where(scope.condition(actor, model), scope.in_areas(model.area_code, codes), *_is(model))
        .group_by(area)
    )
    return {code: n for code, n in session.execute(statement)}  # noqa: C416 - rows are no pairs


def _is(model: Any) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [model.valid_to.is_(None)]
    if model is Enterprise:
        conditions.append(Enterprise.status != "closed")
    if model is Component:
        conditions.append(Component.state != "removed")
    return conditions


def _people(
    session: Session, actor: Actor, codes: tuple[str, ...]
) -> dict[tuple[str, str], int | str]:
    rows = session.execute(
        select(PeopleCount.area_code, PeopleCount.measure, PeopleCount.value).where(
            scope.condition(actor, PeopleCount),
            PeopleCount.area_code.in_(codes),
            PeopleCount.measure.in_(PEOPLE),
        )
    )
    return {(code, name): WITHHELD if value is None else value for code, name, value in rows}
