"""Who has a case: exactly one role, department or person for each open state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from grids.incidents.lifecycle import LEVEL_DIGITS, LEVELS, SEAT_STATES, STATES
from grids.incidents.models import Incident
from grids.incidents.projection import Case

if TYPE_CHECKING:
    from grids.incidents.roles import Placed


@dataclass(frozen=True)
class Owner:
    """Whose turn it is: a role in an area, where it is named a department or a person."""

    role: str
    area_code: str  #: a code prefix
    department: str | None = None
    account_id: int | None = None


def owner_of_case(case: Case | Incident | Placed) -> Owner | None:
    """Return the one who has the case now; None once it is over.

    Asking the reporter, a pause or a request that waits for a decision change nothing here:
    whoever has the case sees that it goes on.
    """
    state = STATES[case.status]
    if state.is_terminal or state.holder is None:
        return None
    county = case.area_code[: LEVEL_DIGITS["county"]]
    if state.holder == "handler":
        return _handling_owner(case)
    if state.holder == "worker":
        return Owner("worker", case.area_code, account_id=case.holder_id)
    if case.status in SEAT_STATES:
        return _seat(case, case.level)
    return Owner(state.holder, county)


def _handling_owner(case: Case | Incident | Placed) -> Owner:
    """Name the department, else the person, else the seat that handed the case to an outsider."""
    if case.department_code is not None:
        return Owner("handler", case.area_code[:6], department=case.department_code)
    if case.holder_id is not None or case.handler_id is not None:
        return Owner("worker", case.area_code, account_id=case.holder_id or case.handler_id)
    return _seat(case, case.level)


def _seat(case: Case | Incident | Placed, level: str) -> Owner:
    """Name the seat of a level; what a village or a grid has done the town looks at."""
    if case.status == "pending_review" and level in ("grid", "village"):
        level = "town"
    return Owner(LEVELS[level], case.area_code[: LEVEL_DIGITS[level]])
