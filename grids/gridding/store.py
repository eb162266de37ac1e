"""Write divisions, duty grids and unit cells into the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import Range

from gis.crs import from_metric
from gis.lattice import cell_centres, cell_polygons, cells_covering, cells_inside
from grids.bulk import copy_frame, reserve_ids
from grids.gridding.blocks import Ints, Shapes
from grids.gridding.territory import Division, DutyGrid
from grids.linking import place_index

#: Cells that are drawn and written at once.
CELL_BATCH = 20_000


def to_storage(shapes: Sequence[BaseGeometry] | Shapes, metric_srid: int) -> Shapes:
    """Turn metric polygons into multipolygons of the storage system, corner by corner.

    Equal corners stay equal, so that common edges stay common. Exteriors run
    counter-clockwise (domain 2.2).
    """
    given = np.asarray(shapes, dtype=object)
    turned = shapely.transform(given, lambda xy: from_metric(xy, metric_srid))
    turned = shapely.orient_polygons(turned)
    made = np.empty(len(turned), dtype=object)
    made[:] = [shapely.multipolygons(shapely.get_parts(shape)) for shape in turned]
    return made


def store_divisions(
    connection: Connection, divisions: Sequence[Division], *, metric_srid: int, valid_from: date
) -> int:
    """Store county, towns and communities; upper codes come first."""
    ordered = sorted(divisions, key=lambda division: (len(division.code), division.code))
    codes = [division.code for division in ordered]
    return copy_frame(
        connection,
        "area",
        {
            "code": codes,
            "parent_code": [code[:-3] if len(code) > 6 else None for code in codes],
            "level": [len(code) for code in codes],
            "kind": [division.kind for division in ordered],
            "name_zh": [division.name.zh for division in ordered],
            "name_en": [division.name.en for division in ordered],
            "valid_from": [valid_from] * len(codes),
            "geom": to_storage([division.shape for division in ordered], metric_srid),
        },
    )


def store_grids(
    connection: Connection, grids: Sequence[DutyGrid], *, metric_srid: int, valid_from: date
) -> Ints:
    """Store duty grids with their first version; return their ids, in the order given."""
    ids = reserve_ids(connection, "grid", len(grids))
    codes = [grid.code for grid in grids]
    copy_frame(
        connection, "grid", {"id": ids, "code": codes, "name": [grid.name for grid in grids]}
    )
    copy_frame(
        connection,
        "grid_version",
        {
            "grid_id": ids,
            "valid": [Range(valid_from, None)] * len(grids),
            "households": [grid.dwellings for grid in grids],
            "area_m2": [grid.area_m2 for grid in grids],
            "geom": to_storage([grid.shape for grid in grids], metric_srid),
        },
    )
    return ids


def store_cells(
    connection: Connection,
    grids: Sequence[DutyGrid],
    ids: Ints,
    *,
    metric_srid: int,
    on: date,
) -> int:
    """Store the unit cells that share ground with the grids; call after `store_grids`.

    A cell belongs to the grid and the area of its centre.
    """
    cells, whole_in = unit_cells(to_storage([grid.shape for grid in grids], metric_srid),
                                 metric_srid)  # fmt: skip
    index = place_index(connection, on)
    owner = np.append(ids, -1)[whole_in]
    for start in range(0, len(cells), CELL_BATCH):
        some = cells[start : start + CELL_BATCH]
        linked = index.link(cell_centres(some, metric_srid))
        copy_frame(
            connection,
            "cell",
            {
                "cell_id": some,
                "area_code": linked.area_code,
                "grid_id": linked.grid_id,
                "is_whole": owner[start : start + CELL_BATCH] == linked.grid_id.filled(-2),
                "geom": cell_polygons(some, metric_srid),
            },
        )
    return len(cells)


def unit_cells(shapes: Shapes, metric_srid: int) -> tuple[Ints, Ints]:
    """List the unit cells that share ground with any shape, and which shape holds each whole.

    Shapes are in the storage system. The second array has the index of the shape, -1 for a
    cell that lies in several or reaches outside.
    """
    touched = [cells_covering(shape, metric_srid) for shape in shapes]
    cells = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *touched]))
    holder = np.full(len(cells), -1, dtype=np.int64)
    for at, shape in enumerate(shapes):
        holder[np.searchsorted(cells, cells_inside(shape, metric_srid))] = at
    return cells, holder
