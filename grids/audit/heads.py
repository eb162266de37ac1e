"""Heads of the chain, signed and written to a folder outside the database.

Whoever owns the database can write a new chain that fits a changed log; nobody can make it fit
a head that was signed and carried away. A head is a small text that a person can read:

    wangge audit head
    kind: day
    day: 2026-03-04
    made: 2026-03-05T00:00:01+08:00
    links: 1820
    events: 90211
    chain: sha256/1 <hash of that link>
    feed: 40211 <hash of that entry>
    signature: <base64>
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import psycopg

from grids.audit.chain import form_of

TITLE: Final = "wangge audit head"
#: Written again while the chain grows, so that at most this much can be cut without a trace.
LATEST: Final = "latest.head"
LATEST_EVERY_S: Final = 10.0
SIGNATURE: Final = "signature: "

Kind = Literal["day", "asked", "latest"]


class Signs(Protocol):
    """What a head needs of `grids.secrets.Signer`."""

    def sign(self, data: bytes) -> bytes:
        """Sign bytes."""

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Say whether one of the keys made this signature of exactly these bytes."""


@dataclass(frozen=True)
class Head:
    """How long the chain was and what its last link said, at one moment."""

    kind: str
    day: date
    made_at: datetime
    no: int
    events: int
    form: str
    hash: bytes
    feed_no: int
    feed_hash: bytes

    def text(self) -> str:
        """Write what is signed."""
        return (
            f"{TITLE}\nkind: {self.kind}\nday: {self.day.isoformat()}\n"
            f"made: {self.made_at.isoformat(timespec='seconds')}\n"
            f"links: {self.no}\nevents: {self.events}\n"
            f"chain: {self.form} {self.hash.hex()}\nfeed: {self.feed_no} {self.feed_hash.hex()}\n"
        )


@dataclass(frozen=True)
class HeadFile:
    """A head as it was found in a folder; `head` is None where it cannot be read."""

    path: Path
    head: Head | None
    is_genuine: bool


def signed(head: Head, signer: Signs) -> str:
    """Write a head with its signature."""
    text = head.text()
    return f"{text}{SIGNATURE}{base64.b64encode(signer.sign(text.encode())).decode()}\n"


def parsed(body: str) -> Head:
    """Read a head. Raises `ValueError` where it is none."""
    lines = body.splitlines()
    if not lines or lines[0] != TITLE:
        raise ValueError("not a head of the audit chain")
    values = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    form, _, chain = values["chain"].partition(" ")
    feed_no, _, feed_hash = values["feed"].partition(" ")
    return Head(
        kind=values["kind"],
        day=date.fromisoformat(values["day"]),
        made_at=datetime.fromisoformat(values["made"]),
        no=int(values["links"]),
        events=int(values["events"]),
        form=form,
        hash=bytes.fromhex(chain),
        feed_no=int(feed_no),
        feed_hash=bytes.fromhex(feed_hash),
    )


def is_genuine(body: str, signer: Signs) -> bool:
    """Say whether the signature of a head is ours and is for exactly this text."""
    text, mark, signature = body.rpartition(SIGNATURE)
    if not mark:
        return False
    try:
        return signer.verify(text.encode(), base64.b64decode(signature.strip(), validate=True))
    except ValueError:
        return False


def read_heads(folder: Path, signer: Signs | None) -> Iterator[HeadFile]:
    """Read every head of a folder; without a signer signatures count as good."""
    for path in sorted(folder.glob("*.head")):
        body = path.read_text(encoding="utf-8", errors="replace")
        try:
            head: Head | None = parsed(body)
        except (ValueError, KeyError):
            head = None
        yield HeadFile(path, head, signer is None or is_genuine(body, signer))


def present_head(conn: psycopg.Connection[Any], *, kind: Kind, day: date, now: datetime) -> Head:
    """Read the head of the chain as it is now, and that of the feed beside it."""
    row = conn.execute(
        "SELECT s.no, s.events, coalesce(l.form, %s), s.hash, f.no, f.hash"
        " FROM audit_state AS s LEFT JOIN audit_link AS l ON l.no = s.no, feed_state AS f",
        (form_of("sha256"),),
    ).fetchone()
    if row is None:
        raise RuntimeError("audit_state has no row: run the migrations")
    return Head(kind, day, now, row[0], row[1], row[2], bytes(row[3]), row[4], bytes(row[5]))


def export_head(
    conn: psycopg.Connection[Any],
    folder: Path,
    signer: Signs,
    *,
    kind: Kind,
    day: date,
    now: datetime,
) -> Path:
    """Sign the present head and write it into a folder; note it in the database too.

    `day` heads are named by their day and written once; `asked` ones by the second;
    `latest` is written over. The file is complete and on the disk, or it is not there.
    """
    head = present_head(conn, kind=kind, day=day, now=now)
    body = signed(head, signer)
    names = {"day": f"{day.isoformat()}.head", "latest": LATEST}
    path = folder / names.get(kind, f"{now:%Y-%m-%dT%H%M%S}.head")
    write_durably(path, body)
    if kind != "latest":
        conn.execute(
            "INSERT INTO audit_head (made_at, kind, no, events, body) VALUES (%s, %s, %s, %s, %s)",
            (now, kind, head.no, head.events, body),
        )
    return path


def write_durably(path: Path, body: str) -> None:
    """Write a small file at once: after a power cut it is the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with draft.open("w", encoding="utf-8") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)  # noqa: PTH105 - the atomic one
