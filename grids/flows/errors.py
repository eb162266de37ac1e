"""What taking a step refuses; each kind has a stable code."""

from __future__ import annotations

from grids.errors import Conflict, Invalid, NotAllowed, NotFound


class NoRecord(NotFound):
    """There is no such record, or it lies outside what the caller may see."""

    code = "flow.none"


class ForbiddenStep(Conflict):
    """The table has no such step from the state that the record is in now."""

    code = "flow.forbidden_step"


class UsedUp(Conflict):
    """The step may be taken a number of times only, and was."""

    code = "flow.used_up"


class NotYourStep(NotAllowed):
    """The step exists, but another role, department or person has to take it."""

    code = "flow.not_yours"


class SamePerson(NotAllowed):
    """Who did the one step may not judge it: the other step is for somebody else."""

    code = "flow.same_person"


class MissingValue(Invalid):
    """The step needs something that was not sent."""

    code = "flow.missing_value"


class BadValue(Invalid):
    """A value is no day, no number, too long, or not one of the choices."""

    code = "flow.bad_value"


class UnknownPhoto(Invalid):
    """A photo that the step names was not sent before it."""

    code = "flow.unknown_photo"


class OtherContent(Conflict):
    """The id was used already, with other content."""

    code = "flow.other_content"
