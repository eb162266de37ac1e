"""Tables held against each other every night: what differs is told, nothing is repaired.

All checks see one instant of the database. A projection is folded from its events anew, files
are hashed anew; a night takes the open cases, what moved lately, and a share of everything
else, so that a month sees all of it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from grids import blobs
from grids.channels.alarms import clear, raise_alarm
from grids.db import queries
from grids.incidents import projection
from grids.incidents.lifecycle import OPEN, TERMINAL
from grids.incidents.models import Incident, IncidentEvent
from grids.outbox.writing import QUIET
from grids.watch.models import Reconciliation

#: What moved within this time is looked at every night.
LATELY: Final = timedelta(days=3)
#: Events of the last minutes may still be on their way into the feed.
SETTLED: Final = timedelta(minutes=5)
PARTS: Final = 30
BATCH: Final = 500
MOST_NAMED: Final = 5
ALARM: Final = "reconcile"
KEPT: Final = 60


@dataclass
class Check:
    """One comparison: how many were looked at, how many are bad, and the first of those."""

    name: str
    looked: int = 0
    bad: int = 0
    first: list[str] = field(default_factory=list)

    def note(self, name: str) -> None:
        """Count a bad one."""
        self.bad += 1
        if len(self.first) < MOST_NAMED:
            self.first.append(name)


@dataclass(frozen=True)
class Report:
    """What a comparison found."""

    made_at: datetime
    took_s: float
    checks: tuple[Check, ...]

    @property
    def is_clean(self) -> bool:
        """Say whether nothing differs."""
        return not any(check.bad for check in self.checks)


@dataclass(frozen=True)
class _Look:
    session: Session
    store: blobs.Store
    values: dict[str, Any]


def reconcile(engine: Engine, blob_dir: Path, *, now: datetime, everything: bool = False) -> Report:
    """Hold the tables against each other at one instant; changes nothing."""
    # One snapshot: a case that moves meanwhile must not look torn. It writes nothing, so it has
    # no transaction id and does not hold the sealer back.
    alone = engine.connect().execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    )
    with alone as connection, Session(connection) as session, session.begin():
        return compare(session, blob_dir, now=now, everything=everything)


def compare(session: Session, blob_dir: Path, *, now: datetime, everything: bool = False) -> Report:
    """Hold the tables against each other in the transaction of a session."""
    began = time.monotonic()
    values = {
        "now": now,
        "since": now - LATELY,
        "settled": now - SETTLED,
        "everything": everything,
        "open": list(OPEN),
        "over": list(TERMINAL),
        "quiet": sorted(QUIET),
        "parts": PARTS,
        "part": now.toordinal() % PARTS,
    }
    look = _Look(session, blobs.Store(blob_dir), values)
    checks = tuple(check(look) for check in CHECKS)
    return Report(now, round(time.monotonic() - began, 3), checks)


def keep(session: Session, report: Report) -> None:
    """Keep what was found for the page, and tell the shift when something differs."""
    session.add(
        Reconciliation(
            made_at=report.made_at, took_s=report.took_s, is_clean=report.is_clean,
            checks=[asdict(check) for check in report.checks],
        )
    )  # fmt: skip
    bad = [check for check in report.checks if check.bad]
    for check in bad:
        raise_alarm(
            session, ALARM, check.name, now=report.made_at,
            detail={"bad": check.bad, "first": check.first},
        )  # fmt: skip
    clear(session, ALARM, now=report.made_at, keep=[check.name for check in bad])


def latest(session: Session) -> Reconciliation | None:
    """Return the last comparison that was kept."""
    return session.scalar(select(Reconciliation).order_by(Reconciliation.id.desc()).limit(1))


def _by_statement(name: str) -> Callable[[_Look], Check]:
    def check(look: _Look) -> Check:
        statement = queries("watch")[name]
        wanted = {key: look.values[key] for key in statement._bindparams}  # noqa: SLF001
        row = look.session.execute(statement, wanted).one()
        return Check(name, row.looked, row.bad, list(row.first or ()))

    return check


def _projections(look: _Look) -> Check:
    """Fold each chosen case from its events and compare it with its row."""
    found = Check("projection")
    names = ("open", "since", "everything", "parts", "part")
    ids = look.session.scalars(
        queries("watch")["chosen"], {name: look.values[name] for name in names}
    ).all()
    for batch in _batches(ids):
        rows = {row.id: row for row in look.session.scalars(_rows(batch))}
        told = set()
        for case_id, log in groupby(look.session.scalars(_log(batch)), lambda e: e.incident_id):
            told.add(case_id)
            found.looked += 1
            if not _is_whole(rows[case_id], list(log)):
                found.note(rows[case_id].number)
        for case_id in rows.keys() - told:
            found.looked += 1
            found.note(rows[case_id].number)
        look.session.expunge_all()
    return found


def _rows(batch: Sequence[UUID]) -> Any:
    return select(Incident).where(Incident.id.in_(batch))


def _log(batch: Sequence[UUID]) -> Any:
    return (
        select(IncidentEvent)
        .where(IncidentEvent.incident_id.in_(batch))
        .order_by(IncidentEvent.incident_id, IncidentEvent.seq)
    )


def _is_whole(row: Incident, log: list[IncidentEvent]) -> bool:
    try:
        return projection.rebuild(log) == projection.of_row(row)
    except (KeyError, ValueError, TypeError):
        return False  # an event that no longer says what it has to


def _files(look: _Look) -> Check:
    """Hash the files of the chosen photos: originals, and the copies that people see."""
    found = Check("files")
    names = ("since", "everything", "parts", "part")
    rows = look.session.execute(
        queries("watch")["photos"], {name: look.values[name] for name in names}
    ).all()
    for row in rows:
        found.looked += 1
        wanted = (("original", row.sha256), ("public", row.public_sha256),
                  ("public", row.thumb_sha256))  # fmt: skip
        if not all(_has_hash(look.store, room, sha256) for room, sha256 in wanted):
            found.note(row.sha256[:16])
    return found


def _has_hash(store: blobs.Store, room: str, sha256: str) -> bool:
    try:
        with store.path(room, sha256).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def _batches(ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    batch: list[UUID] = []
    for each in ids:
        batch.append(each)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


#: In the order in which the table shows them.
CHECKS: Final[tuple[Callable[[_Look], Check], ...]] = (
    _projections,
    *map(
        _by_statement,
        ("events", "feed", "feed_extra", "owners", "clocks", "outbox", "told", "channel_cases",
         "letters", "attachments"),
    ),
    _files,
)  # fmt: skip
NAMES: Final = (
    "projection", "events", "feed", "feed_extra", "owners", "clocks", "outbox", "told",
    "channel_cases", "letters", "attachments", "files",
)  # fmt: skip
