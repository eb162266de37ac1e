"""The writes of disputes: registering one, and taking a step. None commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Account, Actor, Assignment
from grids.cells import Grid
from grids.disputes.errors import BadParties, NoMediator, NoSuchArea, TermsOpen
from grids.disputes.lifecycle import FLOW, SIDES, TERMS
from grids.disputes.models import (
    Dispute,
    DisputeEvent,
    DisputePaper,
    DisputeParty,
    DisputePhoto,
    DisputeTerm,
)
from grids.divisions import Area
from grids.flows import taking
from grids.flows.limits import deadline
from grids.flows.numbers import next_number
from grids.flows.once import Answer
from grids.flows.table import Step
from grids.flows.taking import Kind, Setting, StepRequest, Taken
from grids.flows.values import MOST_PARTIES
from grids.secrets import Vault, normal_phone

LONGEST_NAME: Final = 60
LONGEST_PHONE: Final = 30
#: Level at which a dispute begins, by who registers it.
FIRST_LEVEL: Final = {"worker": "grid", "grid_leader": "village", "mediator": "village",
                      "town_seat": "town", "intake": "county"}  # fmt: skip
#: After the last term of an agreement, if no day was named.
REVISIT_AFTER_DAYS: Final = 15


@dataclass(frozen=True)
class Party:
    """Who takes part, as it was typed."""

    side: str
    name: str
    phone: str = ""
    is_organisation: bool = False


@dataclass(frozen=True)
class Mediator:
    """Somebody who may be named."""

    account_id: int
    name: str
    open_count: int


def _own_limits(clock: str, at: Setting) -> datetime | None:
    """Revisit on the day that was named, else some days after the last term."""
    if clock != "revisit":
        return None
    if named := at.values.get("revisit_on"):
        return at.calendar.closing(date.fromisoformat(named))
    if terms := at.values.get("terms"):
        last = at.calendar.closing(date.fromisoformat(terms[-1]["due_on"]))
        return at.calendar.closing(
            at.calendar.local(last).date() + timedelta(days=REVISIT_AFTER_DAYS)
        )
    return deadline(at.now, TERMS["revisit"], at.calendar)


KIND: Final = Kind(
    FLOW, Dispute, DisputeEvent, DisputePhoto, "dispute_id", TERMS, own_limits=_own_limits
)


def register(
    session: Session, wanted: StepRequest, actor: Actor, *, now: datetime, vault: Vault
) -> Answer:
    """Register a dispute with its parties. The answer has `id` and `number`.

    Raises `NoSuchArea`, `BadParties` and what `grids.flows.taking.begin` raises.
    """
    area = str(wanted.values.get("area") or "")
    _require_area(session, actor, area)
    parties = _parties(wanted.values.get("parties") or [])
    role = next((r for r in FLOW.opening.roles if actor.holds(r, area)), "worker")
    taken = taking.begin(
        session, KIND, wanted, actor,
        area_code=area, number=lambda: next_number(session, "MD", now),
        more={"level": FIRST_LEVEL[role], "party_count": len(parties)}, extra={}, now=now,
    )  # fmt: skip
    if taken.event is not None:
        _keep_parties(session, taken.row, parties, vault, first=1)
        session.flush()
    return taken.answer


def take(
    session: Session, dispute_id: UUID, wanted: StepRequest, actor: Actor, *, now: datetime,
    vault: Vault,
) -> Answer:  # fmt: skip
    """Take a dispute one step further; papers, terms and parties are sealed and kept.

    Raises `NoMediator`, `TermsOpen`, `BadParties` and what `grids.flows.taking.take` raises.
    """

    def check(row: Any, step: Step, values: Mapping[str, Any]) -> Mapping[str, Any]:
        if "mediator" in values and values["mediator"] not in {
            one.account_id for one in mediators(session, row.area_code, at=now)
        }:
            raise NoMediator("no mediator of this area", field="mediator")
        if "parties" in values and len(_parties(values["parties"], both=False)) != 1:
            raise BadParties("one party at a time", field="parties")
        if step.action == "revisit_ok" and _open_terms(session, row.id):
            raise TermsOpen("terms are still to be performed")
        if step.action == "perform" and values["term"] not in _open_terms(session, row.id):
            raise TermsOpen("no such open term", field="term")
        return {}

    taken = taking.take(session, KIND, dispute_id, wanted, actor, now=now, check=check)
    if taken.event is not None:
        _follow(session, taken, vault, now)
        session.flush()
    return taken.answer


def mediators(session: Session, area_code: str, *, at: datetime) -> list[Mediator]:
    """Return the mediators whose area holds a place, who has the fewest open disputes first."""
    busy = (
        select(func.count())
        .select_from(Dispute)
        .where(Dispute.holder_id == Account.id, Dispute.status.in_(FLOW.open_states))
        .scalar_subquery()
    )
    found = session.execute(
        select(Account.id, Account.name, busy.label("n"))
        .join(Assignment, Assignment.account_id == Account.id)
        .where(
            Account.is_active,
            Assignment.role == "mediator",
            func.starts_with(area_code, Assignment.area_code),
            Assignment.valid_from <= at,
            or_(Assignment.valid_to.is_(None), Assignment.valid_to > at),
        )
        .order_by("n", func.length(Assignment.area_code).desc(), Account.name)
        .limit(50)
    )
    return [Mediator(row.id, row.name, row.n) for row in found]


def open_terms(session: Session, row: Dispute) -> list[int]:
    """Return the numbers of terms that are still to be performed, of a dispute read in scope."""
    return sorted(_open_terms(session, row.id))


def _require_area(session: Session, actor: Actor, code: str) -> None:
    """Check that a code is a grid or community of the caller's. Raises `NoSuchArea`."""
    if not (code.isascii() and code.isdecimal() and len(code) in (12, 15)):
        raise NoSuchArea("a dispute belongs to a grid or a community", field="area")
    known: int | str | None
    if len(code) == 15:
        known = session.scalar(select(Grid.id).where(Grid.code == code))
    else:
        known = session.scalar(
            select(Area.code).where(Area.code == code, Area.valid_to.is_(None)).limit(1)
        )
    if known is None or not scope.may_see(actor, code):
        raise NoSuchArea(f"no area {code} here", field="area")


def _parties(given: Sequence[Mapping[str, Any]], *, both: bool = True) -> list[Party]:
    """Read the parties. Raises `BadParties`."""
    found = [
        Party(
            str(one.get("side", "")), str(one.get("name", "")).strip(),
            str(one.get("phone", "")).strip(), bool(one.get("is_organisation")),
        )
        for one in given
        if str(one.get("name", "")).strip()
    ]  # fmt: skip
    is_long = any(len(p.name) > LONGEST_NAME or len(p.phone) > LONGEST_PHONE for p in found)
    sides = {party.side for party in found}
    if is_long or sides - set(SIDES) or not 1 <= len(found) <= MOST_PARTIES:
        raise BadParties("parties have a side, a name and perhaps a phone", field="parties")
    if both and sides != set(SIDES):
        raise BadParties("a dispute has two sides", field="parties")
    return found


def _keep_parties(
    session: Session, row: Dispute, parties: Sequence[Party], vault: Vault, *, first: int
) -> None:
    """Seal who takes part; nothing of it is readable in the table."""
    for no, party in enumerate(parties, first):
        key = _key(session)
        phone = normal_phone(party.phone)
        session.add(
            DisputeParty(
                id=key, dispute_id=row.id, no=no, side=party.side,
                is_organisation=party.is_organisation,
                name_sealed=vault.seal("dispute_party", key, "name_sealed", party.name),
                phone_sealed=(
                    vault.seal("dispute_party", key, "phone_sealed", phone) if phone else None
                ),
                phone_index=vault.blind_index("dispute_party", "phone", phone) if phone else None,
            )
        )  # fmt: skip


def _follow(session: Session, taken: Taken, vault: Vault, now: datetime) -> None:
    """Keep what a step brought beside its event: papers, terms, parties, performance."""
    event, values, row = taken.event, taken.values, taken.row
    kind = {"meet": "minutes", "agree": "agreement"}.get(event.action)
    if kind is not None:
        key = _key(session)
        held = values.get("held_at")
        body = values["minutes" if kind == "minutes" else "agreement"]
        present = values.get("present")
        session.add(
            DisputePaper(
                id=key, dispute_id=row.id, event_seq=event.seq, kind=kind,
                held_at=datetime.fromisoformat(held) if held else now,
                place=values.get("place", ""),
                present_sealed=(
                    vault.seal("dispute_paper", key, "present_sealed", present) if present else None
                ),
                body_sealed=vault.seal("dispute_paper", key, "body_sealed", body),
            )
        )  # fmt: skip
    for no, term in enumerate(values.get("terms", ()), 1):
        key = _key(session)
        session.add(
            DisputeTerm(
                id=key, dispute_id=row.id, event_seq=event.seq, no=no,
                due_on=date.fromisoformat(term["due_on"]),
                text_sealed=vault.seal("dispute_term", key, "text_sealed", term["text"]),
            )
        )  # fmt: skip
    if event.action == "perform":
        _perform(session, row, values)
    if "parties" in values:
        found = _parties(values["parties"], both=False)
        _keep_parties(session, row, found, vault, first=row.party_count)


def _perform(session: Session, row: Dispute, values: Mapping[str, Any]) -> None:
    latest = _latest_agreement(session, row.id)
    term = session.scalar(
        select(DisputeTerm).where(
            DisputeTerm.dispute_id == row.id, DisputeTerm.event_seq == latest,
            DisputeTerm.no == values["term"],
        )
    )  # fmt: skip
    if term is not None:
        term.performed_on = date.fromisoformat(values["performed_on"])


def _open_terms(session: Session, dispute_id: UUID) -> set[int]:
    """Return the numbers of the latest agreement's terms that are still to be performed."""
    latest = _latest_agreement(session, dispute_id)
    return set(
        session.scalars(
            select(DisputeTerm.no).where(
                DisputeTerm.dispute_id == dispute_id, DisputeTerm.event_seq == latest,
                DisputeTerm.performed_on.is_(None),
            )
        )
    )  # fmt: skip


def _latest_agreement(session: Session, dispute_id: UUID) -> int:
    return (
        session.scalar(
            select(func.max(DisputePaper.event_seq)).where(
                DisputePaper.dispute_id == dispute_id, DisputePaper.kind == "agreement"
            )
        )
        or 0
    )


def _key(session: Session) -> UUID:
    found: UUID = session.execute(select(func.gen_random_uuid())).scalar_one()
    return found
