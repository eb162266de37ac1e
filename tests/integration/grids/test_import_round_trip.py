"""S0-021: a survey in metres goes in, is stored in degrees and comes out: within a centimetre."""

import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from shapely import affinity
from sqlalchemy import text

from gis.tables import open_table
from tests.support.bad_tables import zipped
from tests.support.import_desk import Desk

METRIC = 4549
CENTIMETRE = 0.01
COUNT = 60


def survey() -> gpd.GeoDataFrame:
    """Outlines with corners to the millimetre, turned, some of them around a courtyard."""
    rng = np.random.default_rng(21)
    middle = gpd.GeoSeries([shapely.Point(120.05, 29.30)], crs=4490).to_crs(METRIC).iloc[0]
    shapes = []
    for k in range(COUNT):
        size = rng.uniform(9, 60, 2)
        shape = shapely.box(0, 0, *size)
        if k % 4 == 0:
            shape = shape.difference(shapely.box(*(size / 3), *(size / 2)))
        shape = affinity.rotate(shape, rng.uniform(0, 90))
        shape = affinity.translate(
            shape, middle.x + (k % 10) * 90 - 450, middle.y + (k // 10) * 90 - 300
        )
        shapes.append(shapely.set_precision(shape, 0.001))
    names = [f"{k}幢" for k in range(COUNT)]
    return gpd.GeoDataFrame({"名称": names, "用途": "住宅"}, geometry=shapes, crs=METRIC)


def written(frame: gpd.GeoDataFrame, suffix: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"survey.{suffix}"
        frame.to_file(path, encoding="utf-8")
        if suffix != "shp":
            return path.read_bytes()
        return zipped({part.name: part.read_bytes() for part in Path(folder).iterdir()})


@pytest.mark.parametrize(("suffix", "name"), [("gpkg", "a.gpkg"), ("shp", "a.zip")])
def test_what_was_surveyed_is_stored_within_a_centimetre(
    import_desk: Desk, suffix: str, name: str
) -> None:
    frame = survey()

    done = import_desk.whole(written(frame, suffix), name=name, target="building")

    assert (done.state, done.rows_new, done.rows_rejected) == ("committed", COUNT, 0)
    with import_desk.owner.connect() as connection:
        rows = connection.execute(
            text("SELECT name, ST_AsBinary(ST_Transform(geom, :srid)) AS shape FROM building"),
            {"srid": METRIC},
        ).all()
    stored = {row.name: shapely.from_wkb(bytes(row.shape)) for row in rows}
    apart = [
        shapely.hausdorff_distance(shape, stored[name])
        for name, shape in zip(frame["名称"], frame.geometry, strict=True)
    ]
    assert max(apart) <= CENTIMETRE
    areas = np.array([stored[name].area for name in frame["名称"]])
    assert np.allclose(areas, frame.geometry.area, rtol=1e-3)


def test_a_drawing_is_read_to_the_millimetre(tmp_path: Path) -> None:
    path = tmp_path / "survey.dxf"
    frame = survey()
    points = gpd.GeoDataFrame(geometry=frame.geometry.representative_point(), crs=METRIC)
    pyogrio.write_dataframe(points, path, driver="DXF")

    (block,) = open_table(path, path.name).blocks()

    assert block.wkb is not None
    read = shapely.from_wkb(block.wkb)
    assert len(read) == COUNT
    assert shapely.distance(read, points.geometry.to_numpy()).max() <= CENTIMETRE
