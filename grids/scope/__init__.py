"""Who may see which rows, said twice.

`conditions` is the one query builder: every select over scoped rows goes through it. `wall`
says the same to the database for each transaction, whose policies give nothing to a statement
that forgot (`docs/decisions/0007-scope-twice.md`).
"""

from grids.scope.conditions import code_range, condition, in_areas, may_see, visible
from grids.scope.wall import (
    WATCHED,
    follow_caller,
    open_case,
    open_photos,
    open_tracked,
    opening,
    state,
    state_reader_of_feed,
    stated,
)

__all__ = [
    "WATCHED",
    "code_range",
    "condition",
    "follow_caller",
    "in_areas",
    "may_see",
    "open_case",
    "open_photos",
    "open_tracked",
    "opening",
    "state",
    "state_reader_of_feed",
    "stated",
    "visible",
]
