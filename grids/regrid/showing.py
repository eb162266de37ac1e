"""A plan as its page draws it: the ground once, and what changes with each edit."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from grids.regrid.drawing import Drawing
from grids.regrid.models import GridPlan
from grids.regrid.plans import drawing_of

#: Degrees are sent as whole numbers of this part: 0.1 m.
SCALE = 1e6


def ground(plan: GridPlan) -> dict[str, Any]:
    """Return the patches of a plan; they never change.

    A ring is `[lon, lat, dlon, dlat, ...]` in millionths of a degree, steps after the first
    corner; patches share corners, so a page finds common sides by them. Nothing is said of
    what stands on a single patch.
    """
    drawing = drawing_of(plan)
    return {
        "scale": SCALE,
        "rings": [_rings(polygon) for polygon in drawing.fabric.patches.polygons],
        "owner": drawing.fabric.patches.owner.tolist(),
    }


def _rings(polygon: Any) -> list[list[int]]:
    rings = [polygon.exterior, *polygon.interiors]
    return [_steps(np.rint(shapely.get_coordinates(ring)[:-1] * SCALE)) for ring in rings]


def _steps(corners: Any) -> list[int]:
    return np.concatenate([corners[:1], np.diff(corners, axis=0)]).astype(int).ravel().tolist()


def state(plan: GridPlan, drawing: Drawing | None = None) -> dict[str, Any]:
    """Return which grid each patch belongs to, and the figures before and after."""
    drawing = drawing or drawing_of(plan)
    return {
        "state": plan.state,
        "edit": plan.edit_no,
        "labels": _runs(drawing.labels),
        "figures": plan.figures,
    }


def _runs(labels: Any) -> list[int]:
    """Write labels as pairs of value and count."""
    if not len(labels):
        return []
    starts = np.flatnonzero(np.r_[True, labels[1:] != labels[:-1]])
    counts = np.diff(np.r_[starts, len(labels)])
    return np.column_stack([labels[starts], counts]).ravel().tolist()
