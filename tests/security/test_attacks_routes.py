"""No address answers how many people are in a shape: answers do not follow the register at all.

Every GET route is asked with areas, boxes, polygons and circles, before and after five hundred
people moved into one grid. What is told of people may change when it is published and never
before, so no answer may differ.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http import HTTPStatus

import pytest
from flask import Flask
from sqlalchemy import text

from app.config import ROOT
from grids import layers
from grids.people import publish_counts
from tests.support.cases import COUNTY, EAST_GRID, WEST_GRID
from tests.support.maps import NOW
from tests.support.web import Client

#: Shapes around the western grid, as an attacker would ask for them.
SHAPES = (
    {},
    {"area": "339901001", "theme": "people"},
    {"bbox": "120.0499,29.2999,120.0501,29.3001", "theme": "people", "q": "网格"},
    {
        "polygon": "POLYGON((120 29.25,120.1 29.25,120.1 29.35,120 29.35,120 29.25))",
        "lon": "120.05",
        "lat": "29.30",
        "radius": "50",
        "geometry": "POINT(120.05 29.3)",
    },
)
ARGUMENTS = {
    "layer_id": [layer.id for layer in layers.LAYERS],
    "code": [WEST_GRID, "339901001", COUNTY],
    "ending": ["geojson"],
    "z": ["13"], "x": ["6829"], "y": ["3397"],
}  # fmt: skip
#: What differs from one request to the next: instants, ids of problems, tokens, ages.
CHANGING = re.compile(
    rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*(?:Z|[+-]\d\d:?\d\d)?|"
    rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f-]{17}|"
    rb'"id":"[0-9a-f]{12}"|[A-Za-z0-9_-]{40,}|nonce-[\w-]+|\d\d:\d\d(?::\d\d)?'
)
#: Streams without an end, the files of the page, and what reports on the machine itself.
LEFT_OUT = ("static", "live.", "health.")
#: A page that lists the exports which this test itself has made.
OWN_DOING = "/planner/exports"
ROLES = ("commander", "planner")


def addresses(app: Flask) -> Iterator[str]:
    """Yield every address that can be read, with every sample of its arguments."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint.startswith(LEFT_OUT):
            continue
        if not rule.arguments <= ARGUMENTS.keys():
            continue
        sets: list[dict[str, str]] = [{}]
        for name in sorted(rule.arguments):
            sets = [{**one, name: value} for one in sets for value in ARGUMENTS[name]]
        for values in sets:
            converted: dict[str, object] = {
                name: int(value) if name in "zxy" else value for name, value in values.items()
            }
            with contextlib.suppress(ValueError):  # a language is no area
                path = adapter.build(rule.endpoint, converted)
                if path != OWN_DOING:
                    yield path


Asked = tuple[str, str, int]


def answer(clients: dict[str, Client], asked: Asked) -> bytes:
    """Ask one address; keep what is left after taking out what always changes."""
    role, path, shape = asked
    found = clients[role].get(path, query_string=SHAPES[shape])
    body = CHANGING.sub(b"", found.data) if found.status_code == HTTPStatus.OK else b""
    if path.startswith("/api/export/"):
        # Each file carries marks of its own recipient; how many rows it has is what could tell.
        body = str(found.headers.get("X-Row-Count")).encode()
    return f"{found.status_code} ".encode() + body


def move_in(session, n: int, area: str = WEST_GRID) -> None:
    """Let people move into a grid."""
    dwelling = session.scalar(
        text(
            "INSERT INTO dwelling (building_id, use)"
            " SELECT min(id), 'rental' FROM building RETURNING id"
        )
    )
    household = session.scalar(
        text(
            "INSERT INTO household (dwelling_id, kind, cell_id, area_code)"
            " VALUES (:d, 'family', 1, :a) RETURNING id"
        ),
        {"d": dwelling, "a": area},
    )
    session.execute(
        text(
            "INSERT INTO person (household_id, name_sealed, id_number_sealed, id_number_index,"
            " birth_sealed, age_band, relation, residency, cell_id, area_code, moved_in_on)"
            " SELECT :h, '', '', '', '', '15-59', 'head', 'migrant', 1, :a, '2025-01-01'"
            " FROM generate_series(1, :n)"
        ),
        {"h": household, "a": area, "n": n},
    )
    session.flush()


def test_no_answer_follows_the_register(map_app, sign_in: Callable[..., Client], mapped) -> None:
    clients = {role: sign_in(role) for role in ROLES}
    asked = [(role, path, shape) for role in ROLES for path in addresses(map_app)
             for shape in range(len(SHAPES))]  # fmt: skip
    move_in(mapped, 40)
    publish_counts(mapped.connection(), NOW)
    before = {one: answer(clients, one) for one in asked}
    mapped.execute(text("DELETE FROM rate_count"))

    move_in(mapped, 500)
    move_in(mapped, 300, EAST_GRID)
    after = {one: answer(clients, one) for one in asked}
    differ = [one for one in asked if before[one] != after[one]]
    # Answers that are never twice the same say nothing; they must be few.
    unsteady = [one for one in differ if answer(clients, one) != after[one]]

    assert sum(one.startswith(b"200") for one in before.values()) > 300
    assert len(unsteady) < 0.02 * len(asked), unsteady
    assert sorted(set(differ) - set(unsteady)) == []

    # The same look sees a publication: the test can fail.
    publish_counts(mapped.connection(), datetime.now(UTC))
    seen = ("commander", "/api/grids/choropleth", 2)
    assert answer(clients, seen) != after[seen]


@pytest.mark.parametrize("shape", ["bbox", "polygon", "geometry", "lon", "radius", "wkt"])
@pytest.mark.parametrize("path", ["/counts", "/api/counts"])
def test_counts_refuse_every_drawn_shape(map_app, sign_in, path: str, shape: str) -> None:
    asked = sign_in("commander").get(path, query_string={shape: "120,29,121,30"})

    assert asked.status_code == 422
    assert asked.json is None or asked.json["code"] == "counts.areas_only"


def test_no_layer_is_made_of_persons() -> None:
    tables = {table for layer in layers.LAYERS for table in layer.tables}

    assert tables.isdisjoint(
        {"person", "household", "people_draw", "population_count", "population_told"}
    )


@pytest.mark.parametrize(
    "path",
    sorted(
        path
        for top in ("app", "grids/layers", "grids/exports", "grids/incidents", "grids/risk", "gis")
        for path in (ROOT / top).rglob("*.py")
    ),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_no_room_of_the_map_reads_the_tables_of_persons(path) -> None:
    source = path.read_text()

    assert not re.search(r"\b(?:FROM|JOIN)\s+(?:person|household|people_draw)\b", source)
    assert not re.search(r"import .*\b(?:PeopleDraw|PopulationCount|Household)\b", source)
