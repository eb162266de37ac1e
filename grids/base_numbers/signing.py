"""A leader signs the base numbers of the own area: what was seen is what is signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Account, Actor
from grids.area_tree import AreaNode
from grids.base_numbers.models import BaseSignature
from grids.base_numbers.sheet import Sheet, sheet
from grids.errors import Conflict

SHOWN: Final = 12


class FiguresMoved(Conflict):
    """The figures are others than those that the page showed: look again, then sign."""

    code = "base.moved"


@dataclass(frozen=True)
class Signature:
    """One signature, newest first, with the name of who gave it."""

    at: datetime
    by: str
    note: str
    figures: dict[str, Any]
    holds: bool  #: the figures are still those


def sign(
    session: Session, actor: Actor, node: AreaNode, digest: str, note: str, *, today: date,
    now: datetime, source_ip: str,
) -> Sheet:  # fmt: skip
    """Sign the sheet that the page showed. Raises `FiguresMoved` where it is another by now."""
    seen = sheet(session, actor, node, today=today)
    if seen.digest != digest:
        raise FiguresMoved("the figures have changed since the page was shown", area=node.code)
    session.add(
        BaseSignature(
            area_code=node.code, signed_at=now, signed_by=actor.account_id, figures=seen.figures,
            digest=digest, note=note.strip()[:500],
        )
    )  # fmt: skip
    audit.record(
        session, "base_signed", actor_id=actor.account_id, source_ip=source_ip,
        subject=f"area:{node.code}", detail={"digest": digest},
    )  # fmt: skip
    return seen


def signatures(session: Session, actor: Actor, found: Sheet) -> tuple[Signature, ...]:
    """Return the last signatures of an area of the caller's scope."""
    rows = session.execute(
        select(BaseSignature, Account.name)
        .join(Account, Account.id == BaseSignature.signed_by)
        .where(
            scope.condition(actor, BaseSignature), BaseSignature.area_code == found.area.code
        )
        .order_by(BaseSignature.signed_at.desc(), BaseSignature.id.desc())
        .limit(SHOWN)
    )  # fmt: skip
    return tuple(
        Signature(one.signed_at, name, one.note, one.figures, one.digest == found.digest)
        for one, name in rows
    )


def last_signed(
    session: Session, actor: Actor, areas: Sequence[str]
) -> dict[str, tuple[datetime, str]]:
    """Return when each of some areas was last signed, and by whom."""
    latest = (
        select(BaseSignature.area_code, func.max(BaseSignature.id).label("id"))
        .where(scope.condition(actor, BaseSignature), BaseSignature.area_code.in_(areas))
        .group_by(BaseSignature.area_code)
        .subquery()
    )
    rows = session.execute(
        select(BaseSignature.area_code, BaseSignature.signed_at, Account.name)
        .join(latest, latest.c.id == BaseSignature.id)
        .join(Account, Account.id == BaseSignature.signed_by)
        .where(scope.condition(actor, BaseSignature))
    )
    return {code: (at, name) for code, at, name in rows}
