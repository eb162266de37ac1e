import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyogrio
import pytest
import shapely

from gis.bbox import Bbox
from gis.crs import parse_crs
from gis.errors import UnknownFormat
from gis.formats import Field, csv_stream, read_file, read_gpkg, safe_cell, write_gpkg
from gis.geojson import Feature, Refused, Tally
from gis.postgis import Batch

CITY = Bbox(119.8, 29.0, 120.4, 29.6)


def batch(first: int, count: int, name: str = "井") -> Batch:
    keys = list(range(first, first + count))
    points: list[bytes | None] = [
        shapely.to_wkb(shapely.Point(120 + key / 1000, 29.3)) for key in keys
    ]
    return Batch(keys, points, {"name": [f"{name} {key}" for key in keys], "size": keys[:]})


def test_a_geopackage_of_several_batches_holds_every_row(tmp_path: Path) -> None:
    path = tmp_path / "out.gpkg"

    rows = write_gpkg(path, "sites", [batch(1, 5), batch(6, 3)], crs=parse_crs("EPSG:4490"))

    read = gpd.read_file(path, layer="sites")
    assert rows == len(read) == 8
    assert read["name"].tolist() == [f"井 {key}" for key in range(1, 9)]
    assert read["size"].tolist() == list(range(1, 9))
    assert read.crs.to_epsg() == 4490
    assert read.geometry.x.tolist() == pytest.approx([120 + key / 1000 for key in range(1, 9)])


def test_a_geopackage_keeps_kinds_and_missing_values(tmp_path: Path) -> None:
    path = tmp_path / "kinds.gpkg"
    values: dict[str, list[Any]] = {
        "whole": [1, None],
        "share": [Decimal("0.5"), 2.0],
        "is_open": [True, None],
        "on": [date(2030, 1, 2), None],
        "at": [datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC), None],
        "tags": [{"a": "井"}, None],
        "empty": [None, None],
    }

    write_gpkg(path, "kinds", [Batch([1, 2], [None, None], values)])

    info = pyogrio.read_info(path)
    kinds = dict(zip(info["fields"], info["ogr_types"], strict=True))
    assert kinds["whole"] == "OFTInteger64"
    assert kinds["share"] == "OFTReal"
    assert kinds["on"] == "OFTDate"
    assert kinds["at"] == "OFTDateTime"
    read = pyogrio.read_dataframe(path)
    assert read["whole"].isna().tolist() == [False, True]
    assert read["tags"].iloc[0] == '{"a": "井"}'
    assert str(read["at"].iloc[0]) == "2030-01-02 03:04:05+00:00"
    assert read["empty"].isna().all()


def test_a_geopackage_without_rows_has_the_layer(tmp_path: Path) -> None:
    path = tmp_path / "empty.gpkg"

    rows = write_gpkg(path, "sites", [], fields=[Field("name", "text")], geometry_type="Point")

    assert rows == 0
    assert pyogrio.read_info(path, layer="sites")["features"] == 0


def read_csv(pieces: list[bytes]) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(pieces).decode("utf-8-sig"))))


def test_csv_carries_coordinates_and_counts_its_rows() -> None:
    tally = Tally()

    rows = read_csv(list(csv_stream([batch(1, 2), batch(3, 1)], tally=tally)))

    assert rows[0] == ["id", "name", "size", "lon", "lat"]
    assert rows[1] == ["1", "井 1", "1", "120.001", "29.3"]
    assert len(rows) == 4
    assert tally.rows == 3


def test_csv_begins_with_one_byte_order_mark() -> None:
    whole = b"".join(csv_stream([batch(1, 1), batch(2, 1)]))

    assert whole.startswith(b"\xef\xbb\xbf")
    assert whole.count(b"\xef\xbb\xbf") == 1


def test_csv_writes_shapes_as_text_where_asked() -> None:
    square = Batch([1], [shapely.to_wkb(shapely.box(0, 0, 1, 1))], {})

    rows = read_csv(list(csv_stream([square], geometry="wkt")))

    assert rows[0] == ["id", "wkt"]
    assert shapely.from_wkt(rows[1][1]).area == 1


def test_csv_leaves_places_empty_where_there_is_no_shape() -> None:
    rows = read_csv(list(csv_stream([Batch([1], [None], {"name": [None]})])))

    assert rows[1] == ["1", "", "", ""]


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|x", "-2+3", "@SUM(A1)", "\t=1", "  =1", "＝1", "\r1"]
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["-3.5", "+86", "a=b", "", "网格 -1"])
def test_harmless_texts_stay_as_they_are(text: str) -> None:
    assert safe_cell(text) == text


def test_a_geopackage_is_read_through_the_guard_into_the_storage_system(tmp_path: Path) -> None:
    path = tmp_path / "in.gpkg"
    shapes = [shapely.Point(500_000, 3_242_520.8), shapely.Point(0, 0), None]
    frame = gpd.GeoDataFrame({"name": ["a", "b", "c"]}, geometry=shapes, crs=4549)
    frame.to_file(path, layer="x")

    good, far, missing = read_gpkg(path, CITY)

    assert isinstance(good, Feature)
    assert shapely.get_coordinates(good.geometry)[0] == pytest.approx([120.0, 29.3], abs=1e-7)
    assert good.properties["name"] == "a"
    assert isinstance(far, Refused)
    assert isinstance(missing, Refused)
    assert missing.error.code == "gis.invalid_geometry"


def test_a_file_that_only_calls_itself_a_geopackage_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fake.gpkg"
    path.write_bytes(b"<OGRVRTDataSource/>")

    with pytest.raises(UnknownFormat):
        list(read_file(path, CITY))


def test_a_cut_geopackage_is_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.gpkg"
    write_gpkg(whole, "sites", [batch(1, 500)])
    cut = tmp_path / "cut.gpkg"
    cut.write_bytes(whole.read_bytes()[:3000])

    with pytest.raises(UnknownFormat):
        list(read_file(cut, CITY))


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match=r"\.vrt"):
        read_file(tmp_path / "a.vrt", CITY)
