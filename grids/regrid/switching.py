"""Switch a town to its new grids on a day: versions, links, cases and work, all or nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import DATERANGE, Range
from sqlalchemy.orm import Session

from gis.lattice import cell_centres, cells_inside
from gis.patchwork import area_m2
from grids import audit
from grids.bulk import copy_frame
from grids.cells import Grid, GridVersion
from grids.city import the_city
from grids.divisions import Area
from grids.gridding import Name
from grids.gridding.blocks import sums
from grids.linking import place_index, relink
from grids.regrid.checking import Drawn, drawn, faults_of
from grids.regrid.drawing import Drawing
from grids.regrid.errors import BadDay, Faulty, NoCode, Outdated, WrongState
from grids.regrid.fabric import base_of, shapes_of
from grids.regrid.handing import hand_over_cases, hand_over_hazards, hand_over_work, refile
from grids.regrid.models import GridPlan
from grids.scope import code_range

#: Sequence numbers of basic grids (domain 2.4); they are never given twice.
LAST_BASIC: Final = 799
#: What was written while a switch ran still has the old grids; it is looked for this much later.
SETTLED_AFTER: Final = timedelta(minutes=2)
_NUMBERS: Final = text("""
    SELECT left(code, 12) AS community, max(right(code, 3)::int) AS last
    FROM grid WHERE left(code, 12) = ANY(:communities) AND right(code, 3) <= '799' GROUP BY 1
""")
_CLOSE: Final = text("""
    UPDATE grid_version SET valid = daterange(lower(valid), CAST(:day AS date))
    WHERE id = ANY(:versions)
""")
_LATER: Final = text("""
    SELECT min(lower(v.valid)) FROM grid_version AS v JOIN grid AS g ON g.id = v.grid_id
    WHERE g.code >= :lo AND g.code < :hi AND lower(v.valid) >= CAST(:day AS date)
""")
#: The grids that a plan gave a new shape, and those that ended with it.
_OF_PLAN: Final = text("""
    SELECT v.grid_id, ST_AsBinary(v.geom) AS shape, v.plan_id IS NOT DISTINCT FROM :plan AS is_new
    FROM grid_version AS v
    WHERE v.plan_id = :plan
       OR upper(v.valid) = CAST(:day AS date) AND v.grid_id IN (
         SELECT (one ->> 'id')::bigint FROM grid_plan AS p, jsonb_array_elements(p.base) AS one
         WHERE p.id = :plan)
""")
_CELLS: Final = text("SELECT cell_id FROM cell WHERE grid_id = ANY(:grids) ORDER BY cell_id")
_INSERT: Final = text("""
    INSERT INTO grid_version (grid_id, valid, households, area_m2, geom, plan_id)
    VALUES (:grid, :valid, :households, :area, ST_GeomFromWKB(:shape, 4490), :plan)
""").bindparams(bindparam("valid", type_=DATERANGE))


@dataclass
class Outcome:
    """What a switch did."""

    on: str
    opened: list[str] = field(default_factory=list)  #: codes of grids with a new shape
    made: list[str] = field(default_factory=list)  #: codes of grids that are new
    ended: dict[str, str] = field(default_factory=dict)  #: code -> that of the heir
    linked: dict[str, int] = field(default_factory=dict)  #: table -> rows with another grid
    cells: int = 0
    cases: int = 0  #: open cases handed over
    hazards: int = 0  #: open hazards handed over
    roles: int = 0  #: roles that workers were given


def switch(
    session: Session, plan: GridPlan, drawing: Drawing, *, on: date, now: datetime
) -> Outcome:
    """Switch an approved plan on a day, in the caller's transaction.

    Raises `WrongState`, `Outdated` where today's grids are not those that the plan was drawn
    on, `BadDay` where they began on that day or later, `Faulty` and `NoCode`.
    """
    if plan.state != "approved":
        raise WrongState(f"plan {plan.id} is {plan.state}", state=plan.state)
    city = the_city(session)
    connection = session.connection()
    # Two switches, or a switch and the import of a map, follow one another.
    session.execute(text("LOCK TABLE grid_version IN SHARE ROW EXCLUSIVE MODE"))
    _require_base(session, plan, drawing, on)
    today = shapes_of(connection, plan.town_code, on)
    new = drawn(drawing, today)
    wrong = faults_of(drawing, new, list(today.values()), city.metric_srid)
    if wrong:
        raise Faulty(f"{len(wrong)} faults, first {wrong[0]}", n=len(wrong),
                     grid=", ".join(wrong[0]["grids"]), kind=wrong[0]["kind"])  # fmt: skip
    outcome = Outcome(on.isoformat())
    grids = _grids(session, drawing, new, outcome)
    _versions(session, plan, drawing, new, grids, on=on, srid=city.metric_srid)
    touched = sorted({grids[k] for k in [*new.changed, *new.ended]})
    ground = shapely.union_all(np.array(list(new.changed.values()), dtype=object))
    outcome.cells = _cells(session, touched, new, grids, on=on, srid=city.metric_srid)
    outcome.linked = relink(connection, on=on, within=ground, grids=touched)
    midnight = datetime.combine(on, time.min, ZoneInfo(city.city_zone))
    refile(session, touched, on=on, since=midnight, until=now + SETTLED_AFTER, within=ground)
    outcome.roles = hand_over_work(connection, plan.id, _heirs(drawing, new, grids, session), now)
    outcome.cases = hand_over_cases(session, plan.id, touched, on=on, now=now, within=ground)
    outcome.hazards = hand_over_hazards(session, plan.id, touched, on=on, now=now, within=ground)
    outcome.ended = _ended(drawing, new, session, grids)
    plan.state, plan.switched_at, plan.outcome = "switched", now, asdict(outcome)
    audit.record(
        session, "grids_switched", actor_id=None, subject=f"grid_plan:{plan.id}",
        detail={"town": plan.town_code, "on": on.isoformat(), "made": len(outcome.made),
                "opened": len(outcome.opened), "ended": len(outcome.ended)},
    )  # fmt: skip
    session.flush()
    return outcome


def settle(session: Session, plan: GridPlan, *, now: datetime) -> dict[str, int]:
    """Link once more what was written while the switch ran, and note that nothing is left.

    Somebody who wrote at the same moment did not see the new grids yet.
    """
    assert plan.switched_at is not None
    city = the_city(session)
    on = date.fromisoformat(plan.outcome["on"])
    rows = session.execute(_OF_PLAN, {"plan": plan.id, "day": on}).all()
    touched = sorted({row.grid_id for row in rows})
    shapes = [shapely.from_wkb(bytes(row.shape)) for row in rows if row.is_new]
    ground = shapely.union_all(np.array(shapes, dtype=object))
    midnight = datetime.combine(on, time.min, ZoneInfo(city.city_zone))
    until = plan.switched_at + SETTLED_AFTER
    today = now.astimezone(ZoneInfo(city.city_zone)).date()
    late = relink(session.connection(), on=max(on, today), within=ground, grids=touched)
    refile(session, touched, on=on, since=midnight, until=until, within=ground)
    late["incident"] = hand_over_cases(
        session, plan.id, touched, on=max(on, today), now=now, within=ground
    )  # fmt: skip
    late["hazard"] = hand_over_hazards(
        session, plan.id, touched, on=max(on, today), now=now, within=ground
    )
    plan.outcome = {**plan.outcome, "is_settled": True, "late": late}
    session.flush()
    return late


def _require_base(session: Session, plan: GridPlan, drawing: Drawing, on: date) -> None:
    """Raise where the town's grids on the day are not those of the plan."""
    found = base_of(session.connection(), plan.town_code, on)
    low, high = code_range(plan.town_code)
    later = session.scalar(_LATER, {"lo": low, "hi": high, "day": on})
    if later is not None:
        raise BadDay(f"grids of {plan.town_code} begin on {later}", day=later.isoformat())
    if [grid.version for grid in found] != [grid.version for grid in drawing.base]:
        raise Outdated(f"the grids of {plan.town_code} have changed", town=plan.town_code)


def _grids(session: Session, drawing: Drawing, new: Drawn, outcome: Outcome) -> dict[int, int]:
    """Give added grids a code and a name; return the key of each label's grid."""
    keys = {k: grid.id for k, grid in enumerate(drawing.base)}
    coming = [k for k in new.changed if k >= len(drawing.base)]
    communities = sorted({str(drawing.communities[k]) for k in coming})
    rows = session.execute(_NUMBERS, {"communities": communities})
    last: dict[str, int] = {row.community: row.last for row in rows}
    called = {
        row.code: Name(row.name_zh, row.name_en)
        for row in session.scalars(select(Area).where(Area.code.in_(communities)))
    }
    for k in coming:
        community = str(drawing.communities[k])
        number = last.get(community, 0) + 1
        if number > LAST_BASIC:
            raise NoCode(f"{community} has no number left", area=community, limit=LAST_BASIC)
        last[community] = number
        name = drawing.added[k - len(drawing.base)].name
        if not name:
            name = called.get(community, Name(community, community)).numbered(number, "网格").zh
        row = Grid(code=f"{community}{number:03d}", name=name)
        session.add(row)
        session.flush()
        keys[k] = row.id
        outcome.made.append(row.code)
    outcome.opened = [
        drawing.base[k].code for k in new.changed if k < len(drawing.base)
    ]  # fmt: skip
    return keys


def _versions(
    session: Session, plan: GridPlan, drawing: Drawing, new: Drawn, grids: dict[int, int], *,
    on: date, srid: int,
) -> None:  # fmt: skip
    """End the versions of grids that change and open the new ones."""
    closed = [drawing.base[k].version for k in (*new.changed, *new.ended) if k < len(drawing.base)]
    session.execute(_CLOSE, {"day": on, "versions": closed})
    households = sums(drawing.labels, drawing.fabric.households, drawing.count)
    shapes = np.array(list(new.changed.values()), dtype=object)
    areas = area_m2(shapes, srid)
    for k, shape, area in zip(new.changed, shapes, areas.tolist(), strict=True):
        session.execute(
            _INSERT,
            {
                "grid": grids[k], "valid": Range(on, None), "households": round(households[k]),
                "area": area, "shape": shapely.to_wkb(shape), "plan": plan.id,
            },
        )  # fmt: skip


def _cells(
    session: Session, touched: list[int], new: Drawn, grids: dict[int, int], *, on: date, srid: int
) -> int:
    """Give each unit cell the grid of its middle; return how many have another one."""
    connection = session.connection()
    cells = np.array(session.scalars(_CELLS, {"grids": touched}).all(), dtype=np.int64)
    if not len(cells):
        return 0
    ground = shapely.union_all(np.array(list(new.changed.values()), dtype=object))
    linked = place_index(connection, on, within=ground).link(cell_centres(cells, srid))
    holder = np.full(len(cells), -1, dtype=np.int64)
    for k, shape in new.changed.items():
        inside = np.isin(cells, cells_inside(shape, srid))
        holder[inside] = grids[k]
    session.execute(
        text(
            "CREATE TEMP TABLE regridded (cell_id bigint PRIMARY KEY, grid_id bigint,"
            ' area_code text COLLATE "C", is_whole boolean) ON COMMIT DROP'
        )
    )
    copy_frame(
        connection,
        "regridded",
        {
            "cell_id": cells,
            "grid_id": linked.grid_id,
            "area_code": linked.area_code,
            "is_whole": holder == linked.grid_id.filled(-2),
        },
    )
    moved = session.scalar(
        text(
            "SELECT count(*) FROM cell JOIN regridded AS r USING (cell_id)"
            " WHERE cell.grid_id IS DISTINCT FROM r.grid_id"
        )
    )
    session.execute(
        text(
            "UPDATE cell SET grid_id = r.grid_id, area_code = r.area_code, is_whole = r.is_whole"
            " FROM regridded AS r WHERE r.cell_id = cell.cell_id"
            " AND (cell.grid_id, cell.is_whole) IS DISTINCT FROM (r.grid_id, r.is_whole)"
        )
    )
    session.execute(text("DROP TABLE regridded"))
    return int(moved or 0)


def _code(drawing: Drawing, label: int, session: Session, grids: dict[int, int]) -> str:
    if label < len(drawing.base):
        return drawing.base[label].code
    return str(session.scalar(select(Grid.code).where(Grid.id == grids[label])))


def _heirs(
    drawing: Drawing, new: Drawn, grids: dict[int, int], session: Session
) -> list[tuple[str, str]]:
    """Pair grids whose workers go along: of one that ends with its heir, of a new one's origin."""
    pairs = list(_ended(drawing, new, session, grids).items())
    for k in new.changed:
        if k >= len(drawing.base):
            origin = _largest(drawing, drawing.labels == k, drawing.fabric.patches.owner)
            pairs.append((drawing.base[origin].code, _code(drawing, k, session, grids)))
    return pairs


def _ended(drawing: Drawing, new: Drawn, session: Session, grids: dict[int, int]) -> dict[str, str]:
    """Name the heir of each grid that ends: who gets most of its households."""
    found = {}
    for k in new.ended:
        if k < len(drawing.base):
            heir = _largest(drawing, drawing.fabric.patches.owner == k, drawing.labels)
            found[drawing.base[k].code] = _code(drawing, heir, session, grids)
    return found


def _largest(drawing: Drawing, mine: Any, others: Any) -> int:
    """Return the label of `others` that holds most of the patches chosen by `mine`."""
    weight = drawing.fabric.households[mine] + drawing.fabric.patches.area_m2[mine] * 1e-9
    return int(np.argmax(np.bincount(others[mine], weight)))


def current_version(session: Session, grid_id: int, on: date) -> GridVersion | None:
    """Return the version of a grid that is valid on a day."""
    return session.scalar(
        select(GridVersion).where(GridVersion.grid_id == grid_id, GridVersion.valid.op("@>")(on))
    )
