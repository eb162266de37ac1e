"""What the services of hazards refuse."""

from __future__ import annotations

from grids.errors import Invalid, NotFound


class NoPremises(NotFound):
    """There are no such premises, or they lie outside what the caller may see."""

    code = "hazard.no_premises"


class NoPlace(Invalid):
    """A hazard belongs to premises or to a point of the map."""

    code = "hazard.no_place"


class BadTerm(Invalid):
    """The term is not one of those of the hazard's severity."""

    code = "hazard.bad_term"


class NoDepartment(Invalid):
    """There is no such department."""

    code = "hazard.no_department"


class BadAnswers(Invalid):
    """The check-list is not answered: each item is met, failed or does not apply."""

    code = "hazard.bad_answers"


class PhotoNeeded(Invalid):
    """An item that failed needs a photo."""

    code = "hazard.photo_needed"
