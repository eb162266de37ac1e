"""Whose word holds: THE list of the order of sources for each field (survivorship).

Of several statements on one field that one is shown whose source stands first in `ORDER`; among
equals the newest, then the surest, then the source that is first by name. So the order in which
files arrive decides nothing. A source is named by the department that it belongs to
(`data/codes/departments.csv`), by `ground` (seen on the spot) or by `desk` (a steward's
correction, with a reason). Whoever is not named stands behind those who are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from grids.facts.models import Fact

DESK: Final = "desk"
GROUND: Final = "ground"
IMPORT: Final = "import:"
#: A department that a field does not name, or a source without a department.
ANY: Final = "*"
#: What a register held before statements were kept: the simulation, a map, nobody knows who.
BEFORE: Final = "before"
PLACE: Final = "place"

_MARKET: Final = "D12"
_HOUSING: Final = "D06"
#: Both have looked themselves: the later one knows better.
_SEEN: Final = frozenset({DESK, GROUND})


def _order(*steps: str | frozenset[str]) -> tuple[frozenset[str], ...]:
    return tuple(frozenset({step}) if isinstance(step, str) else step for step in steps)


#: What can be seen on the spot.
_AS_SEEN: Final = _order(_SEEN)
#: What an office has on paper; a sign over a door proves less.
_BY_MARKET: Final = _order(DESK, _MARKET, GROUND)
_BY_HOUSING: Final = _order(DESK, _HOUSING, GROUND)

#: register -> field -> who comes first; fields that are not named are `_AS_SEEN`.
ORDER: Final[Mapping[str, Mapping[str, tuple[frozenset[str], ...]]]] = {
    "enterprise": {
        "name": _BY_MARKET,
        "uscc": _BY_MARKET,
        "kind": _BY_MARKET,
        "industry": _BY_MARKET,
        "registered_on": _BY_MARKET,
        # Open or closed is seen at the door; who has only papers comes after the market office.
        "status": _order(_SEEN, _MARKET),
    },
    "building": {"built_year": _BY_HOUSING, "height_m": _BY_HOUSING},
}
_LAST_NAMED: Final = 50
_LAST: Final = 90


def who(source: str, department: str | None) -> str:
    """Return under which name a source stands in the order."""
    if source in _SEEN:
        return source
    return (department or ANY) if source.startswith(IMPORT) else BEFORE


def rank(register: str, field: str, name: str) -> int:
    """Return the place of a source in the order of a field; the lowest holds.

    >>> rank("enterprise", "name", "D12") < rank("enterprise", "name", "ground")
    True
    >>> rank("enterprise", "status", "ground") == rank("enterprise", "status", "desk")
    True
    """
    for place, step in enumerate(ORDER.get(register, {}).get(field, _AS_SEEN)):
        if name in step:
            return place
    return _LAST if name == BEFORE else _LAST_NAMED


def named(register: str, fields: Iterable[str]) -> list[dict[str, Any]]:
    """Return the order of some fields as rows, for statements over many entries."""
    return [
        {"field": field, "who": name, "place": place}
        for field in fields
        for place, step in enumerate(ORDER.get(register, {}).get(field, _AS_SEEN))
        for name in sorted(step)
    ]


def asks_ground(register: str, field: str) -> bool:
    """Say whether an answer from the spot holds against every department, so that asking helps."""
    first = ORDER.get(register, {}).get(field, _AS_SEEN)[0]
    return GROUND in first


def by_weight(
    register: str, statements: Iterable[Fact], departments: Mapping[str, str | None]
) -> list[Fact]:
    """Sort statements on one field, the one that holds first.

    `departments` names the department of each source `import:<code>`. The statements of
    `bulk` sort alike; a test holds the two together.
    """
    return sorted(
        statements,
        key=lambda one: (
            rank(register, one.field, who(one.source, departments.get(one.source))),
            -one.observed_at.timestamp(), -one.confidence, one.source,
        ),
    )  # fmt: skip


#: The same order in SQL, over a fact `f`, its source `i` (`import_source`) and the rows `k` of
#: `named`. Sorted bytewise, as Python sorts.
WHO: Final = f"""
    CASE WHEN f.source IN ('{DESK}', '{GROUND}') THEN f.source
         WHEN f.source ^@ '{IMPORT}' THEN coalesce(i.department_code, '{ANY}')
         ELSE '{BEFORE}' END"""
WEIGHT: Final = f"""
    coalesce(k.place, CASE WHEN f.source IN ('{DESK}', '{GROUND}') OR f.source ^@ '{IMPORT}'
                           THEN {_LAST_NAMED} ELSE {_LAST} END),
    f.observed_at DESC, f.confidence DESC, f.source COLLATE "C\""""
