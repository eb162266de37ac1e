"""How sensitive an export is, and what that asks for.

An export has the highest level of its columns. L1 is free, L2 needs a reason, L3 needs a second
person's approval, L4 never leaves. A layer that the caller may not look at can be asked for
where it says so, and is then L3 whatever its columns are.
"""

from __future__ import annotations

from typing import Final

from grids.accounts import Actor
from grids.errors import Invalid, NotAllowed
from grids.layers import Layer, NoLayer, layer_of, may_see
from grids.layers.model import Column, Level

#: What an export may be for; the text for people is `export_reason.<name>`.
REASONS: Final = ("planning", "inspection", "statistics", "emergency", "handover", "other")
SHORTEST_NOTE: Final = 5
LONGEST_NOTE: Final = 500
#: Columns above this level are on no list.
HIGHEST: Final = "L3"


class ReasonNeeded(Invalid):
    """The export holds L2 data: it needs a reason of the list and a few words."""

    code = "export.reason_needed"


class ApprovalNeeded(NotAllowed):
    """The export holds L3 data: a second person must approve it first."""

    code = "export.approval_needed"


def export_columns(layer: Layer) -> tuple[Column, ...]:
    """List the columns of a layer that may leave at all, those for approval included."""
    return tuple(
        column for column in layer.columns if column.level <= HIGHEST and column.goes != "tiles"
    )


def level_of(layer: Layer, columns: tuple[str, ...], actor: Actor) -> Level:
    """Return the level of an export: the highest of its columns, L3 where it must be asked for."""
    levels: list[Level] = [c.level for c in export_columns(layer) if c.name in columns]
    if not may_see(layer, actor):
        levels.append("L3")
    return max(levels, default="L1")


def exportable_layer(layer_id: str, actor: Actor) -> Layer:
    """Return a layer that an actor may take or ask for. Raises `NoLayer` and `NotAllowed`."""
    layer = layer_of(layer_id)
    if may_see(layer, actor) or (layer.is_requestable and actor.can("export:run")):
        return layer
    raise NotAllowed(f"needs the permission {layer.permission}", permission=layer.permission)


def checked_reason(level: Level, reason: str, note: str) -> tuple[str, str]:
    """Return reason and note as they are kept. Raises `ReasonNeeded` where they are missing."""
    note = note.strip()[:LONGEST_NOTE]
    if level == "L1":
        return (reason if reason in REASONS else ""), note
    if reason not in REASONS:
        raise ReasonNeeded("the export needs a reason", field="reason", length=SHORTEST_NOTE)
    if len(note) < SHORTEST_NOTE:
        raise ReasonNeeded("the export needs a few words", field="note", length=SHORTEST_NOTE)
    return reason, note


__all__ = [
    "REASONS",
    "ApprovalNeeded",
    "NoLayer",
    "ReasonNeeded",
    "checked_reason",
    "export_columns",
    "exportable_layer",
    "level_of",
]
