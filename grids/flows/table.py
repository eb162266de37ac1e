"""The form of a table of steps: states, fields, steps. Forms, permissions and tests read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

from grids.flows.errors import ForbiddenStep

SAME: Final = ""  #: as a target: the record stays where it is
SYSTEM: Final = "system"  #: the role of what the clock does by itself

FieldKind = Literal[
    "line", "text", "choice", "day", "instant", "number", "account", "department", "area",
    "premises", "point", "photos", "parties", "terms", "term",
]  # fmt: skip


@dataclass(frozen=True)
class State:
    """One state: which clock runs meanwhile, and whose turn it is."""

    code: str
    clock: str | None = None
    holder: str = ""  #: roles whose turn it is, with "|" between; "named" is the record's person
    is_terminal: bool = False


@dataclass(frozen=True)
class Field:
    """One thing that is written down with a step.

    `is_sealed`: the kind keeps it encrypted in a table of its own; the event does not hold it.
    """

    name: str
    kind: FieldKind = "text"
    options: tuple[str, ...] = ()
    most: int = 2000  #: characters, or the largest number
    is_sealed: bool = False
    is_future: bool = False  #: a day that must not lie behind us


@dataclass(frozen=True)
class Step:
    """One line of a table: who takes a record from where to where, and what it needs.

    `sets` writes columns of the record: (column, source), where a source is `field:<name>`,
    `actor`, `now`, `up` and `down` (of the level), `none` or `=<constant>`. `starts` begins
    clocks anew and `extends` adds the clock's length once more. `most` limits a counter of the
    record, `not_by` shuts out who took one of these steps on it, `named` are roles that act
    only where the record names the person.
    """

    action: str
    sources: tuple[str, ...]
    target: str
    roles: tuple[str, ...]
    requires: tuple[str, ...] = ()
    optional: tuple[str, ...] = ("note",)
    reasons: tuple[str, ...] = ()
    sets: tuple[tuple[str, str], ...] = ()
    starts: tuple[str, ...] = ()
    extends: str | None = None
    counts: str | None = None
    most: tuple[str, int] | None = None
    needs: tuple[str, str] | None = None  #: (column, value) that the record must have
    needs_flag: str | None = None
    sets_flag: str | None = None
    clears_flag: str | None = None
    not_by: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    photo_part: str = "evidence"
    is_primary: bool = False

    def to(self, status: str) -> str:
        """Return the state that the step leads to."""
        return self.target or status

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of all its fields, those that it needs first."""
        needed = (name for wanted in self.requires for name in wanted.split("|"))
        return tuple(dict.fromkeys((*needed, *self.optional)))


@dataclass(frozen=True)
class Flow:
    """A kind's whole table."""

    name: str
    states: Mapping[str, State]
    steps: tuple[Step, ...]
    fields: Mapping[str, Field]
    levels: tuple[str, ...] = field(default=())  #: the levels that `up` and `down` walk

    @cached_property
    def open_states(self) -> tuple[str, ...]:
        """States that somebody still has to do something in."""
        return tuple(code for code, state in self.states.items() if not state.is_terminal)

    @cached_property
    def opening(self) -> Step:
        """The step that begins a record."""
        return next(step for step in self.steps if step.sources == (SAME,))

    def find(self, action: str, status: str) -> Step | None:
        """Return the line for an action in a state; None where the table has no such step."""
        return next((s for s in self.steps if s.action == action and status in s.sources), None)

    def need(self, action: str, status: str) -> Step:
        """Return the line. Raises `ForbiddenStep`."""
        found = self.find(action, status)
        if found is None:
            raise ForbiddenStep(f"{action} is not possible from {status}", action=action)
        return found

    def steps_from(self, status: str) -> tuple[Step, ...]:
        """Return what may happen in a state, in the order of the table."""
        return tuple(step for step in self.steps if status in step.sources)


def states(*each: State) -> dict[str, State]:
    """Key states by their code."""
    return {state.code: state for state in each}


def fields(*each: Field) -> dict[str, Field]:
    """Key fields by their name."""
    return {one.name: one for one in each}
