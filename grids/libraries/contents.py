"""What each base library holds: its tables with every column explained, how complete it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy.orm import Session

from grids import inventory
from grids.accounts import Actor
from grids.libraries import macro
from grids.quality import findings
from grids.quality.rules import rules_of

#: Library -> its tables, the registers whose rules judge it first.
LIBRARIES: Final[dict[str, tuple[str, ...]]] = {
    "population": ("person", "person_event", "household", "dwelling", "people_count"),
    "space": ("address", "building", "component", "facility", "grid", "grid_version", "area",
              "road", "water", "landuse", "place"),
    "macro": ("macro_figure", "enterprise", "premises"),
}  # fmt: skip


@dataclass(frozen=True)
class Library:
    """One base library as an area's steward sees it."""

    name: str
    tables: tuple[str, ...]
    scores: tuple[tuple[str, float], ...]  #: register -> share of what must be filled that is

    @property
    def score(self) -> float | None:
        """Return the mean of the registers' shares."""
        return sum(share for _, share in self.scores) / len(self.scores) if self.scores else None


def libraries(session: Session, actor: Actor, area: str, *, today: date) -> tuple[Library, ...]:
    """Return the three libraries with how complete their registers are in an area, live."""
    made = []
    for name, tables in LIBRARIES.items():
        found = {
            table: findings.completeness(session, actor, table, area, today=today)
            for table in tables if rules_of(table)
        }  # fmt: skip
        if name == "macro":
            found["macro_figure"] = macro.completeness(session, actor, today=today)
        scores = tuple((table, share) for table, share in found.items() if share is not None)
        made.append(Library(name, tables, scores))
    return tuple(made)


def dictionary(name: str) -> dict[str, tuple[inventory.Row, ...]]:
    """Return the columns of each table of a library: level, purpose, how long they are kept."""
    rows = [row for row in inventory.rows() if row.table in LIBRARIES[name]]
    return {
        table: tuple(row for row in rows if row.table == table) for table in LIBRARIES[name]
    }  # fmt: skip
