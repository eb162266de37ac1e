"""The verifier: says whether every audit row is as it was sealed, and names the first that is not.

Two sorted streams, the links and the rows, are walked side by side in one snapshot; memory
holds one link and one batch of rows whatever the length of the log. Reading is enough:
the role wangge_auditor can run it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal

import psycopg
from psycopg import sql

from grids.audit.chain import (
    ENTRY,
    EVENT_TEXT,
    GENESIS,
    digest,
    instant,
    link_hash,
    unpacked,
)
from grids.audit.heads import HeadFile

#: changed: the row's content is another one. deleted: a sealed row is gone. inserted: a row
#: stands among sealed ones that was never sealed. moved: the row stands at another place.
#: link: the link was changed or put elsewhere. gap: links are missing. end: the last rows
#: or links are missing. head: the chain is another one than that which was signed.
#: signature: a head is not ours or was changed.
Problem = Literal[
    "changed", "deleted", "inserted", "moved", "link", "gap", "end", "head", "signature"
]
ROWS_AT_ONCE: Final = 5_000
#: Above every number of a link.
ALL: Final = 2**62

#: Transaction and id: the order of the log.
Key = tuple[int, int]
#: Transaction, id, microseconds since 1970, the text that is hashed.
_Row = tuple[int, int, int, str]

LINKS: Final = """
    SELECT no, sealed_at, events, form, entries, hash FROM audit_link
    WHERE no >= %(first)s AND no <= %(last)s ORDER BY no
"""
EVENTS: Final = sql.SQL("""
    SELECT e.xid::text::bigint, e.id, (extract(epoch FROM e.at) * 1000000)::bigint, {text}
    FROM audit_event AS e
    WHERE (e.xid, e.id) > (%(xid)s::text::xid8, %(id)s)
      AND (e.xid, e.id) <= (%(last_xid)s::text::xid8, %(last_id)s)
    ORDER BY e.xid, e.id
""").format(text=EVENT_TEXT)
RETIRED: Final = """
    SELECT detail ->> 'from', detail ->> 'to' FROM audit_event WHERE action = 'audit_retired'
"""


@dataclass(frozen=True)
class Finding:
    """The first row that is not as it was sealed, or the place where rows are missing.

    `position` counts sealed rows from 1 without gaps; `id` and `at` are unknown where even
    the link that named the row is gone.
    """

    problem: Problem
    position: int
    id: int | None = None
    at: datetime | None = None
    link: int | None = None
    head: str = ""


@dataclass(frozen=True)
class Verified:
    """What was walked and what was found; `finding` None means all is as it was sealed."""

    events: int
    links: int
    heads: int
    retired: int  #: rows of months that were detached after their time of keeping
    finding: Finding | None


@dataclass(frozen=True, slots=True)
class _Link:
    no: int
    sealed_at: datetime
    events: int
    form: str
    entries: bytes
    hash: bytes


def verify(
    conn: psycopg.Connection[Any],
    *,
    heads: Iterable[HeadFile] = (),
    from_at: datetime | None = None,
    to_at: datetime | None = None,
) -> Verified:
    """Walk the log against its chain and the chain against its heads; stop at the first fault.

    With times, only the links that were sealed between them, against the hash before them.
    """
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return walk(conn, heads=heads, from_at=from_at, to_at=to_at)


def walk(
    conn: psycopg.Connection[Any],
    *,
    heads: Iterable[HeadFile] = (),
    from_at: datetime | None = None,
    to_at: datetime | None = None,
) -> Verified:
    """Do the work of `verify` in the caller's transaction, which must read one snapshot."""
    conn.execute("SET LOCAL TimeZone = 'UTC'")
    walked = _Walk(conn, list(heads))
    walked.run(*_span(conn, from_at, to_at))
    return Verified(walked.events, walked.links, walked.heads_met, walked.retired, walked.finding)


def _span(
    conn: psycopg.Connection[Any], from_at: datetime | None, to_at: datetime | None
) -> tuple[int, int | None]:
    """Return the first and, where an end was asked for, the last link to walk."""
    first, last = 1, None
    if from_at is not None:
        row = conn.execute(
            "SELECT min(no) FROM audit_link WHERE sealed_at >= %s", (from_at,)
        ).fetchone()
        newest = conn.execute("SELECT coalesce(max(no), 0) + 1 FROM audit_link").fetchone()
        first = row[0] if row and row[0] else newest[0] if newest else 1
    if to_at is not None:
        row = conn.execute(
            "SELECT max(no) FROM audit_link WHERE sealed_at < %s", (to_at,)
        ).fetchone()
        last = row[0] if row and row[0] else 0
    return first, last


class _Walk:
    """One walk; stops at the first fault and keeps what it has counted."""

    def __init__(self, conn: psycopg.Connection[Any], heads: list[HeadFile]) -> None:
        self.conn = conn
        self.head_files = heads
        self.heads = sorted(
            ((file.head, file.path.name) for file in heads if file.head and file.is_genuine),
            key=lambda pair: pair[0].no,
        )
        self.events = self.links = self.heads_met = self.retired = 0
        self.sealed = 0  #: rows up to the link that is walked
        self.good_at_head = 0  #: rows up to the last head that fitted
        self.finding: Finding | None = None
        self.spans = [
            (datetime.fromisoformat(low), datetime.fromisoformat(high))
            for low, high in conn.execute(RETIRED)
        ]

    def run(self, first: int, last: int | None) -> None:
        """Walk from one link to another, or to the end of the chain."""
        anchor = self._anchor(first)
        if anchor is None:
            self.finding = Finding("gap", 1, link=first - 1)
            return
        number, self.sealed, before, position = anchor
        self.good_at_head = self.sealed
        self._skip_heads(number)
        with (
            closing(self._links(first, last)) as links,
            closing(self._rows(position, last)) as rows,
        ):
            ahead = next(rows, None)
            for link in links:
                if link.no != number + 1:
                    self.finding = Finding("gap", self.sealed + 1, link=number + 1)
                    return
                ahead = self._compare(link, rows, ahead)
                self._judge(link, before)
                if self.finding is not None:
                    return
                number, before = link.no, link.hash
                self.links += 1
                if not self._fits_heads(link):
                    return
        if last is None:
            self._check_end(number, before, ahead)

    def _anchor(self, first: int) -> tuple[int, int, bytes, Key] | None:
        """Return number, count, hash and last key before the first link that is walked."""
        if first <= 1:
            return 0, 0, GENESIS, (0, 0)
        row = self.conn.execute(
            "SELECT no, events, hash, entries FROM audit_link WHERE no = %s", (first - 1,)
        ).fetchone()
        return None if row is None else (row[0], row[1], bytes(row[2]), _last_of(bytes(row[3])))

    def _links(self, first: int, last: int | None) -> Generator[_Link, None, None]:
        with self.conn.cursor(name="audit_links") as cursor:
            cursor.itersize = 20  # 56 KB each
            cursor.execute(LINKS, {"first": first, "last": ALL if last is None else last})
            for no, sealed_at, events, form, entries, kept in cursor:
                yield _Link(no, sealed_at, events, form, bytes(entries), bytes(kept))

    def _rows(self, after: Key, last: int | None) -> Generator[_Row, None, None]:
        """Read the rows up to the last sealed one."""
        end = self._last_key(last)
        with self.conn.cursor(name="audit_rows") as cursor:
            cursor.itersize = ROWS_AT_ONCE
            cursor.execute(
                EVENTS,
                {"xid": str(after[0]), "id": after[1], "last_xid": str(end[0]), "last_id": end[1]},
            )
            yield from cursor

    def _last_key(self, last: int | None) -> Key:
        """Return the key of the last sealed row: by the state, or by the last link where later."""
        row = self.conn.execute(
            "SELECT entries FROM audit_link WHERE no <= %s ORDER BY no DESC LIMIT 1",
            (ALL if last is None else last,),
        ).fetchone()
        key = _last_of(bytes(row[0])) if row else (0, 0)
        if last is None:
            found = self.conn.execute("SELECT xid::text::bigint, event_id FROM audit_state")
            state = found.fetchone()
            key = max(key, (state[0], state[1])) if state else key
        return key

    def _compare(self, link: _Link, rows: Iterator[_Row], ahead: _Row | None) -> _Row | None:
        """Lay the rows beside the entries of one link; return the row that was read ahead."""
        row = ahead
        for xid, number, at_us, kept in unpacked(link.entries):
            self.sealed += 1
            key = xid, number
            if row is not None and (row[0], row[1]) == key:
                if row[2] != at_us or digest(link.form, row[3]) != kept:
                    self._found("changed", link, number, at_us)
                    return row
                self.events += 1
                row = next(rows, None)
            elif row is not None and (row[0], row[1]) < key:
                self._found("inserted", link, row[1], row[2])
                return row
            elif self._is_retired(at_us):
                self.retired += 1
            else:
                self._found(self._why_missing(number), link, number, at_us)
                return row
        return row

    def _judge(self, link: _Link, before: bytes) -> None:
        """Recompute the hash of a link; where it is another one, the link is what was changed."""
        made = link_hash(
            link.form, before, no=link.no, sealed_at=link.sealed_at, events=link.events,
            entries=link.entries,
        )  # fmt: skip
        if made == link.hash and (self.finding is not None or link.events == self.sealed):
            return
        if self.finding is not None:
            self.finding = replace(self.finding, problem="link")
            return
        first = next(unpacked(link.entries), None)
        count = len(link.entries) // ENTRY.size
        self.sealed -= count - 1
        if first is None:
            self.finding = Finding("link", self.sealed, link=link.no)
        else:
            self._found("link", link, first[1], first[2])

    def _found(self, problem: Problem, link: _Link, number: int, at_us: int) -> None:
        self.finding = Finding(problem, self.sealed, number, instant(at_us), link.no)

    def _why_missing(self, number: int) -> Problem:
        """Tell a row that was removed from one that was put at another place."""
        found = self.conn.execute(
            "SELECT 1 FROM audit_event WHERE id = %s LIMIT 1", (number,)
        ).fetchone()
        return "moved" if found else "deleted"

    def _is_retired(self, at_us: int) -> bool:
        at = instant(at_us)
        return any(low <= at < high for low, high in self.spans)

    def _skip_heads(self, number: int) -> None:
        """Leave out heads of links before those that are walked."""
        self.heads = [(head, name) for head, name in self.heads if head.no > number]

    def _fits_heads(self, link: _Link) -> bool:
        """Compare a link with the heads that were signed when it was the last one."""
        while self.heads and self.heads[0][0].no <= link.no:
            head, name = self.heads.pop(0)
            if head.hash != link.hash or head.events != self.sealed:
                # Up to the head before, the chain is what was signed; behind it, it was
                # written anew.
                self.finding = Finding("head", self.good_at_head + 1, link=link.no, head=name)
                return False
            self.heads_met += 1
            self.good_at_head = self.sealed
        return True

    def _check_end(self, number: int, before: bytes, ahead: _Row | None) -> None:
        """Compare the end of the chain with the state, and with heads that lie behind it."""
        row = self.conn.execute("SELECT no, events, hash FROM audit_state").fetchone()
        is_end = row is not None and (row[0], row[1], bytes(row[2])) == (
            number, self.sealed, before,
        )  # fmt: skip
        missing = Finding(
            "end",
            self.sealed + 1,
            ahead[1] if ahead else None,
            instant(ahead[2]) if ahead else None,
            number + 1,
            self.heads[0][1] if self.heads else "",
        )
        bad = next((file for file in self.head_files if not (file.head and file.is_genuine)), None)
        if not is_end or ahead is not None or self.heads:
            self.finding = missing
        elif bad is not None:
            position = bad.head.events if bad.head else 0
            self.finding = Finding("signature", position, head=bad.path.name)


def _last_of(entries: bytes) -> Key:
    """Return the key of the last row of a link."""
    return max(((xid, number) for xid, number, _, _ in unpacked(entries)), default=(0, 0))


def feed_fits(conn: psycopg.Connection[Any], heads: Iterable[HeadFile]) -> Finding | None:
    """Compare the feed of case events with the heads; the first that it does not fit, or None."""
    for file in heads:
        if file.head is None or not file.is_genuine or not file.head.feed_no:
            continue
        row = conn.execute("SELECT hash FROM feed WHERE no = %s", (file.head.feed_no,)).fetchone()
        if row is None or bytes(row[0]) != file.head.feed_hash:
            problem: Problem = "end" if row is None else "head"
            return Finding(problem, file.head.feed_no, head=file.path.name)
    return None
