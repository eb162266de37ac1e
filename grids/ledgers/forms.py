"""Versions of forms: drafted, compared, costed, approved by a second person, live from a day on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from grids import audit
from grids.accounts import Actor
from grids.city import the_city
from grids.errors import NotAllowed
from grids.ledgers.errors import BadForm, NoForm, NotInThisState, SamePerson
from grids.ledgers.models import FormQuestion, FormVersion, WorkLine
from grids.ledgers.questions import (
    Form,
    Item,
    Option,
    Question,
    require_sound_form,
)

MOST_DAYS: Final = 3650
Change = Literal["added", "removed", "changed", "moved"]


@dataclass(frozen=True)
class Draft:
    """What an author writes: facts of the form and its items, `(key, no, when)` in order."""

    form: str
    line: str
    zh: str
    en: str
    subject: str
    kinds: tuple[str, ...]
    visit_days: int
    items: tuple[tuple[str, int, tuple[str, tuple[str, ...]] | None], ...]
    note: str = ""


@dataclass(frozen=True)
class Difference:
    """What a version does with one question compared with the one before."""

    change: Change
    key: str
    text_zh: str
    text_en: str


def lines(session: Session) -> Sequence[WorkLine]:
    """List the departments' lines."""
    return session.scalars(select(WorkLine).order_by(WorkLine.sort, WorkLine.code)).all()


def questions(session: Session, subject: str | None = None) -> list[Question]:
    """List the newest wording of each question."""
    newest = select(FormQuestion.key, func.max(FormQuestion.no)).group_by(FormQuestion.key)
    wanted = select(FormQuestion).where(
        tuple_(FormQuestion.key, FormQuestion.no).in_(newest)
    ).order_by(FormQuestion.subject, FormQuestion.key)  # fmt: skip
    if subject:
        wanted = wanted.where(FormQuestion.subject == subject)
    return [question_of(row) for row in session.scalars(wanted)]


def question_of(row: FormQuestion) -> Question:
    """Return a stored wording as a value."""
    return Question(
        row.key, row.no, row.subject, row.type, row.zh, row.en, row.valid_days, row.level,
        row.hint_zh, row.hint_en, row.example, row.unit,
        tuple(Option(*parts) for parts in row.options), row.checks, row.register,
    )  # fmt: skip


def versions(session: Session, form: str | None = None) -> Sequence[FormVersion]:
    """List versions, the newest of each form first."""
    wanted = select(FormVersion).order_by(FormVersion.line, FormVersion.form, FormVersion.no.desc())
    return session.scalars(wanted.where(FormVersion.form == form) if form else wanted).all()


def version(session: Session, version_id: int, *, lock: bool = False) -> FormVersion:
    """Return one version. Raises `NoForm`."""
    found = session.get(FormVersion, version_id, with_for_update=lock)
    if found is None:
        raise NoForm(f"no version {version_id}", number=version_id)
    return found


def read(session: Session, rows: Iterable[FormVersion]) -> list[Form]:
    """Return versions with their questions, as they were worded then."""
    rows = list(rows)
    wanted = {(item["key"], item["no"]) for row in rows for item in row.items}
    found = session.scalars(
        select(FormQuestion).where(tuple_(FormQuestion.key, FormQuestion.no).in_(wanted))
    ).all() if wanted else []  # fmt: skip
    by_key = {(one.key, one.no): question_of(one) for one in found}
    return [_form(row, by_key) for row in rows]


def _form(row: FormVersion, by_key: dict[tuple[str, int], Question]) -> Form:
    items = []
    for item in row.items:
        question = by_key.get((item["key"], item["no"]))
        if question is None:
            raise BadForm(f"no question {item['key']}", field=item["key"])
        when = item.get("when")
        items.append(Item(question, (when[0], tuple(when[1])) if when else None))
    return Form(
        row.id or 0, row.form, row.no, row.line, row.name_zh, row.name_en, row.subject,
        tuple(row.kinds), row.visit_days, tuple(items),
    )  # fmt: skip


def live(session: Session, on: date, subject: str | None = None) -> list[Form]:
    """Return the forms in force on a day, by the order of their lines.

    In force is the approved version with the latest first day that is not after `on`.
    """
    wanted = (
        select(FormVersion)
        .join(WorkLine, WorkLine.code == FormVersion.line)
        .where(FormVersion.status == "live", FormVersion.live_from <= on)
        .ext(distinct_on(FormVersion.form))
        .order_by(FormVersion.form, FormVersion.live_from.desc(), FormVersion.no.desc())
    )
    rows = session.scalars(wanted).all()
    order = {line.code: place for place, line in enumerate(lines(session))}
    rows = sorted(rows, key=lambda row: (order[row.line], row.form))
    return read(session, (row for row in rows if subject in (None, row.subject)))


def day_of(session: Session, at: datetime) -> date:
    """Return the day in the city at an instant: forms change at its midnight."""
    return at.astimezone(ZoneInfo(the_city(session).city_zone)).date()


def save(
    session: Session, draft: Draft, actor: Actor, *, now: datetime, version_id: int | None = None,
    source_ip: str = "",
) -> FormVersion:  # fmt: skip
    """Keep a draft: a new version of its form, or changes of a draft that is still one.

    Raises `Forbidden`, `BadForm`, `NoForm` and `NotInThisState`.
    """
    if version_id is None:
        last = session.scalar(
            select(func.max(FormVersion.no)).where(FormVersion.form == draft.form)
        )
        row = FormVersion(form=draft.form, no=(last or 0) + 1, status="draft", made_at=now)
    else:
        row = version(session, version_id, lock=True)
        if row.status != "draft":
            raise NotInThisState("only a draft is changed", state=row.status)
    if session.get(WorkLine, draft.line) is None or not 0 <= draft.visit_days <= MOST_DAYS:
        raise BadForm("a line and a number of days are needed", field="line")
    row.line, row.name_zh, row.name_en = draft.line, draft.zh.strip(), draft.en.strip()
    row.subject, row.kinds, row.visit_days = draft.subject, list(draft.kinds), draft.visit_days
    row.items = [
        {"key": key, "no": no, **({"when": [when[0], list(when[1])]} if when else {})}
        for key, no, when in draft.items
    ]
    row.note, row.made_by, row.made_at = draft.note[:500], actor.account_id, now
    if not (row.name_zh and row.name_en):
        raise BadForm("a form has a name in both languages", field="name")
    with session.no_autoflush:
        require_sound_form(read(session, [row])[0])
    session.add(row)
    session.flush()
    _note(session, "form_drafted", row, actor, source_ip)
    return row


def submit(
    session: Session, version_id: int, actor: Actor, *, live_from: date, cost: dict[str, Any],
    now: datetime, source_ip: str = "",
) -> FormVersion:  # fmt: skip
    """Ask a second person to let a draft go live on a day, with what it will cost beside it."""
    row = version(session, version_id, lock=True)
    if row.status != "draft":
        raise NotInThisState("only a draft is sent on", state=row.status)
    require_sound_form(read(session, [row])[0])
    row.status, row.live_from, row.cost = "waiting", max(live_from, day_of(session, now)), cost
    row.made_by = row.made_by or actor.account_id
    session.flush()
    _note(session, "form_submitted", row, actor, source_ip)
    return row


def decide(
    session: Session, version_id: int, actor: Actor, *, is_approved: bool, now: datetime,
    source_ip: str = "",
) -> FormVersion:  # fmt: skip
    """Let a form go live, or send it back as a draft. Raises `SamePerson` for its author."""
    row = version(session, version_id, lock=True)
    if row.status != "waiting":
        raise NotInThisState("nobody waits for an approval", state=row.status)
    if row.made_by == actor.account_id:
        raise SamePerson("who wrote a form does not approve it")
    today = day_of(session, now)
    if is_approved:
        row.status, row.approved_by, row.approved_at = "live", actor.account_id, now
        row.live_from = max(row.live_from or today, today)
    else:
        row.status, row.live_from = "draft", None
    session.flush()
    _note(session, "form_approved" if is_approved else "form_sent_back", row, actor, source_ip)
    return row


def withdraw(
    session: Session, version_id: int, actor: Actor, *, source_ip: str = ""
) -> FormVersion:
    """Take a version back: a waiting one becomes a draft, others are put away.

    A version in force is put away by who approves; the one before it is in force again, and
    visits that a phone has still to send stay good. Raises `NotInThisState` and `NotAllowed`.
    """
    row = version(session, version_id, lock=True)
    needed = "forms:approve" if row.status == "live" else "forms:write"
    if not actor.can(needed):
        raise NotAllowed(f"needs the permission {needed}", permission=needed)
    if row.status == "refused":
        raise NotInThisState("it is put away already", state=row.status)
    row.status = "draft" if row.status == "waiting" else "refused"
    if row.status == "draft":
        row.live_from = None
    session.flush()
    _note(session, "form_withdrawn", row, actor, source_ip)
    return row


def in_force(session: Session, form: str, on: date) -> Form | None:
    """Return the version of a form that is in force on a day."""
    return next((one for one in live(session, on) if one.form == form), None)


def waiting_count(session: Session, actor: Actor) -> int:
    """Count the versions that wait for an approval by somebody else than their author."""
    if not actor.can("forms:approve"):
        return 0
    return session.scalar(
        select(func.count()).select_from(FormVersion)
        .where(FormVersion.status == "waiting", FormVersion.made_by != actor.account_id)
    ) or 0  # fmt: skip


def difference(before: Form | None, after: Form) -> list[Difference]:
    """Say question by question what a version changes."""
    old = (
        {item.question.key: (place, item) for place, item in enumerate(before.items)}
        if before
        else {}
    )
    new = {item.question.key: item for item in after.items}
    kept = [key for key in new if key in old]
    order = {key: place for place, key in enumerate(k for k in old if k in new)}
    found: list[Difference] = []
    for key, item in new.items():
        words = (key, item.question.zh, item.question.en)
        if key not in old:
            found.append(Difference("added", *words))
        elif old[key][1] != item:
            found.append(Difference("changed", *words))
        elif order[key] != kept.index(key):
            found.append(Difference("moved", *words))
    found += [
        Difference("removed", key, item.question.zh, item.question.en)
        for key, (_place, item) in old.items() if key not in new
    ]  # fmt: skip
    return found


def _note(session: Session, act: str, row: FormVersion, actor: Actor, source_ip: str) -> None:
    audit.record(
        session, act, actor_id=actor.account_id, subject=f"form {row.form}.{row.no}",
        source_ip=source_ip, detail={"line": row.line, "questions": len(row.items)},
    )  # fmt: skip
