"""What a resident's record may be read for: a literal list, and the rules that go with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.errors import NotAllowed
from grids.incidents.models import Incident

LONGEST_CASE: Final = 32


@dataclass(frozen=True)
class Reason:
    """One purpose from the list. `needs_case`: the number of a case goes with it."""

    code: str
    needs_case: bool = False
    is_for_children: bool = False  #: strong enough for the record of a child under 14


#: Reading a resident's record.
PERSON: Final = {
    reason.code: reason
    for reason in (
        Reason("case", needs_case=True, is_for_children=True),
        Reason("home_visit"),
        Reason("registration"),
        Reason("emergency", is_for_children=True),
        Reason("child_protection", is_for_children=True),
        Reason("subject_request", is_for_children=True),
    )
}
#: Reading how to reach the reporter of a case; the case itself is known.
REPORTER: Final = {
    reason.code: reason
    for reason in (Reason("call_back"), Reason("find_place"), Reason("tell_result"))
}


@dataclass(frozen=True)
class Purpose:
    """What a record is read for, as the caller states it."""

    code: str = ""
    case_number: str = ""
    is_child_confirmed: bool = False


class PurposeNeeded(NotAllowed):
    """A record of a person is read for a purpose of the list; none was given."""

    code = "people.purpose_needed"


class CaseNeeded(NotAllowed):
    """The purpose is a case, and no case that the caller may see has this number."""

    code = "people.case_needed"


class ChildGate(NotAllowed):
    """The record is that of a child under 14: a strong purpose and a confirmation are needed."""

    code = "people.child_gate"


def check(session: Session, actor: Actor, purpose: Purpose) -> None:
    """Raise `PurposeNeeded` or `CaseNeeded` where the purpose does not hold."""
    reason = PERSON.get(purpose.code)
    if reason is None:
        raise PurposeNeeded("state what the record is read for")
    if not reason.needs_case:
        return
    wanted = select(Incident.id).where(Incident.number == purpose.case_number[:LONGEST_CASE])
    if session.scalar(scope.visible(wanted, actor, Incident).limit(1)) is None:
        raise CaseNeeded("no such case, or outside what you may see")


def check_child(purpose: Purpose) -> None:
    """Raise `ChildGate` where the purpose does not carry the record of a child (PIPL art. 31)."""
    reason = PERSON.get(purpose.code)
    if reason is None or not reason.is_for_children or not purpose.is_child_confirmed:
        raise ChildGate("a child's record needs a purpose for children and a confirmation")


def check_reporter(code: str) -> None:
    """Raise `PurposeNeeded` where the reporter's contact is asked for without a purpose."""
    if code not in REPORTER:
        raise PurposeNeeded("state what the reporter's contact is needed for")
