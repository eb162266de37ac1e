"""The work on a batch: look, check, take over, take back. Run by the worker and by the command.

Each step may run twice: a look and a check begin anew, taking over goes on where it was cut
off, taking back is one transaction.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, delete, func, select, text
from sqlalchemy.orm import Session

from gis.crs import STORAGE_SRID
from gis.errors import GisError
from gis.tables import Table, open_table
from gis.tables.model import unreadable
from grids.addressing import service as addressing
from grids.addressing.levels import Level
from grids.addressing.library import InMemory
from grids.addressing.match import Match, match
from grids.addressing.parser import parse
from grids.blobs import Store
from grids.bulk import copy_frame
from grids.city import City, the_city
from grids.errors import GridsError, Invalid
from grids.facts import corrections
from grids.facts.bulk import Feed
from grids.feed import write_no_event
from grids.importing.batches import committing, matching, placing, undoing
from grids.importing.batches.looking import look
from grids.importing.batches.mending import MENDED, Again, Mends
from grids.importing.batches.models import ImportBatch, ImportRow, ImportSource
from grids.importing.batches.service import ROOM, require
from grids.importing.batches.settings import Settings, settings_of
from grids.importing.batches.staging import Located, Stager
from grids.importing.batches.targets import Target, lists, target_of
from grids.linking import place_index

log = logging.getLogger("wangge.import")

#: A file that ended its reader this often is not tried again: the next worker would die too.
MOST_ATTEMPTS: Final = 3
#: More addresses than these are looked up in memory, fewer one by one.
_MANY: Final = 300
_ADDRESS_PARTS: Final = {
    "street": Level.STREET, "number": Level.NUMBER, "estate": Level.ESTATE,
    "building": Level.BUILDING,
}  # fmt: skip
_GRIDS: Final = text("SELECT count(*) || ':' || coalesce(max(id), 0) FROM grid_version")
Progress = Callable[[int], None]


class TooOften(Invalid):
    """Reading the file has ended its reader again and again."""

    code = "import.too_often"


class GridsMoved(Invalid):
    """The grids were drawn anew since the check: rows lie in others now."""

    code = "import.grids_moved"


def run_look(engine: Engine, store: Store, batch_id: int) -> None:
    """Look at the file of a batch and fit its settings; a refusal is noted, not raised."""
    if not _begin(engine, batch_id, "uploaded"):
        return
    try:
        with Session(engine) as session, session.begin():
            batch, source, target = _locked(session, batch_id, "uploaded")
            settings = settings_of(batch.settings)
            table = _opened(store, batch, settings)
            found = look(session, table, target, settings, the_city(session))
            batch.look, batch.settings = found.facts, found.settings.as_json()
            batch.state, batch.attempts = "looked", 0
            log.info("batch %s of %s is %s", batch.id, source.code, found.facts["format"])
    except (GisError, GridsError) as error:
        _refuse(engine, batch_id, "uploaded", error)


def run_check(engine: Engine, store: Store, batch_id: int, *, now: datetime) -> None:
    """Stage and judge every row of a batch, all in one transaction."""
    if not _begin(engine, batch_id, "checking"):
        return
    try:
        with Session(engine) as session, session.begin():
            batch, source, target = _locked(session, batch_id, "checking")
            session.execute(delete(ImportRow).where(ImportRow.batch_id == batch.id))
            _stage(session, store, batch, target)
            matching.resolve(
                session.connection(), source.id, target, _feed(batch, source, target),
                by_likeness=_is_likely(batch),
            )  # fmt: skip
            batch.grids_seen = str(session.scalar(_GRIDS))
            _count(session, batch)
            batch.state, batch.checked_at, batch.attempts = "checked", now, 0
    except (GisError, GridsError) as error:
        _refuse(engine, batch_id, "checking", error)


def run_mend(engine: Engine, batch_id: int, numbers: Sequence[int], *, now: datetime) -> None:
    """Judge rows that were put right by hand; the file and all other rows are left as they are."""
    if not _begin(engine, batch_id, "checking"):
        return
    try:
        with Session(engine) as session, session.begin():
            batch, source, target = _locked(session, batch_id, "checking")
            _require_grids(session, batch)
            again = Again(session, batch, numbers)
            connection = session.connection()
            stager = _stager(session, batch, target, again.table, again.mended.keys())
            made = stager.stage(again.block)
            again.keep_faults(made)
            session.execute(delete(ImportRow).where(
                ImportRow.batch_id == batch.id, ImportRow.number.in_(again.numbers)
            ))  # fmt: skip
            copy_frame(connection, "import_row", made.columns(batch.id))
            feed = _feed(batch, source, target)
            matching.resolve(
                connection, source.id, target, feed, again.numbers, by_likeness=_is_likely(batch)
            )
            _count(session, batch)
            batch.state, batch.checked_at, batch.attempts = "checked", now, 0
    except (GisError, GridsError) as error:
        _refuse(engine, batch_id, "checking", error)


def run_commit(
    engine: Engine,
    batch_id: int,
    *,
    chunk: int = committing.CHUNK,
    progress: Progress | None = None,
) -> None:
    """Take the good rows over, from where the last run ended; in mode `all` at once."""
    if not _begin(engine, batch_id, "committing"):
        return
    try:
        with Session(engine) as session:
            while True:
                with session.begin():
                    batch, source, target = _locked(session, batch_id, "committing")
                    _require_grids(session, batch)
                    _say_why(session, batch, batch.committed_by)
                    is_whole = settings_of(batch.settings).mode == "all"
                    done = _chunk(session, batch, source, target, chunk)
                    while is_whole and done:
                        done = _chunk(session, batch, source, target, chunk)
                    if not done:
                        batch.state, batch.attempts = "committed", 0
                        _count(session, batch)
                        corrections.close(session, source)
                    total = batch.rows_done
                if progress is not None:
                    progress(total)
                if not done:
                    return
    except (GisError, GridsError) as error:
        # What was drawn anew needs a check, not a refusal: nothing of this chunk was written.
        _back(engine, batch_id, error)


def run_undo(engine: Engine, batch_id: int) -> None:
    """Take a batch back as far as nobody has changed its entries since."""
    if not _begin(engine, batch_id, "undoing"):
        return
    with Session(engine) as session, session.begin():
        batch, source, target = _locked(session, batch_id, "undoing")
        _say_why(session, batch, batch.undone_by)
        undoing.undo_rows(
            session.connection(),
            source_id=source.id,
            target=target,
            feed=_feed(batch, source, target),
        )
        session.refresh(batch)
        states = _tally(session, batch, ImportRow.state)
        batch.rows_undone, batch.rows_kept = states.get("undone", 0), states.get("kept", 0)
        batch.state, batch.attempts = "undone", 0


def _begin(engine: Engine, batch_id: int, state: str) -> bool:
    """Count a try before it begins; a batch in another state is somebody else's, or done."""
    with Session(engine) as session, session.begin():
        batch = session.get(ImportBatch, batch_id, with_for_update=True)
        if batch is None or batch.state != state:
            return False
        batch.attempts += 1
        if batch.attempts <= MOST_ATTEMPTS:
            return True
        if state in ("committing", "undoing"):
            return True
        batch.state, batch.refusal = "refused", {"code": TooOften.code}
        return False


def _is_likely(batch: ImportBatch) -> bool:
    return settings_of(batch.settings).match == "likely"


def _locked(
    session: Session, batch_id: int, state: str
) -> tuple[ImportBatch, ImportSource, Target]:
    # A hundred thousand rows take a minute, and no report may wait for them.
    write_no_event(session.connection())
    batch = session.get_one(ImportBatch, batch_id, with_for_update=True, populate_existing=True)
    require(batch, state)
    source = session.get_one(ImportSource, batch.source_id)
    return batch, source, target_of(source.target)


def _opened(store: Store, batch: ImportBatch, settings: Settings) -> Table:
    return open_table(store.path(ROOM, batch.file_sha256), batch.file_name, settings.read)


def _refuse(engine: Engine, batch_id: int, state: str, error: GisError | GridsError) -> None:
    """Note why a batch is not taken: its code and what fills the text of it."""
    with Session(engine) as session, session.begin():
        batch = session.get_one(ImportBatch, batch_id, with_for_update=True)
        if batch.state == state:
            batch.state, batch.refusal = "refused", _refusal(error)
            log.info("batch %s is refused: %s", batch_id, error.code)


def _back(engine: Engine, batch_id: int, error: GisError | GridsError) -> None:
    with Session(engine) as session, session.begin():
        batch = session.get_one(ImportBatch, batch_id, with_for_update=True)
        if batch.state == "committing":
            batch.state = "refused" if not batch.rows_done else "committing"
            batch.refusal = _refusal(error)


def _refusal(error: GisError | GridsError) -> dict[str, Any]:
    params = {key: value for key, value in error.params.items()
              if isinstance(value, str | int | float)}  # fmt: skip
    return {"code": error.code, **params}


# --- Staging --------------------------------------------------------------------------------


def _stage(session: Session, store: Store, batch: ImportBatch, target: Target) -> None:
    table = _opened(store, batch, settings_of(batch.settings))
    mends = Mends(session, batch)
    connection = session.connection()
    stager = _stager(session, batch, target, table, mends.numbers)
    rows = 0
    for block in table.blocks():
        mends.write(table, block)
        made = stager.stage(block)
        rows += copy_frame(connection, "import_row", made.columns(batch.id))
    if not rows:
        raise unreadable("no_rows", "there is no row below the head")
    batch.rows_total = rows


def _stager(
    session: Session, batch: ImportBatch, target: Target, table: Table, keep: Iterable[int]
) -> Stager:  # fmt: skip
    """Make the reader of a batch's rows; `keep` keep their words though nothing is wrong."""
    settings, city = settings_of(batch.settings), the_city(session)
    today = session.execute(select(func.current_date())).scalar_one()
    # Rows that are judged again bring shapes of their own only as they are stored.
    stated = f"EPSG:{batch.look.get('srid') or STORAGE_SRID}"
    return Stager(
        table, target, settings, placing.Frame.of(city, settings.crs or stated),
        lists=lists(session), index=place_index(session.connection(), today), areas=batch.areas,
        geocode=_Geocoder(session, city), county=city.county_code, parse=_address_parts,
        shape_frame=placing.Frame.of(city, f"EPSG:{STORAGE_SRID}") if table.format == MENDED else None,
        keep=frozenset(keep),
    )  # fmt: skip


class _Geocoder:
    """Finds addresses: a few by look-ups, many with the library in memory, read once."""

    def __init__(self, session: Session, city: City) -> None:
        self.session, self.city = session, city
        self.library: InMemory | None = None

    def __call__(self, texts: Sequence[str]) -> list[Located]:
        if self.library is None and len(texts) <= _MANY:
            return [_located(one) for one in addressing.geocode_list(self.session, texts)]
        if self.library is None:
            self.library = InMemory.of(self.session)
        return [_located(match(words, self.library)) for words in texts]


def _located(found: Match) -> Located:
    best = found.best
    if found.verdict == "sure" and best is not None:
        return best.address_id, best.lon, best.lat
    return found.verdict if found.verdict != "sure" else "none"


def _address_parts(words: str) -> dict[str, str]:
    values = parse(words).values
    return {name: values[level] for name, level in _ADDRESS_PARTS.items() if level in values}


# --- Taking over ----------------------------------------------------------------------------


def _chunk(
    session: Session, batch: ImportBatch, source: ImportSource, target: Target, chunk: int
) -> int:
    session.flush()
    done = committing.commit_chunk(
        session.connection(), source_id=source.id, target=target,
        feed=_feed(batch, source, target), chunk=chunk,
    )  # fmt: skip
    session.refresh(batch)
    return done


def _feed(batch: ImportBatch, source: ImportSource, target: Target) -> Feed:
    """Say who speaks: a file is as of when it was sent, whenever it is taken over."""
    return committing.feed_of(
        target, source=source.code, batch_id=batch.id, observed_at=batch.created_at
    )


def _require_grids(session: Session, batch: ImportBatch) -> None:
    if batch.grids_seen != str(session.scalar(_GRIDS)):
        raise GridsMoved("the grids were drawn anew since the check")


def _say_why(session: Session, batch: ImportBatch, account_id: int | None) -> None:
    """Tell the history of the registers who changes entries in this transaction, and why."""
    session.execute(
        text("SELECT set_config('wangge.actor', :actor, true),"
             " set_config('wangge.reason', :reason, true)"),
        {"actor": "" if account_id is None else str(account_id),
         "reason": f"import {batch.id}: {batch.file_name}"[:500]},
    )  # fmt: skip


def _tally(session: Session, batch: ImportBatch, column: Any) -> dict[str, int]:
    rows = session.execute(
        select(column, func.count()).where(ImportRow.batch_id == batch.id).group_by(column)
    )
    return {str(row[0]): int(row[1]) for row in rows}


def _count(session: Session, batch: ImportBatch) -> None:
    """Write the counts of a batch: in = new + changed + same + rejected + held."""
    found = _tally(session, batch, ImportRow.verdict)
    batch.rows_new, batch.rows_changed = found.get("new", 0), found.get("change", 0)
    batch.rows_same, batch.rows_held = found.get("same", 0), found.get("held", 0)
    batch.rows_rejected = found.get("rejected", 0)
