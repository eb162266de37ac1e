"""S13: another town's and another department's things, asked for at every address there is.

Two towns hold the same things: a case with photos, a place on the map, a resident. Every role
with an area asks for what belongs to the other side, by every address that has an argument and
every list, search, tile and export there is. No answer may hold a mark of the other side.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from app.auth import PUBLIC
from app.form_fields import FORMS, takes
from grids import layers
from grids.accounts import ROLES
from tests.security.matrix.declared import BY_CONVERTER, SAMPLES, Route, routes
from tests.security.matrix.test_matrix import twin_of
from tests.support.cases import (
    COUNTY,
    DEPARTMENT,
    EAST,
    EAST_GRID,
    OTHER_DEPARTMENT,
    WEST,
    WEST_GRID,
    Desk,
    make_actor,
    make_photo,
    make_staff,
)
from tests.support.depth import share

WEST_TOWN, EAST_TOWN = "339901001", "339901002"
#: Roles that work with places, and where each of them sits in an attack.
TOWN_ROLES = ("intake", "shift_leader", "dispatcher", "town_seat", "commander", "grid_leader",
              "worker", "planner", "registrar")  # fmt: skip
#: Reference data: who is where, for everybody who is signed in (names of towns, matters).
REFERENCE = frozenset({"command.area", "command.areas", "command.departments"})


@dataclass
class Side:
    """What one side owns: arguments that open it, and marks that betray it."""

    case: UUID
    grid: str
    place: tuple[float, float]
    arguments: dict[str, list[str]] = field(default_factory=dict)
    marks: set[bytes] = field(default_factory=set)


@dataclass(frozen=True)
class Attack:
    """Somebody with a scope, and the side that they must not see."""

    role: str
    area: str
    department: str | None
    target: str  #: west or east

    def __str__(self) -> str:
        return f"{self.role} of {self.area} {self.department or ''} against the {self.target}"


ATTACKS = (
    *(Attack(role, WEST_TOWN, None, "east") for role in TOWN_ROLES),
    *(Attack(role, EAST_TOWN, None, "west") for role in TOWN_ROLES),
    Attack("worker", WEST_GRID, None, "east"),
    Attack("grid_leader", f"{EAST_TOWN}001", None, "west"),
    # The whole county is theirs, but only what was dispatched to their department.
    Attack("handler", COUNTY, DEPARTMENT, "east"),
    Attack("handler", COUNTY, OTHER_DEPARTMENT, "west"),
    Attack("handler", WEST_TOWN, OTHER_DEPARTMENT, "east"),
    Attack("handler", COUNTY, "D02", "west"),
)


@pytest.fixture
def sides(mapped: Session) -> dict[str, Side]:
    """A case on either side, in handling, with a photo, and a resident beside it."""
    desk = Desk(mapped, make_staff(mapped))
    made = {}
    for name, place, grid, department in (
        ("west", WEST, WEST_GRID, DEPARTMENT), ("east", EAST, EAST_GRID, OTHER_DEPARTMENT),
    ):  # fmt: skip
        staff = desk.staff
        case = desk.submit(
            staff["intake"], lon=place[0], lat=place[1], channel="phone",
            text=f"mark-{name}-{uuid4().hex}", address=f"lane-{name}-{uuid4().hex}",
            photos=(make_photo(mapped, name),),
        )  # fmt: skip
        desk.move(case, "accept", "intake")
        worker = make_actor(mapped, "worker", grid)
        desk.move(case, "verify", worker, photos=(make_photo(mapped, f"{name}2"),))
        desk.move(case, "file", "shift_leader")
        desk.move(case, "dispatch", "dispatcher", department=department)
        made[name] = _side(mapped, desk, case, grid, place)
    mapped.flush()
    return made


def _side(session: Session, desk: Desk, case: UUID, grid: str, place: tuple[float, float]) -> Side:
    row = desk.row(case)
    photo = session.execute(
        text("SELECT a.id, a.sha256 FROM attachment AS a WHERE a.incident_id = :case"),
        {"case": case},
    ).first()
    assert photo is not None
    person = session.scalar(
        text(
            "WITH b AS (INSERT INTO building (kind, dwellings, area_m2, geom)"
            "   VALUES ('residential', 1, 1, ST_Multi(ST_Buffer(ST_SetSRID(ST_MakePoint(:x, :y),"
            "   4490), 0.0001))) RETURNING id),"
            " d AS (INSERT INTO dwelling (building_id, use) SELECT id, 'vacant' FROM b"
            "   RETURNING id),"
            " h AS (INSERT INTO household (dwelling_id, kind, cell_id, area_code)"
            "   SELECT id, 'family', 1, :grid FROM d RETURNING id)"
            " INSERT INTO person (household_id, name_sealed, id_number_sealed, id_number_index,"
            "   birth_sealed, age_band, relation, residency, cell_id, area_code, moved_in_on)"
            " SELECT id, 'x', 'x', 'x', 'x', '15-59', 'head', 'registered', 1, :grid,"
            "   '2020-01-01' FROM h RETURNING id"
        ),
        {"x": place[0], "y": place[1], "grid": grid},
    )
    found = Side(case, grid, place)
    found.arguments = {
        "incident_id": [str(case)],
        "sha256": [photo.sha256],
        "photo_id": [str(photo.id)],
        "person_id": [str(person)],
        "code": [grid, grid[:9]],
    }
    found.marks = {
        word.encode() for word in (str(case), row.number, row.text, row.address, photo.sha256)
    }
    return found


def addresses(app: Flask, side: Side) -> Iterator[tuple[Route, str]]:
    """Yield every route with the other side's ids in it, and every list with its words."""
    for route in routes(app):
        if route.permission == PUBLIC and not route.endpoint.startswith(("tiles.", "command.")):
            continue  # a secret code is no scope
        names = re.findall(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", route.rule)
        if "layer_id" in names:
            yield from ((route, path) for path in _of_layers(route, side))
        elif any(name in side.arguments for name in names):
            yield from ((route, path) for path in _filled(route, side))
        elif not names and route.method == "GET":
            yield from ((route, route.path + words) for words in _words(side))


def _filled(route: Route, side: Side) -> Iterator[str]:
    """Put the other side's ids into the arguments of an address, samples into the rest."""
    depth = max(len(values) for values in side.arguments.values())
    for turn in range(depth):

        def sample(found: re.Match[str], turn: int = turn) -> str:
            kind, name = found[1], found[2]
            values = side.arguments.get(name)
            if values:
                return values[turn % len(values)]
            return str(
                SAMPLES.get(
                    f"{route.endpoint}:{name}",
                    SAMPLES.get(name, BY_CONVERTER.get(kind or "", "json")),
                )
            )

        yield re.sub(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>", sample, route.rule)


def _of_layers(route: Route, side: Side) -> Iterator[str]:
    """Write an address for every layer: its tiles around the place, its rows, its files."""
    lon, lat = side.place
    box = f"{lon - 0.01},{lat - 0.01},{lon + 0.01},{lat + 0.01}"
    for layer in layers.LAYERS:
        if layer.source is None:
            continue
        if "<int:z>" in route.rule:
            for z in (11, 14, 16):
                x = int((lon + 180) / 360 * 2**z)
                y = int(_tile_y(lat) * 2**z)
                yield f"/tiles/{layer.id}/{z}/{x}/{y}.mvt"
                yield f"/tiles/{layer.id}/{z}/{x}/{y}.mvt?area={side.grid}"
            continue
        path = route.rule.replace("<layer_id>", layer.id)
        endings = ("csv", "geojson") if "<ending>" in path else ("",)
        for ending in endings:
            whole = path.replace("<ending>", ending)
            yield from (
                f"{whole}?{words}"
                for words in (
                    f"bbox={box}",
                    f"area={side.grid}",
                    f"bbox={box}&area={side.grid[:9]}",
                )
            )


def _tile_y(lat: float) -> float:
    import math

    return (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2


def _words(side: Side) -> Iterator[str]:
    """Write what narrows a list to the other side, in every way that lists know."""
    lon, lat = side.place
    yield ""
    yield f"?area={side.grid}&grid={side.grid}&theme=incidents"
    yield f"?area={side.grid[:9]}&parent={side.grid[:9]}&all=1"
    yield f"?lon={lon}&lat={lat}&category=03001"
    yield "?status=open,done&limit=500&q="
    for mark in sorted(side.marks):
        yield f"?q={quote(mark[:20].decode())}"


def holds(body: bytes, mark: bytes) -> bool:
    """Say whether a mark stands in an answer; numbers of hazards end like those of cases."""
    return re.search(rb"(?<![A-Za-z])" + re.escape(mark), body) is not None


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_nothing_of_the_other_side_is_answered(
    map_app: Flask,
    sign_in: Callable[..., FlaskClient],
    connection: Connection,
    sides: dict[str, Side],
    attack: Attack,
) -> None:
    side = sides[attack.target]
    signed_in = sign_in(attack.role, attack.area, attack.department)
    before = _state(connection, side)
    leaks, open_ones, cases = [], [], 0
    for route, path in share(addresses(map_app, side), 5, first=ATTACKS.index(attack)):
        cases += 1
        apart = connection.begin_nested()
        answer = twin_of(signed_in, map_app).open(path, method=route.method, **_body(route))
        apart_state = _state(connection, side)
        apart.rollback()
        body = answer.data
        asked = path.encode() + str(_body(route)).encode()
        leaks += [f"{route.method} {path}: {mark.decode()}"
                  for mark in side.marks if holds(body, mark) and mark[:20] not in asked]  # fmt: skip
        names_an_object = any(str(v) in path for v in side.arguments["incident_id"])
        if names_an_object and answer.status_code < 400:
            open_ones.append(f"{route.method} {path}: {answer.status_code}")
        if apart_state != before:
            open_ones.append(f"{route.method} {path}: changed something")
    print(f"\n{attack}: {cases} cases")  # noqa: T201 - the figure

    assert (leaks, open_ones) == ([], [])
    assert cases > 100


@pytest.mark.parametrize("name", ["person_id", "sha256", "code"])
def test_objects_of_the_other_town_are_not_found(
    map_app: Flask, sign_in: Callable[..., FlaskClient], sides: dict[str, Side], name: str
) -> None:
    """Not merely without a mark: the answer is a refusal."""
    role = {"person_id": "registrar", "sha256": "intake", "code": "commander"}[name]
    signed_in = sign_in(role, WEST_TOWN)
    found = {}
    for route in routes(map_app):
        if f"{name}>" not in route.rule or route.endpoint in REFERENCE | {"incidents.put_blob"}:
            continue
        if route.permission == PUBLIC or route.permission not in ROLES[role]:
            continue
        for path in _filled(route, sides["east"]):
            answer = twin_of(signed_in, map_app).open(path, method=route.method, **_body(route))
            found[f"{route.method} {path}"] = answer.status_code

    assert found
    assert {path: status for path, status in found.items() if status < 400} == {}


def test_the_rightful_side_sees_its_marks(
    map_app: Flask, sign_in: Callable[..., FlaskClient], sides: dict[str, Side]
) -> None:
    """The attacks would show a leak: who may see it finds it by the same addresses."""
    seen = set()
    for role, area, department in (("commander", EAST_TOWN, None), ("worker", EAST_GRID, None),
                                   ("handler", COUNTY, OTHER_DEPARTMENT)):  # fmt: skip
        signed_in = sign_in(role, area, department)
        side = sides["east"]
        for route, path in addresses(map_app, side):
            if route.method != "GET":
                continue
            body = twin_of(signed_in, map_app).open(path, method="GET").data
            if any(holds(body, mark) for mark in side.marks if mark[:20] not in path.encode()):
                seen.add(route.endpoint)

    assert {"incidents.list_incidents", "incidents.get_incident",
            "command.layer_items", "tiles.tile", "command.find", "command.grid_profile",
            "worker.task", "desk.cases", "desk.case"} <= seen  # fmt: skip


def _body(route: Route) -> dict[str, Any]:
    """Write a body that would do something, were it let."""
    if route.method == "GET":
        return {}
    if "/api/" in route.rule:
        if route.method == "PUT":
            return {"json": {"category": "03001", "lon": 120.05, "lat": 29.3, "text": "mine"}}
        step = {"id": "5b9c1f2e-8f52-4a52-9a39-000000000001", "action": "note", "note": "mine"}
        return {"json": step if route.rule.endswith("/moves") else {"purpose": "service"}}
    form = {"action": "note", "note": "mine", "id": "", "purpose": "service", "field": "phone"}
    # A field that a form does not have would be refused before the object is looked for.
    return {"data": {name: word for name, word in form.items() if _has(route, name)}}


def _has(route: Route, name: str) -> bool:
    return route.endpoint in FORMS and takes(route.endpoint, name)


def _state(connection: Connection, side: Side) -> tuple[Any, ...]:
    row = connection.execute(
        text(
            "SELECT (SELECT count(*) FROM incident_event WHERE incident_id = :case),"
            " (SELECT count(*) FROM attachment WHERE incident_id = :case),"
            " (SELECT md5(i::text) FROM incident AS i WHERE id = :case)"
        ),
        {"case": side.case},
    ).one()
    return tuple(row)
