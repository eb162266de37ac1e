"""Groups of people by age, residency and kind of household, as counts per area (S0-015).

The boxes are the thirty kinds in each community. A group is a choice in each of the three;
what is told of it is the sum of its boxes, by the same rule as every count of people. There
is no list behind a group and no way to one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import product
from random import Random, SystemRandom
from typing import Final

from sqlalchemy import Connection, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from grids.bulk import copy_frame
from grids.db import Base, code_column, queries
from grids.people import counts_blur, counts_rule
from grids.people.counts import draw_leaves
from grids.people.counts_blur import Drawn
from grids.people.counts_rule import Tree

GROUPS: Final = "groups"
#: Stands for every value of a dimension.
ALL: Final = "all"
AGE_BANDS: Final = ("0-5", "6-14", "15-59", "60-79", "80+")
RESIDENCIES: Final = ("registered", "migrant")
HOUSEHOLD_KINDS: Final = ("family", "shared", "collective")
#: Choices of age that a group may have: single bands and the bands that belong together.
AGES: Final[dict[str, tuple[str, ...]]] = {
    ALL: AGE_BANDS,
    **{band: (band,) for band in AGE_BANDS},
    "0-14": AGE_BANDS[:2],
    "60+": AGE_BANDS[3:],
}
#: Groups are told of communities, towns and counties; in a grid most of them are too small.
DEEPEST: Final = 12


class PeopleGroupCount(Base):
    """A published count of a group of people in an area. What is withheld has no row."""

    __tablename__ = "people_group_count"
    __table_args__ = (Index("people_group_count_area_code_idx", "area_code"),)
    __level__ = "L2"

    age: Mapped[str] = mapped_column(primary_key=True)
    residency: Mapped[str] = mapped_column(primary_key=True)
    household: Mapped[str] = mapped_column(primary_key=True)
    area_code: Mapped[str] = mapped_column(code_column(), primary_key=True)
    published_at: Mapped[datetime]
    value: Mapped[int]


Group = tuple[str, str, str]


def groups() -> Iterator[tuple[Group, tuple[str, ...]]]:
    """List every group with the kinds of boxes in it."""
    residencies = {ALL: RESIDENCIES, **{one: (one,) for one in RESIDENCIES}}
    households = {ALL: HOUSEHOLD_KINDS, **{one: (one,) for one in HOUSEHOLD_KINDS}}
    for age, residency, household in product(AGES, residencies, households):
        parts = product(AGES[age], residencies[residency], households[household])
        yield (age, residency, household), tuple(" ".join(part) for part in parts)


#: Every kind of box.
KINDS: Final = tuple(" ".join(part) for part in product(AGE_BANDS, RESIDENCIES, HOUSEHOLD_KINDS))


def publish_groups(connection: Connection, now: datetime, chance: Random | None = None) -> int:
    """Count groups anew and publish what may be told; return how many rows.

    Like `publish_areas`: for the worker and the owner, on the same schedule.
    """
    chance = chance or SystemRandom()
    found = connection.execute(queries("people")["areas_of_today"], {"today": now.date()})
    codes = sorted(code for code in found.scalars() if len(code) <= DEEPEST)
    if not codes:
        return 0
    counted: dict[str, dict[str, int]] = {}
    for row in connection.execute(queries("people")["persons_by_group"], {"today": now.date()}):
        code = counts_rule.deepest(row.area_code[:DEEPEST], set(codes))
        if code is not None and row.kind in KINDS:
            of_area = counted.setdefault(code, dict.fromkeys(KINDS, 0))
            of_area[row.kind] += row.n
    tree, drawn = draw_leaves(
        connection, GROUPS, codes, {code: (one, one) for code, one in counted.items()},
        measures=KINDS, on=now.date(), chance=chance, blur=counts_blur.FINE,
    )  # fmt: skip
    connection.execute(text("DELETE FROM people_group_count"))
    rows = list(told_groups(tree, drawn, codes))
    return copy_frame(
        connection,
        "people_group_count",
        {
            "age": [group[0] for group, _, _ in rows],
            "residency": [group[1] for group, _, _ in rows],
            "household": [group[2] for group, _, _ in rows],
            "area_code": [code for _, code, _ in rows],
            "published_at": [now] * len(rows),
            "value": [value for _, _, value in rows],
        },
    )


def told_groups(
    tree: Tree, drawn: Mapping[str, Drawn], codes: Sequence[str]
) -> Iterator[tuple[Group, str, int]]:
    """Yield every group and area that may be told, with its number."""
    for group, kinds in groups():
        values = {leaf: sum(one.values.get(kind, 0) for kind in kinds)
                  for leaf, one in drawn.items()}  # fmt: skip
        found = counts_rule.tellable(tree, values, counts_blur.FINE, boxes=len(kinds))
        for code in codes:
            if code in found.told:
                yield group, code, found.sums[code]
