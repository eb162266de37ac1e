"""How good the library is: addresses, doors, names and mean score by town."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Integer, func, or_, select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.buildings import Address
from grids.divisions import Area

TOWN_DIGITS: Final = 9
#: An address below is looked at: it has no door, no name, or its point is stray.
GOOD: Final = 90


@dataclass(frozen=True, slots=True)
class Standing:
    """The library of one town."""

    code: str
    name_zh: str
    name_en: str
    addresses: int
    without_door: int
    without_community: int
    below_good: int
    mean: float | None


def by_town(session: Session, actor: Actor) -> list[Standing]:
    """Return how good the library is in each town of the actor's areas."""
    town = func.left(Address.area_code, TOWN_DIGITS)
    no_door = (Address.number.is_(None)) & (Address.building.is_(None))
    shallow = func.length(Address.area_code) < 12
    statement = (
        select(
            town.label("code"), func.count().label("addresses"),
            func.count().filter(no_door).label("without_door"),
            func.count().filter(shallow).label("without_community"),
            func.count()
            .filter(or_(Address.quality < GOOD, Address.quality.is_(None)))
            .label("below_good"),
            func.avg(Address.quality.cast(Integer)).label("mean"),
        )
        .where(scope.condition(actor, Address), Address.plate_state != "cancelled")
        .group_by(town)
        .order_by(town)
    )  # fmt: skip
    rows = session.execute(statement).all()
    names = {
        row.code: (row.name_zh, row.name_en)
        for row in session.execute(
            select(Area.code, Area.name_zh, Area.name_en).where(
                Area.code.in_([row.code for row in rows]), scope.in_areas(Area.code, ("",))
            )
        )
    }
    return [
        Standing(
            row.code, *names.get(row.code, (row.code, row.code)), row.addresses, row.without_door,
            row.without_community, row.below_good,
            None if row.mean is None else round(float(row.mean), 1),
        )
        for row in rows
    ]  # fmt: skip
