"""A town with crooked duty grids, cells, buildings and people: small, and drawn by hand."""

from datetime import UTC, date, datetime

import numpy as np
import shapely
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from grids import accounts
from grids.accounts import Actor
from grids.bulk import copy_frame
from grids.city import City, set_city
from grids.gridding import unit_cells
from grids.gridding.store import to_storage  # noqa: F401 - the same shapes as an import makes
from grids.linking import link_points, place_index

COUNTY, TOWN, OTHER_TOWN = "339901", "339901001", "339901002"
SRID, BEGIN = 4549, date(2020, 1, 1)
NOW = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
WEST, SOUTH, STEP = 120.0, 29.3, 0.0042
#: Grids of the town: columns by rows, two communities side by side.
WIDE, HIGH = 4, 3


def crooked(wide: int, high: int) -> list[shapely.Polygon]:
    """Lay grids whose sides are bent and shared exactly, column by column."""
    rng = np.random.default_rng(3)
    nodes = np.stack(np.meshgrid(np.arange(wide + 1), np.arange(high + 1), indexing="ij"), -1)
    bent = (nodes + rng.uniform(-0.2, 0.2, nodes.shape)) * STEP + [WEST, SOUTH]
    ring = [(0, 0), (1, 0), (1, 1), (0, 1)]
    return [
        shapely.Polygon([bent[i + di, j + dj] for di, dj in ring])
        for i in range(wide)
        for j in range(high)
    ]


def build_town(session: Session) -> None:
    """Store a county with a town of two communities and twelve grids, and a second town."""
    set_city(
        session,
        City(
            id=1, name_zh="样城", name_en="Sample City", county_code=COUNTY, metric_srid=SRID,
            city_zone="Asia/Shanghai", west=119.9, south=29.2, east=120.2, north=29.5,
        ),
    )  # fmt: skip
    connection = session.connection()
    grids = crooked(WIDE + 1, HIGH)
    half = WIDE // 2 * HIGH
    towns = {
        f"{TOWN}001": grids[:half],
        f"{TOWN}002": grids[half : WIDE * HIGH],
        f"{OTHER_TOWN}001": grids[WIDE * HIGH :],
    }
    _areas(session, towns)
    codes = [f"{community}{n:03d}" for community, shapes in towns.items()
             for n in range(1, len(shapes) + 1)]  # fmt: skip
    names = [f"第{int(code[-3:])}网格" for code in codes]
    session.execute(
        text("INSERT INTO grid (code, name) SELECT * FROM unnest(CAST(:c AS text[]), CAST(:n AS text[]))"),
        {"c": codes, "n": names},
    )  # fmt: skip
    ids = {row.code: row.id for row in session.execute(text("SELECT code, id FROM grid"))}
    copy_frame(connection, "grid_version", {
        "grid_id": [ids[code] for code in codes],
        "valid": [Range(BEGIN, None)] * len(codes),
        "households": [0] * len(codes),
        "area_m2": [1.0] * len(codes),
        "geom": [shapely.MultiPolygon([shape]) for shape in grids],
    })  # fmt: skip
    _cells(session, grids, [ids[code] for code in codes])
    _registers(session, grids)


def _areas(session: Session, towns: dict[str, list[shapely.Polygon]]) -> None:
    whole = {code: shapely.union_all(shapes) for code, shapes in towns.items()}
    rows = {COUNTY: shapely.union_all(list(whole.values()))}
    for town in (TOWN, OTHER_TOWN):
        rows[town] = shapely.union_all([s for c, s in whole.items() if c.startswith(town)])
    rows |= whole
    copy_frame(session.connection(), "area", {
        "code": list(rows), "parent_code": [c[:-3] if len(c) > 6 else None for c in rows],
        "level": [len(c) for c in rows], "name_zh": [f"区{c[-3:]}" for c in rows],
        "name_en": [f"Area {c[-3:]}" for c in rows],
        "geom": [shapely.MultiPolygon(shapely.get_parts(s).tolist()) for s in rows.values()],
    })  # fmt: skip


def _cells(session: Session, grids: list[shapely.Polygon], ids: list[int]) -> None:
    from gis.lattice import cell_centres, cell_polygons

    shapes = np.array(grids, dtype=object)
    cells, holder = unit_cells(shapes, SRID)
    linked = place_index(session.connection(), BEGIN).link(cell_centres(cells, SRID))
    copy_frame(session.connection(), "cell", {
        "cell_id": cells, "area_code": linked.area_code, "grid_id": linked.grid_id,
        "is_whole": np.append(ids, -1)[holder] == linked.grid_id.filled(-2),
        "geom": cell_polygons(cells, SRID),
    })  # fmt: skip


def _registers(session: Session, grids: list[shapely.Polygon]) -> None:
    """Put some hundred buildings with households anywhere, and a shop beside every third."""
    rng = np.random.default_rng(8)
    whole = shapely.union_all(grids)
    at = rng.uniform(whole.bounds[:2], whole.bounds[2:], (700, 2))
    at = at[shapely.contains_xy(whole, at)]
    boxes = [shapely.MultiPolygon([shapely.box(x, y, x + 1e-4, y + 1e-4)]) for x, y in at]
    connection = session.connection()
    index = place_index(connection, BEGIN)
    copy_frame(connection, "building", {
        "kind": ["residential"] * len(at), "area_m2": [100.0] * len(at),
        "dwellings": rng.integers(1, 30, len(at)), "geom": boxes,
        **index.link(link_points(boxes)).columns(),
    })  # fmt: skip
    some = at[::3]
    copy_frame(connection, "premises", {
        "kind": ["shop"] * len(some), "geom": shapely.points(some),
        **index.link(some).columns(),
    })  # fmt: skip
    session.execute(text("INSERT INTO dwelling (building_id, use) SELECT id, 'own' FROM building"))
    session.execute(text(
        "INSERT INTO household (dwelling_id, kind, cell_id, grid_id, area_code)"
        " SELECT d.id, 'family', b.cell_id, b.grid_id, b.area_code"
        " FROM dwelling AS d JOIN building AS b ON b.id = d.building_id"
    ))  # fmt: skip


def planner(session: Session, name: str, area: str = COUNTY, role: str = "steward") -> Actor:
    """Make an account that may draw or approve grids."""
    account = accounts.Account(login=name, name=name, password_hash="-")
    session.add(account)
    session.flush()
    session.add(accounts.Assignment(account_id=account.id, role=role, area_code=area,
                                    valid_from=BEGIN))  # fmt: skip
    session.flush()
    session.refresh(account)
    found = accounts.actor_of(account, datetime.now(UTC))
    assert found is not None
    return found
