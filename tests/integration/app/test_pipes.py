"""Pipes and cables in the ground: nobody without the right meets one, wherever they look."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.tiling import tile_at
from grids import layers
from grids.accounts import ROLES
from grids.bulk import driver
from grids.errors import NotAllowed
from grids.registers import listing
from grids.registers.detail import entry_of
from grids.registers.kinds import NoEntry, kind_of
from grids.search import search
from tests.support.maps import actor_in, layer

COUNTY = "339901"
RIGHT = "pipe:view"
BLIND = [role for role, rights in ROLES.items() if RIGHT not in rights and "map:view" in rights]
NUMBER = "GS0000003"


def _places(session: Session) -> tuple[str, str]:
    """Return the addresses of the tile and of the page of one pipe."""
    key, lon, lat = session.execute(
        text("SELECT id, ST_X(p), ST_Y(p) FROM pipe, ST_StartPoint(geom) AS p"
             " WHERE identifier = :number"), {"number": NUMBER},
    ).one()  # fmt: skip
    tile = tile_at(lon, lat, 16)
    return f"/tiles/pipe/{tile.z}/{tile.x}/{tile.y}.mvt", f"/registers/pipe/{key}"


@pytest.mark.parametrize("role", BLIND)
def test_a_role_without_the_right_meets_no_pipe(
    map_app: Flask, mapped: Session, sign_in: Callable[..., FlaskClient], role: str
) -> None:
    client = sign_in(role, area=COUNTY)
    tile, page = _places(mapped)

    paths = (tile, page, "/api/layers/pipe/items", "/api/export/pipe.geojson",
             "/api/export/pipe.gpkg", "/api/export/pipe.csv", "/api/export/pipe.html",
             "/registers/pipe", "/api/layers", f"/api/search?q={NUMBER}")  # fmt: skip
    answers = {path: client.get(path) for path in paths}

    refused = paths[:8]
    assert {answers[path].status_code for path in refused} <= {403, 404}
    for path, answer in answers.items():
        # The path itself is told in a refusal; nothing of the pipe is.
        body = answer.get_data().replace(NUMBER.encode(), b"", path.count(NUMBER))
        assert NUMBER.encode() not in body, path
    if answers["/api/layers"].status_code == 200:
        assert b'"pipe"' not in answers["/api/layers"].get_data()


def test_who_has_the_right_sees_pipes_in_tiles_lists_and_on_a_page(
    map_app: Flask, mapped: Session, sign_in: Callable[..., FlaskClient]
) -> None:
    client = sign_in("commander", area=COUNTY)
    tile, page = _places(mapped)

    assert client.get(tile).get_data()
    items = client.get("/api/layers/pipe/items?limit=100").get_json()["features"]
    assert len(items) == 40
    assert {"depth_m", "rank", "owner_code"} <= set(items[0]["properties"])
    body = client.get(page).get_data(as_text=True)
    assert NUMBER in body
    assert "埋深" in body


def test_services_refuse_whoever_lacks_the_right_however_they_are_called(mapped: Session) -> None:
    blind = actor_in(permissions=frozenset().union(*ROLES.values()) - {RIGHT})
    key = mapped.scalar(text("SELECT id FROM pipe WHERE identifier = :n"), {"n": NUMBER})

    assert layer("pipe") not in layers.layers_for(blind)
    with pytest.raises(NotAllowed):
        layers.seen_layer("pipe", blind)
    with pytest.raises(NoEntry):
        entry_of(mapped, blind, kind_of("pipe"), key)


def test_no_count_of_pipes_is_kept_for_low_zooms_and_no_search_knows_them(
    mapped: Session,
) -> None:
    everything = actor_in()

    assert layer("pipe").aggregate is None
    assert mapped.scalar(text("SELECT count(*) FROM layer_count WHERE layer = 'pipe'")) == 0
    assert not [hit for hit in search(mapped, everything, NUMBER) if hit.kind == "pipe"]


def test_a_town_sees_its_own_pipes_alone(mapped: Session) -> None:
    west = actor_in("339901001")

    rows = listing.listed(mapped, west, kind_of("pipe")).rows
    page = layers.page_of(driver(mapped.connection()), layer("pipe"), west, limit=100)

    own = text("SELECT count(*) FROM pipe WHERE area_code ^@ '339901001'")
    assert 0 < len(rows) == page.count == mapped.scalar(own) < 40
