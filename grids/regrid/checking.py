"""What a drawing must be before anybody approves it: a coverage of the town, each cell once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Connection

from gis.lattice import cell_centres
from gis.patchwork import Shapes, assemble
from gis.topology import check_coverage
from grids.regrid.drawing import Drawing, comparison
from grids.regrid.fabric import Ints, shapes_of


@dataclass(frozen=True)
class Drawn:
    """The shapes of a drawing's changed grids, and those of all its grids."""

    changed: dict[int, Any]  #: label -> MultiPolygon, of those that stay or come
    ended: list[int]  #: labels of grids that end
    all: dict[int, Any]


def drawn(drawing: Drawing, today: Mapping[int, Any]) -> Drawn:
    """Put the patches together. `today` has the stored shapes by the key of the grid.

    A grid that does not change keeps its stored shape to the last digit.
    """
    held = np.bincount(drawing.labels, minlength=drawing.count) > 0
    changed = np.array([k for k in drawing.changed.tolist() if held[k]], dtype=np.int64)
    made = assemble(drawing.fabric.patches.polygons, drawing.labels, changed)
    new = dict(zip(changed.tolist(), made.tolist(), strict=True))
    stays = {
        k: today[drawing.base[k].id]
        for k in range(len(drawing.base))
        if held[k] and k not in new
    }  # fmt: skip
    ended = [k for k in drawing.changed.tolist() if not held[k]]
    return Drawn(new, ended, stays | new)


def faults(
    connection: Connection, drawing: Drawing, town: str, *, on: date, metric_srid: int
) -> list[dict[str, Any]]:
    """List what is wrong: kind, the grids, square metres, and the middle of the place.

    `on` is the day whose grids the drawing starts from.
    """
    today = shapes_of(connection, town, on)
    return faults_of(drawing, drawn(drawing, today), list(today.values()), metric_srid)


def faults_of(
    drawing: Drawing, new: Drawn, today: list[Any], metric_srid: int
) -> list[dict[str, Any]]:
    """List the faults of shapes that were put together; `today` covers what they must cover."""
    named = [drawing.name_of(k) for k in new.all]
    touched = {drawing.name_of(k) for k in new.changed}
    town = shapely.union_all(np.array(today, dtype=object))
    found: list[dict[str, Any]] = [
        {
            "kind": one.kind,
            "grids": list(one.names),
            "area_m2": round(one.area_m2, 2),
            "at": _middle(one.geometry),
        }
        for one in check_coverage(list(new.all.values()), named, metric_srid, parent=town)
        if one.kind == "gap" or touched & set(one.names)
    ]
    found += [
        {"kind": "scattered", "grids": [name], "area_m2": 0.0, "at": None}
        for name in comparison(drawing)["scattered"]
    ]
    lost = _cells_astray(drawing, new, metric_srid)
    return found + [
        {"kind": "cell", "grids": [], "area_m2": 0.0, "at": at} for at in lost[:20].tolist()
    ]


def _cells_astray(drawing: Drawing, new: Drawn, metric_srid: int) -> Any:
    """Return the middles of cells that no grid, or more than one, covers."""
    cells: Ints = np.unique(drawing.fabric.patches.cell_id)
    middle = cell_centres(cells, metric_srid)
    shapes: Shapes = np.array(list(new.all.values()), dtype=object)
    points = shapely.points(middle)
    inside = np.bincount(shapely.STRtree(shapes).query(points, "within")[0], minlength=len(cells))
    on_edge = np.unique(shapely.STRtree(shapes).query(points, "covered_by")[0])
    once = inside == 1
    once[on_edge] |= inside[on_edge] == 0  # on a common side: the lower code has it
    # A cell along the town's border may have its middle outside.
    of_town = shapely.STRtree(drawing.fabric.patches.polygons).query(points, "covered_by")[0]
    astray = np.zeros(len(cells), dtype=bool)
    astray[of_town] = ~once[of_town]
    return middle[astray]


def _middle(shape: Any) -> list[float]:
    point = shapely.point_on_surface(shape)
    return [round(float(point.x), 7), round(float(point.y), 7)]
