"""What goes back to a source: where it says otherwise than what holds, with evidence and receipt.

A file is made once and stays as it was. Its lines wait for the source's answer; a line closes by
itself when the source says what holds, by a file of its own.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import Session

from grids import audit, exports, scope
from grids.accounts import Actor
from grids.bulk import driver
from grids.errors import Conflict, Invalid, NotFound
from grids.facts import statements, survivorship
from grids.facts.models import Correction, CorrectionFile
from grids.facts.statements import point_of
from grids.facts.survivorship import IMPORT, PLACE
from grids.importing.batches.models import ImportSource
from grids.registers.kinds import KINDS

LISTED: Final = 100
#: Lines of one file.
_MOST: Final = 100_000
#: Columns of the file, in its order; heads come from the catalogue.
HEADS: Final = ("line", "own_id", "field", "said", "true", "evidence", "known_on", "withdrawn")
#: Fields of the platform alone: no source can correct them.
_OWN: Final = frozenset({"source", "valid_from", "area_m2"})

_FIND: Final = """
    INSERT INTO correction (file_id, source_id, register, entry_id, area_code, field, own_id, said,
                            holds, because, evidence, known_at)
    SELECT %(file)s, %(source_id)s, {register}, h.entry_id, t.area_code, h.field, k.own_id, h.said,
           h.value, h.because, h.evidence, h.observed_at
    FROM (
        SELECT DISTINCT ON (own.entry_id, own.field) own.entry_id, own.field, own.value AS said,
               f.value, f.source AS because, f.evidence, f.observed_at
        FROM fact AS own
        CROSS JOIN LATERAL (SELECT * FROM fact WHERE register = {register}
            AND entry_id = own.entry_id AND field = own.field OFFSET 0) AS f
        LEFT JOIN import_source AS i ON f.source = 'import:' || i.code
        LEFT JOIN jsonb_to_recordset(%(named)s) AS k (field text, who text, place int)
               ON k.field = own.field AND k.who = {who}
        WHERE own.register = {register} AND own.source = %(source)s AND own.field = ANY (%(fields)s)
        ORDER BY own.entry_id, own.field, {weight}
    ) AS h
    JOIN {table} AS t ON t.id = h.entry_id
    JOIN LATERAL (SELECT own_id FROM import_key WHERE source_id = %(source_id)s
                  AND target = {register} AND entry_id = h.entry_id ORDER BY own_id LIMIT 1) AS k ON true
    WHERE h.value <> h.said AND t.area_code ^@ ANY (%(areas)s)
    ORDER BY h.entry_id, h.field LIMIT %(most)s
    ON CONFLICT DO NOTHING
"""
_FIND_GONE: Final = """
    INSERT INTO correction (file_id, source_id, register, entry_id, area_code, field, own_id, said,
                            holds, because, evidence, known_at)
    SELECT %(file)s, %(source_id)s, {register}, f.entry_id, t.area_code, f.field, k.own_id, 'no',
           f.value, f.source, f.evidence, f.observed_at
    FROM fact AS f JOIN {table} AS t ON t.id = f.entry_id
    JOIN LATERAL (SELECT own_id FROM import_key WHERE source_id = %(source_id)s
                  AND target = {register} AND entry_id = f.entry_id ORDER BY own_id LIMIT 1) AS k ON true
    WHERE f.register = {register} AND f.field = 'gone' AND f.value = 'yes' AND f.source = 'ground'
      AND t.area_code ^@ ANY (%(areas)s)
    ON CONFLICT DO NOTHING
"""
#: What the source says now is what holds: told by a file of its own, or held by nobody any more.
_CLOSE: Final = text(
    """
    UPDATE correction AS c SET state = 'closed', closed_at = now()
    FROM fact AS f
    WHERE c.source_id = :source_id AND c.state IN ('open', 'taken', 'refused')
      AND f.register = c.register AND f.entry_id = c.entry_id AND f.field = c.field
      AND f.source = :source AND f.value = c.holds
    """
)
#: What was told rests on a word that was taken back.
_WITHDRAW: Final = text(
    """
    UPDATE correction SET state = 'withdrawn', reason = :reason, closed_at = :now
    WHERE register = :register AND entry_id = :entry_id AND field = :field AND because = :because
      AND holds = :value AND holds <> :holds AND state IN ('open', 'taken', 'refused')
    """
)


class NoFile(NotFound):
    """There is no such file of corrections, or the caller may not see it."""

    code = "correction.none"


class NothingToCorrect(Conflict):
    """The source says nowhere otherwise than what holds, or was told already."""

    code = "correction.nothing"


class BadReceipt(Invalid):
    """A receipt does not fit its file; `line` names the line."""

    code = "correction.bad_receipt"


def _of_source(actor: Actor) -> ColumnElement[bool]:
    return scope.in_areas(ImportSource.area_code, actor.areas)


def sources(session: Session, actor: Actor) -> list[tuple[ImportSource, int, int]]:
    """List the sources of the caller's areas with how many lines wait and how many are closed."""
    counts = {
        row[0]: (int(row[1]), int(row[2]))
        for row in session.execute(
            select(
                Correction.source_id,
                func.count().filter(Correction.state.in_(("open", "taken", "refused"))),
                func.count().filter(Correction.state == "closed"),
            )
            .where(scope.condition(actor, Correction))
            .group_by(Correction.source_id)
        )
    }
    found = session.scalars(
        select(ImportSource).where(_of_source(actor)).order_by(ImportSource.name).limit(500)
    )
    return [(one, *counts.get(one.id, (0, 0))) for one in found]


def files(session: Session, actor: Actor) -> list[tuple[CorrectionFile, ImportSource]]:
    """List the latest files of corrections of the caller's sources."""
    rows = session.execute(
        select(CorrectionFile, ImportSource)
        .join(ImportSource, ImportSource.id == CorrectionFile.source_id)
        .where(_of_source(actor), scope.condition(actor, CorrectionFile))
        .order_by(CorrectionFile.id.desc())
        .limit(LISTED)
    )
    return [(row[0], row[1]) for row in rows]


def file_of(
    session: Session, actor: Actor, file_id: int, *, lock: bool = False
) -> tuple[CorrectionFile, ImportSource]:
    """Return a file with its source. Raises `NoFile`."""
    wanted = (
        select(CorrectionFile, ImportSource)
        .join(ImportSource, ImportSource.id == CorrectionFile.source_id)
        .where(
            scope.condition(actor, CorrectionFile), _of_source(actor), CorrectionFile.id == file_id
        )
    )
    row = session.execute(wanted.with_for_update(of=CorrectionFile) if lock else wanted).first()
    if row is None:
        raise NoFile(f"no file of corrections {file_id}")
    return row[0], row[1]


def withdrawn(session: Session, actor: Actor, file: CorrectionFile) -> int:
    """Count the lines of a file that were withdrawn after it was made."""
    found = select(func.count()).where(
        scope.condition(actor, Correction), Correction.file_id == file.id,
        Correction.state == "withdrawn",
    )  # fmt: skip
    return session.scalar(found) or 0


def lines_of(
    session: Session, actor: Actor, file: CorrectionFile, *, after: int = 0, most: int = LISTED
) -> Sequence[Correction]:
    """Return lines of a file, by their number."""
    return session.scalars(
        select(Correction)
        .where(
            scope.condition(actor, Correction), Correction.file_id == file.id, Correction.id > after
        )
        .order_by(Correction.id)
        .limit(most)
    ).all()


def make(
    session: Session, actor: Actor, source_id: int, *, reason: str, note: str, now: datetime,
    source_ip: str,
) -> CorrectionFile:  # fmt: skip
    """Make the file of what a source has not been told yet.

    Raises `NoFile` outside of the caller's areas, `ReasonNeeded`, and `NothingToCorrect`.
    """
    reason, note = exports.checked_reason("L2", reason, note)
    source = session.scalar(
        select(ImportSource).where(_of_source(actor), ImportSource.id == source_id)
    )
    if source is None:
        raise NoFile(f"no source {source_id}")
    close(session, source)
    file = CorrectionFile(
        source_id=source.id, area_code=source.area_code, made_at=now, made_by=actor.account_id,
        reason=reason, note=note, lines=0,
    )  # fmt: skip
    session.add(file)
    session.flush()
    file.lines = _find(session, actor, source, file)
    if not file.lines:
        raise NothingToCorrect("nothing to tell this source", source=source.code)
    audit.record(
        session, "correction_made", actor_id=actor.account_id, source_ip=source_ip,
        subject=f"correction_file:{file.id}",
        detail={"reason": reason, "rows": file.lines, "source": source.code},
    )  # fmt: skip
    return file


def take(
    session: Session, actor: Actor, file_id: int, *, source_ip: str
) -> tuple[CorrectionFile, ImportSource, Sequence[Correction]]:
    """Return a file with its lines for somebody who takes it away, and note that in the log."""
    file, source = file_of(session, actor, file_id)
    lines = lines_of(session, actor, file, most=_MOST)
    audit.record(
        session, "export", actor_id=actor.account_id, source_ip=source_ip,
        subject=f"correction_file:{file.id}",
        detail={"level": "L2", "reason": file.reason, "format": "csv", "rows": len(lines),
                "source": source.code},
    )  # fmt: skip
    return file, source, lines


def _find(session: Session, actor: Actor, source: ImportSource, file: CorrectionFile) -> int:
    fields = [
        *(fact.column for fact in KINDS[source.target].facts if fact.column not in _OWN), PLACE,
    ]  # fmt: skip
    values = {
        "file": file.id, "source_id": source.id, "source": f"{IMPORT}{source.code}",
        "fields": fields, "areas": list(actor.areas), "most": _MOST,
        "named": Jsonb(survivorship.named(source.target, fields)),
    }  # fmt: skip
    run = driver(session.connection())
    names: dict[str, sql.Composable] = {
        "register": sql.Literal(source.target), "table": sql.Identifier(source.target),
        "who": sql.SQL(survivorship.WHO), "weight": sql.SQL(survivorship.WEIGHT),
    }  # fmt: skip
    return sum(
        run.execute(sql.SQL(statement).format(**names), values).rowcount
        for statement in (_FIND, _FIND_GONE)
    )


def withdraw(
    session: Session, register: str, entry_id: int, field: str, value: str, *, because: str,
    reason: str, now: datetime,
) -> int:  # fmt: skip
    """Withdraw the lines that told sources a value which holds no more; return how many.

    A line stays where another source says the same and so holds it still.
    """
    values = {
        "register": register, "entry_id": entry_id, "field": field, "value": value,
        "because": because, "reason": reason[:200], "now": now,
        "holds": next((said[0].fact.value for said in statements.of_entry(
            session, register, entry_id, (field,)).values()), ""),
    }  # fmt: skip
    session.flush()
    done: Any = session.execute(_WITHDRAW, values)
    return int(done.rowcount)


def close(session: Session, source: ImportSource) -> int:
    """Close the lines of a source that says by now what holds; return how many."""
    values = {"source_id": source.id, "source": f"{IMPORT}{source.code}"}
    session.flush()
    done: Any = session.execute(_CLOSE, values)
    return int(done.rowcount)


def receive(
    session: Session, actor: Actor, file_id: int, refused: Mapping[int, str], *, by: str,
    now: datetime, source_ip: str,
) -> CorrectionFile:  # fmt: skip
    """Note the receipt of a department: who confirmed, and which lines it refuses, with the reason.

    The other lines are taken. Raises `BadReceipt`, also for a second receipt.
    """
    file, _source = file_of(session, actor, file_id, lock=True)
    if file.received_at is not None:
        raise BadReceipt("the file has its receipt", field="by")
    if not 2 <= len(by.strip()) <= 80:
        raise BadReceipt("a receipt says who gave it", field="by")
    lines = {one.id: one for one in lines_of(session, actor, file, most=_MOST)}
    for line, why in refused.items():
        if line not in lines:
            raise BadReceipt("no such line", field="refused", line=line)
        if not 2 <= len(why.strip()) <= 200:
            raise BadReceipt("a refusal says why", field="refused", line=line)
    for line, one in lines.items():
        if one.state != "open":
            continue
        one.state = "refused" if line in refused else "taken"
        one.reason = refused.get(line, "").strip()
    file.received_at, file.received_from, file.received_by = now, by.strip(), actor.account_id
    audit.record(
        session, "correction_received", actor_id=actor.account_id, source_ip=source_ip,
        subject=f"correction_file:{file.id}",
        detail={"lines": len(lines), "refused": len(refused)},
    )  # fmt: skip
    session.flush()
    return file


def csv_of(
    lines: Sequence[Correction], heads: Sequence[str], words: Mapping[str, str]
) -> Iterator[str]:
    """Write a file of corrections as CSV; `words` are those of fields and of whose word holds."""
    out = io.StringIO()
    # The mark tells spreadsheets that this is UTF-8.
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(heads)
    for one in lines:
        writer.writerow([
            one.id, _plain(one.own_id), words.get(one.field, one.field), shown(one.field, one.said),
            shown(one.field, one.holds), words.get(one.because, one.because),
            one.known_at.date().isoformat(), _plain(one.reason) if one.state == "withdrawn" else "",
        ])  # fmt: skip
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def shown(field: str, value: str) -> str:
    """Write a value for a file: a place as its longitude and latitude (CGCS2000)."""
    if field == PLACE and value:
        lon, lat = point_of(value)
        return f"{lon:.7f} {lat:.7f}"
    return _plain(value)


def _plain(value: str) -> str:
    """Keep a spreadsheet from reading a value as a formula."""
    return f"'{value}" if value[:1] in ("=", "+", "@", "\t") else value
