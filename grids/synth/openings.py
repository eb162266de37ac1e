"""How each simulated incident came in, who may act on it, and how it shall end."""

from __future__ import annotations

import uuid
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, select

from grids.codes import Category, CategoryLimit, Workday
from grids.incidents.clocks import DEFAULT_HANDLING, Calendar, Limit
from grids.incidents.lifecycle import OPEN, VERIFIED_CHANNELS
from grids.synth.addresses import Addresses
from grids.synth.cases import Events
from grids.synth.history import ENDINGS, OPEN_SHARE, RISK_SHARE, UNTRUE_SHARE
from grids.synth.homes import Ints
from grids.synth.lives import Crew, Kind, Opening
from grids.synth.plan import CITY_ZONE, Plan
from grids.synth.staff import Staff

OPEN_CASES_SHARE, FEWEST_OPEN = 0.013, 24
NEWEST_DAYS = 2.5


def crew_of(staff: Staff, ids: Ints) -> Crew:
    """Gather the accounts that act on cases by their posts."""
    accounts = ids.tolist()

    def post(role: str) -> list[int]:
        return [accounts[k] for k in staff.who(role)]

    workers = {staff.area[k]: accounts[k] for k in staff.who("worker")}
    handlers: dict[str, list[int]] = {}
    for k in staff.who("handler"):
        handlers.setdefault(str(staff.department[k]), []).append(accounts[k])
    return Crew(
        desks={role: post(role) for role in ("intake", "shift_leader", "dispatcher")},
        workers=workers,
        handlers=handlers,
        spare_worker=min(workers.values()),
    )


def _kinds(connection: Connection) -> dict[str, Kind]:
    """Read what the code lists say about each matter: urgency, limit, department."""
    rows = connection.execute(
        select(Category.id, Category.code, CategoryLimit.urgency, CategoryLimit.value,
               CategoryLimit.unit, CategoryLimit.department_code)
        .outerjoin(CategoryLimit, CategoryLimit.category_id == Category.id)
        .where(Category.kind == "matter")
        .order_by(Category.code, CategoryLimit.urgency.desc())
    ).all()  # fmt: skip
    kinds: dict[str, Kind] = {}
    for row in rows:
        urgency = row.urgency or "C"
        limit = Limit(row.value, row.unit) if row.urgency else DEFAULT_HANDLING[urgency]
        kinds[row.code] = Kind(row.id, row.code, urgency, limit, row.department_code or "D03")
    return kinds


def calendar_of(connection: Connection) -> Calendar:
    """Read the working days of the city."""
    days = connection.execute(select(Workday.day, Workday.is_workday)).all()
    return Calendar(ZoneInfo(CITY_ZONE), {row.day: row.is_workday for row in days})


class Openings:
    """Says of each incident how it came in and how it ends, or where it stands now.

    What is drawn for all of them at once is kept as arrays; the rest is made when it is asked
    for, since a city's years do not fit into memory as objects.
    """

    def __init__(
        self, connection: Connection, plan: Plan, events: Events, areas: np.ndarray[Any, Any],
        addresses: Addresses, crew: Crew, component_ids: Ints,
    ) -> None:  # fmt: skip
        self._kinds = _kinds(connection)
        self._outcomes, self._risks = _outcomes(plan, events)
        self._ids = plan.rng("openings").integers(0, 256, (len(events.code), 16), dtype=np.uint8)
        self._events, self._areas, self._addresses = events, areas, addresses
        self._crew, self._component_ids = crew, component_ids

    def __len__(self) -> int:
        """Count the incidents."""
        return len(self._outcomes)

    def id(self, k: int) -> uuid.UUID:
        """Return the key of the case that an incident becomes."""
        return uuid.UUID(bytes=self._ids[k].tobytes(), version=4)

    def is_open(self, k: int) -> bool:
        """Say whether the case shall be open now; then it comes in later than the incident."""
        return self._risks[k] is not None

    def one(self, k: int, number: str = "") -> Opening:
        """Say how one incident came in."""
        events, code = self._events, str(self._events.code[k])
        area, channel = str(self._areas[k]), str(events.channel[k])
        if self._outcomes[k] == "pending_verify" and channel not in VERIFIED_CHANNELS:
            channel = "public"
        address = self._addresses.text[int(events.building[k])]
        intake = self._crew.desks["intake"]
        reporter = intake[k % len(intake)]
        if channel == "worker":
            reporter = self._crew.workers.get(area, self._crew.spare_worker)
        component = int(events.component[k])
        return Opening(
            id=self.id(k),
            kind=self._kinds[code],
            channel=channel,
            text=f"{address}附近{events.say[k]}",
            address=f"{address}附近",
            area_code=area,
            grid_code=area,
            reporter=None if channel in ("public", "system") else reporter,
            component_id=int(self._component_ids[component]) if component >= 0 else None,
            outcome=self._outcomes[k],
            risk=self._risks[k],
            number=number,
        )


def _outcomes(plan: Plan, events: Events) -> tuple[list[str], list[Any]]:
    """Draw how cases end; of the newest some are open, in every state, late, soon or ok."""
    rng = plan.rng("outcomes")
    count = len(events.code)
    names = ["close", *ENDINGS]
    share = [1 - sum(ENDINGS.values()), *ENDINGS.values()]
    outcome = rng.choice(names, count, p=share).astype(object)
    asked = np.isin(events.channel, ["public", "phone", "media"])
    outcome[asked & (outcome == "close") & (rng.random(count) < UNTRUE_SHARE)] = "untrue"
    outcome[(events.cause == "fire") & (outcome != "close")] = "close"
    outcome[events.cause == "duplicate"] = "duplicate"
    risks: list[Any] = [None] * count
    wanted = max(FEWEST_OPEN, round(OPEN_CASES_SHARE * count / plan.years))
    is_free = np.isin(events.cause, ["plain", "hot"])
    is_free[events.of[events.of >= 0]] = False  # others follow it in time
    free = np.flatnonzero(is_free)
    # Open cases are moved to the last days: some come from there, the others from the whole
    # year, so that no week is left with few.
    late = np.flatnonzero(events.at_s[free] > events.at_s[-1] - NEWEST_DAYS * 86_400)[-wanted:]
    rest = rng.choice(len(free) - len(late), wanted - len(late), replace=False)
    chosen = rng.permutation(free[np.concatenate([late, rest]).astype(np.int64)])
    states = [state for state in OPEN if state in OPEN_SHARE]
    parts = np.array([OPEN_SHARE[state] for state in states])
    state = rng.choice(states, len(chosen), p=parts / parts.sum())
    state[: len(states)] = states[: len(chosen)]  # every state has one, however small the city
    words = rng.choice(list(RISK_SHARE), len(chosen), p=list(RISK_SHARE.values()))
    for k, where, word in zip(chosen.tolist(), state.tolist(), words.tolist(), strict=True):
        outcome[k], risks[k] = where, word
    return [str(one) for one in outcome], risks
