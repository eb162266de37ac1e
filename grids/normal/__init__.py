"""Values as offices write them, brought to the one form that registers keep.

Each function takes a text and gives the value, or raises `Unfit` with the rule that it breaks.
"""

from grids.normal.codes import credit_code, identifier, phone
from grids.normal.days import day
from grids.normal.figures import figure, whole
from grids.normal.texts import Unfit, bare, clean, name

__all__ = [
    "Unfit",
    "bare",
    "clean",
    "credit_code",
    "day",
    "figure",
    "identifier",
    "name",
    "phone",
    "whole",
]
