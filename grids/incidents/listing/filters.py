"""What of the queue somebody wants to see, as conditions on the case."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Text,
    and_,
    bindparam,
    case,
    false,
    func,
    literal,
    or_,
)
from sqlalchemy.dialects.postgresql import ARRAY

from grids import scope
from grids.accounts import Actor
from grids.channels.numbers import case_number
from grids.errors import Invalid
from grids.incidents.lifecycle import CHANNELS, OPEN, STATES, TERMINAL, URGENCIES
from grids.incidents.models import Incident

RISKS: Final = ("late", "soon", "ok", "paused", "done")
#: The states in which it is a role's turn; a town's seat does the desk's work in its area.
TURNS: Final = {
    "intake": ("intake",),
    "shift_leader": ("shift_leader",),
    "dispatcher": ("dispatcher",),
    "town_seat": ("intake", "dispatcher"),
    "grid_leader": ("worker",),
}
#: Two characters at least: what the index of words holds are pairs.
PAIR: Final = 2
PAIRS: Final[Any] = ARRAY(Text)
TOWN_DIGITS: Final = 9


class BadFilter(Invalid):
    """A filter names something that does not exist."""

    code = "incident.bad_filter"


@dataclass(frozen=True)
class Filter:
    """What of the queue somebody wants to see. Empty means everything in their scope."""

    statuses: tuple[str, ...] = ()  #: states, or "open" or "done"
    stages: tuple[str, ...] = ()  #: S1 .. S8, H
    risks: tuple[str, ...] = ()
    area: str = ""  #: a code prefix: county, town, community or grid
    grid: str = ""  #: 15 digits
    category: str = ""  #: a prefix of the five digits
    text: str = ""  #: in number, text or address
    since: datetime | None = None
    until: datetime | None = None
    is_mine: bool = False  #: only where it is the caller's turn
    after: str | None = None
    limit: int = 50
    channels: tuple[str, ...] = ()
    urgencies: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    towns: tuple[str, ...] = ()  #: codes of 9 digits: what the facet of towns chooses
    categories: tuple[str, ...] = ()  #: five digits each: what the facet of categories chooses
    flag: str = ""  #: a mark of the case: void_asked, ...
    holder: int | None = None  #: the account that has it
    bbox: tuple[float, float, float, float] | None = None  #: west, south, east, north
    sort: str = "risk"  #: risk: what is due first; new: what came last


def is_open() -> ColumnElement[bool]:
    """Say that a case is not over, in the words of the indexes on open cases.

    The states stand in the statement itself: a bound value would not let a kept plan use an
    index whose rows are those of this condition.
    """
    over: BindParameter[Any] = bindparam(
        "over", list(TERMINAL), expanding=True, literal_execute=True, unique=True
    )
    return Incident.status.not_in(over)


def risk_at(now: datetime, model: Any = Incident) -> ColumnElement[str]:
    """Name the risk of being late at an instant: `soon` from half of the time on (5.5)."""
    at = literal(now)
    return case(
        (model.status.in_(TERMINAL), "done"),
        (or_(model.status == "suspended", model.due_at.is_(None)), "paused"),
        (model.due_at <= at, "late"),
        (model.due_at - at <= at - model.stage_at, "soon"),
        else_="ok",
    )


def statuses_of(wanted: Filter) -> tuple[str, ...]:
    """Expand "open", "done" and stages to states. Raises `BadFilter`."""
    groups = {"open": OPEN, "done": TERMINAL}
    found: list[str] = []
    for word in wanted.statuses:
        if word not in STATES and word not in groups:
            raise BadFilter(f"no state {word!r}", field="status")
        found.extend(groups.get(word, (word,)))
    for stage in wanted.stages:
        states = [code for code, state in STATES.items() if state.stage == stage]
        if not states:
            raise BadFilter(f"no stage {stage!r}", field="stage")
        found.extend(states)
    for name, given, known in (
        ("risk", wanted.risks, RISKS),
        ("channel", wanted.channels, CHANNELS),
        ("urgency", wanted.urgencies, URGENCIES),
        ("sort", (wanted.sort,), ("risk", "new")),
    ):
        if unknown := set(given) - set(known):
            raise BadFilter(f"no {name} {min(unknown)!r}", field=name)
    return tuple(dict.fromkeys(found))


def reach_of(wanted: Filter) -> str:
    """Say which part of the table a filter can touch: `open`, `over` or `all`."""
    statuses = statuses_of(wanted)
    if (statuses and not set(statuses) - set(OPEN)) or (
        wanted.risks and "done" not in wanted.risks
    ):
        return "open"
    if (statuses and not set(statuses) - set(TERMINAL)) or wanted.risks == ("done",):
        return "over"
    return "all"


def choices(wanted: Filter, now: datetime) -> dict[str, ColumnElement[bool]]:
    """Return the conditions that a facet chooses, by facet; one that chooses nothing is left out."""
    found: dict[str, ColumnElement[bool]] = {}
    if statuses := statuses_of(wanted):
        found["status"] = Incident.status.in_(statuses)
    if wanted.risks:
        found["risk"] = risk_at(now).in_(wanted.risks)
    if wanted.channels:
        found["channel"] = Incident.channel.in_(wanted.channels)
    if wanted.urgencies:
        found["urgency"] = Incident.urgency.in_(wanted.urgencies)
    if wanted.departments:
        found["department"] = Incident.department_code.in_(wanted.departments)
    if wanted.towns:
        found["town"] = or_(*(_begins(Incident.area_code, town) for town in wanted.towns))
    if wanted.categories:
        found["category"] = Incident.category_code.in_(wanted.categories)
    return found


def conditions(wanted: Filter, actor: Actor) -> list[ColumnElement[bool]]:
    """Return the conditions that no facet is part of."""
    found: list[ColumnElement[bool]] = []
    if wanted.area:
        found.append(_begins(Incident.area_code, wanted.area))
    if wanted.grid:
        found.append(Incident.area_code == wanted.grid)
    if wanted.category:
        found.append(_begins(Incident.category_code, wanted.category))
    if wanted.text:
        found.extend(worded(wanted.text))
    if wanted.since is not None:
        found.append(Incident.received_at >= wanted.since)
    if wanted.until is not None:
        found.append(Incident.received_at < wanted.until)
    if wanted.is_mine:
        found.append(turn_of(actor))
    if wanted.flag:
        found.append(Incident.flags.has_key(wanted.flag))
    if wanted.holder is not None:
        found.append(Incident.holder_id == wanted.holder)
    if wanted.bbox is not None:
        found.append(Incident.geom.op("&&")(func.ST_MakeEnvelope(*wanted.bbox, 4490)))
    return found


def worded(text: str) -> list[ColumnElement[bool]]:
    """Say that the words stand in number, text or address.

    Two conditions: the first may use the index of pairs behind a row policy, because nothing
    in it can tell of a row; the second looks closely, for pairs may stand apart. A number as the
    public knows it finds its case.
    """
    text = case_number(text) or text
    starts = text.isascii() and text[:4].isdigit()
    number = _begins(Incident.number, text) if starts else None
    close = or_(
        Incident.text.icontains(text, autoescape=True),
        Incident.address.icontains(text, autoescape=True),
        *([number] if number is not None else []),
    )
    if len(text) < PAIR:
        return [close]
    pairs = case_pairs().contains(func.text_pairs(text, type_=PAIRS))
    return [pairs if number is None else or_(pairs, number), close]


def case_pairs() -> ColumnElement[Any]:
    """Return the pairs of characters of a case, in the words of their index."""
    return func.text_pairs(Incident.text, Incident.address, type_=PAIRS)


def turn_of(actor: Actor) -> ColumnElement[bool]:
    """Say that it is the actor's turn: the state waits for the role, or the case names them."""
    waits = {turn for role in actor.roles for turn in TURNS.get(role, ())}
    parts: list[ColumnElement[bool]] = [
        and_(Incident.holder_id == actor.account_id, Incident.status.in_(OPEN))
    ]
    if waits:
        parts.append(Incident.status.in_(_held_by(*waits)))
    if "worker" in actor.roles:
        parts.append(and_(Incident.holder_id.is_(None), Incident.status.in_(_held_by("worker"))))
    if actor.department is not None:
        parts.append(
            and_(
                Incident.department_code == actor.department,
                Incident.status.in_(_held_by("handler")),
            )
        )
    return or_(*parts)


def _held_by(*roles: str) -> tuple[str, ...]:
    return tuple(code for code, state in STATES.items() if state.holder in roles and state.stage)


def _begins(column: Any, prefix: str) -> ColumnElement[bool]:
    """Say that a code begins so, as a range: unlike LIKE it may use an index behind a policy."""
    if not prefix.isascii():
        return false()  # no code has such a sign, and some have no next one
    low, high = scope.code_range(prefix)
    found: ColumnElement[bool] = (column >= low) & (column < high)
    return found
