"""What the services of cases refuse; each kind has a stable code."""

from __future__ import annotations

from grids.errors import Conflict, Gone, Invalid, NotAllowed, NotFound


class NoIncident(NotFound):
    """There is no such case, or it lies outside what the caller may see."""

    code = "incident.none"


class ForbiddenMove(Conflict):
    """The lifecycle has no such move from the state the case is in now."""

    code = "incident.forbidden_move"


class NotYourMove(NotAllowed):
    """The move exists, but another role, department or person has to do it."""

    code = "incident.not_your_move"


class HandlerMayNotJudge(NotAllowed):
    """Who handled a case neither checks nor closes it; who asked to void it does not decide."""

    code = "incident.same_person"


class MissingField(Invalid):
    """The move needs something that was not sent."""

    code = "incident.missing_field"


class UnknownReason(Invalid):
    """The reason is not in the list of this move."""

    code = "incident.unknown_reason"


class UnknownCategory(Invalid):
    """There is no such category, or it no longer holds."""

    code = "incident.unknown_category"


class UnknownDepartment(Invalid):
    """There is no such department."""

    code = "incident.unknown_department"


class UnknownWorker(Invalid):
    """There is no such worker in the area of the case."""

    code = "incident.unknown_worker"


class UnknownPhoto(Invalid):
    """A photo that the report names was not sent before it."""

    code = "incident.unknown_photo"


class OutsideCity(Invalid):
    """The place lies outside the city."""

    code = "incident.outside_city"


class TooLong(Invalid):
    """A text is longer than allowed."""

    code = "incident.too_long"


class OtherBody(Conflict):
    """The id was used already, with other content; the answer carries the server's copy."""

    code = "incident.other_body"


class Withdrawn(Gone):
    """The case with this id was voided; the report need not be sent again."""

    code = "incident.withdrawn"


class TooLate(Conflict):
    """The time for this step is over."""

    code = "incident.too_late"


class TooOften(Conflict):
    """The step was taken as often as a case allows."""

    code = "incident.too_often"


class Waiting(Conflict):
    """The reporter is being asked; the step waits for the answer."""

    code = "incident.waiting"


class BadInstant(Invalid):
    """The new limit, planned day or day of review does not fit."""

    code = "incident.bad_instant"


class BadLevel(Invalid):
    """The seat of this level cannot have the case."""

    code = "incident.bad_level"


class NoMain(Invalid):
    """The case to merge into does not exist, is over, or is this one."""

    code = "incident.no_main"


class FollowsMissing(Conflict):
    """The step was held for one that did not arrive in time, and is not possible without it."""

    code = "incident.follows_missing"


class TooManyHeld(Conflict):
    """Too many steps of the sender wait for others already."""

    code = "incident.too_many_held"


class NothingToUndo(Conflict):
    """The last step is another's, cannot be taken back, or too much time has passed."""

    code = "incident.nothing_to_undo"


class NotSelfHandled(Invalid):
    """Matters of this category are not closed on the spot."""

    code = "incident.not_self_handled"
