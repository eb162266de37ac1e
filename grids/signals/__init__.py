"""The security console's signals: what the audit log tells about intrusion and misuse."""

from grids.signals.alarms import (
    AlarmMoved,
    AlarmPage,
    NoAlarm,
    NoteNeeded,
    acknowledge,
    close,
    counts,
    list_alarms,
    one,
    open_count,
    pressing,
)
from grids.signals.models import Alarm, SignalCount, SignalState
from grids.signals.rules import RULES, Rule
from grids.signals.watch import watch

__all__ = [
    "RULES",
    "Alarm",
    "AlarmMoved",
    "AlarmPage",
    "NoAlarm",
    "NoteNeeded",
    "Rule",
    "SignalCount",
    "SignalState",
    "acknowledge",
    "close",
    "counts",
    "list_alarms",
    "one",
    "open_count",
    "pressing",
    "watch",
]
