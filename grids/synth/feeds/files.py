"""Files of departments: a sheet in each of the formats that they use."""

from __future__ import annotations

import csv
import json
import sqlite3
import tempfile
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.workbooks import write_rows
from grids.synth.feeds.cells import Sheet
from grids.synth.feeds.departments import DEGREES, Department

#: Rows of a delimited file and of a workbook are counted with their head, others without.
_WITH_HEAD: Final = frozenset({"csv-gb18030", "csv-utf8", "xlsx"})
_LAYER: Final = "records"


def first_row(department: Department) -> int:
    """Return the number that an import gives the first record of a file."""
    return 2 if department.format in _WITH_HEAD else 1


def write(folder: Path, department: Department, sheet: Sheet) -> Path:
    """Write a department's file; return where it is."""
    path = folder / department.file_name
    path.unlink(missing_ok=True)
    if department.format.startswith("csv"):
        encoding = "gb18030" if department.format == "csv-gb18030" else "utf-8-sig"
        with path.open("w", encoding=encoding, newline="") as out:
            writer = csv.writer(out)
            writer.writerow(sheet.heads)
            writer.writerows(sheet.rows)
    elif department.format == "xlsx":
        write_rows(path, department.name, sheet.heads, sheet.rows)
    elif department.format == "sqlite":
        _sqlite(path, sheet)
    elif department.format == "geojson":
        _geojson(path, sheet)
    else:
        _gdal(path, department, sheet)
    return path


def _sqlite(path: Path, sheet: Sheet) -> None:
    columns = ", ".join(f'"{head}" TEXT' for head in sheet.heads)
    made = f"CREATE TABLE {_LAYER} ({columns})"
    filled = f"INSERT INTO {_LAYER} VALUES ({', '.join('?' for _ in sheet.heads)})"  # noqa: S608 - own names
    with closing(sqlite3.connect(path)) as conn, conn:
        conn.execute(made)
        conn.executemany(filled, sheet.rows)


def _geojson(path: Path, sheet: Sheet) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.write('{"type": "FeatureCollection", "features": [')
        for n, (row, shape) in enumerate(zip(sheet.rows, _shapes(sheet), strict=True)):
            feature = {
                "type": "Feature", "properties": dict(zip(sheet.heads, row, strict=True)),
                "geometry": json.loads(shapely.to_geojson(shape)),
            }  # fmt: skip
            out.write((",\n" if n else "\n") + json.dumps(feature, ensure_ascii=False))
        out.write("\n]}\n")


def _gdal(path: Path, department: Department, sheet: Sheet) -> None:
    import pyogrio

    columns = [
        np.array([row[k] for row in sheet.rows], dtype=object) for k in range(len(sheet.heads))
    ]
    is_shape = department.format == "shp"
    kind = "Point" if department.target == "component" else "MultiPolygon"
    with tempfile.TemporaryDirectory(prefix="feed-") as spare:
        target = Path(spare) / f"{_LAYER}.shp" if is_shape else path
        pyogrio.raw.write(
            str(target), geometry=shapely.to_wkb(_shapes(sheet)), field_data=columns,
            fields=list(sheet.heads), layer=_LAYER, crs=department.crs or DEGREES,
            driver="ESRI Shapefile" if is_shape else "GPKG",
            geometry_type="Polygon" if is_shape and kind == "MultiPolygon" else kind,
            encoding="GB18030" if is_shape else None,
        )  # fmt: skip
        if is_shape:
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for part in sorted(Path(spare).iterdir()):
                    archive.write(part, part.name)


def _shapes(sheet: Sheet) -> NDArray[np.object_]:
    if sheet.shapes is None:
        raise ValueError("a file with geometries needs shapes")
    return sheet.shapes
