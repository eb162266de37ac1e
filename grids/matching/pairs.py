"""Pairs that wait for a person: kept by night, listed by area, held for different, asked again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from grids import audit, scope
from grids.accounts import Actor
from grids.enterprises import Enterprise, Premises
from grids.errors import Conflict, Invalid, NotFound
from grids.matching.models import DuplicatePair

PAGE: Final = 20
LONGEST_WHY: Final = 500

# A person is asked once. Whoever said "different" is asked again only where one of the two
# entries says something else by now: the digest is of what was compared.
_KEEP_FROM: Final = """
    INSERT INTO duplicate_pair AS p
        (register, one, other, score, evidence, reason, distance_m, digest, source, found_at)
    SELECT 'enterprise', a.id, b.id, f.score, f.evidence, f.reason,
           round((ST_Distance(ST_Transform(a.geom, c.metric_srid),
                              ST_Transform(b.geom, c.metric_srid)))::numeric, 1),
           md5(jsonb_build_array(a.name, a.uscc, a.industry, a.address_id, a.geom::text,
                                 b.name, b.uscc, b.industry, b.address_id, b.geom::text)::text),
           f.source, f.found_at
    FROM (@FOUND@) AS f
    JOIN enterprise AS a ON a.id = least(f.one, f.other)
    JOIN enterprise AS b ON b.id = greatest(f.one, f.other)
    CROSS JOIN city AS c
    WHERE a.valid_to IS NULL AND b.valid_to IS NULL
    ON CONFLICT (register, one, other) DO UPDATE SET
        score = excluded.score, evidence = excluded.evidence, reason = excluded.reason,
        distance_m = excluded.distance_m, digest = excluded.digest, state = 'open',
        source = CASE WHEN p.state = 'open' THEN p.source ELSE excluded.source END,
        found_at = CASE WHEN p.state = 'open' THEN p.found_at ELSE excluded.found_at END,
        decided_at = NULL, decided_by = NULL, why = ''
    WHERE p.state IN ('open', 'gone') OR (p.state = 'different' AND p.digest <> excluded.digest)
"""
_KEEP: Final = text(_KEEP_FROM.replace("@FOUND@", """
    SELECT one, other, score, reason, evidence, :source AS source,
           CAST(:now AS timestamptz) AS found_at
    FROM jsonb_to_recordset(CAST(:found AS jsonb))
         AS given (one bigint, other bigint, score float8, reason text, evidence jsonb)
"""))  # fmt: skip
#: The pairs that rows of a batch open which were entered, between two numbers; for a driver.
KEEP_OF_ROWS: Final = _KEEP_FROM.replace("@FOUND@", """
    SELECT r.entry_id AS one, told.entry AS other, told.score, told.reason, told.evidence,
           'import:' || r.batch_id AS source, now() AS found_at
    FROM import_row AS r
    CROSS JOIN LATERAL jsonb_to_recordset(r.match -> 'pairs')
         AS told (entry bigint, score float8, reason text, evidence jsonb)
    WHERE r.batch_id = %(batch)s AND r.number BETWEEN %(first)s AND %(last)s
      AND r.state = 'staged' AND r.verdict = 'new' AND r.match ? 'pairs'
""")  # fmt: skip
# What an import opened was judged by another prior: it goes with its entries alone.
_GONE: Final = text("""
    UPDATE duplicate_pair AS p SET state = 'gone'
    WHERE p.state = 'open' AND p.register = 'enterprise'
      AND (p.source = 'register' AND NOT EXISTS (
             SELECT 1 FROM jsonb_to_recordset(CAST(:found AS jsonb)) AS f (one bigint, other bigint)
             WHERE f.one = p.one AND f.other = p.other)
           OR (SELECT count(*) FROM enterprise AS e
               WHERE e.id IN (p.one, p.other) AND e.valid_to IS NULL) < 2)
""")


class NoPair(NotFound):
    """There is no such pair, or none of its entries lies in the caller's areas."""

    code = "duplicate.no_pair"


class Decided(Conflict):
    """Somebody has decided the pair meanwhile, or one of its entries has gone."""

    code = "duplicate.decided"


class WhyNeeded(Invalid):
    """A decision says why."""

    code = "duplicate.why"


@dataclass(frozen=True)
class Found:
    """One pair as a finder tells it."""

    one: int
    other: int
    score: float
    reason: str
    evidence: dict[str, str]


@dataclass(frozen=True)
class Told:
    """A pair with its entries. One that lies outside the caller's areas is None, its town named."""

    pair: DuplicatePair
    one: Enterprise | None
    other: Enterprise | None
    towns: tuple[str, str]

    @property
    def is_whole(self) -> bool:
        """Say whether both entries lie in the caller's areas."""
        return self.one is not None and self.other is not None


@dataclass(frozen=True)
class Listed:
    """A page of pairs, and where the next begins; empty at the end."""

    rows: tuple[Told, ...]
    next: str


def keep(
    connection: Connection, found: Iterable[Found], *, source: str, now: datetime,
    is_whole_register: bool = True,
) -> None:  # fmt: skip
    """Store pairs; of a run over the whole register also forget what is a pair no longer."""
    given = {
        "found": json.dumps([one.__dict__ for one in found]), "source": source, "now": now,
    }  # fmt: skip
    connection.execute(_KEEP, given)
    if is_whole_register:
        connection.execute(_GONE, {"found": given["found"]})


def listed(
    session: Session, actor: Actor, *, area: str = "", reason: str = "", state: str = "open",
    after: str = "",
) -> Listed:  # fmt: skip
    """List pairs of which the caller may see an entry, the likeliest first."""
    statement, one, other = _seen(actor)
    statement = statement.where(
        DuplicatePair.state == state,
        or_(scope.in_areas(one.area_code, (area,)), scope.in_areas(other.area_code, (area,))),
    )
    if reason:
        statement = statement.where(DuplicatePair.reason == reason)
    if (mark := _mark(after)) is not None:
        score, key = mark
        statement = statement.where(
            or_(
                DuplicatePair.score < score,
                and_(DuplicatePair.score == score, DuplicatePair.id > key),
            )
        )
    rows = session.execute(
        statement.order_by(DuplicatePair.score.desc(), DuplicatePair.id).limit(PAGE + 1)
    ).all()
    told = tuple(_told(actor, row) for row in rows[:PAGE])
    last = told[-1].pair if len(rows) > PAGE else None
    return Listed(told, f"{last.score!r}:{last.id}" if last else "")


def count_open(session: Session, actor: Actor) -> int:
    """Count the pairs that the caller could decide: both entries lie in the own areas."""
    one, other = aliased(Enterprise), aliased(Enterprise)
    asked = (
        select(func.count())
        .select_from(DuplicatePair)
        .join(one, one.id == DuplicatePair.one)
        .join(other, other.id == DuplicatePair.other)
        .where(
            DuplicatePair.state == "open",
            scope.condition(actor, one),
            scope.condition(actor, other),
        )
    )
    return session.scalar(asked) or 0


def pair_of(session: Session, actor: Actor, pair_id: int, *, lock: bool = False) -> Told:
    """Return a pair of which the caller may see an entry. Raises `NoPair`."""
    statement = _seen(actor)[0]
    statement = statement.where(DuplicatePair.id == pair_id)
    if lock:
        statement = statement.with_for_update(of=DuplicatePair)
    row = session.execute(statement.execution_options(populate_existing=lock)).first()
    if row is None:
        raise NoPair(f"no pair {pair_id}")
    return _told(actor, row)


def hold_different(
    session: Session, actor: Actor, pair_id: int, why: str, *, now: datetime, source_ip: str
) -> None:
    """Note that two entries are two things. Raises `NoPair`, `Decided`, `WhyNeeded`."""
    found = open_pair(session, actor, pair_id)
    found.pair.why = reasoned(why)
    found.pair.state, found.pair.decided_at = "different", now
    found.pair.decided_by = actor.account_id
    _note(session, actor, "duplicate_different", found.pair, source_ip)


def ask_again(session: Session, actor: Actor, pair_id: int, *, source_ip: str) -> None:
    """Take back that two entries are two things: the pair waits again."""
    found = pair_of(session, actor, pair_id, lock=True)
    if found.pair.state != "different" or not found.is_whole:
        raise Decided(f"pair {pair_id} is {found.pair.state}", state=found.pair.state)
    reopen(found.pair)
    _note(session, actor, "duplicate_reopened", found.pair, source_ip)


def reopen(pair: DuplicatePair) -> None:
    """Let a pair wait for a decision."""
    pair.state, pair.why, pair.merge_id = "open", "", None
    pair.decided_at = pair.decided_by = None


def open_pair(session: Session, actor: Actor, pair_id: int) -> Told:
    """Lock a pair that waits and of which the caller answers for both entries.

    Raises `NoPair`, and `Decided` where it does not wait or one lies outside the areas.
    """
    found = pair_of(session, actor, pair_id, lock=True)
    if found.pair.state != "open":
        raise Decided(f"pair {pair_id} is {found.pair.state}", state=found.pair.state)
    if not found.is_whole:
        raise NoPair(f"pair {pair_id} is decided by who answers for both")
    return found


def reasoned(why: str) -> str:
    """Return why, cut to its room. Raises `WhyNeeded`."""
    if len(why.strip()) < 2:
        raise WhyNeeded("a decision says why", field="why")
    return why.strip()[:LONGEST_WHY]


def _seen(actor: Actor) -> tuple[Any, Any, Any]:
    one, other = aliased(Enterprise), aliased(Enterprise)
    sees = or_(scope.condition(actor, one), scope.condition(actor, other))
    statement: Any = (
        select(DuplicatePair, one, other)
        .join(one, one.id == DuplicatePair.one)
        .join(other, other.id == DuplicatePair.other)
        .where(sees)
    )
    return statement, one, other


def _told(actor: Actor, row: Any) -> Told:
    pair, entries = row[0], (row[1], row[2])
    one, other = (entry if scope.may_see(actor, entry.area_code) else None for entry in entries)
    return Told(pair, one, other, (entries[0].area_code[:9], entries[1].area_code[:9]))


def _mark(after: str) -> tuple[float, int] | None:
    score, _, key = after.partition(":")
    try:
        return float(score), int(key)
    except ValueError:
        return None


def _note(session: Session, actor: Actor, action: str, pair: DuplicatePair, source_ip: str) -> None:
    audit.record(
        session, action, actor_id=actor.account_id, source_ip=source_ip,
        subject=f"duplicate_pair:{pair.id}", detail={"entries": [pair.one, pair.other]},
    )  # fmt: skip


def premises_of(session: Session, actor: Actor, found: Sequence[Told]) -> dict[int, int]:
    """Count the premises that the entries of pairs run, by the key of the entry."""
    keys = [row.id for told in found for row in (told.one, told.other) if row is not None]
    rows = session.execute(
        select(Premises.enterprise_id, func.count())
        .where(
            scope.condition(actor, Premises), Premises.valid_to.is_(None),
            Premises.enterprise_id.in_(keys),
        )
        .group_by(Premises.enterprise_id)
    )  # fmt: skip
    return {key: n for key, n in rows if key is not None}
