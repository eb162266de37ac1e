"""Reminders at half and at four fifths of every limit, written into the case itself.

Each is told exactly once, however long the worker was away: it carries when it was due and
when it was written. `plan` works out the instants, `tell` writes what has come.
"""

from grids.reminders.models import ClockReminder
from grids.reminders.telling import SHARES, plan, tell

__all__ = ["SHARES", "ClockReminder", "plan", "tell"]
