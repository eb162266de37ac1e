"""The statements on one entry: by hand, from the spot, and as its page tells them.

Tables and columns come from the models; callers have read the entry in scope.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import shapely
from psycopg import sql
from sqlalchemy import Table, delete, func, select
from sqlalchemy.orm import Session

from grids.bulk import driver
from grids.facts.bulk import OF_BEFORE
from grids.facts.models import Fact
from grids.facts.survivorship import DESK, GROUND, IMPORT, PLACE, by_weight
from grids.importing.batches.models import ImportSource

#: How sure what somebody saw or decided is.
SURE: Final = {DESK: 1.0, GROUND: 0.95}


@dataclass(frozen=True)
class Speaker:
    """Somebody who says something of an entry: from the spot, or at the data desk."""

    source: str  #: `ground` or `desk`
    account_id: int | None
    evidence: str | None = None  #: `visit:<id>`, `check:<id>`


@dataclass(frozen=True)
class Statement:
    """What a source says of a field, as a page tells it."""

    fact: Fact
    name: str  #: of the source of tables; empty for others
    department: str | None


def keep_before(session: Session, table: Table, entry_id: int, fields: Sequence[str]) -> None:
    """Keep what stands in fields that nobody has spoken of, before somebody does."""
    for field in fields:
        _run(session, """
            INSERT INTO fact (register, entry_id, field, source, value, how, observed_at, confidence)
            SELECT {register}, t.id, {field}, t.source, t.{column}::text,
                   CASE WHEN {field} = {place} THEN t.coord_source END, t.valid_from, {sure}
            FROM {table} AS t WHERE t.id = %s AND t.{column} IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM fact AS f WHERE f.register = {register}
                              AND f.entry_id = t.id AND (f.field = {field}
                              OR f.source = t.source AND f.batch_id IS NOT NULL))
            ON CONFLICT DO NOTHING
        """, table, field, (entry_id,), place=PLACE, sure=OF_BEFORE)  # fmt: skip


def note_shown(
    session: Session, table: Table, entry_id: int, fields: Sequence[str], speaker: Speaker, *,
    now: datetime,
) -> None:  # fmt: skip
    """Keep what the register shows now as said by somebody; an empty value says that there is none."""
    for field in fields:
        _run(session, """
            INSERT INTO fact (register, entry_id, field, source, value, how, observed_at, confidence,
                              said_by, evidence)
            SELECT {register}, t.id, {field}, %s, coalesce(t.{column}::text, ''),
                   CASE WHEN {field} = {place} THEN t.coord_source END, %s, {sure}, %s, %s
            FROM {table} AS t WHERE t.id = %s
            ON CONFLICT (register, entry_id, field, source) DO UPDATE
            SET value = excluded.value, how = excluded.how, observed_at = excluded.observed_at,
                confidence = excluded.confidence, batch_id = NULL, said_by = excluded.said_by,
                evidence = excluded.evidence
        """, table, field, (speaker.source, now, speaker.account_id, speaker.evidence, entry_id),
            place=PLACE, sure=SURE[speaker.source])  # fmt: skip


def say(
    session: Session, table: Table, entry_id: int, field: str, value: str, speaker: Speaker, *,
    now: datetime, reason: str,
) -> None:  # fmt: skip
    """Keep what somebody says of a field, and write into the register what holds then."""
    keep_before(session, table, entry_id, (field,))
    how = "gnss" if field == PLACE else None
    _run(session, """
        INSERT INTO fact (register, entry_id, field, source, value, how, observed_at, confidence,
                          said_by, evidence)
        VALUES ({register}, %s, {field}, %s, (%s::{kind})::text, %s, %s, {sure}, %s, %s)
        ON CONFLICT (register, entry_id, field, source) DO UPDATE
        SET value = excluded.value, how = excluded.how, observed_at = excluded.observed_at,
            confidence = excluded.confidence, batch_id = NULL, said_by = excluded.said_by,
            evidence = excluded.evidence
    """, table, field, (entry_id, speaker.source, value, how, now, speaker.account_id,
                        speaker.evidence), sure=SURE[speaker.source])  # fmt: skip
    settle(session, table, entry_id, field, reason=reason)


def unsay(
    session: Session, table: Table, entry_id: int, field: str, source: str, *, reason: str
) -> str | None:
    """Forget what a source says of a field and show what the others say; return what it said.

    Where nobody else says anything the register stays as it is. Returns None where the source
    says nothing of it.
    """
    said = session.scalar(
        delete(Fact)
        .where(Fact.register == table.name, Fact.entry_id == entry_id, Fact.field == field,
               Fact.source == source)
        .returning(Fact.value)
    )  # fmt: skip
    if said is not None:
        settle(session, table, entry_id, field, reason=reason)
    return said


def settle(session: Session, table: Table, entry_id: int, field: str, *, reason: str) -> bool:
    """Write into the register what holds of a field; say whether something else had stood there."""
    said = of_entry(session, table.name, entry_id, (field,)).get(field)
    if not said:
        return False
    held = said[0].fact
    say_why(session, reason)
    changed = _run(session, """
        UPDATE {table} AS t SET {column} = nullif(%s, '')::{kind},
               coord_source = coalesce(%s, t.coord_source)
        WHERE t.id = %s AND coalesce(t.{column}::text, '') <> %s
    """, table, field, (held.value, held.how, entry_id, held.value))  # fmt: skip
    session.expire_all()
    return changed > 0


def say_why(session: Session, reason: str) -> None:
    """Name the reason that the history keeps with the changes of this transaction."""
    session.execute(select(func.set_config("wangge.reason", reason, True)))


def of_entry(
    session: Session, register: str, entry_id: int, fields: Iterable[str] | None = None
) -> dict[str, list[Statement]]:
    """Return the statements on an entry by field, the one that holds first."""
    wanted = select(Fact).where(Fact.register == register, Fact.entry_id == entry_id)
    if fields is not None:
        wanted = wanted.where(Fact.field.in_(list(fields)))
    found = session.scalars(wanted).all()
    sources = sources_of(session, found)
    by_field: dict[str, list[Fact]] = {}
    for fact in found:
        by_field.setdefault(fact.field, []).append(fact)
    departments = {code: source.department_code for code, source in sources.items()}
    return {
        field: [_statement(fact, sources) for fact in by_weight(register, facts, departments)]
        for field, facts in by_field.items()
    }


def point_of(value: str) -> tuple[float, float]:
    """Return longitude and latitude (CGCS2000) of a place as statements write it: hex EWKB."""
    point = shapely.from_wkb(value).representative_point()
    return float(point.x), float(point.y)


def sources_of(session: Session, facts: Sequence[Fact]) -> dict[str, ImportSource]:
    """Return the sources of tables that some statements come from, by `import:<code>`."""
    codes = {fact.source.removeprefix(IMPORT) for fact in facts if fact.source.startswith(IMPORT)}
    if not codes:
        return {}
    rows = session.scalars(select(ImportSource).where(ImportSource.code.in_(codes)))
    return {f"{IMPORT}{row.code}": row for row in rows}


def _statement(fact: Fact, sources: Mapping[str, ImportSource]) -> Statement:
    source = sources.get(fact.source)
    return Statement(
        fact, source.name if source else "", source.department_code if source else None
    )


def _run(
    session: Session, statement: str, table: Table, field: str, values: tuple[Any, ...], **more: Any
) -> int:
    """Run a statement of this module over a field of a register; return how many rows it wrote."""
    session.flush()
    column = "geom" if field == PLACE else field
    composed = sql.SQL(statement).format(
        register=sql.Literal(table.name), field=sql.Literal(field),
        table=sql.Identifier(table.name), column=sql.Identifier(column),
        kind=sql.SQL("geometry" if field == PLACE
                     else table.c[column].type.compile(dialect=session.get_bind().dialect)),
        **more,
    )  # fmt: skip
    return driver(session.connection()).execute(composed, values).rowcount
