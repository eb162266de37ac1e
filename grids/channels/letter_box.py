"""The letter box: read in the order of the mail server's numbers, each letter kept exactly once.

The position moves in the transaction that keeps the letter, so whoever dies at whatever instant
leaves a letter either unread or kept. The mark "seen" on the server follows afterwards and only
serves people who look into the box; a letter that comes again, under another number or after
the box was rebuilt, is known by its Message-ID.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID, uuid4

from sqlalchemy import Engine, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grids import blobs
from grids.channels import mime
from grids.channels.alarms import clear, raise_alarm
from grids.channels.letter_models import Letter, LetterBox, LetterPhoto
from grids.channels.mime import ReadLetter
from grids.city import City, the_city
from grids.secrets import Vault

#: A letter above this is kept by its head only.
MOST_BYTES: Final = 30 * 1024 * 1024
MOST_AT_ONCE: Final = 200
FAILURES_TOLD: Final = 3
ALARM: Final = "letter_box"
LONGEST_ERROR: Final = 200


class Mailbox(Protocol):
    """A box that is open on a mail server."""

    @property
    def uid_validity(self) -> int:
        """Name the numbering; another one means that all numbers are new."""

    def uids_after(self, uid: int) -> list[int]:
        """Return the numbers of letters behind one, in order."""

    def size(self, uid: int) -> int:
        """Return the size of a letter in bytes."""

    def head(self, uid: int) -> bytes:
        """Return the head of a letter, without marking it."""

    def whole(self, uid: int) -> bytes:
        """Return a letter, without marking it."""

    def mark_seen(self, uids: Iterable[int]) -> None:
        """Mark letters as seen, for people who look into the box."""


@dataclass(frozen=True)
class Keeper:
    """What keeping a letter needs, and where files go."""

    engine: Engine
    vault: Vault
    store: blobs.Store
    box: str = "mail"
    confidential: bool = False  #: everything in this box is confidential
    step: Callable[[str], None] = lambda _name: None  #: called between two steps: for tests


def poll(keeper: Keeper, mailbox: Mailbox, *, now: datetime) -> int:
    """Keep the letters that came since the last look; return how many are new."""
    after = _position(keeper, mailbox.uid_validity)
    kept = 0
    seen: list[int] = []
    for uid in mailbox.uids_after(after)[:MOST_AT_ONCE]:
        kept += _keep(keeper, mailbox, uid, now)
        keeper.step("kept")
        seen.append(uid)
        mailbox.mark_seen([uid])
        keeper.step("marked")
    with Session(keeper.engine) as session, session.begin():
        session.execute(
            update(LetterBox)
            .where(LetterBox.code == keeper.box)
            .values(looked_at=now, failures=0, last_error="")
        )
        clear(session, ALARM, now=now, subject=keeper.box)
    return kept


def failed(keeper: Keeper, error: str, *, now: datetime) -> None:
    """Note that the box could not be read, and tell the shift when it goes on."""
    with Session(keeper.engine) as session, session.begin():
        _ensure(session, keeper.box)
        row = session.get_one(LetterBox, keeper.box, with_for_update=True)
        row.failures, row.last_error = row.failures + 1, error[:LONGEST_ERROR]
        if row.failures >= FAILURES_TOLD:
            raise_alarm(
                session, ALARM, keeper.box, now=now,
                detail={"failures": row.failures, "error": row.last_error},
            )  # fmt: skip


def _position(keeper: Keeper, validity: int) -> int:
    """Return the last number that was read; none where the server has numbered anew."""
    with Session(keeper.engine) as session, session.begin():
        _ensure(session, keeper.box)
        row = session.get_one(LetterBox, keeper.box, with_for_update=True)
        if row.uid_validity != validity:
            row.uid_validity, row.last_uid = validity, 0
        return row.last_uid


def _ensure(session: Session, box: str) -> None:
    session.execute(insert(LetterBox).values(code=box).on_conflict_do_nothing())


def _keep(keeper: Keeper, mailbox: Mailbox, uid: int, now: datetime) -> bool:
    """Keep one letter and move the position with it; False where it is known already."""
    head = mailbox.head(uid)
    if not head:
        return _skip(keeper, uid)  # somebody has removed it meanwhile
    first = mime.read(head)
    mark = _mark(keeper.box, first.message_id, head)
    with Session(keeper.engine) as session:
        is_known = session.scalar(select(Letter.id).where(Letter.seen_hash == mark)) is not None
    read, drawn = first, []
    if not is_known:
        if mailbox.size(uid) > MOST_BYTES:
            read = replace(first, problem="too_large", text="")
        else:
            read = mime.read(mailbox.whole(uid))
            if not read.message_id and not read.sender:
                read = replace(first, problem=read.problem or "broken")
        drawn = list(read.pictures)
    with Session(keeper.engine) as session, session.begin():
        city = the_city(session)
        is_new = not is_known and _store(session, keeper, read, drawn, mark, city, now)
        session.execute(update(LetterBox).where(LetterBox.code == keeper.box).values(last_uid=uid))
    return is_new


def _skip(keeper: Keeper, uid: int) -> bool:
    with Session(keeper.engine) as session, session.begin():
        session.execute(update(LetterBox).where(LetterBox.code == keeper.box).values(last_uid=uid))
    return False


def _mark(box: str, message_id: str, head: bytes) -> bytes:
    """Return what a letter is known by: its Message-ID, else its whole head."""
    told = message_id.encode() if message_id else b"head:" + head
    return hashlib.sha256(box.encode() + b"\0" + told).digest()


def _store(
    session: Session, keeper: Keeper, read: ReadLetter, pictures: list[bytes], mark: bytes,
    city: City, now: datetime,
) -> bool:  # fmt: skip
    letter_id = uuid4()
    sealed = {
        f"{name}_sealed": keeper.vault.seal("letter", letter_id, f"{name}_sealed", text)
        for name, text in (("sender", read.sender), ("subject", read.subject),
                           ("text", read.text), ("message_id", read.message_id))
        if text
    }  # fmt: skip
    index = keeper.vault.blind_index("letter", "sender", read.sender.casefold())
    values = {
        "id": letter_id,
        "box": keeper.box,
        "seen_hash": mark,
        "area_code": city.county_code,
        **sealed,
        "sender_index": index if read.sender else None,
        "problem": read.problem,
        "left_out": read.left_out,
        "is_confidential": keeper.confidential or read.is_confidential,
        "written_at": read.written_at,
        "received_at": now,
    }
    made: UUID | None = session.scalar(
        insert(Letter).values(values).on_conflict_do_nothing().returning(Letter.id)
    )
    if made is None:
        return False
    left_out, problem = read.left_out, read.problem
    for data in dict.fromkeys(pictures):
        try:
            with session.begin_nested():
                photo = blobs.store_photo(
                    session, keeper.store, data, sha256=hashlib.sha256(data).hexdigest(),
                    account_id=None, now=now, city=city,
                )  # fmt: skip
        except (blobs.TooLarge, blobs.NotAPhoto):
            left_out, problem = left_out + 1, problem or "pictures"
            continue
        session.add(LetterPhoto(letter_id=letter_id, sha256=photo.sha256))
    if (left_out, problem) != (read.left_out, read.problem):
        session.execute(
            update(Letter).where(Letter.id == letter_id).values(left_out=left_out, problem=problem)
        )
    return True
