"""A first look at a file: what it is, where its places would lie, what its columns seem to mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.crs import STORAGE_SRID, epsg, transform
from gis.gcj02 import TO_WGS84
from gis.shift import looks_gcj02
from gis.tables import Block, Table
from grids.city import City
from grids.importing.batches.placing import Frame
from grids.importing.batches.settings import (
    Given,
    Settings,
    is_personal,
    missing,
    remembered,
)
from grids.importing.batches.targets import Target

Floats = NDArray[np.float64]
SHOWN_ROWS: Final = 8
SHOWN_CELL: Final = 80
SHOWN_POINTS: Final = 200
#: 3-degree zones with their number before the easting begin at 75 degrees east with 25.
_FIRST_ZONE: Final = 25
_FIRST_ZONED_SRID: Final = 4513
_ROADS: Final = text("""
    SELECT ST_AsBinary(geom) AS shape FROM road
    WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4490)
    ORDER BY id LIMIT 4000
""")
#: Degrees around the sample in which roads are looked for: a shift is less.
_AROUND: Final = 0.02


@dataclass(frozen=True)
class Look:
    """What a look at a file gives: facts for the pages, and settings that fit it."""

    facts: dict[str, Any]
    settings: Settings


def look(
    session: Session, table: Table, target: Target, settings: Settings, city: City
) -> Look:  # fmt: skip
    """Look at an opened file; `settings` are the source's, or what somebody has chosen."""
    first = next(table.blocks(), Block([], [[] for _ in table.columns]))
    mapping = remembered(settings, target, table.columns)
    xy = _sample(table, first, mapping)
    notes = list(table.notes)
    if len(xy) and _is_turned(xy, city):
        xy = xy[:, ::-1]
        mapping, is_turned = _turned(mapping, settings)
        notes += ["swapped_columns"] if is_turned else ["swapped"]
    crs = settings.crs or _guessed(xy, table.srid, city)
    shift = _shift(session, xy, crs, city)
    if not settings.crs and shift.get("likely") in TO_WGS84:
        crs = str(shift["likely"])
        notes.append("shifted")
    fitted = replace(settings, crs=crs, mapping=mapping)
    facts = {
        "format": table.format, "columns": list(table.columns), "encoding": table.encoding,
        "delimiter": table.delimiter, "sheet": table.sheet, "sheets": list(table.sheets)[:200],
        "head_row": table.head_row, "srid": table.srid, "has_geometry": table.has_geometry,
        "notes": notes, "personal": [name for name in table.columns if is_personal(name)],
        "rows": _rows(table, first), "shift": shift,
        "points": _points(xy, crs, city),
        "missing": list(missing(fitted, target, has_geometry=table.has_geometry)),
    }  # fmt: skip
    return Look(facts, fitted)


def _rows(table: Table, block: Block) -> list[dict[str, Any]]:
    """Return the first rows; columns of persons are blacked out."""
    hidden = [is_personal(name) for name in table.columns]
    return [
        {"number": block.numbers[at],
         "cells": ["***" if hidden[k] and column[at] else column[at][:SHOWN_CELL]
                   for k, column in enumerate(block.columns)]}
        for at in range(min(SHOWN_ROWS, len(block)))
    ]  # fmt: skip


def _sample(table: Table, block: Block, mapping: Mapping[str, Given]) -> Floats:
    """Take the coordinates of some rows as they came: from shapes, else from two columns."""
    lon, lat = mapping.get("lon"), mapping.get("lat")
    if block.wkb is not None:
        pairs = _of_shapes([wkb for wkb in block.wkb if wkb is not None][: 10 * SHOWN_POINTS])
    elif lon and lat and lon.column and lat.column:
        at = table.columns.index
        pairs = _of_texts(block.columns[at(lon.column)], block.columns[at(lat.column)])
    else:
        pairs = []
    xy = np.asarray(pairs, dtype=np.float64).reshape(-1, 2)
    return np.asarray(xy[np.isfinite(xy).all(axis=1)], dtype=np.float64)


def _of_shapes(wkb: list[bytes]) -> list[tuple[float, float]]:
    with np.errstate(invalid="ignore"):
        shapes = shapely.from_wkb(np.array(wkb, dtype=object), on_invalid="ignore")
    corners = (shapely.get_coordinates(shape)[:1].tolist() for shape in shapes if shape is not None)
    return [(corner[0][0], corner[0][1]) for corner in corners if corner]


def _of_texts(lon: Sequence[str], lat: Sequence[str]) -> list[tuple[float, float]]:
    pairs = []
    for x, y in zip(lon, lat, strict=True):
        try:
            pairs.append((float(x), float(y)))
        except ValueError:
            continue
    return pairs


def _guessed(xy: Floats, stated: int, city: City) -> str:
    """Guess the system: what the file says, else by the size of the numbers."""
    if stated:
        return f"EPSG:{stated}"
    if not len(xy):
        return f"EPSG:{STORAGE_SRID}"
    if 2 * np.count_nonzero((np.abs(xy) <= (180, 90)).all(axis=1)) >= len(xy):
        return f"EPSG:{STORAGE_SRID}"
    x = float(np.median(xy[:, 0]))
    zone = int(x // 1_000_000)
    if _FIRST_ZONE <= zone <= _FIRST_ZONE + 20:
        return f"EPSG:{_FIRST_ZONED_SRID + zone - _FIRST_ZONE}"
    return f"EPSG:{city.metric_srid}"


def _is_turned(xy: Floats, city: City) -> bool:
    """Say whether the two coordinates are exchanged: north first, as surveyors of China write."""
    x, y = np.median(xy, axis=0).tolist()
    if abs(x) <= 90 and abs(y) <= 180:
        return not _near(x, y, city) and _near(y, x, city)
    if abs(x) <= 180 and abs(y) <= 180:
        return False
    straight = transform([[x, y]], city.metric_srid, STORAGE_SRID)[0]
    turned = transform([[y % 1_000_000 if y > 1e7 else y, x]], city.metric_srid, STORAGE_SRID)[0]
    return not _near(straight[0], straight[1], city) and _near(turned[0], turned[1], city)


def _near(lon: float, lat: float, city: City) -> bool:
    return city.west - 1 <= lon <= city.east + 1 and city.south - 1 <= lat <= city.north + 1


def _turned(mapping: dict[str, Given], settings: Settings) -> tuple[dict[str, Given], bool]:
    """Exchange the columns of the two coordinates, unless somebody has chosen them."""
    chosen = settings.mapping
    if "lon" not in mapping or "lat" not in mapping or ("lon" in chosen and "lat" in chosen):
        return mapping, False
    return mapping | {"lon": mapping["lat"], "lat": mapping["lon"]}, True


def _shift(session: Session, xy: Floats, crs: str, city: City) -> dict[str, Any]:
    """Compare the places with the roads of the city, as given and unshifted."""
    if not len(xy) or crs in TO_WGS84 or not epsg(int(crs.removeprefix("EPSG:"))).is_geographic:
        return {}
    west, south = np.percentile(xy, 2, axis=0).tolist()
    east, north = np.percentile(xy, 98, axis=0).tolist()
    rows = session.execute(
        _ROADS,
        {"west": west - _AROUND, "south": south - _AROUND, "east": east + _AROUND,
         "north": north + _AROUND},
    ).all()  # fmt: skip
    roads = shapely.from_wkb(np.array([bytes(row.shape) for row in rows], dtype=object))
    found = looks_gcj02(xy, roads, city.metric_srid) if len(rows) else None
    if found is None or found.likely == "unknown":
        return {"likely": "unknown"}
    return {
        "likely": found.likely, "as_given_m": round(found.as_given_m, 1),
        "gcj02_m": round(found.if_gcj02_m, 1), "bd09_m": round(found.if_bd09_m, 1),
    }  # fmt: skip


def _points(xy: Floats, crs: str, city: City) -> list[list[float]]:
    """Return some places as the chosen system puts them, for the map."""
    if not len(xy):
        return []
    some = xy[np.linspace(0, len(xy) - 1, min(len(xy), SHOWN_POINTS)).astype(np.int64)]
    home = Frame.of(city, crs).home(some)
    good: Sequence[list[float]] = np.round(home[np.isfinite(home).all(axis=1)], 6).tolist()
    return [pair for pair in good if abs(pair[0]) <= 180 and abs(pair[1]) <= 90]
