"""The colours of time in lists (domain 5.5), and the three states that faces show of them."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

Colour = Literal["green", "yellow", "orange", "red", "grey"]
Shown = Literal["ok", "soon", "late", "paused"]

#: The one place where the five colours of the rule meet the four of the faces.
SHOWN: Final[dict[Colour, Shown]] = {
    "green": "ok", "yellow": "soon", "orange": "soon", "red": "late", "grey": "paused",
}  # fmt: skip
#: Shares of a limit at which its holder is reminded, and at which the colour turns.
HALF: Final = 0.5
MOST: Final = 0.8


def colour_at(
    now: datetime,
    *,
    half_at: datetime | None,
    most_at: datetime | None,
    due_at: datetime | None,
    is_paused: bool = False,
) -> Colour:
    """Say how a clock stands: green while more than half is left, orange from a fifth on.

    `half_at` and `most_at` are the instants of `clocks.share_at`, so that colours and
    reminders turn at the same moment.
    """
    if is_paused or due_at is None:
        return "grey"
    if now >= due_at:
        return "red"
    if most_at is not None and now >= most_at:
        return "orange"
    return "yellow" if half_at is not None and now >= half_at else "green"
