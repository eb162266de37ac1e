"""What residents ask about their own data (PIPL art. 44-47): show, copy, correct, delete, withdraw.

The registrar checks in person who asks; a clock of 15 working days runs from then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.certificates import Certificate, certify
from grids.city import the_city
from grids.errors import Conflict, Gone, Invalid, NotFound
from grids.incidents.clocks import add_work_days
from grids.incidents.clockwork import calendar
from grids.people import finding, life_story
from grids.people.models import Person, SubjectRequest
from grids.people.purposes import Purpose
from grids.secrets import SEALED, Signer, Vault

KINDS: Final = ("show", "copy", "correct", "delete", "withdraw")
CHANNELS: Final = ("counter", "letter", "proxy")
#: Which document was seen; its number is not kept.
DOCUMENTS: Final = ("id_card", "household_book", "passport", "power_of_attorney")
REFUSALS: Final = ("legal_duty", "not_the_person", "unfounded")
#: PIPL says "in time" (及时); the platform's own limit.
WORKING_DAYS: Final = 15
COPY_LASTS: Final = timedelta(days=7)
MOST_SHOWN: Final = 100
AGE_BANDS: Final = ((6, "0-5"), (15, "6-14"), (60, "15-59"), (80, "60-79"))
PURPOSE: Final = Purpose("subject_request")
WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


#: Doors through the second wall (migration 0025): a resident may have reported anywhere.
CONTACTS: Final = text("SELECT id, incident_id FROM contacts_of_phone(CAST(:indexes AS bytea[]))")
#: Another one, of migration 0069: the app role removes no event by itself.
FORGET_LIFE: Final = text("SELECT * FROM forget_person_events(:person)")
FORGET: Final = text("SELECT * FROM forget_contacts_of_phone(CAST(:indexes AS bytea[]))")


class NoRequest(NotFound):
    """There is no such request, or it lies outside the areas of the caller."""

    code = "people.no_request"


class NotOfTheList(Invalid):
    """The kind, channel, document or reason is not one of the list."""

    code = "people.not_of_the_list"


class AlreadyHandled(Conflict):
    """The request was answered already, or asks for something else."""

    code = "people.already_handled"


class CopyExpired(Gone):
    """The copy could be fetched for seven days; ask for a new one."""

    code = "people.copy_expired"


class WrongValue(Invalid):
    """The value cannot be right: a resident number has 18 characters and a check digit."""

    code = "people.wrong_value"


@dataclass(frozen=True)
class NewRequest:
    """A request as the registrar takes it in."""

    person_id: int
    kind: str
    channel: str
    identity_checked: str


def register(
    session: Session, actor: Actor, wanted: NewRequest, *, now: datetime, source_ip: str = ""
) -> SubjectRequest:
    """Take a request in and start its clock. Raises `NoPerson` and `NotOfTheList`."""
    for value, known in (
        (wanted.kind, KINDS),
        (wanted.channel, CHANNELS),
        (wanted.identity_checked, DOCUMENTS),
    ):
        if value not in known:
            raise NotOfTheList("not one of the list", value=value)
    person = finding.locked_person(session, actor, wanted.person_id)
    city = the_city(session)
    made = SubjectRequest(
        id=uuid4(),
        person_id=person.id,
        area_code=person.area_code,
        kind=wanted.kind,
        channel=wanted.channel,
        identity_checked=wanted.identity_checked,
        status="open",
        received_at=now,
        due_at=add_work_days(now, WORKING_DAYS, calendar(session, city, now)),
        received_by=actor.account_id,
        result={},
    )
    session.add(made)
    session.flush()
    _audit(session, actor, "subject_request_registered", made, source_ip)
    return made


def listed(session: Session, actor: Actor, *, is_open: bool) -> Sequence[SubjectRequest]:
    """List requests of the actor's areas: the open ones by their clock, the others by day."""
    order = SubjectRequest.due_at if is_open else SubjectRequest.handled_at.desc()
    status = SubjectRequest.status == "open"
    wanted = select(SubjectRequest).where(status if is_open else ~status).order_by(order)
    return session.scalars(scope.visible(wanted.limit(MOST_SHOWN), actor, SubjectRequest)).all()


def one(session: Session, actor: Actor, request_id: UUID, *, lock: bool = False) -> SubjectRequest:
    """Return a request of the actor's areas. Raises `NoRequest`."""
    wanted = select(SubjectRequest).where(SubjectRequest.id == request_id)
    wanted = wanted.with_for_update() if lock else wanted
    found: SubjectRequest | None = session.scalar(scope.visible(wanted, actor, SubjectRequest))
    if found is None:
        raise NoRequest("no such request, or outside your areas")
    return found


def grant_copy(
    session: Session, actor: Actor, request_id: UUID, *, now: datetime, source_ip: str = ""
) -> SubjectRequest:
    """Answer a request to show or copy: the copy can be fetched for seven days."""
    asked = _open(session, actor, request_id, ("show", "copy"))
    asked.copy_until = now + COPY_LASTS
    _done(session, actor, asked, {}, now, source_ip)
    return asked


def copied(
    session: Session,
    actor: Actor,
    vault: Vault,
    request_id: UUID,
    *,
    now: datetime,
    source_ip: str = "",
) -> dict[str, Any]:
    """Return everything that is kept of the resident; made anew each time, never stored.

    Raises `CopyExpired` after seven days or where no copy was granted.
    """  # fmt: skip
    asked = one(session, actor, request_id)
    if asked.copy_until is None or now >= asked.copy_until:
        raise CopyExpired("the copy can be fetched for seven days")
    person = finding.locked_person(session, actor, asked.person_id)
    shown = finding.card(session, actor, vault, person.id, now=now)
    finding.note_access(session, actor, person.id, "copy", PURPOSE, now)
    _audit(session, actor, "subject_copy_fetched", asked, source_ip)
    plain = {name: _opened(vault, person, name) for name in ("name", "id_number", "phone", "birth")}
    return {
        "made_at": now.isoformat(),
        "request": str(asked.id),
        "person": {
            **plain,
            "age_band": person.age_band,
            "relation": person.relation,
            "residency": person.residency,
            "household": shown.household_kind,
            "address": shown.address,
            "place": shown.place_zh,
            "moved_in_on": person.moved_in_on.isoformat(),
            "moved_out_on": person.moved_out_on.isoformat() if person.moved_out_on else None,
        },
        "events": life_story.told(session, actor, person.id),
        "reports": _cases(session, vault, plain["phone"]),
        "looked_at": [
            {"at": look.at.isoformat(), "act": look.act, "field": look.field,
             "purpose": look.purpose, "case": look.case_number}
            for look in shown.looks
        ],
    }  # fmt: skip


def correct(
    session: Session,
    actor: Actor,
    vault: Vault,
    request_id: UUID,
    field: str,
    value: str,
    *,
    now: datetime,
    source_ip: str = "",
) -> SubjectRequest:
    """Put a right value in place of a wrong one; the audit log keeps a keyed hash of the old.

    A new resident number brings the day of birth and the age band along.
    """  # fmt: skip
    asked = _open(session, actor, request_id, ("correct",))
    person = finding.locked_person(session, actor, asked.person_id)
    old = _opened(vault, person, field)
    column = next((c for c in SEALED if (c.table, c.column) == ("person", f"{field}_sealed")), None)
    if column is None:
        raise NotOfTheList("not a field that can be corrected", value=field)
    _set(vault, person, field, checked(field, column.normal(value.strip()), now), now)
    detail = {"field": field, "old_hash": vault.code("old value", f"{field}|{old}").hex()}
    finding.note_access(session, actor, person.id, "correct", PURPOSE, now)
    _done(session, actor, asked, {"field": field}, now, source_ip, audited=detail)
    return asked


def erase(
    session: Session,
    actor: Actor,
    vault: Vault,
    signer: Signer,
    request_id: UUID,
    *,
    now: datetime,
    source_ip: str = "",
) -> Certificate:
    """Carry out a request to delete or to withdraw consent; return the signed certificate.

    Deletion takes name, number, phone, birth and all events away for good: the row is counted,
    nobody is named. Withdrawal takes the phone, which is kept by consent only. Both take the
    contacts that the resident left with reports.
    """  # fmt: skip
    asked = _open(session, actor, request_id, ("delete", "withdraw"))
    person = finding.locked_person(session, actor, asked.person_id)
    contacts = _forgotten(session, vault, _opened(vault, person, "phone"))
    events: list[int] = []
    if asked.kind == "delete":
        anonymise(person, now)
        events = list(session.execute(FORGET_LIFE, {"person": person.id}).scalars())
    else:
        person.phone_sealed = person.phone_index = None
    made = certify(
        session, signer, f"subject_{asked.kind}", until=now, now=now,
        counts={"person": 1, "person_event": len(events), "incident_reporter": len(contacts)},
        ids=[person.id, *events, *contacts],
        more={"request": str(asked.id)},
    )  # fmt: skip
    finding.note_access(session, actor, person.id, asked.kind, PURPOSE, now)
    result = {"certificate": str(made.id), "contacts": len(contacts)}
    _done(session, actor, asked, result, now, source_ip)
    return made


def refuse(
    session: Session,
    actor: Actor,
    request_id: UUID,
    reason: str,
    *,
    now: datetime,
    source_ip: str = "",
) -> SubjectRequest:
    """Refuse a request for one of the reasons that the law knows."""  # fmt: skip
    if reason not in REFUSALS:
        raise NotOfTheList("not one of the list", value=reason)
    asked = _open(session, actor, request_id, KINDS)
    asked.reason = reason
    _done(session, actor, asked, {}, now, source_ip, status="refused")
    return asked


def anonymise(person: Person, now: datetime) -> None:
    """Take from a record all that names somebody."""
    for column in ("name", "id_number", "phone", "birth"):
        setattr(person, f"{column}_sealed", None)
    person.name_index = person.id_number_index = person.phone_index = None
    person.anonymised_at = now


def age_band(born: date, on: date) -> str:
    """Return the age band of somebody on a day."""
    age = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return next((name for under, name in AGE_BANDS if age < under), "80+")


def _set(vault: Vault, person: Person, field: str, value: str, now: datetime) -> None:
    """Seal a checked value, with its blind index and what follows from it."""
    for column in SEALED:
        if (column.table, column.column) == ("person", f"{field}_sealed"):
            setattr(person, column.column, vault.seal("person", person.id, column.column, value))
            if column.index:
                said = column.indexed(value, person.area_code)
                setattr(person, column.index, vault.blind_index("person", column.field, said))
    if field == "id_number":
        born = date(int(value[6:10]), int(value[10:12]), int(value[12:14]))
        _set(vault, person, "birth", born.isoformat(), now)
    elif field == "birth":
        person.age_band = age_band(date.fromisoformat(value), now.date())


def checked(field: str, value: str, now: datetime) -> str:
    """Return a value that can be right. Raises `WrongValue`, which does not repeat it."""
    is_right = bool(value) and len(value) <= 60
    if field == "phone":
        is_right = 7 <= len(value) <= 13
    elif field == "birth":
        is_right = _is_day(value, now)
    elif field == "id_number":
        is_right = _is_id_number(value, now)
    if not is_right:
        raise WrongValue("the value cannot be right", field=field)
    return value


def _is_day(text: str, now: datetime) -> bool:
    try:
        return date(1900, 1, 1) < date.fromisoformat(text) <= now.date()
    except ValueError:
        return False


def _is_id_number(number: str, now: datetime) -> bool:
    """Check length, day of birth and check digit (GB 11643)."""
    if len(number) != 18 or not number[:17].isdigit():
        return False
    total = sum(int(d) * w for d, w in zip(number[:17], WEIGHTS, strict=True))
    day = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    return _is_day(day, now) and "10X98765432"[total % 11] == number[17]


def _cases(session: Session, vault: Vault, phone: str) -> list[str]:
    """Name the cases that were reported with a phone, anywhere."""
    found = session.execute(CONTACTS, {"indexes": _indexes(vault, phone)})
    return [str(row.incident_id) for row in found]


def _forgotten(session: Session, vault: Vault, phone: str) -> list[UUID]:
    """Remove what a resident left with reports, anywhere; return the ids of the rows."""
    found = session.execute(FORGET, {"indexes": _indexes(vault, phone)})
    return list(found.scalars())


def _indexes(vault: Vault, phone: str) -> list[bytes]:
    return vault.blind_indexes("incident_reporter", "phone", phone) if phone else []


def _opened(vault: Vault, person: Person, field: str) -> str:
    sealed = getattr(person, f"{field}_sealed", None)
    return vault.open("person", person.id, f"{field}_sealed", sealed) if sealed else ""


def _open(
    session: Session, actor: Actor, request_id: UUID, kinds: tuple[str, ...]
) -> SubjectRequest:
    asked = one(session, actor, request_id, lock=True)
    if asked.status != "open" or asked.kind not in kinds:
        raise AlreadyHandled("the request was answered, or asks for something else")
    return asked


def _done(
    session: Session, actor: Actor, asked: SubjectRequest, result: dict[str, Any], now: datetime,
    source_ip: str, *, status: str = "done", audited: dict[str, str] | None = None,
) -> None:  # fmt: skip
    asked.status, asked.result = status, result
    asked.handled_by, asked.handled_at = actor.account_id, now
    _audit(session, actor, f"subject_request_{status}", asked, source_ip, audited)


def _audit(
    session: Session, actor: Actor, action: str, asked: SubjectRequest, source_ip: str,
    more: dict[str, str] | None = None,
) -> None:  # fmt: skip
    audit.record(
        session, action, actor_id=actor.account_id, subject=f"person:{asked.person_id}",
        source_ip=source_ip, detail={"request": str(asked.id), "kind": asked.kind, **(more or {})},
    )  # fmt: skip
