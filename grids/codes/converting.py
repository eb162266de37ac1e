"""From one list of codes to another, and how sure that is.

Codes of 2007 mean different things in different cities, so the bare name of that list leads
nowhere: the table of the city has to be named (`CJT214-2007-A`, or one the city has loaded).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids.codes.models import DEFAULT_SYSTEM, LOCAL_SYSTEM, Category, CodeMap, CodeSystem
from grids.errors import Invalid, NotFound

Relation = Literal["exact", "name", "broader", "narrower", "none"]
#: What a relation is when read from the other end.
TURNED: Final[dict[str, Relation]] = {
    "exact": "exact", "name": "name", "broader": "narrower", "narrower": "broader",
}  # fmt: skip
#: The city's own codes stand beside those of the standard.
BESIDE: Final = {DEFAULT_SYSTEM: (DEFAULT_SYSTEM, LOCAL_SYSTEM)}


class UnknownSystem(NotFound):
    """There is no list of codes of that name."""

    code = "codes.unknown_system"


class UnknownCode(NotFound):
    """The list has no such code."""

    code = "codes.unknown_code"


class NeedsCityTable(Invalid):
    """Cities give the codes of this list different meanings: name the city's own table."""

    code = "codes.needs_table"


@dataclass(frozen=True)
class Target:
    """One code of the other list."""

    code_system: str
    code: str
    relation: Relation
    source: str


@dataclass(frozen=True)
class Conversion:
    """What a code is in another list: no target, one, or several to choose from."""

    kind: str
    code_system: str
    code: str
    targets: tuple[Target, ...]

    @property
    def certain(self) -> Target | None:
        """Return the one target that may be taken without a person: the same thing, or a wider."""
        sure = [one for one in self.targets if one.relation in ("exact", "name", "broader")]
        return sure[0] if len(sure) == 1 and len(self.targets) == 1 else None


def convert(
    session: Session, code: str, from_system: str, to_system: str, *, kind: str = "component"
) -> Conversion:
    """Return what a code of one list is in another, with the relation of each target.

    Ended codes convert too: they stand in old data. Raises `UnknownSystem`, `UnknownCode` and,
    for lists that mean different things in different cities, `NeedsCityTable`.
    """
    for name in (from_system, to_system):
        _require_table(session, name)
    starts = BESIDE.get(from_system, (from_system,))
    known = session.scalar(
        select(Category.code_system).where(
            Category.code_system.in_(starts), Category.kind == kind, Category.code == code
        )
    )
    if known is None:
        raise UnknownCode(
            f"{from_system} has no {kind} {code}", system=from_system, kind=kind, code=code
        )
    if to_system in (from_system, *BESIDE.get(from_system, ())):
        return Conversion(kind, known, code, (Target(known, code, "exact", "the same list"),))
    ends = BESIDE.get(to_system, (to_system,))
    targets = [*_ahead(session, kind, known, code, ends), *_back(session, kind, known, code, ends)]
    if not targets and not {from_system, to_system} & {DEFAULT_SYSTEM, LOCAL_SYSTEM}:
        targets = _over_the_standard(session, kind, code, from_system, to_system)
    return Conversion(kind, known, code, tuple(sorted(set(targets), key=lambda one: one.code)))


def _require_table(session: Session, name: str) -> None:
    system = session.get(CodeSystem, name)
    if system is None:
        raise UnknownSystem(f"no list of codes {name!r}", system=name)
    if system.needs_table:
        tables = tables_of(session, name)
        raise NeedsCityTable(
            f"codes of {name} differ from city to city: name one of {', '.join(tables) or 'yours'}",
            system=name,
            tables=", ".join(tables) or "–",
        )


def tables_of(session: Session, system: str) -> list[str]:
    """Name the city tables of a list."""
    found = session.scalars(
        select(CodeSystem.code)
        .where(CodeSystem.code.startswith(f"{system}-", autoescape=True))
        .order_by(CodeSystem.code)
    )
    return list(found)


def _ahead(
    session: Session, kind: str, system: str, code: str, ends: tuple[str, ...]
) -> list[Target]:
    return [
        Target(row.to_system, row.to_code, TURNED[TURNED[row.relation]], row.source)
        for row in _rows(
            session,
            CodeMap.kind == kind,
            CodeMap.from_system == system,
            CodeMap.from_code == code,
            CodeMap.to_system.in_(ends),
        )
        if row.relation in TURNED
    ]


def _back(
    session: Session, kind: str, system: str, code: str, ends: tuple[str, ...]
) -> list[Target]:
    return [
        Target(row.from_system, row.from_code, TURNED[row.relation], row.source)
        for row in _rows(
            session,
            CodeMap.kind == kind,
            CodeMap.to_system == system,
            CodeMap.to_code == code,
            CodeMap.from_system.in_(ends),
        )
        if row.relation in TURNED
    ]


def _rows(session: Session, *conditions: Any) -> list[CodeMap]:
    return list(session.scalars(select(CodeMap).where(*conditions, CodeMap.valid_to.is_(None))))


def _over_the_standard(
    session: Session, kind: str, code: str, from_system: str, to_system: str
) -> list[Target]:
    """Lead from one old list to another by way of the standard: never surer than either step."""
    steps = convert(session, code, from_system, DEFAULT_SYSTEM, kind=kind).targets
    return [
        Target(last.code_system, last.code, _joined(first.relation, last.relation), last.source)
        for first in steps
        for last in _back(session, kind, first.code_system, first.code, (to_system,))
    ]


def _joined(first: Relation, last: Relation) -> Relation:
    """Join two relations: what widened and narrowed again is one of several."""
    words = {first, last}
    for relation in ("narrower", "broader", "name"):
        if relation in words:
            return relation
    return "exact"
