"""More than sixty files as they go wrong in offices, each with what must come of it.

`made` gives the bytes; `wanted` is a cause (the whole file is refused), or row -> rule for the
rows that are rejected or held, or a number of good rows. Targets have one set of heads each.
"""

import io
import json
import sqlite3
import struct
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openpyxl import Workbook

Row = tuple[Any, ...]
HEAD: Row = ("设施名称", "设施类型", "经度", "纬度")
GOOD: Row = ("一小", "学校", "120.05", "29.30")
NEXT: Row = ("二小", "学校", "120.06", "29.30")


@dataclass(frozen=True)
class BadTable:
    """One file: how it is called, what it holds, what must come of it."""

    file: str
    made: Callable[[], bytes]
    refused: str = ""  #: `why` of the refusal, or its code
    rows: Mapping[int, str] = field(default_factory=dict)
    good: int = 0
    target: str = "facility"
    missing: tuple[str, ...] = ()  #: fields that the file brings no column for


def csv_of(*rows: Row, head: Row = HEAD, encoding: str = "utf-8", sign: str = ",") -> bytes:
    lines = [sign.join(str(cell) for cell in row) for row in ((head, *rows) if head else rows)]
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


def table(refused: str = "", /, *rows: Row, **more: Any) -> BadTable:
    how = {key: more.pop(key) for key in ("head", "encoding", "sign") if key in more}
    return BadTable(more.pop("file", "a.csv"), lambda: csv_of(*rows, **how), refused, **more)


# --- Workbooks ------------------------------------------------------------------------------


def book(*rows: Row, merge: str = "", second: bool = False) -> bytes:
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    if second:
        sheet = made.create_sheet("数据")
    for row in rows:
        sheet.append(row)
    if merge:
        sheet.merge_cells(merge)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def repacked(
    data: bytes, change: Callable[[str, bytes], bytes], extra: Mapping[str, bytes] = {}
) -> bytes:
    """Write an archive anew with its parts changed."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
        for name, body in extra.items():
            new.writestr(name, body)
    return out.getvalue()


def in_sheet(old: bytes, new: bytes) -> Callable[[str, bytes], bytes]:
    return lambda name, body: body.replace(old, new) if name.endswith("sheet1.xml") else body


def same(_name: str, body: bytes) -> bytes:
    return body


# --- Shapes ---------------------------------------------------------------------------------


def feature(geometry: Any, name: str = "一小", kind: str = "学校") -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": geometry,
        "properties": {"设施名称": name, "设施类型": kind},
    }


def geojson(*features: Any, **more: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features, **more}).encode()


def point(lon: Any, lat: Any) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lon, lat]}


def polygon(*corners: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[*map(list, corners)]]}


def shapefile(
    *, crs: int | None = 4490, without: tuple[str, ...] = (), encoding: str = "utf-8"
) -> bytes:
    """Write two points as a Shapefile in a zip, with parts missing."""
    import geopandas
    import shapely

    frame = geopandas.GeoDataFrame(
        {"名称": ["一小", "二小"], "类型": ["学校", "学校"]},
        geometry=[shapely.Point(120.05, 29.3), shapely.Point(120.06, 29.3)], crs=crs,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        frame.to_file(Path(folder) / "table.shp", encoding=encoding)
        return zipped({path.name: path.read_bytes() for path in Path(folder).iterdir()
                       if path.suffix not in without})  # fmt: skip


def zipped(parts: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)
    return out.getvalue()


def encrypted() -> bytes:
    """Mark every entry of an archive as encrypted, as its readers see it first."""
    data = bytearray(zipped({"table.shp": b"x" * 200}))
    local, central = data.index(b"PK\x03\x04"), data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, local + 6, 1)
    struct.pack_into("<H", data, central + 8, 1)
    return bytes(data)


def gpkg() -> bytes:
    import geopandas
    import shapely

    frame = geopandas.GeoDataFrame(
        {"名称": ["一小", "二小"], "类型": ["学校", "学校"]},
        geometry=[shapely.Point(120.05, 29.3), None], crs=4490,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.gpkg"
        frame.to_file(path)
        return path.read_bytes()


def database(*statements: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.db"
        conn = sqlite3.connect(path)
        for statement in ("CREATE TABLE gone (a)", "DROP TABLE gone", *statements):
            conn.execute(statement)
        conn.commit()
        conn.close()
        return path.read_bytes()


def drawing() -> bytes:
    """Write a drawing of one layer whose name is Chinese, in the encoding of older programs."""
    return (
        "0\nSECTION\n2\nHEADER\n9\n$ACADVER\n1\nAC1015\n9\n$DWGCODEPAGE\n3\nANSI_936\n0\nENDSEC\n"
        "0\nSECTION\n2\nENTITIES\n0\nPOINT\n8\n学校\n10\n120.05\n20\n29.30\n30\n0\n"
        "0\nENDSEC\n0\nEOF\n"
    ).encode("gb18030")


BOW_TIE = polygon((120.05, 29.3), (120.06, 29.31), (120.06, 29.3), (120.05, 29.31), (120.05, 29.3))
BUILDING = {"properties": {"建筑类型": "住宅"}, "type": "Feature"}

TABLES: dict[str, BadTable] = {
    # Text tables.
    "only blanks": BadTable("a.csv", lambda: b"  \r\n\r\n", "empty"),
    "only a mark": BadTable("a.csv", lambda: b"\xef\xbb\xbf", "empty"),
    "only separators": BadTable("a.csv", lambda: b",,,\r\n,,,\r\n", "empty"),
    "only a head": table("no_rows"),
    "zeros": BadTable("a.csv", lambda: b"\x01\x00\x02\x03\x00" * 99, "binary"),
    "a mark before the head": BadTable("a.csv", lambda: b"\xef\xbb\xbf" + csv_of(GOOD), good=1),
    "GBK": table("", GOOD, encoding="gbk", good=1),
    "Big5": table("", ("一小", "學校", "120.05", "29.30"), head=("設施名稱", "類型", "經度", "緯度"),
                  encoding="big5", missing=("name", "kind", "place"), good=0),
    "UTF-16": table("", GOOD, encoding="utf-16", good=1),
    "UTF-16 without its mark": table("", GOOD, encoding="utf-16-le", good=1),
    "two encodings": BadTable(
        "a.csv", lambda: csv_of(GOOD) + csv_of(("二小\u0378", "学校", "120.06", "29.3"), head=(), encoding="gb18030")
        + csv_of(("三小", "学校", "120.07", "29.3"), head=()), rows={3: "encoding"}, good=2),
    "cut within a letter": BadTable("a.csv", lambda: csv_of(GOOD, ("二", "学校", "120.06", "29.3"))
                                    + "三".encode()[:2], rows={4: "encoding"}, good=2),
    "an open quotation": BadTable("a.csv", lambda: csv_of(GOOD) + b'"' + b"x" * 70_000, "quotes"),
    "too many cells": table("", GOOD, (*NEXT, "", "多余"), rows={3: "cells_many"}, good=1),
    "too few cells": table("", GOOD, ("二小", "学校"), rows={3: "no_place"}, good=1),
    "a name twice": table("", (*GOOD, "x"), head=(*HEAD, "经度"), good=1),
    "no head": table("", GOOD, NEXT, head=(), missing=("name", "kind", "place")),
    "300 columns": table("columns", tuple(range(300)), head=tuple(f"列{k}" for k in range(300))),
    "semicolons": table("", GOOD, sign=";", good=1),
    "tabs": table("", GOOD, sign="\t", file="a.txt", good=1),
    "titles above the head": table("", ("公共设施一览表",), ("填表人：", "某"), HEAD, GOOD, head=(), good=1),
    "not finite": table("", GOOD, ("a甲", "学校", "nan", "29.3"), ("b乙", "学校", "inf", "29.3"),
                        ("c丙", "学校", "1e400", "29.3"), rows={3: "not_finite", 4: "not_finite", 5: "not_finite"}, good=1),
    "exchanged": table("", GOOD, ("甲", "学校", "29.30", "120.05"), rows={3: "swapped"}, good=1),
    "nowhere": table("", GOOD, ("甲", "学校", "0", "0"), rows={3: "null_island"}, good=1),
    "longitude 500": table("", GOOD, ("甲", "学校", "500", "29.3"), rows={3: "not_degrees"}, good=1),
    "another city": table("", GOOD, ("甲", "学校", "116.4", "39.9"), rows={3: "outside"}, good=1),
    "half a place": table("", GOOD, ("甲", "学校", "120.05", ""), rows={3: "half_a_place"}, good=1),
    "words for a place": table("", GOOD, ("甲", "学校", "东门口", "29.3"), rows={3: "not_a_coordinate"}, good=1),
    "a person": table("", GOOD, ("339901199001010017", "学校", "120.05", "29.3"), rows={3: "resident_number"}, good=1),
    "a failed formula": table("", GOOD, ("#REF!", "学校", "120.05", "29.3"), rows={3: "formula_failed"}, good=1),
    "letters lost": table("", GOOD, ("一\ufffd小", "学校", "120.05", "29.3"), rows={3: "letters_lost"}, good=1),
    "the same row twice": table("", GOOD, GOOD, rows={3: "twice"}, good=1),
    "a word of no list": table("", GOOD, ("甲", "占卜馆", "120.05", "29.3"), rows={3: "not_in_list"}, good=1),
    "nothing said": table("", GOOD, ("暂无", "学校", "120.05", "29.3"), rows={3: "required"}, good=1),
    "a number for a name": table("", GOOD, ("甲" * 300, "学校", "120.05", "29.3"), ("一二 三", "学校", "120.07", "29.3"),
                                 rows={3: "too_long"}, good=2),
    "dates as text": table(
        "", ("甲", "公司", "F", "2019-03-05", "120.05", "29.3"), ("乙", "公司", "F", "05/04/2019", "120.06", "29.3"),
        ("丙", "公司", "F", "2019.2.30", "120.07", "29.3"), ("丁", "公司", "F", "43529", "120.08", "29.3"),
        head=("名称", "类型", "行业", "成立日期", "经度", "纬度"), target="enterprise",
        rows={3: "day_ambiguous", 4: "no_such_day"}, good=2),
    "digits cut": table(
        "", ("甲", "9.13301E+17", "公司", "F", "120.05", "29.3"), ("乙", "913301081234", "公司", "F", "120.06", "29.3"),
        head=("名称", "信用代码", "类型", "行业", "经度", "纬度"), target="enterprise",
        rows={2: "digits_lost", 3: "credit_length"}),
    # Workbooks.
    "a workbook cut off": BadTable("a.xlsx", lambda: book(HEAD, GOOD)[:-400], "not_zip"),
    "an old workbook": BadTable("a.xls", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "old_excel"),
    "an old or locked one with a new name": BadTable("a.xlsx", lambda: b"\xd0\xcf\x11\xe0" + bytes(2000), "old_excel"),
    "text with the name of a workbook": BadTable("a.xlsx", lambda: csv_of(GOOD), "damaged"),
    "an empty workbook": BadTable("a.xlsx", lambda: book(), "empty"),
    "the second sheet": BadTable("a.xlsx", lambda: book(HEAD, GOOD, second=True), good=1),
    "merged cells": BadTable("a.xlsx", lambda: book(("表",), ("类型", "名称", "经度", "纬度"), ("学校", "一小", 120.05, 29.3),
                                                    (None, "二小", 120.06, 29.3), merge="A3:A4"), good=2),
    "formulas never shown": BadTable("a.xlsx", lambda: book(HEAD, GOOD, ("=A2", "学校", "120.06", "29.3")),
                                     rows={3: "required"}, good=1),
    "cells that failed": BadTable("a.xlsx", lambda: book(HEAD, GOOD, ("#N/A", "学校", 120.06, 29.3)),
                                  rows={3: "required"}, good=1),
    "macros": BadTable("a.xlsx", lambda: repacked(book(HEAD, GOOD), same, {"xl/vbaProject.bin": b"x"}), "macros"),
    "entities": BadTable("a.xlsx", lambda: repacked(
        book(HEAD, GOOD), in_sheet(b"<worksheet", b"<!DOCTYPE a [<!ENTITY b 'c'>]><worksheet")), "entities"),
    "a cell at the end of the world": BadTable("a.xlsx", lambda: repacked(
        book(HEAD, GOOD), in_sheet(b'r="A2"', b'r="XFD1048576"')), "rows"),
    "a workbook in a workbook": BadTable("a.xlsx", lambda: repacked(
        book(HEAD, GOOD), same, {"xl/embeddings/a.xlsx": book(HEAD)}), "nested"),
    # GeoJSON.
    "JSON cut off": BadTable("a.geojson", lambda: geojson(feature(point(120.05, 29.3)))[:-9], "gis.not_json"),
    "JSON 30,000 deep": BadTable("a.geojson", lambda: b'{"type":"Feature","a":' + b"[" * 30_000, "gis.too_deep"),
    "no features": BadTable("a.geojson", lambda: geojson(), "no_rows"),
    "not GeoJSON": BadTable("a.geojson", lambda: b'{"rows": []}', "not_geojson"),
    "mixed geometry": BadTable("a.geojson", lambda: geojson(
        feature(point(120.05, 29.3)), feature(BOW_TIE, "二小"),
        feature({"type": "LineString", "coordinates": [[120.05, 29.3], [120.06, 29.3]]}, "三小")),
        rows={2: "other_shape", 3: "other_shape"}, good=1),
    "no geometry": BadTable("a.geojson", lambda: geojson(feature(point(120.05, 29.3)), feature(None, "二小")),
                            rows={2: "no_place"}, good=1),
    "a ring not closed": BadTable("a.geojson", lambda: geojson(
        feature(point(120.05, 29.3)), feature(polygon((120.05, 29.3), (120.06, 29.3), (120.06, 29.31), (120.05, 29.31)), "二小")),
        rows={2: "bad_geometry"}, good=1),
    "numbers that are none": BadTable("a.geojson", lambda: geojson(
        feature(point(120.05, 29.3)), feature(point("120.06", None), "二小")), rows={2: "bad_geometry"}, good=1),
    "NaN in JSON": BadTable("a.geojson", lambda: geojson(feature(point(120.05, 29.3))).replace(b"29.3", b"NaN"), "gis.not_finite"),
    "no feature": BadTable("a.geojson", lambda: geojson(feature(point(120.05, 29.3)), 7), rows={2: "not_feature"}, good=1),
    "metres called degrees": BadTable("a.geojson", lambda: geojson(
        feature(point(120.05, 29.3)), feature(point(504_857.0, 3_242_540.0), "二小")), rows={2: "not_degrees"}, good=1),
    "a bow tie": BadTable("a.geojson", lambda: geojson(
        {**BUILDING, "geometry": BOW_TIE},
        {**BUILDING, "geometry": polygon((120.05, 29.3), (120.06, 29.3), (120.06, 29.31), (120.05, 29.3))}),
        rows={1: "not_valid"}, good=1, target="building"),
    # Archives.
    "no .dbf": BadTable("a.zip", lambda: shapefile(without=(".dbf",)), "no_dbf"),
    "no .prj": BadTable("a.zip", lambda: shapefile(without=(".prj",)), good=2),
    "GBK without .cpg": BadTable("a.zip", lambda: shapefile(without=(".cpg",), encoding="gbk"), good=2),
    "no shapes": BadTable("a.zip", lambda: zipped({"a.txt": b"x"}), "no_shapes"),
    "an archive in an archive": BadTable("a.zip", lambda: zipped({"a.zip": zipped({"a": b"x"})}), "nested"),
    "a name that climbs": BadTable("a.zip", lambda: zipped({"../../a.shp": b"x"}), "name"),
    "an encrypted archive": BadTable("a.zip", encrypted, "encrypted"),
    "an archive cut off": BadTable("a.zip", lambda: shapefile()[:300], "not_zip"),
    "a shape alone": BadTable("a.shp", lambda: b"\x00\x00\x27\x0a" + bytes(96), "shapes_alone"),
    "shapes of noise": BadTable("a.zip", lambda: zipped({"a.shp": b"x" * 500, "a.dbf": b"y" * 500}), "damaged"),
    # Databases, drawings, others.
    "a GeoPackage": BadTable("a.gpkg", gpkg, rows={2: "no_place"}, good=1),
    "a GeoPackage cut off": BadTable("a.gpkg", lambda: gpkg()[:8192], "damaged"),
    "text called GeoPackage": BadTable("a.gpkg", lambda: b"gpkg", "damaged"),
    "a database without a table": BadTable("a.db", lambda: database(), "empty"),
    "a database": BadTable("a.db", lambda: database(
        "CREATE TABLE s (名称, 类型, 经度, 纬度)", "INSERT INTO s VALUES ('一小', '学校', 120.05, 29.3)",
        "INSERT INTO s VALUES ('二小', '学校', 0, 0)"), rows={2: "null_island"}, good=1),
    "a drawing cut off": BadTable("a.dxf", lambda: drawing()[:60], "damaged"),
    "a drawing of another kind": BadTable("a.dwg", lambda: b"AC1027" + bytes(100), "dwg"),
    "a PDF": BadTable("a.csv", lambda: b"%PDF-1.7 ...", "pdf"),
    "a picture": BadTable("a.csv", lambda: b"\x89PNG\r\n\x1a\n" + bytes(50), "picture"),
    "a web page": BadTable("a.csv", lambda: b"<html><body>404</body></html>", "web_page"),
    "an unknown ending": BadTable("a.docx", lambda: csv_of(GOOD), "format"),
}  # fmt: skip
