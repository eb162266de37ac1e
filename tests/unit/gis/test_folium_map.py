"""Map files: nothing outside, nothing that a feature's text could start."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from gis.errors import InvalidGeometry
from gis.folium_map import Assets, MapLayer, map_html

DIST = Path(__file__).parents[3] / "static/node_modules/leaflet/dist"
EVIL = "</script><img src=x onerror=alert(1)>{{ 7 * 191 }}{% endraw %}{{ self }}'\"\u2028"
SQUARE = [[[120.0, 29.0], [120.1, 29.0], [120.1, 29.1], [120.0, 29.1], [120.0, 29.0]]]


def collection(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def feature(kind: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    shape = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "geometry": shape, "properties": properties}


@pytest.fixture(scope="module")
def assets() -> Assets:
    if not DIST.exists():
        pytest.skip("Leaflet is not there yet: ./wangge assets fetches it")
    return Assets((DIST / "leaflet.js").read_text(), (DIST / "leaflet.css").read_text())


@pytest.fixture(scope="module")
def page(assets: Assets) -> str:
    squares = collection(feature("Polygon", SQUARE, name=EVIL, secret="hidden-words"))
    points = collection(feature("Point", [120.05, 29.05], name="井"))
    layers = [
        MapLayer(f"网格 {EVIL}", squares, {"name": f"名称 {EVIL}"}),
        MapLayer("部件", points, {"name": "名称"}, colour="#d97706"),
    ]
    return map_html(layers, assets, title=f"义乌 {EVIL}", note=EVIL)


def test_no_address_but_the_namespace_of_svg_stands_in_the_file(page: str) -> None:
    assert set(re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}", page)) <= {"http://www.w3.org"}


def test_nothing_is_loaded(page: str) -> None:
    loads = re.findall(r"""<(?:script|img|link|iframe)[^>]*\b(?:src|href)\s*=""", page)

    assert loads == []
    assert re.findall(r"url\((?!#)[^)]*\)", page.split("</style>")[0]) == []
    assert "default-src 'none'" in page


def test_no_text_of_a_feature_is_a_tag_or_runs_on_the_server(page: str) -> None:
    assert "<img" not in page
    assert str(7 * 191) not in page
    assert page.count("{{ 7 * 191 }}") >= 4
    assert page.lower().count("<script") == page.lower().count("</script")


def test_only_the_columns_asked_for_leave(page: str) -> None:
    assert "hidden-words" not in page
    assert "井" in page


def test_the_features_are_in_the_file_as_they_were(page: str) -> None:
    found = re.findall(r'_add\(\{"features": (\[.*?\]), "type": "FeatureCollection"\}\)', page)

    assert len(found) == 2
    assert json.loads(found[0])[0]["geometry"] == {"type": "Polygon", "coordinates": SQUARE}
    assert json.loads(found[0])[0]["properties"]["rows"][0][1] == EVIL


def test_a_map_without_features_is_a_map(assets: Assets) -> None:
    page = map_html([MapLayer("空", collection())], assets, title="空", lang="zh-CN")

    assert '<html lang="zh-CN">' in page


def test_a_feature_that_looks_like_a_slot_stays_what_it_is(assets: Assets) -> None:
    layer = MapLayer("x", collection(feature("Point", [1, 1], name="slot0of1")), {"name": "n"})

    assert '"slot0of1"' in map_html([layer], assets, title="x")


def test_what_is_no_colour_is_refused(assets: Assets) -> None:
    with pytest.raises(InvalidGeometry, match="colour"):
        map_html([MapLayer("x", collection(), colour="red;}")], assets, title="x")


def test_what_is_no_collection_is_refused(assets: Assets) -> None:
    with pytest.raises(InvalidGeometry, match="collection"):
        map_html([MapLayer("x", {"type": "Point"})], assets, title="x")
