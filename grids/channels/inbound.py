"""A case from another system: taken once under the sender's number, told of under it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

from sqlalchemy import select
from sqlalchemy.orm import Session

from gis.errors import GisError
from grids import places, scope
from grids.accounts import Actor
from grids.channels import systems
from grids.channels.models import System, SystemCase, SystemCategory
from grids.channels.numbers import public_number
from grids.channels.reading import BadCase, Problem, SentCase, digest, read
from grids.city import the_city
from grids.errors import GridsError, NotFound
from grids.incidents import service
from grids.incidents.errors import OtherBody, Withdrawn
from grids.incidents.lifecycle import STATES
from grids.incidents.models import Incident
from grids.incidents.places import place_of
from grids.incidents.requests import Contact, Report
from grids.secrets import Vault

#: Our faults -> the field of the sender's body that they speak of.
FIELD_OF: Final = {"point": "lon", "coord_source": "coord_source", "text|photos": "text"}


class NoSystemCase(NotFound):
    """No case was sent with this number."""

    code = "channel.no_case"


@dataclass(frozen=True)
class Taken:
    """What the sender is answered, and whether the case is new."""

    answer: dict[str, Any]
    is_new: bool


def take(
    session: Session, code: str, document: Any, actor: Actor, *, now: datetime, vault: Vault,
    hotline: str,
) -> Taken:  # fmt: skip
    """Take a case in; the sender's number again with the same body is the same case.

    Raises `NoSystem`, `BadCase` with every fault, `OtherBody` for a number that carried
    something else, and `Withdrawn` for a case that was voided.
    """
    system = systems.of_caller(session, code, actor)
    sent = read(document, now=now)
    mark = digest(document)
    if known := _known(session, system.code, sent.id):
        return _again(session, known, mark, actor, hotline)
    report = _report(session, system, sent)
    try:
        done = service.submit(session, report, actor, now=now, vault=vault)
    except (OtherBody, Withdrawn):
        raise
    except (GisError, GridsError) as refused:
        raise _as_bad_case(refused) from refused
    if not done.is_new:
        # Another request with this number came first and has just committed.
        known = _known(session, system.code, sent.id)
        if known is None:
            raise OtherBody("this number is being taken in", server=done.answer)
        return _again(session, known, mark, actor, hotline)
    kept = SystemCase(
        id=uuid4(), system=system.code, direction="in", incident_id=report.id, sender_id=sent.id,
        received_at=now, ack_due_at=now + timedelta(seconds=system.ack_s), body_hash=mark,
    )  # fmt: skip
    session.add(kept)
    session.flush()
    return Taken(_answer(kept, done.answer["number"], hotline), is_new=True)


def status(
    session: Session, code: str, sender_id: str, actor: Actor, *, hotline: str
) -> dict[str, Any]:
    """Tell a sender how far its case is. Raises `NoSystem` and `NoSystemCase`."""
    system = systems.of_caller(session, code, actor)
    kept = _known(session, system.code, sender_id)
    if kept is None:
        raise NoSystemCase(f"no case {sender_id[:LONGEST_SHOWN]!r}")
    row = _case(session, kept, actor)
    return {
        **_answer(kept, row.number, hotline),
        "state": STATES[row.status].public,
        "acknowledgement": kept.state,
        "acknowledged_at": kept.ack_at.isoformat() if kept.ack_at else None,
        "state_since": row.stage_at.isoformat(),
        "closed_at": row.closed_at.isoformat() if row.closed_at else None,
        "note": kept.note,
    }


LONGEST_SHOWN: Final = 60


def case_id(system: str, sender_id: str) -> UUID:
    """Return the id that a case of a sender has: the same whenever it is sent."""
    return uuid5(NAMESPACE_URL, f"wangge:channel:{system}:{sender_id}")


def _known(session: Session, system: str, sender_id: str) -> SystemCase | None:
    return session.scalar(
        select(SystemCase)
        .where(
            SystemCase.system == system,
            SystemCase.direction == "in",
            SystemCase.sender_id == sender_id,
        )
        .execution_options(populate_existing=True)
    )


def _again(session: Session, known: SystemCase, mark: bytes, actor: Actor, hotline: str) -> Taken:
    row = _case(session, known, actor)
    answer = _answer(known, row.number, hotline)
    if row.status == "void":
        raise Withdrawn("this case was withdrawn", number=row.number)
    if known.body_hash != mark:
        raise OtherBody("this number was used for other content", server=answer)
    return Taken(answer, is_new=False)


def _case(session: Session, kept: SystemCase, actor: Actor) -> Incident:
    wanted = select(Incident).where(Incident.id == kept.incident_id)
    found: Incident | None = session.scalar(scope.visible(wanted, actor, Incident))
    if found is None:
        raise NoSystemCase("no such case, or outside what this system may see")
    return found


def _answer(kept: SystemCase, number: str, hotline: str) -> dict[str, Any]:
    """Write the receipt: the same whenever the case is sent."""
    return {
        "id": str(kept.incident_id),
        "number": number,
        "public_number": public_number(number, hotline),
        "sender_id": kept.sender_id,
        "receipt": str(kept.id),
        "received_at": kept.received_at.isoformat(),
        "acknowledge_until": kept.ack_due_at.isoformat(),
    }


def _report(session: Session, system: System, sent: SentCase) -> Report:
    """Make the report of what was sent: our category, and a place on the map."""
    problems: list[Problem] = []
    kind, category = _category(session, system, sent.category)
    if not category:
        problems.append(Problem("category", "channel.missing"))
    lon, lat, source, accuracy_m = sent.lon, sent.lat, sent.coord_source, None
    if lon is None or lat is None:
        found = places.find(session, sent.address)
        if found is None:
            problems.append(Problem("address", "channel.unknown_place"))
            lon = lat = 0.0
        else:
            lon, lat, source, accuracy_m = found.lon, found.lat, "derived", found.accuracy_m
    else:
        problems += _place_problems(session, lon, lat, source)
    if problems:
        raise BadCase(problems)
    return Report(
        id=case_id(system.code, sent.id), category=category, kind=kind, lon=lon, lat=lat,
        text=sent.text, address=sent.address, urgency=sent.urgency, channel=system.channel,
        photos=sent.photos, device_at=sent.reported_at, coord_source=source,
        accuracy_m=accuracy_m, device=f"system:{system.code}",
        contact=Contact(sent.name, sent.phone) if sent.name or sent.phone else None,
    )  # fmt: skip


def _place_problems(session: Session, lon: float, lat: float, source: str) -> list[Problem]:
    try:
        place_of(the_city(session), lon, lat, source)
    except (GisError, GridsError) as wrong:
        return _as_bad_case(wrong).problems
    return []


def _category(session: Session, system: System, word: str) -> tuple[str, str]:
    """Return our category for the sender's word: by its table, else our own code, else its usual."""
    if not word:
        return systems.split(system.category) if system.category else ("matter", "")
    mapped = session.get(SystemCategory, (system.code, word))
    if mapped is not None:
        return mapped.kind, mapped.category
    return systems.split(word)


def _as_bad_case(refused: GisError | GridsError) -> BadCase:
    """Name the field of the sender's body that a refusal of ours speaks about."""
    if isinstance(refused, BadCase):
        return refused
    named = str(refused.params.get("field") or "$")
    code = str(refused.code)
    return BadCase([Problem(FIELD_OF.get(named, named), code, refused.params)])
