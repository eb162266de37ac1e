"""Files that planners take away: whole, in the system asked for, harmless, and in the log."""

import csv
import io
import json
import sqlite3
import warnings

import numpy as np
import pyogrio
import pytest
import shapely
from openpyxl import load_workbook
from sqlalchemy import text

from gis.geojson import Tally
from grids import exports
from grids.bulk import driver
from grids.exports import writing
from tests.support.maps import TOWNS, actor_in, layer, sql_count

#: What a file of L2 data asks for.
WHY = "reason=planning&note=for the yearly plan"


@pytest.fixture
def planner(map_app, sign_in, mapped):
    """Somebody who is planner and may see cases and enterprises too."""
    client = sign_in("planner")
    mapped.execute(
        text(
            "INSERT INTO assignment (account_id, role, area_code) VALUES (:a, 'commander', '339901')"
        ),
        {"a": client.account_id},
    )
    return client


def table_of(data: bytes) -> list[dict]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def sheet_of(data: bytes) -> list[tuple]:
    return list(load_workbook(io.BytesIO(data)).worksheets[0].iter_rows(values_only=True))


@pytest.mark.parametrize("ending", ["geojson", "csv", "gpkg", "xlsx", "html"])
def test_an_export_of_n_rows_has_n_features_and_says_so(planner, mapped, tmp_path, ending) -> None:
    answer = planner.get(f"/api/export/component.{ending}")

    count = int(answer.headers["X-Row-Count"])
    assert count == sql_count(mapped, "component") == 300
    assert rows_in(answer.data, ending, tmp_path) == count
    assert "component-" in answer.headers["Content-Disposition"]


def rows_in(data: bytes, ending: str, folder) -> int:
    if ending == "geojson":
        document = json.loads(data)
        return len(document["features"]) if document["numberReturned"] == 300 else -1
    if ending == "csv":
        return len(table_of(data))
    if ending == "html":
        return data.decode().count('"type":"Feature"')
    if ending == "xlsx":
        return len(list(sheet_of(data))) - 1
    path = folder / "out.gpkg"
    path.write_bytes(data)
    return pyogrio.read_info(path)["features"]


@pytest.mark.parametrize("ending", ["geojson", "csv", "gpkg", "xlsx", "html"])
def test_what_left_is_in_the_audit_log(planner, mapped, ending) -> None:
    answer = planner.get(f"/api/export/component.{ending}?area={TOWNS[0]}")

    row = mapped.execute(
        text("SELECT actor_id, is_success, detail FROM audit_event WHERE action = 'export'")
    ).one()
    assert row.actor_id == planner.account_id
    assert row.is_success
    assert row.detail["rows"] == int(answer.headers["X-Row-Count"]) > 0
    assert row.detail["bytes"] == len(answer.data)
    assert (row.detail["layer"], row.detail["area"]) == ("component", TOWNS[0])


def test_a_stream_that_ends_early_never_looks_whole(mapped) -> None:
    conn = driver(mapped.connection())
    wanted = exports.selection(layer("component"), actor_in())
    pieces: list[bytes] = []
    stream = exports.geojson(conn, wanted, 301, Tally())

    with pytest.raises(exports.Incomplete):
        pieces.extend(stream)

    with pytest.raises(json.JSONDecodeError):
        json.loads(b"".join(pieces) or b"")


@pytest.mark.parametrize("crs", ["CRS84", "EPSG:4490", "EPSG:4549", "EPSG:3857"])
def test_a_geopackage_read_back_equals_the_table(planner, mapped, tmp_path, crs) -> None:
    answer = planner.get("/api/export/building.gpkg", query_string={"crs": crs})
    path = tmp_path / "building.gpkg"
    path.write_bytes(answer.data)

    frame = pyogrio.read_dataframe(path).set_index("id").sort_index()

    srid = 4326 if crs == "CRS84" else int(crs.split(":")[1])
    rows = mapped.execute(
        text("SELECT id, name, levels, ST_AsBinary(ST_Transform(geom, :s)) AS shape"
             " FROM building ORDER BY id"), {"s": srid},
    ).all()  # fmt: skip
    assert frame.crs.to_epsg() == srid
    assert frame.index.tolist() == [row.id for row in rows]
    assert frame["name"].tolist() == [row.name for row in rows]
    assert frame["levels"].tolist() == [row.levels for row in rows]
    shapes = shapely.from_wkb([bytes(row.shape) for row in rows])
    apart = shapely.hausdorff_distance(frame.geometry.to_numpy(), shapes)
    assert apart.max() < (1e-9 if frame.crs.is_geographic else 1e-3)


def test_metres_are_easting_and_northing_under_names_that_say_so(planner, mapped) -> None:
    metric = table_of(planner.get("/api/export/component.csv?crs=EPSG:4549").data)
    degrees = table_of(planner.get("/api/export/component.csv?crs=EPSG:4490").data)

    place = {row["id"]: (float(row["easting"]), float(row["northing"])) for row in metric}
    for row in degrees:
        assert 120.0 < float(row["lon"]) < 120.2
        easting, northing = place[row["id"]]
        assert 500_000 < easting < 520_000
        assert 3_230_000 < northing < 3_250_000
    true = mapped.execute(
        text("SELECT id, ST_X(p) AS x, ST_Y(p) AS y"
             " FROM (SELECT id, ST_Transform(geom, 4549) AS p FROM component) AS t")
    )  # fmt: skip
    for row in true:
        assert np.allclose(place[str(row.id)], (row.x, row.y), atol=0.001)


def test_a_spreadsheet_runs_nothing_and_loses_nothing(planner, mapped) -> None:
    rows = table_of(planner.get(f"/api/export/enterprise.csv?{WHY}").data)

    assert {row["name"] for row in rows} == {
        "'=HYPERLINK(1)", "'@evil", "甲“乙”,公司", 'a "b"\nc\\d',
    }  # fmt: skip


def test_a_workbook_runs_nothing_either(planner) -> None:
    data = planner.get(f"/api/export/enterprise.xlsx?{WHY}").data

    cells = [cell for row in load_workbook(io.BytesIO(data)).worksheets[0].rows for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d", "b"}  # no "f"
    assert "'=HYPERLINK(1)" in {cell.value for cell in cells}


def test_json_keeps_quotes_backslashes_and_line_breaks(planner) -> None:
    document = json.loads(planner.get(f"/api/export/enterprise.geojson?{WHY}").data)

    assert 'a "b"\nc\\d' in {feature["properties"]["name"] for feature in document["features"]}


def test_columns_area_box_and_class_narrow_a_selection(planner, mapped) -> None:
    query = {
        "columns": "code,state", "area": TOWNS[0], "bbox": "120.0,29.25,120.08,29.35",
        "class": "01,02",
    }  # fmt: skip
    document = json.loads(planner.get("/api/export/component.geojson", query_string=query).data)

    expected = sql_count(
        mapped,
        "component",
        "area_code LIKE :a AND left(code, 2) IN ('01', '02')"
        " AND geom && ST_MakeEnvelope(120.0, 29.25, 120.08, 29.35, 4490)",
        a=f"{TOWNS[0]}%",
    )
    assert len(document["features"]) == expected > 0
    assert {tuple(f["properties"]) for f in document["features"]} == {("code", "state")}


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("component.geojson?crs=EPSG:4549", 422, "export.only_crs84"),
        ("component.shp", 422, "export.bad_format"),
        ("component.csv?columns=name,password_hash", 422, "export.bad_column"),
        ("component.gpkg?crs=EPSG:1", 422, "gis.unknown_crs"),
        ("base.geojson", 403, "export.not_allowed"),
        ("person.csv", 404, "layer.unknown"),
    ],
)
def test_what_cannot_be_taken_is_told(planner, path, status, code) -> None:
    answer = planner.get(f"/api/export/{path}")

    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_only_who_may_export_takes_anything(map_app, sign_in, client) -> None:
    assert client.get("/api/export/grid.csv").status_code == 401
    assert sign_in("commander").get("/api/export/grid.csv").status_code == 403
    assert sign_in("planner").get("/api/export/enterprise.csv").status_code == 403


def test_a_planner_of_a_town_takes_the_town(map_app, sign_in, mapped) -> None:
    town = sign_in("planner", area=TOWNS[1])

    rows = table_of(town.get("/api/export/component.csv").data)
    other = table_of(town.get(f"/api/export/component.csv?area={TOWNS[0]}").data)

    assert len(rows) == sql_count(mapped, "component", "area_code LIKE :a", a=f"{TOWNS[1]}%")
    assert other == []


def test_a_preview_counts_exactly_and_shows_twenty(planner, mapped) -> None:
    found = planner.get("/api/export/component/preview?format=gpkg").json

    assert found["rows"] == 300
    assert len(found["first"]) == found["shown"] == 20
    assert found["size_bytes"] > 10_000
    assert {"identifier", "area_code"} <= {column["name"] for column in found["columns"]}


def test_the_estimate_of_geojson_is_near_the_file(planner) -> None:
    found = planner.get("/api/export/component/preview?format=geojson").json
    size = len(planner.get("/api/export/component.geojson").data)

    assert found["size_bytes"] == pytest.approx(size, rel=0.05)


def test_a_map_file_of_too_many_is_refused_and_not_cut(planner, monkeypatch) -> None:
    monkeypatch.setattr(writing, "MOST_ON_A_MAP", 299)

    answer = planner.get("/api/export/component.html")

    assert (answer.status_code, answer.json["code"]) == (422, "export.too_many_for_map")


def test_a_geopackage_is_a_database_that_other_programs_open(planner, tmp_path) -> None:
    path = tmp_path / "empty.gpkg"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path.write_bytes(planner.get("/api/export/component.gpkg?area=339901009").data)

    with sqlite3.connect(path) as base:
        tables = dict(base.execute("SELECT table_name, srs_id FROM gpkg_contents"))
        assert base.execute("SELECT count(*) FROM component").fetchone() == (0,)
    base.close()
    assert tables == {"component": 4326}


def test_the_plain_form_leads_to_the_file(planner) -> None:
    answer = planner.get("/planner/export?layer=grid&format=csv&area=339901001&crs=EPSG%3A4490")

    assert answer.status_code == 302
    assert answer.headers["Location"] == "/api/export/grid.csv?area=339901001&crs=EPSG%3A4490"


def test_the_page_offers_what_its_reader_may_take(map_app, sign_in) -> None:
    page = sign_in("planner").get("/planner").get_data(as_text=True)

    assert 'value="component"' in page
    assert 'value="enterprise"' in page  # to be asked for: the planner may not look at it
    assert "icon-lock" in page or "#lock" in page
    assert 'value="base"' not in page


def test_exports_at_the_same_time_are_limited(planner, monkeypatch) -> None:
    from threading import BoundedSemaphore

    from app import planner as module

    full = BoundedSemaphore(1)
    full.acquire()
    monkeypatch.setattr(module, "_places", full)

    answer = planner.get("/api/export/grid.csv")

    assert (answer.status_code, answer.json["code"]) == (503, "export.busy")
