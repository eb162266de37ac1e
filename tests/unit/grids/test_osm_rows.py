"""What tags become, word by word."""

import csv
import struct
from pathlib import Path

import pytest

from grids.importing import osm_tags
from grids.importing.dwellings import estimate
from grids.importing.osm_rows import Element, component_code, premises_kind, rows_of

CODES = Path(__file__).parents[3] / "data/codes/components.csv"
POINT = struct.pack("<BIdd", 1, 1, 120.0, 29.3)
AREA = struct.pack("<BIII8d", 1, 3, 1, 4, 0, 0, 1, 0, 1, 1, 0, 0)


def rows(kind: str = "node", outline: bytes | None = None, **tags: str) -> dict[str, dict]:
    spelled = {key.replace("__", ":"): value for key, value in tags.items()}
    return dict(rows_of(Element(kind, 7, spelled, POINT, outline)))


def test_every_component_code_is_one_of_the_standard() -> None:
    with CODES.open(encoding="utf-8", newline="") as file:
        known = {row["code"] for row in csv.DictReader(file) if len(row["code"]) == 5}
    used = {code for values in osm_tags.COMPONENTS.values() for code in values.values()}
    used |= {code for _, codes in osm_tags.REFINED.values() for code in codes.values()}

    assert used - known == set()


def test_every_key_that_makes_a_row_is_looked_at() -> None:
    tables = (osm_tags.COMPONENTS, osm_tags.FACILITIES, osm_tags.PREMISES)
    keys = {key for table in tables for key in table} | set(osm_tags.LANDUSE_KEYS)

    assert keys - set(osm_tags.KEYS) == set()


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({"highway": "street_lamp"}, "01037"),
        ({"emergency": "fire_hydrant"}, "01013"),
        ({"amenity": "bench"}, "04007"),
        ({"natural": "tree"}, "04002"),
        ({"natural": "tree", "denotation": "natural_monument"}, "04001"),
        ({"man_made": "manhole", "manhole": "sewer"}, "01002"),
        ({"manhole": "telecom"}, "01007"),
        ({"man_made": "manhole"}, "01023"),
        ({"tourism": "information", "information": "guidepost"}, "02012"),
        ({"amenity": "vending_machine", "vending": "excrement_bags"}, "03015"),
        ({"amenity": "restaurant"}, None),
        ({}, None),
    ],
)
def test_street_furniture_gets_the_code_that_fits(tags: dict[str, str], code: str | None) -> None:
    assert component_code(tags) == code


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"shop": "bakery"}, "shop"),
        ({"shop": "vacant"}, None),
        ({"amenity": "fuel"}, "fuel"),
        ({"tourism": "hotel"}, "hotel"),
        ({"craft": "carpenter"}, "workshop"),
        ({"office": "government"}, None),
        ({"office": "lawyer"}, "office"),
        ({"building": "warehouse"}, "warehouse"),
        ({"building": "yes"}, None),
        ({"shop": "no", "amenity": "cafe"}, "cafe"),
    ],
)
def test_businesses_become_premises(tags: dict[str, str], kind: str | None) -> None:
    assert premises_kind(tags) == kind


def test_one_element_may_be_many_things() -> None:
    found = rows("way", AREA, building="school", amenity="school", name="小学",
                 addr__street="学院路", addr__housenumber="12号")  # fmt: skip

    assert set(found) == {"building", "address", "facility"}
    assert found["address"]["text"] == "学院路12号"
    assert found["facility"]["name"] == "小学"


def test_a_street_without_chinese_keeps_the_space() -> None:
    found = rows(addr__street="Landstrasse", addr__housenumber="4a")

    assert found["address"]["text"] == "Landstrasse 4a"


def test_relations_count_below_zero_and_say_so() -> None:
    found = rows("relation", AREA, building="yes")["building"]

    assert (found["source_id"], found["source"]) == (-7, "osm:relation")


def test_denied_tags_make_no_rows() -> None:
    assert rows("way", AREA, building="no", highway="no", shop="no") == {}


def test_water_is_not_land_use_too() -> None:
    assert set(rows("way", AREA, natural="water")) == {"water"}
    assert set(rows("way", AREA, landuse="forest")) == {"landuse"}
    assert rows("way", None, landuse="forest") == {}


@pytest.mark.parametrize(
    ("height", "metres"), [("12", 12.0), ("12.5 m", 12.5), ("40'", 12.19), ("tall", None)]
)
def test_heights_are_read_in_metres(height: str, metres: float | None) -> None:
    assert rows("way", AREA, building="yes", height=height)["building"]["height_m"] == metres


def test_speeds_are_read_in_kilometres_an_hour() -> None:
    assert rows("way", highway="primary", maxspeed="30 mph")["road"]["speed_kmh"] == 48
    assert rows("way", highway="primary", maxspeed="walk")["road"]["speed_kmh"] is None


@pytest.mark.parametrize(
    ("kind", "area_m2", "levels", "flats", "least", "most"),
    [
        ("house", 140, None, None, 1, 1),
        ("garage", 40, None, None, 0, 0),
        ("industrial", 5000, 3, None, 0, 0),
        ("building", 20, None, None, 0, 0),
        ("apartments", 600, 10, None, 30, 60),
        ("apartments", 600, 10, 7, 7, 7),
        ("residential", 100, 2, None, 1, 3),
        ("semidetached_house", 160, None, None, 2, 2),
    ],
)
def test_homes_follow_word_footprint_and_storeys(
    kind: str, area_m2: float, levels: int | None, flats: int | None, least: int, most: int
) -> None:
    assert least <= estimate(kind, area_m2, levels, flats) <= most
