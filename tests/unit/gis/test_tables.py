"""Tables of every format give the same blocks; what is built to hold its reader is refused."""

import io
import json
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from app.config import ROOT
from gis.errors import GisError
from gis.tables import ReadAs, open_table
from gis.tables.encodings import guess_encoding
from gis.tables.model import GUESSED
from tests.support.bad_tables import (
    BOW_TIE,
    book,
    csv_of,
    database,
    drawing,
    feature,
    geojson,
    gpkg,
    point,
    shapefile,
    zipped,
)

ROWS = (("名称", "数"), ("甲", "1"), ("乙", "2.5"))


def opened(folder: Path, name: str, data: bytes, how: ReadAs = GUESSED):
    path = folder / "file"
    path.write_bytes(data)
    return open_table(path, name, how)


def cells(table) -> list[tuple[str, ...]]:
    return [row for block in table.blocks() for row in zip(*block.columns, strict=True)]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
)
def test_a_text_is_read_in_the_encoding_that_it_has(tmp_path: Path, encoding: str) -> None:
    found = opened(tmp_path, "a.csv", csv_of(*ROWS, head=(), encoding=encoding))

    assert found.columns == ("名称", "数")
    assert cells(found) == [("甲", "1"), ("乙", "2.5")]


def test_big5_is_told_from_gb18030_by_its_letters() -> None:
    words = "臺北市政府環境保護局公告資料統計表" * 4

    assert guess_encoding(words.encode("big5"))[0] == "big5"
    assert (
        guess_encoding("义乌市综合行政执法局公共设施统计表".encode("gb18030") * 4)[0] == "gb18030"
    )


@pytest.mark.parametrize(("name", "data"), [
    ("a.csv", csv_of(*ROWS, head=())),
    ("a.xlsx", book(("名称", "数"), ("甲", 1), ("乙", 2.5))),
    ("a.db", database("CREATE TABLE t (名称 text, 数)", "INSERT INTO t VALUES ('甲', 1), ('乙', 2.5)")),
    ("a.geojson", json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "geometry": None, "properties": {"名称": "甲", "数": 1}},
        {"type": "Feature", "geometry": None, "properties": {"名称": "乙", "数": 2.5}}]}).encode()),
])  # fmt: skip
def test_every_format_gives_the_same_cells(tmp_path: Path, name: str, data: bytes) -> None:
    assert cells(opened(tmp_path, name, data)) == [("甲", "1"), ("乙", "2.5")]


def test_shapes_keep_their_system_and_letters(tmp_path: Path) -> None:
    found = opened(tmp_path, "a.zip", shapefile(crs=4549, encoding="gbk", without=(".cpg",)))

    assert (found.srid, found.encoding, found.has_geometry) == (4549, "gb18030", True)
    assert cells(found) == [("一小", "学校"), ("二小", "学校")]
    assert opened(tmp_path, "a.zip", shapefile(without=(".prj",))).notes == ("no_prj",)


def test_a_geopackage_is_read_with_rows_that_have_no_place(tmp_path: Path) -> None:
    (block,) = opened(tmp_path, "a.gpkg", gpkg()).blocks()

    assert block.wkb is not None
    assert [shape is None for shape in block.wkb] == [False, True]


def test_the_layers_of_a_drawing_are_offered_like_sheets(tmp_path: Path) -> None:
    found = opened(tmp_path, "a.dxf", drawing())

    assert found.sheets == ("学校",)
    assert [
        row[0] for row in cells(opened(tmp_path, "a.dxf", drawing(), ReadAs(sheet="学校")))
    ] == ["学校"]
    with pytest.raises(GisError):
        opened(tmp_path, "a.dxf", drawing(), ReadAs(sheet="医院"))


def test_an_old_document_says_its_system(tmp_path: Path) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}}

    assert opened(tmp_path, "a.json", geojson(feature(point(1, 2)), crs=crs)).srid == 4549
    assert opened(tmp_path, "a.json", geojson(feature(BOW_TIE))).srid == 4326


def test_a_sheet_that_is_named_is_read(tmp_path: Path) -> None:
    data = book(("a", "b"), ("1", "2"), second=True)

    assert opened(tmp_path, "a.xlsx", data, ReadAs(sheet="数据")).columns == ("a", "b")
    with pytest.raises(GisError):
        opened(tmp_path, "a.xlsx", data, ReadAs(sheet="没有"))


# --- R45: bombs -----------------------------------------------------------------------------


def zip_of_zeros() -> bytes:
    """Pack a gigabyte of zeros into a megabyte."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = bytes(1 << 20)
    body = b"".join(packer.compress(piece) for _ in range(1024)) + packer.flush()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo("table.shp")
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, b"")
    data = bytearray(out.getvalue())
    at, central = data.index(b"PK\x03\x04"), data.index(b"PK\x01\x02")
    for start in (at + 18, central + 20):
        data[start : start + 8] = len(body).to_bytes(4, "little") + (1 << 30).to_bytes(4, "little")
    header = data[: at + 30 + len("table.shp")]
    rest = data[central:]
    end = rest.index(b"PK\x05\x06")
    rest[end + 16 : end + 20] = (len(header) + len(body)).to_bytes(4, "little")
    return bytes(header) + body + bytes(rest)


def many_entries() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(100_000):
            archive.writestr(f"{number}.shp", b"")
    return out.getvalue()


def wide_workbook() -> bytes:
    """A workbook of five million cells in some hundred kilobytes."""
    row = b"<row>" + b"<c/>" * 100 + b"</row>"
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(book(("a",)))) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            body = old.read(name)
            if name.endswith("sheet1.xml"):
                body = b"<worksheet><sheetData>" + row * 50_000 + b"</sheetData></worksheet>"
            new.writestr(name, body)
    return out.getvalue()


BOMBS = {
    "a gigabyte of zeros": ("a.zip", zip_of_zeros, "ratio unpacked"),
    "100,000 files": ("a.zip", many_entries, "entries size"),
    "an archive in an archive": ("a.zip", lambda: zipped({"b.zip": zipped({"c": b"x" * 99})}), "nested"),
    "five million cells": ("a.xlsx", wide_workbook, "cells ratio unpacked"),
}  # fmt: skip
OPEN = """
import resource, sys
from pathlib import Path
from gis.errors import GisError
from gis.tables import open_table
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    open_table(Path(sys.argv[1]), sys.argv[2])
except GisError as error:
    print(error.params.get("why"), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_without_being_unpacked(tmp_path: Path, name: str) -> None:
    file, made, causes = BOMBS[name]
    path = tmp_path / "bomb"
    path.write_bytes(made())

    done = subprocess.run([sys.executable, "-c", OPEN, path, file], cwd=ROOT, check=True,
                          capture_output=True, text=True)  # fmt: skip

    why, grown_kib = done.stdout.split()
    assert why in causes.split()
    assert int(grown_kib) < 100 * 1024
