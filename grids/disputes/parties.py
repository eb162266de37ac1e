"""Who takes part in a dispute, and its papers: opened for who may see it, each look is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.disputes.errors import PartyPurpose
from grids.disputes.models import Dispute, DisputePaper, DisputeParty, DisputeTerm
from grids.flows.errors import NoRecord
from grids.limits import count_use
from grids.secrets import Vault

PURPOSES: Final = ("mediate", "notify", "revisit", "paper")
MOST_REVEALS: Final = 40  #: of an account in an hour


@dataclass(frozen=True)
class PartyShown:
    """One party in full."""

    no: int
    side: str
    is_organisation: bool
    name: str
    phone: str


@dataclass(frozen=True)
class TermShown:
    """One term of an agreement."""

    no: int
    due_on: date
    text: str
    performed_on: date | None


@dataclass(frozen=True)
class PaperShown:
    """Minutes or an agreement, opened."""

    kind: str
    held_at: datetime
    place: str
    present: str
    body: str
    terms: tuple[TermShown, ...]


def reveal(
    session: Session, actor: Actor, vault: Vault, dispute_id: UUID, purpose: str, *,
    now: datetime, source_ip: str = "",
) -> list[PartyShown]:  # fmt: skip
    """Return the parties in full. Raises `NoRecord`, `PartyPurpose`, `TooMany`."""
    _require_seen(session, actor, dispute_id)
    if purpose not in PURPOSES:
        raise PartyPurpose("state what the parties are needed for")
    count_use(session, f"party_reveal:{actor.account_id}", most=MOST_REVEALS, now=now)
    kept = session.scalars(
        select(DisputeParty).where(DisputeParty.dispute_id == dispute_id).order_by(DisputeParty.no)
    ).all()
    audit.record(
        session, "dispute_parties_revealed", actor_id=actor.account_id,
        subject=f"dispute:{dispute_id}", source_ip=source_ip,
        detail={"count": len(kept), "purpose": purpose},
    )  # fmt: skip
    return [
        PartyShown(
            row.no, row.side, row.is_organisation,
            _opened(vault, row, "name_sealed"), _opened(vault, row, "phone_sealed"),
        )
        for row in kept
    ]  # fmt: skip


def papers(
    session: Session, actor: Actor, vault: Vault, dispute_id: UUID, *, source_ip: str = ""
) -> list[PaperShown]:
    """Return minutes and agreements, opened; the look is written down. Raises `NoRecord`."""
    _require_seen(session, actor, dispute_id)
    kept = session.scalars(
        select(DisputePaper)
        .where(DisputePaper.dispute_id == dispute_id)
        .order_by(DisputePaper.event_seq)
    ).all()
    if not kept:
        return []
    terms = session.scalars(
        select(DisputeTerm)
        .where(DisputeTerm.dispute_id == dispute_id)
        .order_by(DisputeTerm.event_seq, DisputeTerm.no)
    ).all()
    audit.record(
        session, "dispute_papers_read", actor_id=actor.account_id,
        subject=f"dispute:{dispute_id}", source_ip=source_ip, detail={"count": len(kept)},
    )  # fmt: skip
    return [
        PaperShown(
            row.kind, row.held_at, row.place, _opened(vault, row, "present_sealed"),
            _opened(vault, row, "body_sealed"),
            tuple(
                TermShown(t.no, t.due_on, _opened(vault, t, "text_sealed"), t.performed_on)
                for t in terms
                if t.event_seq == row.event_seq
            ),
        )
        for row in kept
    ]  # fmt: skip


def _require_seen(session: Session, actor: Actor, dispute_id: UUID) -> None:
    wanted = select(Dispute.id).where(Dispute.id == dispute_id)
    if session.scalar(scope.visible(wanted, actor, Dispute)) is None:
        raise NoRecord("no such dispute")


def _opened(vault: Vault, row: Any, column: str) -> str:
    sealed = getattr(row, column)
    return vault.open(row.__tablename__, row.id, column, sealed) if sealed else ""
