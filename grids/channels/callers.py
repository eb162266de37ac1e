"""Who rings again: the earlier cases of a phone number, found by its blind index only.

The answer is a count and a few lines with numbers of cases. It never names the caller, for the
number alone does not say who holds the phone now; who needs the name opens the case.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.errors import Invalid
from grids.incidents.lifecycle import STATES
from grids.incidents.listing import CaseRow, rows_at
from grids.incidents.models import Incident, IncidentReporter
from grids.limits import count_use
from grids.secrets import Vault, normal_phone

SHOWN: Final = 5
FEWEST_DIGITS: Final = 5
MOST_DIGITS: Final = 20
#: Of one operator in an hour: a call takes a minute at least.
MOST_ASKED: Final = 240


class NoPhone(Invalid):
    """A number that no telephone can have."""

    code = "intake.phone"


@dataclass(frozen=True)
class History:
    """What a number reported before, as far as the operator's area reaches."""

    total: int
    open: int
    last_at: datetime | None
    rows: tuple[CaseRow, ...]  #: the newest few


def history(
    session: Session,
    actor: Actor,
    vault: Vault,
    phone: str,
    *,
    now: datetime,
    source_ip: str = "",
) -> History:
    """Return the earlier cases of a number. Raises `NoPhone`, `TooMany`.

    Asking is a read of what somebody reported: counted for the operator and audited, with the
    purpose and the count, never with the number.
    """
    digits = normal_phone(phone)
    if not FEWEST_DIGITS <= len(digits) <= MOST_DIGITS:
        raise NoPhone("no phone number", field="phone")
    count_use(session, f"caller:{actor.account_id}", most=MOST_ASKED, now=now)
    indexes = vault.blind_indexes("incident_reporter", "phone", digits)
    of_caller = select(IncidentReporter.incident_id).where(
        scope.condition(actor, Incident),
        Incident.id == IncidentReporter.incident_id,
        IncidentReporter.phone_index.in_(indexes),
    )
    ended = [code for code, state in STATES.items() if state.is_terminal]
    total, still_open, last_at = session.execute(
        select(
            func.count(),
            func.count().filter(Incident.status.not_in(ended)),
            func.max(Incident.received_at),
        ).where(scope.condition(actor, Incident), Incident.id.in_(of_caller))
    ).one()
    newest = (
        rows_at(now)
        .where(scope.condition(actor, Incident), Incident.id.in_(of_caller))
        .order_by(Incident.received_at.desc(), Incident.id)
        .limit(SHOWN)
    )
    audit.record(
        session,
        "caller_history",
        actor_id=actor.account_id,
        subject="reporter",
        source_ip=source_ip,
        detail={"purpose": "call", "count": total},
    )
    rows = tuple(CaseRow(**row) for row in session.execute(newest).mappings())
    return History(total, still_open, last_at, rows)
