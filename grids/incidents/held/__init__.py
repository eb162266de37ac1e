"""Steps that came before the one they were made after: held, and taken when it arrives (R18).

A phone without a network makes a chain of steps and names in each the one before (`follows`).
Whatever order they arrive in, the case ends up as if they had come in order.
"""

from grids.incidents.held.models import HeldMove
from grids.incidents.held.settling import (
    HOLD,
    KEPT,
    MOST,
    Take,
    forget,
    held_by,
    kept,
    release,
    settle_due,
)

__all__ = [
    "HOLD",
    "KEPT",
    "MOST",
    "HeldMove",
    "Take",
    "forget",
    "held_by",
    "kept",
    "release",
    "settle_due",
]
