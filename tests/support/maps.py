"""A small city with things on its map, and the map's reader on the test's own connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import shapely
from flask import Flask
from psycopg import sql
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from gis.lattice import cell_ids
from grids import codes, counts, layers
from grids.accounts import ROLES, Actor
from grids.bulk import copy_frame, driver
from tests.support.cases import COUNTY, Desk, build_city, make_staff

NOW = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
METRIC = 4549
TOWNS = ("339901001", "339901002")
EVERY_PERMISSION = frozenset().union(*ROLES.values())
ROOT = Path(__file__).resolve().parents[2]


def actor_in(*areas: str, permissions: frozenset[str] = EVERY_PERMISSION, department=None) -> Actor:
    """Make somebody who may do everything, in some areas."""
    return Actor(1, "Tester", frozenset(), permissions, areas or (COUNTY,), department)


def points(seed: int, n: int) -> np.ndarray:
    """Draw places in both towns."""
    rng = np.random.default_rng(seed)
    return rng.uniform((120.01, 29.26), (120.19, 29.34), (n, 2))


def links_of(session: Session, lonlat: np.ndarray) -> dict[str, Any]:
    """Link places as the small city is laid out: the western grid up to 120.1, then the other."""
    rows = session.execute(text("SELECT code, id FROM grid ORDER BY code")).all()
    ids = {row.code: row.id for row in rows}
    area = ["339901001001001" if lon <= 120.1 else "339901002001001" for lon in lonlat[:, 0]]
    return {
        "cell_id": cell_ids(lonlat, METRIC),
        "grid_id": [ids[code] for code in area],
        "area_code": area,
    }


def fill_city(session: Session) -> None:
    """Put buildings, components, enterprises, premises, addresses, roads and cases on the map."""
    if not session.scalar(text("SELECT count(*) FROM category")):
        codes.load(session, ROOT / "data" / "codes", on=date(2026, 7, 1))
    build_city(session)
    connection = session.connection()
    _located(session, connection)
    _sites(session, connection)
    _pipes(session, connection)
    _base(connection)
    desk = Desk(session, make_staff(session))
    for lon in (120.03, 120.05, 120.07):
        desk.submit(lon=lon, lat=29.30)
    desk.submit(desk.staff["intake"], lon=120.15, lat=29.30, channel="phone")
    _hazards(session, connection)
    counts.refresh(connection, NOW)
    session.flush()


def _located(session: Session, connection: Connection) -> None:
    place = points(1, 60)
    squares = [shapely.box(x, y, x + 2e-4, y + 1e-4) for x, y in place]
    copy_frame(
        connection,
        "building",
        {
            "name": [f"{n}号楼" for n in range(60)],
            "kind": ["residential", "industrial", "school"] * 20,
            "levels": [3] * 60,
            "dwellings": [6] * 60,
            "area_m2": [200.0] * 60,
            # Clockwise on purpose: what leaves must not be.
            "geom": [shapely.multipolygons([shapely.reverse(s.normalize())]) for s in squares],
            **links_of(session, place),
        },
    )
    place = points(2, 300)
    classes = ["01001", "02001", "03001"] * 100
    copy_frame(
        connection,
        "component",
        {
            "identifier": [f"{COUNTY}{code}{n:06d}" for n, code in enumerate(classes)],
            "code": classes,
            "geom": shapely.points(place),
            **links_of(session, place),
        },
    )
    place = points(3, 40)
    names = ["=HYPERLINK(1)", "@evil", "甲“乙”,公司", 'a "b"\nc\\d'] * 10
    copy_frame(
        connection,
        "enterprise",
        {
            "name": names,
            "kind": ["company"] * 40,
            "industry": ["C", "F"] * 20,
            "geom": shapely.points(place),
            **links_of(session, place),
        },
    )
    for table, values in {
        "premises": {"kind": ["shop", "workshop"] * 20},
        "facility": {"kind": ["school", "clinic"] * 20, "name": ["甲"] * 40},
        "address": {"text": [f"江滨路{n}号" for n in range(40)], "number": ["1"] * 40},
    }.items():
        columns = {**values, "geom": shapely.points(place), **links_of(session, place)}
        copy_frame(connection, table, columns)


def _sites(session: Session, connection: Connection) -> None:
    codes = [*TOWNS, *(f"{town}001" for town in TOWNS)]
    place = np.array([(120.05, 29.3), (120.15, 29.3)] * 2)
    columns = {
        "org_code": codes,
        "name": [f"{code}站" for code in codes],
        "kind": ["town", "street", "community", "village"],
        "hours": ["Mo-Fr 08:30-17:30"] * 4,
        "geom": shapely.points(place),
        **links_of(session, place),
    }
    copy_frame(connection, "site", columns)


def _pipes(session: Session, connection: Connection) -> None:
    start = points(11, 40)
    lines = [shapely.LineString([(x, y), (x + 0.0004, y)]) for x, y in start]
    middle = start + np.array([0.0002, 0.0])
    columns = {
        "identifier": [f"GS{n:07d}" for n in range(40)],
        "kind": ["water", "sewage", "gas", "heat", "power"] * 8,
        "rank": ["trunk", "main", "branch", "trunk"] * 10,
        "depth_m": [1.5] * 40,
        "geom": lines,
        **links_of(session, middle),
    }
    copy_frame(connection, "pipe", columns)


def _hazards(session: Session, connection: Connection) -> None:
    place = points(5, 40)
    columns = {
        "id": [UUID(int=n + 1) for n in range(40)],
        "number": [f"YH20260304-{n:06d}" for n in range(40)],
        "status": ["found", "rectifying"] * 20,
        "opened_at": [NOW] * 40,
        "stage_at": [NOW] * 40,
        "origin": ["report"] * 40,
        "competent_code": ["D09"] * 40,
        "severity": ["general", "major"] * 20,
        "text": ["通道堵塞"] * 40,
        "geom": shapely.points(place),
        **links_of(session, place),
    }
    copy_frame(connection, "hazard", columns)


def _base(connection: Connection) -> None:
    line = [shapely.LineString([(120.01, 29.3), (120.19, 29.31)])]
    for rank, kind in enumerate(("motorway", "trunk", "primary", "secondary", "residential")):
        row = {"kind": [kind], "rank": [rank], "name": [kind], "length_m": [17_000.0], "geom": line}
        copy_frame(connection, "road", row)
    lake = [shapely.multipolygons([shapely.box(120.02, 29.27, 120.04, 29.28)])]
    land = {"kind": ["park"], "name": ["公园"], "area_m2": [2e6], "geom": lake}
    copy_frame(connection, "landuse", land)
    copy_frame(connection, "water", {**land, "kind": ["lake"]})
    town = {"kind": ["town"], "name": ["一镇"], "rank": [1], "geom": [shapely.Point(120.05, 29.3)]}
    copy_frame(connection, "place", town)
    cells = points(4, 30)
    boxes = [shapely.box(x, y, x + 1e-3, y + 9e-4) for x, y in cells]
    area = ["339901001001" if lon <= 120.1 else "339901002001" for lon in cells[:, 0]]
    copy_frame(
        connection,
        "cell",
        {
            "cell_id": cell_ids(cells, METRIC),
            "area_code": area,
            "is_whole": [True] * 30,
            "geom": boxes,
        },
    )


@pytest.fixture
def mapped(session: Session) -> Session:
    """The session of a city with things on its map."""
    fill_city(session)
    return session


@pytest.fixture
def map_app(app: Flask, mapped: Session) -> Iterator[Flask]:
    """The application whose map reads what the test has not committed, with the map's rights."""
    conn = driver(mapped.connection())

    @contextmanager
    def reader() -> Iterator[Any]:
        before = conn.execute("SELECT current_user").fetchone()[0]
        conn.execute("SET ROLE wangge_tiles")
        try:
            yield conn
        finally:
            if conn.info.transaction_status.name != "INERROR":
                conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(before)))

    app.extensions["make_reader"] = reader
    yield app
    app.extensions.pop("make_reader")


def sql_count(session: Session, table: str, where: str = "true", **values: Any) -> int:
    """Count rows by a statement of the test's own."""
    found = session.scalar(text(f"SELECT count(*) FROM {table} WHERE {where}"), values)
    return int(found or 0)


def layer(layer_id: str) -> layers.Layer:
    return layers.layer_of(layer_id)
