"""Colours of classes: muted, told apart by colour-blind readers, one pair per theme."""

from __future__ import annotations

from typing import Final

from grids.layers.model import Swatch

_PAIRS: Final = (
    ("#3b6ea8", "#7fb2ea"),  # blue
    ("#c9772b", "#f0a860"),  # orange
    ("#2f8f7f", "#62c9b5"),  # teal
    ("#8a5aa3", "#c39ad8"),  # purple
    ("#8a842b", "#cfc96a"),  # olive
    ("#b8578a", "#e79ac0"),  # pink
    ("#7a5a46", "#c9a58c"),  # brown
    ("#4d93b3", "#86cfe8"),  # sky
)
_GREY: Final = ("#6b7785", "#a4b0bd")
OTHER: Final = "other"


def swatches(*values: str) -> tuple[Swatch, ...]:
    """Give each class a colour of its own, in order; `other` is grey."""
    pairs = iter(_PAIRS)
    return tuple(Swatch(value, *(_GREY if value == OTHER else next(pairs))) for value in values)
