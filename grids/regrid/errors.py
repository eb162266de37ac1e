"""What can be wrong with a plan of grids; docs/errors.md lists the codes."""

from __future__ import annotations

from grids.errors import Conflict, Invalid, NotAllowed, NotFound


class NoPlan(NotFound):
    """There is no such plan, or its town lies outside the caller's area."""

    code = "regrid.no_plan"


class NoGrids(Invalid):
    """The town has no duty grids on the day."""

    code = "regrid.no_grids"


class WrongState(Conflict):
    """The plan is not in the state that this needs."""

    code = "regrid.wrong_state"


class SamePlanner(NotAllowed):
    """Who has worked on a plan does not approve it."""

    code = "regrid.same_person"


class Faulty(Invalid):
    """The new grids are no coverage of the town, or one lies in several parts."""

    code = "regrid.faulty"


class Outdated(Conflict):
    """The town's grids have changed since the plan was drawn."""

    code = "regrid.outdated"


class BadDay(Invalid):
    """The grids cannot be switched on this day."""

    code = "regrid.bad_day"


class NoCode(Conflict):
    """All sequence numbers of a community have been given to grids before."""

    code = "regrid.no_code"


class BadEdit(Invalid):
    """A grid or a patch that an edit names does not exist."""

    code = "regrid.bad_edit"


class OtherCommunity(Invalid):
    """Ground cannot go to a grid of another community or village."""

    code = "regrid.other_community"


class Frozen(Invalid):
    """The grid is to stay as it is."""

    code = "regrid.frozen"


class CannotSplit(Invalid):
    """A grid of one patch cannot be divided."""

    code = "regrid.cannot_split"


class CannotMerge(Invalid):
    """Two grids that do not touch cannot become one."""

    code = "regrid.cannot_merge"


class NothingToUndo(Conflict):
    """The plan stands as it was drafted."""

    code = "regrid.nothing_to_undo"


class BadWish(Invalid):
    """What the designer is asked for cannot be: a number out of its range."""

    code = "regrid.bad_wish"
