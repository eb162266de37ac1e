"""Batches as a caller sees them: send a file, say how it is read, look at it, decide."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.blobs import Store
from grids.errors import Conflict, Invalid, NotFound
from grids.importing.batches import settings as chosen
from grids.importing.batches.models import ImportBatch, ImportRow, ImportSource
from grids.importing.batches.settings import Settings, settings_of
from grids.importing.batches.targets import target_of

ROOM: Final = "import"
MOST_BYTES: Final = 200 * 1024 * 1024
LISTED: Final = 50
CODE: Final = re.compile(r"[a-z][a-z0-9-]{1,40}")
_LONGEST_NAME: Final = 100


class NoBatch(NotFound):
    """There is no such batch, or the caller may not see it."""

    code = "import.no_batch"


class BadSource(Invalid):
    """A source is not set up as it must be; `field` names what."""

    code = "import.bad_source"


class TooLarge(Invalid):
    """The file has more bytes than a batch may have."""

    code = "import.too_large"


class BadRows(Conflict):
    """All rows or none were asked for, and some are bad: none was taken."""

    code = "import.bad_rows"


class NothingToRepair(Conflict):
    """No outline of the batch was shown to be repaired, or that is how it was checked already."""

    code = "import.nothing_to_repair"


class NotNow(Conflict):
    """The batch is in a state in which this is not possible."""

    code = "import.not_now"


def visible(actor: Actor) -> ColumnElement[bool]:
    """Say which batches a caller sees: own ones, and those of areas that the caller answers for."""
    return or_(
        ImportBatch.account_id == actor.account_id,
        scope.in_areas(ImportBatch.area_code, actor.areas),
    )


def batch_of(session: Session, actor: Actor, batch_id: int, *, lock: bool = False) -> ImportBatch:
    """Return a batch that the caller sees. Raises `NoBatch`."""
    wanted = select(ImportBatch).where(ImportBatch.id == batch_id, visible(actor))
    if lock:
        wanted = wanted.with_for_update()
    found = session.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise NoBatch(f"no batch {batch_id}")
    return found


def source_of(session: Session, batch: ImportBatch) -> ImportSource:
    """Return the source of a batch that the caller has read in scope."""
    return session.get_one(ImportSource, batch.source_id)


def batches(
    session: Session, actor: Actor, *, before: int = 0, source_id: int = 0
) -> list[tuple[ImportBatch, ImportSource]]:
    """List the batches that the caller sees, the newest first, by key."""
    wanted = (
        select(ImportBatch, ImportSource)
        .join(ImportSource, ImportSource.id == ImportBatch.source_id)
        .where(visible(actor))
        .order_by(ImportBatch.id.desc())
        .limit(LISTED)
    )
    if before:
        wanted = wanted.where(ImportBatch.id < before)
    if source_id:
        wanted = wanted.where(ImportBatch.source_id == source_id)
    return [(row[0], row[1]) for row in session.execute(wanted)]


def sources(session: Session, actor: Actor) -> Sequence[ImportSource]:
    """List the sources that the caller may send files of."""
    return session.scalars(
        select(ImportSource)
        .where(scope.in_areas(ImportSource.area_code, actor.areas))
        .order_by(ImportSource.name)
        .limit(500)
    ).all()


def known_source(session: Session, actor: Actor, code: str) -> ImportSource | None:
    """Return a source by its code; None where there is none. Raises `BadSource` outside of scope."""
    found = session.scalar(select(ImportSource).where(ImportSource.code == code))
    if found is None:
        return None
    if not any(found.area_code.startswith(area) for area in actor.areas):
        raise BadSource("another area has a source of this code", field="code")
    return found


def make_source(
    session: Session, actor: Actor, *, code: str, name: str, target: str, department: str | None = None
) -> ImportSource:  # fmt: skip
    """Set up a source. Raises `BadSource` and `NoTarget`."""
    target_of(target)
    if not CODE.fullmatch(code):
        raise BadSource("a code has small letters, digits and hyphens", field="code")
    if not name.strip() or len(name) > _LONGEST_NAME:
        raise BadSource("a source has a name", field="name")
    if known_source(session, actor, code) is not None:
        raise BadSource("there is a source of this code", field="code")
    made = ImportSource(
        code=code, name=name.strip(), target=target, department_code=department or None,
        area_code=common_area(actor.areas), settings=Settings().as_json(),
        created_by=actor.account_id or None,
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def source_for(
    session: Session, actor: Actor, *, known: str, code: str, name: str, target: str, department: str
) -> ImportSource:  # fmt: skip
    """Return the source that was chosen, else a new one. Raises `BadSource` and `NoTarget`."""
    found = known_source(session, actor, known) if known else None
    return found or make_source(
        session, actor, code=code or known, name=name, target=target, department=department
    )


def common_area(areas: Sequence[str]) -> str:
    """Return the code that holds all of some areas.

    >>> common_area(["339901001", "339901002"]), common_area([""])
    ('339901', '')
    """
    common = areas[0] if areas else ""
    for area in areas:
        while not area.startswith(common):
            common = common[:-1]
    return common[: max((n for n in (0, 6, 9, 12, 15) if n <= len(common)), default=0)]


def start(
    session: Session, store: Store, actor: Actor, source: ImportSource, data: bytes, *,
    name: str, now: datetime,
) -> ImportBatch:  # fmt: skip
    """Keep a file as a new batch of a source, read as the source's last file was.

    Raises `TooLarge` and `Invalid` for a file without a name or content.
    """
    if len(data) > MOST_BYTES:
        raise TooLarge("the file is too large", most_mb=MOST_BYTES >> 20, field="file")
    if not data:
        raise Invalid("no file", field="file")
    sha256 = store.put(ROOM, data)
    if sha256 != hashlib.sha256(data).hexdigest():
        raise Conflict("the file was not stored whole")
    batch = ImportBatch(
        source_id=source.id, account_id=actor.account_id or None,
        area_code=common_area(actor.areas), areas=list(actor.areas), file_sha256=sha256,
        file_name=Path(name).name[:_LONGEST_NAME] or "file", file_size=len(data),
        settings=source.settings, state="uploaded", created_at=now,
    )  # fmt: skip
    session.add(batch)
    session.flush()
    _note(session, actor, batch, "import_sent", {"source": source.code, "bytes": len(data)})
    return batch


def settle(session: Session, batch: ImportBatch, settings: Settings) -> None:
    """Take what somebody chose for a batch that is not taken over yet; it is looked at again."""
    require(batch, "uploaded", "looked", "checked", "refused")
    source = source_of(session, batch)
    checked = chosen.checked(settings, target_of(source.target))
    batch.settings = checked.as_json()
    batch.state, batch.refusal, batch.attempts = "uploaded", {}, 0


def ask_check(session: Session, batch: ImportBatch, settings: Settings) -> None:
    """Take the mapping and ask for the check. Raises `BadSettings` for what is missing."""
    require(batch, "looked", "checked", "refused")
    source = source_of(session, batch)
    target = target_of(source.target)
    look = batch.look
    checked = chosen.checked(settings, target, look.get("columns", ()))
    lacking = chosen.missing(checked, target, has_geometry=bool(look.get("has_geometry")))
    if lacking:
        raise chosen.BadSettings(
            f"no column for {', '.join(lacking)}", field=f"map.{lacking[0]}", missing=list(lacking)
        )
    batch.settings = checked.as_json()
    batch.state, batch.refusal, batch.attempts = "checking", {}, 0
    # The next file of this source is read alike; the sheet of this one may not be in it.
    source.settings = replace(checked, read=replace(checked.read, sheet=""), repair=False).as_json()


def ask_repair(session: Session, batch: ImportBatch, *, is_on: bool) -> None:
    """Ask for outlines that are not valid to be repaired, or no more, and for the check that does so.

    Only what the last check has shown can be asked for. Raises `NotNow` and `NothingToRepair`.
    """
    require(batch, "checked")
    if batch.cleared_at is not None:
        raise NotNow("the rows of the batch are gone", state="cleared")
    settings = settings_of(batch.settings)
    shown = session.scalar(
        select(func.count()).select_from(ImportRow).where(
            ImportRow.batch_id == batch.id,
            ImportRow.errors.contains([{"rule": "repaired" if settings.repair else "not_valid"}]),
        )
    )  # fmt: skip
    if settings.repair == is_on or not shown:
        raise NothingToRepair("no outline was shown to be repaired")
    batch.settings = replace(settings, repair=is_on).as_json()
    batch.state, batch.refusal, batch.attempts = "checking", {}, 0


def outlines_of(
    session: Session, batch: ImportBatch, *, most: int
) -> list[tuple[int, dict[str, Any]]]:
    """Return rows whose outline is not valid, or was repaired, with what is told of it."""
    fault = func.jsonb_array_elements(ImportRow.errors).table_valued("value", name="fault")
    told = fault.c.value.cast(JSONB)
    rows = session.execute(
        select(ImportRow.number, told)
        .select_from(ImportRow)
        .join(fault, true())
        .where(
            ImportRow.batch_id == batch.id, ImportRow.errors.is_not(None),
            told["rule"].astext.in_(("not_valid", "repaired")), told.has_key("area_m2"),
        )
        .order_by(ImportRow.number)
        .limit(most)
    )  # fmt: skip
    return [(row[0], row[1]) for row in rows]


def ask_commit(session: Session, batch: ImportBatch, actor: Actor, *, now: datetime) -> None:
    """Ask for the good rows to be taken over. Raises `NotNow` and `BadRows`."""
    require(batch, "checked")
    if settings_of(batch.settings).mode == "all" and batch.rows_rejected + batch.rows_held:
        raise BadRows("not one row is taken while one is bad",
                      n=batch.rows_rejected + batch.rows_held)  # fmt: skip
    batch.state, batch.attempts = "committing", 0
    batch.committed_by = actor.account_id or None
    batch.committed_at = now
    _note(session, actor, batch, "import_committed", {"rows": batch.rows_new + batch.rows_changed})


def ask_undo(session: Session, batch: ImportBatch, actor: Actor, *, now: datetime) -> None:
    """Ask for a batch to be taken back. Raises `NotNow`, also where its rows are gone by age."""
    require(batch, "committed", "committing")
    if batch.cleared_at is not None:
        raise NotNow("the rows of the batch are gone", state="cleared")
    batch.state, batch.attempts = "undoing", 0
    batch.undone_by = actor.account_id or None
    batch.undone_at = now
    _note(session, actor, batch, "import_undone", {"rows": batch.rows_done})


def require(batch: ImportBatch, *states: str) -> None:
    """Raise `NotNow` where a batch is in another state."""
    if batch.state not in states:
        raise NotNow(f"the batch is {batch.state}", state=batch.state)


def rows_of(
    session: Session, batch: ImportBatch, verdicts: Sequence[str], *, after: int = -1,
    most: int = LISTED,
) -> Sequence[ImportRow]:  # fmt: skip
    """Return staged rows of a batch that the caller has read in scope, by their number."""
    return session.scalars(
        select(ImportRow)
        .where(
            ImportRow.batch_id == batch.id, ImportRow.verdict.in_(verdicts),
            ImportRow.number > after,
        )
        .order_by(ImportRow.number)
        .limit(most)
    ).all()  # fmt: skip


def _note(
    session: Session, actor: Actor, batch: ImportBatch, action: str, detail: dict[str, Any]
) -> None:
    audit.record(
        session, action, actor_id=actor.account_id or None, subject=f"import_batch:{batch.id}",
        detail=detail,
    )  # fmt: skip
