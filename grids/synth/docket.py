"""The cases of a simulated city, ready to be told a part at a time, in any order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from grids.linking import Linked
from grids.secrets import Vault
from grids.synth import store_cases
from grids.synth.cases import Events
from grids.synth.history import Teller
from grids.synth.homes import Ints
from grids.synth.lives import Life
from grids.synth.openings import Openings
from grids.synth.plan import CITY_ZONE, Plan
from grids.synth.shapes import Floats
from grids.synth.store import Writer

#: Cases that are told and written at once.
PART = 5_000
#: A case that came in this shortly before now is told as if it had come in earlier.
HURRIED_S = 3_600


@dataclass(frozen=True)
class Docket:
    """Every case before it is told: where, when, and the number that it will carry."""

    events: Events
    openings: Openings
    teller: Teller
    lonlat: Floats
    linked: Linked
    received_s: Ints  #: seconds since the epoch, as the case is told
    numbers: list[str]
    per_day: dict[date, int]  #: how many numbers each day has used

    def __len__(self) -> int:
        """Count the cases."""
        return len(self.openings)

    def tell(self, k: int) -> Life:
        """Tell one case from its first to its last event."""
        at = store_cases.instant(self.events.at_s[k])
        return self.teller.tell(self.openings.one(k, self.numbers[k]), at)


def make_docket(events: Events, openings: Openings, teller: Teller, lonlat: Floats,
                linked: Linked, now: datetime) -> Docket:  # fmt: skip
    """Number the cases of every day in the order of arrival.

    Nearly all come in when their incident happened. Open cases are moved to where their limit
    asks for, and those of the last hour earlier: these few are told twice.
    """
    received = events.at_s.astype(np.int64)
    late_s = now.timestamp() - HURRIED_S
    for k in range(len(openings)):
        if openings.is_open(k) or received[k] > late_s:
            life = teller.tell(openings.one(k), store_cases.instant(events.at_s[k]))
            received[k] = int(life.case.received_at.timestamp())
    numbers, per_day = _numbered(received)
    return Docket(events, openings, teller, lonlat, linked, received, numbers, per_day)


def _numbered(received_s: Ints) -> tuple[list[str], dict[date, int]]:
    zone = ZoneInfo(CITY_ZONE)
    order = np.argsort(received_s, kind="stable")
    numbers = [""] * len(order)
    per_day: dict[date, int] = {}
    for k, at in zip(order.tolist(), received_s[order].tolist(), strict=True):
        day = datetime.fromtimestamp(at, zone).date()
        per_day[day] = per_day.get(day, 0) + 1
        numbers[k] = f"{day:%Y%m%d}-{per_day[day]:06d}"
    return numbers, per_day


def store_part(
    out: Writer, connection: Connection, plan: Plan, vault: Vault, docket: Docket, rows: range
) -> None:
    """Tell a part of the cases and write it with events, clocks, tasks and reporters."""
    which = np.arange(rows.start, rows.stop)
    lives = [docket.tell(k) for k in rows]
    linked = docket.linked
    here = Linked(linked.cell_id[which], linked.grid_id[which], linked.area_code[which])
    versions = store_cases.grid_versions(connection, plan.today)
    store_cases.store_cases(out, vault, lives, docket.lonlat[which], here, versions)
    store_cases.store_reporters(out, vault, lives, plan.rng(f"reporters {rows.start}"))


def store_links(out: Writer, docket: Docket) -> None:
    """Write which case doubles which, once all of them stand."""
    events = docket.events
    doubles = np.flatnonzero(events.cause == "duplicate").tolist()
    out.put("incident_link", {
        "incident_id": [docket.openings.id(k) for k in doubles],
        "other_id": [docket.openings.id(int(events.of[k])) for k in doubles],
        "kind": ["duplicate"] * len(doubles),
        "created_at": [datetime.fromtimestamp(int(docket.received_s[k]), UTC) for k in doubles],
    })  # fmt: skip


def first_month(plan: Plan) -> date:
    """Return the day from which partitions of the years of cases are needed."""
    return plan.today - timedelta(days=365 * plan.years + 55)
