"""What the services of disputes refuse."""

from __future__ import annotations

from grids.errors import Conflict, Invalid, NotAllowed


class NoMediator(Invalid):
    """The account is no mediator of the area of the dispute."""

    code = "dispute.no_mediator"


class NoSuchArea(Invalid):
    """The area is no grid or community in the areas of the caller."""

    code = "dispute.no_such_area"


class BadParties(Invalid):
    """A dispute has two sides with a name each, and few enough parties."""

    code = "dispute.bad_parties"


class TermsOpen(Conflict):
    """Terms of the agreement are still to be performed: the dispute cannot be closed."""

    code = "dispute.terms_open"


class PartyPurpose(NotAllowed):
    """The parties are shown for a purpose of the list."""

    code = "dispute.purpose_needed"
