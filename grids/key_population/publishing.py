"""Publish counts of key population by the rule of all counts of people.

The department's counts are ten or more, or "fewer than ten", which nobody here knows. The
boxes are the counts of the smallest areas given, and the rest where an area was given with
its parts; sums are sums of boxes. Values are kept from month to month until ten to
twenty-four people have come or gone, so that a month tells no single case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from random import Random, SystemRandom
from typing import Final

from sqlalchemy import Connection, text

from grids.bulk import copy_frame
from grids.db import queries
from grids.people import counts_rule
from grids.people.counts import Counted, draw_leaves
from grids.people.counts_blur import SMALL

MEASURE: Final = "n"


def publish_waiting(connection: Connection, now: datetime, chance: Random | None = None) -> int:
    """Publish every kind and month with a newer table; return how many. Commits nothing.

    Needs the role of the worker or the owner: nobody else may read what was given.
    """
    waiting = connection.execute(queries("key_population")["waiting"]).all()
    for row in waiting:
        _publish(connection, row.category, row.period, now, chance or SystemRandom())
    return len(waiting)


def _publish(
    connection: Connection, category: str, period: date, now: datetime, chance: Random
) -> None:
    asked = {"category": category, "period": period}
    given = {
        row.area_code: row.given
        for row in connection.execute(queries("key_population")["given"], asked)
    }
    codes, boxes = nodes_of(given), boxes_of(given)
    tree, drawn = draw_leaves(
        connection,
        f"key:{category}",
        nodes_of(boxes),
        boxes,
        measures=(MEASURE,),
        on=period,
        chance=chance,
    )
    values = {leaf: one.values.get(MEASURE, 0) for leaf, one in drawn.items()}
    found = counts_rule.tellable(tree, values, SMALL)
    connection.execute(
        text("DELETE FROM population_told WHERE category = :category AND period = :period"), asked
    )
    copy_frame(
        connection,
        "population_told",
        {
            "category": [category] * len(codes),
            "period": [period] * len(codes),
            "area_code": codes,
            "value": [found.sums[code] if code in found.told else None for code in codes],
            "published_at": [now] * len(codes),
        },
    )


def nodes_of(given: Iterable[str]) -> list[str]:
    """Return the areas given and all areas above them.

    >>> nodes_of(["339901001001"])
    ['339901', '339901001', '339901001001']
    """
    return sorted({code[:n] for code in given for n in (6, 9, 12, 15) if n <= len(code)})


def boxes_of(given: Mapping[str, int | None]) -> Counted:
    """Count every person in one box: the smallest area given, or the rest of an area.

    Fewer than ten count as nought, for nobody knows how many they are; where an area above
    was given they are in its rest and have no box of their own.

    >>> boxes = boxes_of({"339901001": 60, "339901001001": 25, "339901001002": None})
    >>> {code: counts["n"] for code, (_, counts) in boxes.items()}
    {'339901001001': 25, '339901001': 35}
    """
    inside: dict[str, int] = {}
    own: dict[str, int] = {}
    has_parts = {code[:n] for code in given for n in (6, 9, 12) if n < len(code)}
    for code in sorted(given, key=len, reverse=True):
        count = given[code] or 0
        parts = inside.get(code, 0)
        above = next((code[:n] for n in (12, 9, 6) if n < len(code) and code[:n] in given), None)
        if given[code] is not None:
            own[code] = max(0, count - parts)
        elif above is None:
            own[code] = 0
        if above is not None:
            inside[above] = inside.get(above, 0) + max(count, parts)
    return {
        code: ({MEASURE: count}, {MEASURE: count})
        for code, count in own.items()
        if code not in has_parts or count
    }
