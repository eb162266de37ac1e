"""The form of a tale: when it began, how it came in, and the steps that were taken then."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Values = Mapping[str, Any]
NOTHING: Final[Values] = {}


@dataclass(frozen=True)
class Turn:
    """One step: hours after the one before, who takes it, what it is, what is written down.

    `who` is a role where the record is, with a 2 for another holder of it. Values that begin
    with @ are looked up: `@owner` (by the matrix), `@other`, `@third`, `@town` (departments),
    `@worker`, `@mediator`, `@mediator2` (people). `until` counts hours, days count from then.
    A `*` begins what is no step of the table: work of the clock or of an arbiter.
    """

    after: float
    who: str
    action: str
    values: Values = field(default_factory=dict)


@dataclass(frozen=True)
class Tale:
    """A record that is told. `ago` are hours before now; `values` open it."""

    name: str
    ago: float
    who: str
    values: Values
    turns: tuple[Turn, ...] = ()
    copies: int = 2  #: how many of them a city of the usual size has


def turns(*each: tuple[Any, ...] | Iterable[Turn]) -> tuple[Turn, ...]:
    """Join steps, written as tuples, and paths that were written down before."""
    found: list[Turn] = []
    for one in each:
        if isinstance(one, tuple) and one and not isinstance(one[0], Turn):
            found.append(Turn(*one))
        else:
            found.extend(step for step in one if isinstance(step, Turn))
    return tuple(found)
