"""What sources say of two entries when one is given up for the other, and when that is taken back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy.orm import Session

from grids.enterprises import Enterprise
from grids.facts import statements
from grids.facts.survivorship import DESK, PLACE

Said = dict[str, list[dict[str, Any]]]
Key = tuple[str, str]


@dataclass(frozen=True)
class Sides:
    """The two entries of a merge."""

    survivor: int
    given_up: int

    def __iter__(self) -> Any:
        return iter((("survivor", self.survivor), ("given_up", self.given_up)))


def said_of(run: psycopg.Cursor[Any], sides: Sides) -> Said:
    """Read all statements on both entries, in an order of their own."""
    found: Said = {}
    for side, entry_id in sides:
        # Instants in UTC, whatever the session's zone: they are compared as texts.
        run.execute(
            "SELECT to_jsonb(f) - 'register' - 'entry_id' || jsonb_build_object("
            "'observed_at', (f.observed_at AT TIME ZONE 'UTC')::text || 'Z') FROM fact AS f"
            " WHERE f.register = 'enterprise' AND f.entry_id = %s ORDER BY f.field, f.source",
            (entry_id,),
        )
        found[side] = [row[0] for row in run.fetchall()]
    return found


def hand_over(run: psycopg.Cursor[Any], sides: Sides, said: Said) -> None:
    """Let the survivor have the statements on the other; what a source says of both stays apart."""
    taken = _keyed(said["survivor"])
    moving = [one for one in said["given_up"] if _key(one) not in taken]
    _put(run, sides.given_up, moving, ())
    _put(run, sides.survivor, (), moving)


def keep_before(session: Session, entry_id: int, names: Iterable[str]) -> None:
    """Keep what stood in fields that nobody has spoken of, before somebody decides them."""
    statements.keep_before(session, Enterprise.__table__, entry_id, _fields(names))  # type: ignore[arg-type]


def note_decided(
    session: Session, entry_id: int, names: Iterable[str], *, merge_id: int, account_id: int,
    now: datetime,
) -> None:  # fmt: skip
    """Keep what was chosen where both entries differed as the word of the desk."""
    speaker = statements.Speaker(DESK, account_id, f"merge:{merge_id}")
    statements.note_shown(
        session, Enterprise.__table__, entry_id, _fields(names), speaker, now=now,  # type: ignore[arg-type]
    )  # fmt: skip


def take_back(run: psycopg.Cursor[Any], sides: Sides, before: Said, after: Said) -> None:
    """Let sources say of both entries what they said before; what one has said since stays."""
    present = said_of(run, sides)
    for side, entry_id in sides:
        was, made, now = (_keyed(one[side]) for one in (before, after, present))
        mine = {key for key in was.keys() | made.keys() if now.get(key) == made.get(key)}
        gone = [now[key] for key in sorted(mine) if key in now]
        _put(run, entry_id, gone, [was[key] for key in sorted(mine) if key in was])


def changed(said: Mapping[str, Said]) -> set[Key]:
    """Return which statements on the survivor a merge has brought or replaced."""
    before, after = (_keyed(said[when]["survivor"]) for when in ("before", "after"))
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


def _put(run: psycopg.Cursor[Any], entry_id: int, gone: Sequence[Any], come: Sequence[Any]) -> None:
    run.execute(
        "SELECT put_facts(%s, %s::jsonb, %s::jsonb)",
        (entry_id, json.dumps(list(gone)), json.dumps(list(come))),
    )


def _fields(names: Iterable[str]) -> list[str]:
    found = list(names)
    return [*found, "address_id"] if PLACE in found else found


def _key(one: Mapping[str, Any]) -> Key:
    return one["field"], one["source"]


def _keyed(said: Iterable[dict[str, Any]]) -> dict[Key, dict[str, Any]]:
    return {_key(one): one for one in said}
