"""The kinds of things that registers hold: THE list behind their pages, lists and history.

A kind says once which model it is, who may see it, what names it and which facts its page
tells. People are no kind: they have no page, no list and no map (decision 0003).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from grids.buildings import Address, Building
from grids.components import Component, Facility
from grids.enterprises import Enterprise, Premises
from grids.errors import NotFound
from grids.importing.batches import words
from grids.pipes.models import KINDS as PIPE_KINDS
from grids.pipes.models import RANKS, Pipe
from grids.sites.models import Site

#: How a value is written: plain text, a word of the catalogue under a prefix, a number, a day.
Form = Literal["text", "word", "number", "day", "category", "department", "hours"]


class NoKind(NotFound):
    """There is no such register."""

    code = "register.no_kind"


class NoEntry(NotFound):
    """There is no such entry, or it lies outside the caller's areas."""

    code = "register.no_entry"


@dataclass(frozen=True)
class Shown:
    """One fact of a page: a column and how it is written. `words` is a prefix of the catalogue."""

    column: str
    form: Form = "text"
    words: str = ""
    unit: str = ""
    #: A steward may correct it by hand; the old value stays in the history.
    is_editable: bool = True
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """One register of things with a place."""

    name: str
    model: Any
    permission: str
    icon: str
    title: tuple[str, ...]  #: columns that name an entry, the first that is filled
    facts: tuple[Shown, ...]
    number: str = ""  #: column of the identifier by which an entry is asked for

    @property
    def table(self) -> str:
        """Return the table of the register."""
        return str(self.model.__tablename__)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns whose changes are kept."""
        return tuple(fact.column for fact in self.facts)


_SOURCE: Final = (
    Shown("source", is_editable=False),
    Shown("valid_from", "day", is_editable=False),
    Shown("valid_to", "day", is_editable=False),
)


def _kind(kinds: Mapping[str, str]) -> Shown:
    return Shown("kind", "word", "kind", choices=tuple(kinds))


KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind(
            "building", Building, "grid:view", "building", ("name",),
            (
                Shown("name"), _kind(words.BUILDING_KINDS), Shown("levels", "number"),
                Shown("height_m", "number", unit="m"), Shown("built_year", "number"),
                Shown("area_m2", "number", unit="m2", is_editable=False), *_SOURCE,
            ),
        ),
        Kind(
            "address", Address, "grid:view", "map-pin", ("text",),
            (
                Shown("text", is_editable=False), Shown("street"), Shown("number"),
                Shown("estate"), Shown("building"), *_SOURCE,
            ),
        ),
        Kind(
            "enterprise", Enterprise, "enterprise:view", "building-store", ("name",),
            (
                Shown("name"), Shown("uscc"), _kind(words.ENTERPRISE_KINDS),
                Shown("industry", "word", "industry", choices=tuple(words.INDUSTRIES)),
                Shown("status", "word", "register.status", choices=("open", "suspended", "closed")),
                Shown("staff", "number"), Shown("registered_on", "day"), *_SOURCE,
            ),
            number="uscc",
        ),
        Kind(
            "premises", Premises, "enterprise:view", "home-2", ("name",),
            (
                Shown("name"), _kind(words.PREMISES_KINDS),
                Shown("floor_area_m2", "number", unit="m2"), *_SOURCE,
            ),
        ),
        Kind(
            "component", Component, "grid:view", "tag", ("name", "identifier"),
            (
                Shown("identifier", is_editable=False), Shown("code", "category", is_editable=False),
                Shown("name"),
                Shown("state", "word", "register.state",
                      choices=("intact", "damaged", "missing", "abandoned", "removed")),
                Shown("department_code", "department"), *_SOURCE,
            ),
            number="identifier",
        ),
        Kind(
            "facility", Facility, "grid:view", "star", ("name",),
            (Shown("name"), _kind(words.FACILITY_KINDS), *_SOURCE),
        ),
        Kind(
            "pipe", Pipe, "pipe:view", "line-dashed", ("identifier",),
            (
                Shown("identifier", is_editable=False),
                Shown("kind", "word", "pipe.kind", choices=PIPE_KINDS),
                Shown("rank", "word", "pipe.rank", choices=RANKS),
                Shown("depth_m", "number", unit="m"),
                Shown("diameter_mm", "number", unit="mm"),
                Shown("owner_code", "department"), Shown("road"), Shown("laid_year", "number"),
                *_SOURCE,
            ),
        ),
        Kind(
            "site", Site, "grid:view", "building-community", ("name",),
            (
                Shown("name"), Shown("kind", "word", "site.kind", is_editable=False),
                Shown("hours", "hours"), Shown("phone"), *_SOURCE,
            ),
        ),
    )
}  # fmt: skip


def kind_of(name: str) -> Kind:
    """Return a register by its name. Raises `NoKind`."""
    if name not in KINDS:
        raise NoKind(f"no register {name[:20]!r}")
    return KINDS[name]
