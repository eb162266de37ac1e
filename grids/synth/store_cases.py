"""Write accounts and cases of the simulated city."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from grids.accounts import NO_PASSWORD
from grids.incidents import tracking
from grids.incidents.projection import FIELDS
from grids.linking import Linked
from grids.secrets import Vault
from grids.synth.homes import Ints
from grids.synth.lives import Life
from grids.synth.names import person_names
from grids.synth.plan import Plan
from grids.synth.shapes import Floats, as_points
from grids.synth.staff import Staff, shifts
from grids.synth.store import Writer


def store_staff(out: Writer, plan: Plan, staff: Staff) -> Ints:
    """Write accounts that nobody can sign in with, their posts and shifts; return the keys."""
    ids = out.ids("account", len(staff.login))
    out.put("account", {
        "id": ids, "login": staff.login, "name": staff.name,
        "password_hash": [NO_PASSWORD] * len(ids),
    })  # fmt: skip
    out.put("assignment", {
        "account_id": ids, "role": staff.role, "area_code": staff.area,
        "department_code": staff.department,
    })  # fmt: skip
    who, starts, ends = shifts(plan, staff)
    out.put("shift", {"account_id": ids[who], "starts_at": starts, "ends_at": ends})
    return ids


def store_cases(
    out: Writer, vault: Vault, lives: list[Life], lonlat: Floats, linked: Linked,
    versions: dict[int, int],
) -> None:  # fmt: skip
    """Write cases, events, clocks, tasks and reporters; `lonlat` and `linked` are per case."""
    here = linked.grid_id
    columns: dict[str, Any] = {name: [getattr(one.case, name) for one in lives] for name in FIELDS}
    columns |= {
        "geom": as_points(lonlat),
        "cell_id": linked.cell_id,
        "grid_id": here,
        "grid_version_id": [versions.get(int(g)) if g is not np.ma.masked else None for g in here],
        "source": [life.opening.channel for life in lives],
        "coord_source": ["gnss" if life.opening.channel == "worker" else "map_click"
                         for life in lives],
        "track_hash": [tracking.stored(vault, life.case.id)
                       if life.opening.channel == "public" else None for life in lives],
    }  # fmt: skip
    out.put("incident", columns)
    _store_events(out, lives)
    _store_clocks(out, lives)


EVENT_COLUMNS = (
    "id", "incident_id", "seq", "recorded_at", "action", "from_status", "to_status", "actor_id",
    "role", "department_code", "area_code", "device_at", "device", "reason", "note",
    "data",
)  # fmt: skip


def _store_events(out: Writer, batch: list[Life]) -> None:
    events = [event for life in batch for event in life.events]
    out.put(
        "incident_event",
        {name: [getattr(event, name) for event in events] for name in EVENT_COLUMNS},
    )


def _store_clocks(out: Writer, batch: list[Life]) -> None:
    clocks = [clock for life in batch for clock in life.clocks]
    names = ("incident_id", "stage", "started_at", "due_at", "ended_at", "paused")
    out.put("incident_clock", {name: [getattr(c, name) for c in clocks] for name in names})
    tasks = [task for life in batch for task in life.tasks]
    fields = ("incident_id", "department_code", "part", "dispatched_at", "signed_at", "replied_at",
             "returned_at")  # fmt: skip
    out.put("incident_task", {name: [getattr(t, name) for t in tasks] for name in fields})


def store_reporters(out: Writer, vault: Vault, lives: list[Life], rng: np.random.Generator) -> None:
    """Write who reported by phone or on the public page, sealed."""
    told = [life for life in lives if life.opening.channel in ("public", "phone")]
    ids = [uuid.UUID(bytes=rng.bytes(16), version=4) for _ in told]
    names = person_names(rng, len(told))
    phones = [f"12{n:09d}" for n in rng.integers(0, 10**9, len(told)).tolist()]
    out.put("incident_reporter", {
        "id": ids, "incident_id": [life.case.id for life in told],
        "name_sealed": vault.seal_many("incident_reporter", "name_sealed", ids, names),
        "phone_sealed": vault.seal_many("incident_reporter", "phone_sealed", ids, phones),
        "phone_index": [vault.blind_index("incident_reporter", "phone", p) for p in phones],
        "created_at": [life.case.received_at for life in told],
    })  # fmt: skip


def keep_numbers(connection: Connection, counts: dict[date, int]) -> None:
    """Let the numbers of every day go on after those given here, never onto one of them.

    `next_incident_number` takes the distance of its sequence from the day's first value.
    """
    at = connection.execute(text("SELECT nextval('incident_number_seq')")).scalar_one()
    connection.execute(
        text("INSERT INTO number_day (day, first) VALUES (:day, :first)"),
        [{"day": day, "first": at - count} for day, count in sorted(counts.items())],
    )


def grid_versions(connection: Connection, on: date) -> dict[int, int]:
    """Map each grid to its version on a day."""
    rows = connection.execute(
        text("SELECT grid_id, id FROM grid_version WHERE valid @> CAST(:day AS date)"), {"day": on}
    )
    return {row.grid_id: row.id for row in rows}


def instant(seconds: float) -> datetime:
    """Turn seconds since the epoch into an instant, to the second."""
    return datetime.fromtimestamp(int(seconds), UTC)
