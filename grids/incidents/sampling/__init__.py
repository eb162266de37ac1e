"""The sample check (抽查): 5 % of what was handled on the spot or on the fast track, drawn daily.

The draw follows from a published number that nobody could know before the day was over, so
that nobody chooses, and everybody can draw again: see docs/lifecycle.md.
"""

from grids.incidents.sampling.drawing import SHARE, drawn, rank, seed_of, size_of
from grids.incidents.sampling.models import SampleCase, SampleDraw
from grids.incidents.sampling.rounds import (
    Shown,
    draw_day,
    draw_due,
    latest,
    redone,
    shown,
)

__all__ = [
    "SHARE",
    "SampleCase",
    "SampleDraw",
    "Shown",
    "draw_day",
    "draw_due",
    "drawn",
    "latest",
    "rank",
    "redone",
    "seed_of",
    "shown",
    "size_of",
]
