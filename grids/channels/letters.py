"""What is done with a letter: made into a case, answered, put aside, closed to others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, and_, func, or_, select, text, tuple_
from sqlalchemy.orm import Session

from grids import audit, blobs, outbox, scope
from grids.accounts import Actor
from grids.channels.letter_models import (
    ANSWERED,
    NEW,
    PUT_ASIDE,
    REGISTERED,
    Letter,
    LetterAnswer,
    LetterBox,
    LetterPhoto,
)
from grids.channels.letter_views import Answer, LetterPage, LetterRow, LetterView
from grids.errors import Conflict, Invalid, NotAllowed, NotFound
from grids.incidents import service
from grids.incidents.models import Blob, Incident
from grids.incidents.requests import Done, Report
from grids.limits import count_use
from grids.outbox.models import MAIL, Message
from grids.people import purposes
from grids.secrets import Vault

STATES: Final = (NEW, REGISTERED, ANSWERED, PUT_ASIDE)
#: Why a letter asks for nothing; texts: `letter.reason_<code>`.
REASONS: Final = ("advertising", "no_request", "known", "automatic", "other_office", "unreadable")
PAGE: Final = 40
LONGEST_ANSWER: Final = 10_000
SHORTEST: Final = 4
SUMMARY: Final = 140
MOST_REVEALS: Final = 40


class NoLetter(NotFound):
    """There is no such letter, or it is closed to the caller."""

    code = "letter.none"


class LetterMoved(Conflict):
    """Somebody has dealt with this letter meanwhile."""

    code = "letter.moved"


class LetterWords(Invalid):
    """An answer needs words, putting aside a reason of the list."""

    code = "letter.words"


class NoWayBack(Invalid):
    """The letter names no address that could be answered."""

    code = "letter.no_way_back"


class Confidential(NotAllowed):
    """Only who reads confidential letters may open one to others."""

    code = "letter.confidential"


def listed(
    session: Session, actor: Actor, vault: Vault, *, state: str = NEW, after: str = ""
) -> LetterPage:
    """Return letters of a state, what came first comes first; dealt with, the newest first."""
    is_new = state == NEW
    order: tuple[Any, ...] = (Letter.received_at, Letter.id)
    if not is_new:
        order = (Letter.received_at.desc(), Letter.id.desc())
    wanted = select(Letter, *_extras()).where(Letter.state == state, seen(actor))
    if (place := _place(after)) is not None:
        here = tuple_(Letter.received_at, Letter.id)
        wanted = wanted.where(here > place if is_new else here < place)
    rows = session.execute(wanted.order_by(*order).limit(PAGE + 1)).all()
    shown = tuple(_row(vault, *row) for row in rows[:PAGE])
    last = rows[PAGE - 1][0] if len(rows) > PAGE else None
    counts = session.execute(
        select(Letter.state, func.count()).where(seen(actor)).group_by(Letter.state)
    )
    return LetterPage(
        shown, {**dict.fromkeys(STATES, 0), **dict(counts.all())},
        f"{last.received_at.isoformat()}_{last.id}" if last else "",
    )  # fmt: skip


def view(session: Session, actor: Actor, vault: Vault, letter_id: UUID) -> LetterView:
    """Return one letter with everything but its writer's address. Raises `NoLetter`."""
    found = session.execute(
        select(Letter, *_extras()).where(Letter.id == letter_id, seen(actor))
    ).first()
    if found is None:
        raise NoLetter(f"no letter {letter_id}")
    letter = found[0]
    hashes = photos_of(session, letter.id)
    scope.open_photos(session, hashes)
    copies = session.execute(select(Blob.sha256, Blob.thumb_sha256).where(Blob.sha256.in_(hashes)))
    others = 0
    if letter.sender_index is not None:
        others = session.scalar(
            select(func.count()).where(
                Letter.sender_index == letter.sender_index, Letter.id != letter.id, seen(actor)
            )
        ) or 0  # fmt: skip
    return LetterView(
        _row(vault, *found), _opened(vault, letter, "text"), letter.written_at, letter.left_out,
        letter.reason, tuple(copies.all()), tuple(_answers(session, vault, letter.id)),
        letter.incident_id, letter.sender_sealed is not None, others,
    )  # fmt: skip


def of_case(session: Session, actor: Actor, incident_id: UUID) -> UUID | None:
    """Return the letter that a case was made of, where the caller may read it."""
    return session.scalar(
        select(Letter.id).where(Letter.incident_id == incident_id, seen(actor)).limit(1)
    )


def register(
    session: Session, letter_id: UUID, report: Report, actor: Actor, *, now: datetime,
    vault: Vault, source_ip: str = "",
) -> Done:  # fmt: skip
    """Make a case of a letter, sent twice the same case. Raises what a report raises.

    Of a confidential letter nothing goes into the case by itself: what the case says is what
    was typed.
    """
    letter = _locked(session, letter_id, actor)
    report = replace(report, id=case_id(letter_id), channel="letter")
    known = set(photos_of(session, letter.id))
    if set(report.photos) - known:
        raise LetterWords("a photo is none of this letter", field="photos")
    scope.open_photos(session, report.photos)
    done = service.submit(session, report, actor, now=now, vault=vault)
    if letter.state == NEW:
        _end(letter, REGISTERED, actor, now)
        letter.incident_id = report.id
        _note(session, "letter_registered", letter, actor, source_ip, case=done.answer["number"])
    return done


def case_id(letter_id: UUID) -> UUID:
    """Return the id of the case that a letter becomes: a form sent twice makes one."""
    return uuid5(letter_id, "case")


def answer(
    session: Session, letter_id: UUID, words: str, actor: Actor, *, request_id: UUID,
    now: datetime, vault: Vault, source_ip: str = "",
) -> bool:  # fmt: skip
    """Write back; the outbox sends it. The same request again is the same answer.

    Returns whether it is new. Raises `NoLetter`, `LetterWords`, `NoWayBack`.
    """
    letter = _locked(session, letter_id, actor)
    words = words.strip()
    if not SHORTEST <= len(words) <= LONGEST_ANSWER:
        raise LetterWords("an answer needs words", field="answer", most=LONGEST_ANSWER)
    if letter.sender_sealed is None:
        raise NoWayBack("the letter names no address", field="answer")
    answer_id = uuid5(letter_id, f"answer:{request_id}")
    if session.get(LetterAnswer, answer_id) is not None:
        return False
    session.add(
        LetterAnswer(
            id=answer_id, letter_id=letter_id, written_by=actor.account_id, written_at=now,
            text_sealed=vault.seal("letter_answer", answer_id, "text_sealed", words),
        )
    )  # fmt: skip
    session.flush()
    outbox.write(
        session, MAIL, "letter_answer", key=f"letter:{answer_id}", now=now, contact=answer_id
    )
    if letter.state == NEW:
        _end(letter, ANSWERED, actor, now)
    _note(session, "letter_answered", letter, actor, source_ip)
    return True


def put_aside(
    session: Session, letter_id: UUID, reason: str, actor: Actor, *, now: datetime,
    source_ip: str = "",
) -> None:  # fmt: skip
    """Leave a letter without a case. Raises `NoLetter`, `LetterMoved`, `LetterWords`."""
    letter = _locked(session, letter_id, actor)
    if reason not in REASONS:
        raise LetterWords("putting aside needs a reason", field="reason")
    if letter.state != NEW:
        raise LetterMoved(f"letter {letter_id} is {letter.state}")
    _end(letter, PUT_ASIDE, actor, now)
    letter.reason = reason
    _note(session, "letter_put_aside", letter, actor, source_ip, reason=reason)


def confide(session: Session, letter_id: UUID, actor: Actor, *, source_ip: str = "") -> None:
    """Close a letter to all but those entitled, the caller perhaps included. Raises `NoLetter`."""
    letter = _locked(session, letter_id, actor)
    _note(session, "letter_confided", letter, actor, source_ip)
    session.flush()
    session.execute(text("SELECT confide_letter(:id)"), {"id": letter_id})
    session.expire(letter)


def open_up(session: Session, letter_id: UUID, actor: Actor, *, source_ip: str = "") -> None:
    """Open a confidential letter to everybody who reads letters. Raises `Confidential`."""
    if not actor.can("letter:confidential"):
        raise Confidential("only who reads confidential letters may open one")
    letter = _locked(session, letter_id, actor)
    letter.is_confidential = False
    _note(session, "letter_opened_up", letter, actor, source_ip)


def reveal_sender(
    session: Session, letter_id: UUID, purpose: str, actor: Actor, *, now: datetime, vault: Vault,
    source_ip: str = "",
) -> str:  # fmt: skip
    """Return who wrote, in full, for a purpose. Raises `PurposeNeeded`, `NoLetter`, `TooMany`."""
    purposes.check_reporter(purpose)
    letter = _locked(session, letter_id, actor)
    count_use(session, f"letter_reveal:{actor.account_id}", most=MOST_REVEALS, now=now)
    _note(session, "letter_sender_revealed", letter, actor, source_ip, purpose=purpose)
    return _opened(vault, letter, "sender")


def photo(
    session: Session, store: blobs.Store, letter_id: UUID, sha256: str, actor: Actor
) -> bytes:
    """Return the copy of a picture of a letter that the caller may read. Raises `NoLetter`."""
    if session.scalar(select(Letter.id).where(Letter.id == letter_id, seen(actor))) is None:
        raise NoLetter(f"no letter {letter_id}")
    hashes = photos_of(session, letter_id)
    scope.open_photos(session, hashes)
    known = session.scalar(
        select(Blob.public_sha256).where(
            Blob.sha256.in_(hashes), or_(Blob.public_sha256 == sha256, Blob.thumb_sha256 == sha256)
        )
    )
    if known is None:
        raise NoLetter("no such picture")
    return store.read("public", sha256)


def photos_of(session: Session, letter_id: UUID) -> list[str]:
    """Return the hashes of the pictures of a letter that was read in scope."""
    return list(
        session.scalars(
            select(LetterPhoto.sha256)
            .where(LetterPhoto.letter_id == letter_id)
            .order_by(LetterPhoto.id)
        )
    )


def boxes(session: Session) -> Sequence[LetterBox]:
    """Return how far each box was read."""
    return session.scalars(select(LetterBox).order_by(LetterBox.code)).all()


def count_new(session: Session, actor: Actor) -> int:
    """Count the letters that nobody has dealt with."""
    return session.scalar(select(func.count()).where(Letter.state == NEW, seen(actor))) or 0


def seen(actor: Actor) -> ColumnElement[bool]:
    """Say which letters somebody reads: of the area, and confidential ones where entitled."""
    mine = scope.in_areas(Letter.area_code, actor.areas)
    if actor.can("letter:confidential"):
        return mine
    return and_(mine, Letter.is_confidential.is_(False))


def masked(address: str) -> str:
    """Write an address so that it is recognised, not read.

    >>> masked("zhang.san@example.cn"), masked("")
    ('z…@example.cn', '')
    """
    name, _at, host = address.partition("@")
    return f"{name[:1]}…@{host}" if host else ""


def _locked(session: Session, letter_id: UUID, actor: Actor) -> Letter:
    found = session.scalar(
        select(Letter).where(Letter.id == letter_id, seen(actor)).with_for_update()
    )
    if found is None:
        raise NoLetter(f"no letter {letter_id}")
    return found


def _extras() -> tuple[Any, ...]:
    """Return the columns that a row of the list has beside the letter."""
    photos = select(func.count()).where(LetterPhoto.letter_id == Letter.id).scalar_subquery()
    number = _case_number()
    return photos, number


def _case_number() -> Any:
    """Return the number of the letter's case: the letter stands in scope, its case was its own."""
    return select(Incident.number).where(Incident.id == Letter.incident_id).scalar_subquery()


def _row(vault: Vault, letter: Letter, photos: int, number: str | None) -> LetterRow:
    words = " ".join(_opened(vault, letter, "text").split())
    return LetterRow(
        letter.id, _opened(vault, letter, "subject"), words[:SUMMARY],
        masked(_opened(vault, letter, "sender")), letter.received_at, letter.state,
        letter.problem, photos, letter.is_confidential, number,
    )  # fmt: skip


def _answers(session: Session, vault: Vault, letter_id: UUID) -> list[Answer]:
    rows = session.execute(
        select(LetterAnswer, Message.state)
        .outerjoin(Message, Message.contact == LetterAnswer.id)
        .where(LetterAnswer.letter_id == letter_id)
        .order_by(LetterAnswer.written_at)
    )
    return [
        Answer(
            vault.open("letter_answer", one.id, "text_sealed", one.text_sealed)
            if one.text_sealed else "",
            one.written_at, state or "",
        )
        for one, state in rows
    ]  # fmt: skip


def _opened(vault: Vault, letter: Letter, name: str) -> str:
    sealed = getattr(letter, f"{name}_sealed")
    return vault.open("letter", letter.id, f"{name}_sealed", sealed) if sealed else ""


def _end(letter: Letter, state: str, actor: Actor, now: datetime) -> None:
    letter.state, letter.done_by, letter.done_at = state, actor.account_id, now


def _note(
    session: Session, action: str, letter: Letter, actor: Actor, source_ip: str, **detail: Any
) -> None:
    audit.record(
        session, action, actor_id=actor.account_id, subject=f"letter:{letter.id}",
        source_ip=source_ip, detail=detail,
    )  # fmt: skip


def _place(after: str) -> tuple[datetime, UUID] | None:
    """Read where a page goes on; None where that is no place."""
    at, _, letter_id = after.partition("_")
    try:
        return datetime.fromisoformat(at), UUID(letter_id)
    except ValueError:
        return None
