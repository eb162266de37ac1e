"""Give one entry up for another, and take that back: one transaction each, every step noted.

What the entry given up was called stays with it, so that a source which goes on naming it is led
to the survivor. A credit code is taken by exchange: codes are unique, and whoever still sends the
other one must find the survivor too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import select, text
from sqlalchemy.orm import Session, aliased

from grids import audit, scope
from grids.accounts import Account, Actor
from grids.bulk import driver
from grids.enterprises import Enterprise
from grids.errors import Conflict, Invalid, NotFound
from grids.matching import statements
from grids.matching.models import DuplicatePair, EntryMerge
from grids.matching.pairs import Decided, open_pair, reasoned, reopen

#: What may be taken over from the entry given up; the place goes as a whole.
PLACE: Final = (
    "geom",
    "address_id",
    "cell_id",
    "grid_id",
    "area_code",
    "coord_source",
    "accuracy_m",
)
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    **{name: (name,) for name in ("name", "uscc", "kind", "industry", "status", "staff", "registered_on")},
    "place": PLACE,
}  # fmt: skip

Values = dict[str, Any]


class NoMerge(NotFound):
    """There is no such merge, or its entries lie outside the caller's areas."""

    code = "duplicate.no_merge"


class BadChoice(Invalid):
    """The entry to keep, or a field to take, is none of this pair."""

    code = "duplicate.bad_choice"


class Undone(Conflict):
    """The merge was taken back already."""

    code = "duplicate.undone"


class NotLast(Conflict):
    """A later merge stands on this one; it is taken back first."""

    code = "duplicate.not_last"


def merge(
    session: Session, actor: Actor, pair_id: int, *, kept: int, take: Sequence[str], why: str,
    now: datetime, today: date, source_ip: str,
) -> EntryMerge:  # fmt: skip
    """Give the other entry of a pair up for the one that is `kept`, with the fields of `take`.

    `today` is the day in the city. Raises `NoPair`, `Decided`, `BadChoice`, `WhyNeeded`.
    """
    pair = open_pair(session, actor, pair_id).pair
    if kept not in (pair.one, pair.other) or not set(take) <= FIELDS.keys():
        raise BadChoice("no such entry or field of this pair", field="keep")
    given_up = pair.other if kept == pair.one else pair.one
    reason = reasoned(why)
    run = _begin(session, actor, reason, kept, given_up)
    survivor, other = _values(run, kept), _values(run, given_up)
    if any(one["valid_to"] or one["merged_into"] for one in (survivor, other)):
        raise Decided(f"an entry of pair {pair_id} has gone", state="gone")
    taken = {column: other[column] for name in take for column in FIELDS[name]
             if other[column] != survivor[column]}  # fmt: skip
    # Where both differ somebody has chosen: the desk has spoken, as in a correction by hand.
    chosen = [
        name for name, columns in FIELDS.items()
        if any(survivor[column] != other[column] for column in columns)
        and (other if name in take else survivor)[columns[0]] is not None
    ]  # fmt: skip
    sides = statements.Sides(kept, given_up)
    said = statements.said_of(run, sides)
    statements.keep_before(session, kept, chosen)
    statements.hand_over(run, sides, statements.said_of(run, sides))
    leaving = {"valid_to": today.isoformat(), "merged_into": kept}
    if "uscc" in taken:
        _write(run, given_up, {"uscc": None})
        leaving["uscc"] = survivor["uscc"]
    _write(run, kept, taken)
    _write(run, given_up, leaving)
    made = EntryMerge(
        register=pair.register, survivor=kept, given_up=given_up, merged_at=now,
        merged_by=actor.account_id, why=reason,
        before={"survivor": {name: survivor[name] for name in taken},
                "given_up": {name: other[name] for name in leaving}},
        # Read again: a place that moved was linked to its cell anew.
        after={"survivor": _only(_values(run, kept), taken),
               "given_up": _only(_values(run, given_up), leaving)},
        moved=_repoint(run, given_up, kept, None), said={},
    )  # fmt: skip
    session.add(made)
    session.flush()
    statements.note_decided(
        session, kept, chosen, merge_id=made.id, account_id=actor.account_id, now=now
    )
    made.said = {"before": said, "after": statements.said_of(run, sides)}
    pair.state, pair.decided_at, pair.decided_by = "same", now, actor.account_id
    pair.why, pair.merge_id = reason, made.id
    _forget_others(session, given_up)
    _end(session, actor, "entries_merged", made, source_ip, {"fields": sorted(taken)})
    return made


def unmerge(
    session: Session, actor: Actor, merge_id: int, *, now: datetime, source_ip: str
) -> EntryMerge:
    """Take a merge back: all stands again as before, but what was changed since stays.

    What stays is told in `kept`. Raises `NoMerge`, `Undone` and `NotLast`, where a later merge
    gave the survivor up or took the same fields.
    """
    found = session.scalar(
        select(EntryMerge).where(EntryMerge.id == merge_id).with_for_update()
        .execution_options(populate_existing=True)
    )  # fmt: skip
    if found is None:
        raise NoMerge(f"no merge {merge_id}")
    run = _begin(session, actor, found.why, found.survivor, found.given_up)
    if found.undone_at is not None:
        raise Undone(f"merge {merge_id} was taken back")
    survivor, other = _values(run, found.survivor), _values(run, found.given_up)
    _require_last(session, found, survivor)
    moved_back = _repoint(run, found.survivor, found.given_up, found.moved)
    sides = statements.Sides(found.survivor, found.given_up)
    statements.take_back(run, sides, found.said["before"], found.said["after"])
    back = _unchanged(survivor, found, "survivor")
    again = _unchanged(other, found, "given_up")
    # A code that somebody else has by now stays where it is, on either side.
    released = {found.given_up} if "uscc" in again else set()
    if "uscc" in back and not _holders(run, back["uscc"], found.survivor) <= released:
        del back["uscc"]
    released = {found.survivor} if "uscc" in back else set()
    if "uscc" in again and not _holders(run, again["uscc"], found.given_up) <= released:
        del again["uscc"]
    if "uscc" in again:
        _write(run, found.given_up, {"uscc": None})
    _write(run, found.survivor, back)
    _write(run, found.given_up, again)
    stays = {table: len(keys) - len(moved_back.get(table, []))
             for table, keys in found.moved.items()}  # fmt: skip
    found.kept = {
        "fields": sorted(found.before["survivor"].keys() - back.keys()),
        "given_up": sorted(found.before["given_up"].keys() - again.keys()),
        "moved": {table: n for table, n in stays.items() if n},
    }
    found.undone_at, found.undone_by = now, actor.account_id
    pair = session.scalar(select(DuplicatePair).where(DuplicatePair.merge_id == merge_id))
    if pair is not None:
        reopen(pair)
    _end(session, actor, "entries_unmerged", found, source_ip, {"kept": found.kept})
    return found


def survivor_of(session: Session, actor: Actor, entry_id: int) -> int | None:
    """Return the entry for which one was given up, where the caller may see both; else None."""
    given_up, survivor = aliased(Enterprise), aliased(Enterprise)
    found: int | None = session.scalar(
        select(survivor.id)
        .join(given_up, given_up.merged_into == survivor.id)
        .where(
            given_up.id == entry_id,
            scope.condition(actor, given_up),
            scope.condition(actor, survivor),
        )
    )
    return found


def merges_of(
    session: Session, actor: Actor, entry_id: int
) -> Sequence[tuple[EntryMerge, str, str | None]]:
    """Return the merges of an enterprise that the caller has read in scope, newest first.

    With each who merged, and the name of the entry given up where the caller may see it.
    """
    rows = session.execute(
        select(EntryMerge, Account.name, Enterprise.name)
        .join(Account, Account.id == EntryMerge.merged_by)
        .outerjoin(
            Enterprise,
            (Enterprise.id == EntryMerge.given_up) & scope.condition(actor, Enterprise),
        )
        .where(
            EntryMerge.register == "enterprise",
            (EntryMerge.survivor == entry_id) | (EntryMerge.given_up == entry_id),
        )
        .order_by(EntryMerge.id.desc())
    )
    return [(row[0], row[1], row[2]) for row in rows]


# --- Steps ----------------------------------------------------------------------------------


def _begin(
    session: Session, actor: Actor, reason: str, one: int, other: int
) -> psycopg.Cursor[Any]:
    """Lock both entries, in the order of their keys, and tell the history why they change."""
    rows = session.scalars(
        select(Enterprise.id)
        .where(scope.condition(actor, Enterprise), Enterprise.id.in_((one, other)))
        .order_by(Enterprise.id)
        .with_for_update()
    ).all()
    if len(rows) != 2:
        raise NoMerge("an entry lies outside the caller's areas")
    session.flush()
    session.execute(text("SELECT set_config('wangge.reason', :why, true)"), {"why": reason})
    return driver(session.connection()).cursor()


def _end(
    session: Session, actor: Actor, action: str, found: EntryMerge, source_ip: str, more: Values
) -> None:
    session.flush()
    session.expire_all()
    audit.record(
        session, action, actor_id=actor.account_id, source_ip=source_ip,
        subject=f"enterprise:{found.survivor}", detail={"given_up": found.given_up, **more},
    )  # fmt: skip


def _require_last(session: Session, found: EntryMerge, survivor: Values) -> None:
    """Raise `NotLast` where a later merge stands on this one."""
    later = session.scalars(
        select(EntryMerge)
        .where(
            EntryMerge.register == found.register, EntryMerge.id > found.id,
            EntryMerge.undone_at.is_(None),
            (EntryMerge.survivor == found.survivor) | (EntryMerge.given_up == found.survivor),
        )
        .order_by(EntryMerge.id.desc())
    ).all()  # fmt: skip
    wrote, said = found.after["survivor"].keys(), statements.changed(found.said)
    for one in later:
        is_given_up = one.given_up == found.survivor
        if (
            is_given_up
            or wrote & one.after["survivor"].keys()
            or said & statements.changed(one.said)
        ):
            raise NotLast("a later merge stands on this one", merge=one.id, entry=one.given_up)
    if survivor["merged_into"] is not None:
        raise NotLast("the survivor was given up", merge=0, entry=found.survivor)


def _unchanged(present: Values, found: EntryMerge, side: str) -> Values:
    """Return what goes back: the columns that still say what the merge wrote. A place is one."""
    before, after = found.before[side], found.after[side]
    same = {name for name in after if present[name] == after[name]}
    placed = after.keys() & set(PLACE)
    if not placed <= same:
        same -= placed
    return {name: before[name] for name in before if name in same}


def _holders(run: psycopg.Cursor[Any], code: str | None, entry_id: int) -> set[int]:
    """Return who else has a credit code."""
    run.execute("SELECT id FROM enterprise WHERE uscc = %s AND id <> %s", (code, entry_id))
    return {row[0] for row in run.fetchall()}


def _values(run: psycopg.Cursor[Any], entry_id: int) -> Values:
    run.execute(
        "SELECT to_jsonb(e) - 'geom_3857' - 'contact_sealed'"
        " || jsonb_build_object('geom', e.geom::text) FROM enterprise AS e WHERE id = %s",
        (entry_id,),
    )
    row = run.fetchone()
    if row is None:
        raise NoMerge(f"no enterprise {entry_id}")
    found: Values = row[0]
    return found


def _write(run: psycopg.Cursor[Any], entry_id: int, values: Values) -> None:
    if not values:
        return
    names = sql.SQL(", ").join(map(sql.Identifier, values))
    new = sql.SQL(", ").join(sql.Identifier("n", name) for name in values)
    run.execute(
        sql.SQL(
            "UPDATE enterprise AS e SET ({names}) = ROW({new})"
            " FROM jsonb_populate_record(NULL::enterprise, %s::jsonb) AS n WHERE e.id = %s"
        ).format(names=names, new=new),
        (json.dumps(values), entry_id),
    )


def _repoint(
    run: psycopg.Cursor[Any], giver: int, taker: int, wanted: Mapping[str, Any] | None
) -> dict[str, list[Any]]:
    run.execute(
        "SELECT repoint_enterprise(%s, %s, %s::jsonb)",
        (giver, taker, None if wanted is None else json.dumps(wanted)),
    )
    row = run.fetchone()
    moved: dict[str, list[Any]] = row[0] if row else {}
    return moved


def _only(values: Values, names: Mapping[str, Any]) -> Values:
    return {name: values[name] for name in names}


def _forget_others(session: Session, entry_id: int) -> None:
    """Close what else waits about an entry that was given up: by night it is asked of the survivor."""
    session.execute(
        text("UPDATE duplicate_pair SET state = 'gone' WHERE state = 'open'"
             " AND register = 'enterprise' AND (one = :id OR other = :id)"), {"id": entry_id},
    )  # fmt: skip
