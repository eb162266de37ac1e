"""What an operator takes in for somebody else: a call, a leader's note, news of the media.

One form, one queue: each becomes a report of its channel with what only that channel knows.
Commits nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids import codes, scope
from grids.accounts import Actor
from grids.channels.callers import FEWEST_DIGITS, MOST_DIGITS, NoPhone
from grids.channels.numbers import public_number
from grids.errors import Invalid
from grids.incidents import service, tracking
from grids.incidents.guards import YEAR
from grids.incidents.lifecycle import GRADES
from grids.incidents.models import Incident
from grids.incidents.requests import LONGEST_LINE, Contact, Report
from grids.secrets import Vault, normal_phone

#: Kind of the form -> channel of the case.
KINDS: Final = {"call": "phone", "note": "document", "media": "media"}
LONGEST_NAME: Final = 40
LONGEST_ORIGIN: Final = 4000
#: What a leader's note sets unless the form says otherwise: 重点督办.
USUAL_GRADE: Final = "key"


class BadOrigin(Invalid):
    """A part of the note or the news is missing or wrong; `field` names it."""

    code = "intake.origin"


@dataclass(frozen=True)
class Note:
    """A leader's note (领导批示): of an office, never of a private person."""

    office: str
    on: date
    text: str
    due_at: datetime | None = None
    grade: str = USUAL_GRADE


@dataclass(frozen=True)
class News:
    """A report of the media; the link is kept as text and never opened by us."""

    medium: str
    title: str
    on: date
    link: str = ""


@dataclass(frozen=True)
class Taken:
    """What the operator tells the caller."""

    id: UUID
    number: str
    public_number: str
    code: str  #: tracking code; empty for what nobody follows
    is_new: bool


@dataclass(frozen=True)
class Call:
    """One filled-in form."""

    report: Report
    kind: str = "call"
    note: Note | None = None
    news: News | None = None
    is_confidential: bool = False


def take(
    session: Session, call: Call, actor: Actor, *, now: datetime, vault: Vault, hotline: str
) -> Taken:
    """Take a form in: the case, its first event and its first clock, all or nothing.

    The same id with the same content gets the same answer again. Raises what `service.submit`
    raises, `NoPhone`, `BadOrigin`, `codes.AnswerNeeded` and `codes.UnknownAnswer`.
    """
    report = call.report
    _check_contact(report.contact)
    asked = codes.questions_of(session, report.category, now.date(), kind=report.kind)
    codes.require_answers(asked, report.answers)
    origin, flags = _origin(call, actor, now)
    if call.is_confidential:
        flags["confidential"] = {"by": actor.account_id, "seq": 1}
    report = replace(report, channel=KINDS[call.kind], origin=origin, flags=flags)
    done = service.submit(session, report, actor, now=now, vault=vault)
    return _taken(
        report.id, done.answer["number"], report.channel, vault, hotline, is_new=done.is_new
    )


def told_of(
    session: Session, actor: Actor, case_id: UUID, *, vault: Vault, hotline: str
) -> Taken | None:
    """Return what to tell the caller of a case that the operator took in; None for any other."""
    row = session.execute(
        select(Incident.number, Incident.channel).where(
            scope.condition(actor, Incident),
            Incident.id == case_id,
            Incident.reporter_id == actor.account_id,
        )
    ).first()
    return _taken(case_id, row.number, row.channel, vault, hotline, is_new=False) if row else None


def _taken(
    case_id: UUID, number: str, channel: str, vault: Vault, hotline: str, *, is_new: bool
) -> Taken:
    is_followed = channel in tracking.TRACKED
    code = tracking.code_for(vault, case_id) if is_followed else ""
    return Taken(case_id, number, public_number(number, hotline), code, is_new)


def _check_contact(contact: Contact | None) -> None:
    if contact is None:
        return
    if len(contact.name) > LONGEST_NAME:
        raise BadOrigin("the name is too long", field="name")
    digits = normal_phone(contact.phone)
    if contact.phone and not FEWEST_DIGITS <= len(digits) <= MOST_DIGITS:
        raise NoPhone("no phone number", field="phone")


def _origin(call: Call, actor: Actor, now: datetime) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the case keeps of where it came from, and the flags that follow."""
    if call.kind == "note":
        return _of_note(call.note, actor, now)
    if call.kind == "media":
        return _of_news(call.news, now), {}
    return {}, {}


def _of_note(
    note: Note | None, actor: Actor, now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Keep the note, and let it put the case under supervision from its first day (督办)."""
    if note is None or not note.office.strip():
        raise BadOrigin("say whose note it is", field="office")
    if not note.text.strip():
        raise BadOrigin("the words of the note are missing", field="note_text")
    _check_lengths(office=(note.office, LONGEST_LINE), note_text=(note.text, LONGEST_ORIGIN))
    _check_day(note.on, now, "note_on")
    if note.grade not in GRADES:
        raise BadOrigin("no such grade", field="grade")
    if note.due_at is not None and not now < note.due_at <= now + YEAR:
        raise BadOrigin("the day lies behind, or more than a year ahead", field="note_due")
    due = {"until": note.due_at.isoformat()} if note.due_at else {}
    kept = {"kind": "note", "office": note.office.strip(), "on": note.on.isoformat(),
            "text": note.text.strip(), "grade": note.grade, **due}  # fmt: skip
    supervised = {"by": actor.account_id, "seq": 1, "grade": note.grade, **due}
    return kept, {"supervised": supervised}


def _of_news(news: News | None, now: datetime) -> dict[str, Any]:
    if news is None or not news.medium.strip():
        raise BadOrigin("say which medium", field="medium")
    if not news.title.strip():
        raise BadOrigin("the title is missing", field="news_title")
    _check_lengths(
        medium=(news.medium, LONGEST_LINE), news_title=(news.title, LONGEST_LINE),
        news_link=(news.link, 10 * LONGEST_LINE),
    )  # fmt: skip
    _check_day(news.on, now, "news_on")
    link = news.link.strip()
    if link and (urlsplit(link).scheme not in ("http", "https") or not urlsplit(link).netloc):
        raise BadOrigin("a link begins with https://", field="news_link")
    return {"kind": "media", "medium": news.medium.strip(), "title": news.title.strip(),
            "on": news.on.isoformat(), **({"link": link} if link else {})}  # fmt: skip


def _check_day(on: date, now: datetime, name: str) -> None:
    """A paper of tomorrow does not exist; the city is ahead of UTC by less than a day."""
    if (on - now.astimezone(UTC).date()).days > 1:
        raise BadOrigin("this day has not come yet", field=name)


def _check_lengths(**fields: tuple[str, int]) -> None:
    for name, (text, most) in fields.items():
        if len(text) > most:
            raise BadOrigin(f"{name} has more than {most} characters", field=name, most=most)
