"""What forms, visits and ledgers refuse; each kind has a stable code."""

from __future__ import annotations

from grids.errors import Conflict, Invalid, NotAllowed, NotFound


class NoForm(NotFound):
    """There is no such form, version or question."""

    code = "ledger.no_form"


class NoLedger(NotFound):
    """There is no such ledger."""

    code = "ledger.none"


class NoSubject(NotFound):
    """What was visited does not exist, or lies outside the caller's area."""

    code = "ledger.no_subject"


class Forbidden(Invalid):
    """A question asks for what must not be collected (domain 9.2)."""

    code = "ledger.forbidden"


class BadForm(Invalid):
    """The form has no questions, asks one twice, or one of another subject."""

    code = "ledger.bad_form"


class NotInThisState(Conflict):
    """The version is not a draft, or does not wait for an approval."""

    code = "ledger.state"


class SamePerson(NotAllowed):
    """Who wrote a form does not approve it."""

    code = "ledger.same_person"


class Missing(Invalid):
    """A question that applies has no answer."""

    code = "ledger.missing"


class BadAnswer(Invalid):
    """The answer is no number, no day, out of range or not one of the choices."""

    code = "ledger.bad_answer"


class PersonalText(Invalid):
    """A free text holds a number of a person or a phone: it does not belong there."""

    code = "ledger.personal_text"


class UnknownPhoto(Invalid):
    """A photo that an answer names was not sent before it."""

    code = "ledger.unknown_photo"
