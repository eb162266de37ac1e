"""What is done about running clocks: reminders, and limits measured again.

Reminders come at half and at four fifths of every limit, written into the case itself.

Each is told exactly once, however long the worker was away: it carries when it was due and
when it was written. `plan` works out the instants, `tell` writes what has come. When the working
calendar has changed, `recompute` measures open limits again and `outlook` says it beforehand.
"""

from grids.reminders.models import ClockReminder
from grids.reminders.recomputing import Outlook, look_ahead, outlook, ranges_of, recompute
from grids.reminders.telling import SHARES, plan, tell

__all__ = [
    "SHARES", "ClockReminder", "Outlook", "look_ahead", "outlook", "plan", "ranges_of",
    "recompute", "tell",
]  # fmt: skip
