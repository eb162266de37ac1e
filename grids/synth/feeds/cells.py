"""Records in the words and the coordinates of their department, ready to be written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.crs import STORAGE_SRID, transform
from gis.gcj02 import wgs84_to_bd09, wgs84_to_gcj02
from grids.importing.batches import words
from grids.synth.feeds.departments import Department
from grids.synth.feeds.records import Record

Floats = NDArray[np.float64]
#: Field -> the words by register.
_WORDS: Final[dict[str, dict[str, dict[str, str]]]] = {
    "enterprise": {"kind": words.ENTERPRISE_KINDS, "status": words.ENTERPRISE_STATES,
                   "industry": words.INDUSTRIES},
    "premises": {"kind": words.PREMISES_KINDS},
    "facility": {"kind": words.FACILITY_KINDS},
    "building": {"kind": words.BUILDING_KINDS},
    "component": {"state": words.COMPONENT_STATES},
    "address": {},
}  # fmt: skip
#: A division of each section of GB/T 4754, as the statisticians write it.
_DIVISIONS: Final = dict(zip("ABCDEFGHIJKLMNOPQRST", (
    "01", "08", "18", "44", "47", "52", "54", "62", "65", "66", "70", "72", "73", "78", "80",
    "83", "84", "89", "93", "97"), strict=True))  # fmt: skip
#: Formats whose files bring a geometry.
SHAPED: Final = frozenset({"geojson", "gpkg", "shp"})


@dataclass(frozen=True)
class Sheet:
    """One department's file before it is written: heads, rows of texts, and shapes or none."""

    heads: tuple[str, ...]
    rows: list[list[str]]
    shapes: NDArray[np.object_] | None  #: in the department's system


def sheet(department: Department, records: Sequence[Record]) -> Sheet:
    """Write records as their department does."""
    fields = [name for name in department.heads if name not in ("lon", "lat")]
    rows = [[_text(department, record, name) for name in fields] for record in records]
    shapes = None
    if department.format in SHAPED:
        shapes = _shapes(department, records)
    elif department.crs:
        xy = _abroad(np.array([[r.facts["lon"], r.facts["lat"]] for r in records]), department)
        digits = 7 if np.abs(xy).max(initial=0) <= 180 else 3
        for record, row, (x, y) in zip(records, rows, xy.tolist(), strict=True):
            pair = (y, x) if record.is_swapped else (x, y)
            row += [f"{value:.{digits}f}" for value in pair]
        fields += ["lon", "lat"]
    return Sheet(tuple(department.heads[name] for name in fields), rows, shapes)


def _text(department: Department, record: Record, name: str) -> str:
    if name in record.raw:
        return record.raw[name]
    if name == "own_id":
        return record.own_id
    if name == "address":
        return _address(record)
    value = record.facts.get(name)
    if value is None:
        return ""
    if isinstance(value, date):
        return value.strftime(department.day)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    return _word(department, record, name, str(value))


def _word(department: Department, record: Record, name: str, value: str) -> str:
    if name == "industry" and department.code == "statistics":
        return _DIVISIONS[value]
    if name in ("code", "department_code"):
        # One office writes the code, another the word.
        return str(record.facts.get(f"{name.removesuffix('_code')}_word") or value)
    listed = _WORDS[department.target].get(name)
    if listed is None or value not in listed:
        return value
    several = listed[value].split()
    return several[department.word % len(several)]


def _address(record: Record) -> str:
    facts = record.facts
    inner = (
        f"{facts['estate']}{facts['building']}" if facts.get("estate") and facts.get("building")
        else ""
    )  # fmt: skip
    parts = (facts.get("county"), facts.get("town"), facts.get("street"), facts.get("number"))
    return "".join(part or "" for part in parts) + inner


def _abroad(lonlat: Floats, department: Department) -> Floats:
    """Bring places to the department's system."""
    if not len(lonlat):
        return lonlat
    shifts: dict[str, Any] = {"gcj02": wgs84_to_gcj02, "bd09": wgs84_to_bd09}
    if department.crs in shifts:
        return np.asarray(shifts[department.crs](lonlat), dtype=np.float64)
    return transform(lonlat, STORAGE_SRID, int(department.crs.removeprefix("EPSG:")))


def _shapes(department: Department, records: Sequence[Record]) -> NDArray[np.object_]:
    shapes = np.array(
        [shapely.from_wkb(r.facts["wkb"]) if "wkb" in r.facts
         else shapely.Point(r.facts["lon"], r.facts["lat"]) for r in records], dtype=object,
    )  # fmt: skip
    moved = shapely.transform(shapes, lambda xy: _abroad(xy, department))
    swapped = np.array([record.is_swapped for record in records], dtype=bool)
    if swapped.any():
        moved[swapped] = shapely.transform(moved[swapped], lambda xy: xy[:, ::-1])
    return np.asarray(moved, dtype=object)
