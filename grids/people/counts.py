"""The one service that answers how many people: counts published on a schedule.

What is told of a smallest area is drawn by `counts_blur`; which sums may be told is decided by
`counts_rule`. The draws are kept in `people_draw`, which only the worker's role may read; all
others read `people_count` and `people_group_count`, which hold what may be told and no more.
`docs/counts.md` has the rule in plain words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from random import Random, SystemRandom
from typing import Any, Final

from sqlalchemy import Connection, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grids.bulk import copy_frame
from grids.db import Base, code_column, personal, queries
from grids.people import counts_blur, counts_rule
from grids.people.counts_blur import Blur, Drawn
from grids.people.counts_rule import Tree

#: What is counted of every area; people are counted where they live now.
MEASURES: Final = ("people", "migrants", "aged_60", "children", "households", "rentals")
#: Counts are told on a schedule: two that are a day apart would tell of one registration (S35).
PUBLISHED_EVERY: Final = timedelta(days=7)
#: The draws of every smallest area, for the measures above.
PEOPLE: Final = "people"


class PeopleCount(Base):
    """A published count of people in a fixed area: moved by chance, rounded, else withheld.

    `value` is null where the count is too small to be told, or withheld so that it cannot be
    found by subtracting its neighbours from their total.
    """

    __tablename__ = "people_count"
    __table_args__ = (Index("people_count_area_code_idx", "area_code"),)
    __level__ = "L2"

    area_code: Mapped[str] = mapped_column(code_column(), primary_key=True)
    measure: Mapped[str] = mapped_column(
        primary_key=True
    )  #: people, migrants, households, rentals, aged_60, children
    published_at: Mapped[datetime]
    value: Mapped[int | None]


class PeopleDraw(Base):
    """What was drawn of a smallest area and what was true then; read by the worker alone."""

    __tablename__ = "people_draw"
    __level__ = "L3"

    subject: Mapped[str] = mapped_column(primary_key=True)  #: people, groups, or a key population
    leaf: Mapped[str] = mapped_column(code_column(), primary_key=True)
    drawn_on: Mapped[date]
    lasts: Mapped[int]
    kinds: Mapped[dict[str, Any]] = mapped_column(JSONB, info=personal("L3"))
    told: Mapped[dict[str, Any]] = mapped_column(JSONB)


def publish_areas(connection: Connection, now: datetime, chance: Random | None = None) -> int:
    """Count people anew and publish what may be told of every area; return how many rows.

    Needs a role that may read persons (worker or owner); the web role reads only what is
    published here. Commits nothing. `chance` is for tests: nobody may be able to repeat it.
    """
    chance = chance or SystemRandom()
    found = connection.execute(queries("people")["areas_of_today"], {"today": now.date()})
    codes = sorted(found.scalars())
    if not codes:
        return 0
    counted = _counted(connection, codes, now)
    tree, drawn = draw_leaves(
        connection, PEOPLE, codes, counted, measures=MEASURES, on=now.date(), chance=chance
    )
    told = counts_rule.publishable(
        tree,
        {name: {leaf: one.values[name] for leaf, one in drawn.items()} for name in MEASURES},
    )
    connection.execute(text("DELETE FROM people_count"))
    return copy_frame(
        connection,
        "people_count",
        {
            "area_code": codes * len(MEASURES),
            "measure": [name for name in MEASURES for _ in codes],
            "published_at": [now] * (len(codes) * len(MEASURES)),
            "value": [told[name].get(code) for name in MEASURES for code in codes],
        },
    )


Counted = Mapping[str, tuple[Mapping[str, int], Mapping[str, int]]]


def draw_leaves(
    connection: Connection,
    subject: str,
    codes: Sequence[str],
    counted: Counted,
    *,
    measures: Sequence[str],
    on: date,
    chance: Random,
    blur: Blur = counts_blur.SMALL,
) -> tuple[Tree, dict[str, Drawn]]:
    """Keep or renew what is drawn of every leaf; return the tree of areas and the draws.

    `counted` has, for the deepest area known of everybody, the kinds and the measures there.
    People of an area who are in none of its parts belong to the rest of it; once there were
    some, the rest stays, so that its coming and going says nothing. Draws of areas that are
    gone stay for a year: who lays out an area again and again gets the same numbers.
    """
    root = counts_rule.root_of(codes)
    tree = counts_rule.tree_of(codes, root)
    before = _kept(connection, subject)
    here = {counts_rule.leaf_of(tree, code): found for code, found in counted.items()}
    known = set(tree.order)
    rests = {leaf for leaf in {*here, *before}
             if leaf.endswith(counts_rule.REST) and leaf[:-1] in known}  # fmt: skip
    tree = counts_rule.tree_of([*codes, *rests], root)
    nobody: tuple[Mapping[str, int], Mapping[str, int]] = ({}, {})
    drawn: dict[str, Drawn] = {}
    for leaf in tree.order:
        if leaf in tree.children:
            continue
        kinds, found = here.get(leaf, nobody)
        full = {name: found.get(name, 0) for name in measures}
        drawn[leaf] = counts_blur.renewed(
            before.get(leaf), kinds, full, blur=blur, on=on, chance=chance
        )
    gone = {leaf: one for leaf, one in before.items()
            if leaf not in drawn and on - one.drawn_on < counts_blur.RENEWED_AFTER}  # fmt: skip
    _keep(connection, subject, {**gone, **drawn})
    return tree, drawn


def _kept(connection: Connection, subject: str) -> dict[str, Drawn]:
    rows = connection.execute(queries("people")["draws"], {"subject": subject})
    return {row.leaf: Drawn(row.drawn_on, row.lasts, row.kinds, row.told) for row in rows}


def _keep(connection: Connection, subject: str, drawn: Mapping[str, Drawn]) -> None:
    connection.execute(text("DELETE FROM people_draw WHERE subject = :s"), {"s": subject})
    copy_frame(
        connection,
        "people_draw",
        {
            "subject": [subject] * len(drawn),
            "leaf": list(drawn),
            "drawn_on": [one.drawn_on for one in drawn.values()],
            "lasts": [one.lasts for one in drawn.values()],
            "kinds": [dict(one.kinds) for one in drawn.values()],
            "told": [dict(one.values) for one in drawn.values()],
        },
    )


def _counted(connection: Connection, codes: Sequence[str], now: datetime) -> Counted:
    """Count everybody once, at the deepest area of today that holds them."""
    known = set(codes)
    measures: dict[str, dict[str, int]] = {}
    kinds: dict[str, dict[str, int]] = {}
    for name in ("persons_by_kind", "households_by_area", "rentals_by_area"):
        values = {"today": now.date()} if name == "persons_by_kind" else {}
        for row in connection.execute(queries("people")[name], values):
            code = counts_rule.deepest(row.area_code, known)
            if code is None:
                continue
            of_area = kinds.setdefault(code, {})
            of_area[row.kind] = of_area.get(row.kind, 0) + row.n
            counts = measures.setdefault(code, dict.fromkeys(MEASURES, 0))
            for measure in _measures_of(row.kind):
                counts[measure] += row.n
    return {code: (kinds[code], measures[code]) for code in kinds}


def _measures_of(kind: str) -> tuple[str, ...]:
    """Say which measures somebody of a kind counts in: `migrant 60-79` in three of them."""
    if kind in ("households", "rentals"):
        return (kind,)
    residency, band = kind.split(" ")
    found = ["people"]
    if residency == "migrant":
        found.append("migrants")
    if band in ("60-79", "80+"):
        found.append("aged_60")
    if band in ("0-5", "6-14"):
        found.append("children")
    return tuple(found)
