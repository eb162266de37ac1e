"""Write the simulated city into the tables, and keep a digest of what was written."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from grids.addressing import quality
from grids.addressing.codes import give_codes
from grids.bulk import Column, copy_frame, reserve_ids
from grids.linking import PlaceIndex, link_points
from grids.secrets import Vault
from grids.synth.addresses import Addresses
from grids.synth.business import Firms, Sites
from grids.synth.fittings import Components, Facilities
from grids.synth.homes import Dwellings, Ints
from grids.synth.layout import RANK, SPEED_KMH
from grids.synth.names import english
from grids.synth.plan import NAME_EN, Plan
from grids.synth.shapes import Floats, as_multi, as_points
from grids.synth.world import World, to_earth, to_lonlat

#: Columns that differ between two runs of one seed: keys of the database (also inside the data
#: of events), nonces, hashes.
VARYING = ("id", "_id", "_sealed", "_index", "_hash", "data")
#: The streets that were renamed got their present names so many days ago.
RENAMED_AGO = 900


#: Table -> keys that were taken for its rows, in the order of the city's arrays.
Keys = Mapping[str, Ints]


@dataclass
class Writer:
    """Appends columns to tables; counts rows and digests every value that a seed decides."""

    connection: Connection
    counts: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._digest = hashlib.sha256()

    def put(self, table: str, columns: Mapping[str, Column]) -> None:
        """Append rows."""
        written = copy_frame(self.connection, table, columns)
        self.counts[table] = self.counts.get(table, 0) + written
        for name in sorted(columns):
            if not name.endswith(VARYING):
                self._digest.update(f"{table}.{name}".encode())
                self._digest.update(_bytes(columns[name]))

    def ids(self, table: str, count: int) -> Ints:
        """Reserve keys."""
        return reserve_ids(self.connection, table, count)

    def digest(self) -> str:
        """Return the digest of everything written so far."""
        return self._digest.hexdigest()


def _bytes(values: Column) -> bytes:
    if len(values) and isinstance(values[0], shapely.Geometry):
        return b"".join(shapely.to_wkb(np.asarray(values, dtype=object)).tolist())
    return repr(values.tolist() if isinstance(values, np.ndarray) else list(values)).encode()


def store_map(out: Writer, world: World) -> None:
    """Write roads, water, land use and places."""
    roads = world.roads
    lines = to_earth([road.line for road in roads])
    out.put("road", {
        "kind": [road.kind for road in roads],
        "rank": [RANK[road.kind] for road in roads],
        "name": [road.name for road in roads],
        "is_bridge": [road.is_bridge for road in roads],
        "speed_kmh": [SPEED_KMH.get(road.kind) for road in roads],
        "length_m": [float(road.line.length) for road in roads],
        "geom": lines,
    })  # fmt: skip
    waters = world.waters
    out.put("water", {
        "kind": [patch.kind for patch in waters],
        "name": [patch.name for patch in waters],
        "area_m2": [float(p.shape.area) if p.shape.area else None for p in waters],
        "geom": to_earth([patch.shape for patch in waters]),
    })  # fmt: skip
    out.put("landuse", {
        "kind": [patch.kind for patch in world.land],
        "name": [patch.name for patch in world.land],
        "area_m2": [float(patch.shape.area) for patch in world.land],
        "geom": to_earth([as_multi(patch.shape) for patch in world.land]),
    })  # fmt: skip
    labels = world.labels
    points = to_lonlat(np.array([(label.x, label.y) for label in labels]))
    out.put("place", {
        "kind": [label.kind for label in labels],
        "name": [label.name for label in labels],
        "name_en": [NAME_EN if label.kind == "city" else english(label.name) for label in labels],
        "rank": [label.rank for label in labels],
        "geom": as_points(points),
    })  # fmt: skip


def store_buildings(
    out: Writer, world: World, addresses: Addresses, dwellings: Dwellings, built: Ints,
    index: PlaceIndex, keys: Keys,
) -> None:  # fmt: skip
    """Write addresses and buildings."""
    houses = world.houses
    store_addresses(out, world.plan, addresses, index, keys["address"])
    shapes = to_earth(houses.shapes)
    names = [_building_name(world, addresses, k) for k in range(len(houses.shapes))]
    out.put("building", {
        "id": keys["building"], "name": names, "kind": houses.kinds, "levels": dwellings.levels,
        "height_m": dwellings.levels * 3.1 + 0.6, "built_year": built,
        "dwellings": dwellings.per_building, "area_m2": shapely.area(houses.shapes),
        "address_id": keys["address"], "geom": [as_multi(shape) for shape in shapes],
        "valid_from": known_from(world.plan, len(shapes)),
        **_placed(index, link_points(shapes)),
    })  # fmt: skip


def store_addresses(
    out: Writer, plan: Plan, addresses: Addresses, index: PlaceIndex, houses: Ints
) -> None:
    """Write the plates of the gates, then the addresses of the buildings, whose keys are given."""
    points = to_lonlat(np.vstack([addresses.points, addresses.gate_points]))
    count, gates = len(addresses.text), addresses.gates
    where = _placed(index, points)
    keys = np.concatenate([houses, out.ids("address", len(gates))])
    gate = np.concatenate([addresses.gate, np.full(len(gates), -1)])
    behind = np.ma.masked_array(keys[count + gate], mask=gate < 0)
    nobody = [None] * len(gates)
    columns: dict[str, list[Any]] = {
        "text": [*addresses.text, *(street + number for street, number, _ in gates)],
        "street": [*addresses.street, *(street for street, _, _ in gates)],
        "number": [*addresses.number, *(number for _, number, _ in gates)],
        "estate": [*addresses.estate, *(estate for _, _, estate in gates)],
        "building": [*addresses.building, *nobody],
    }
    codes = give_codes(out.connection, where["area_code"])
    worth = quality.scores(
        columns["text"], [columns[name] for name in quality.LEVELS], where["area_code"],
        np.vstack([addresses.points, addresses.gate_points]),
    )  # fmt: skip
    order = np.concatenate([np.arange(count, len(points)), np.arange(count)])
    rows: dict[str, Any] = {
        "id": keys, **columns, "code": codes, "quality": worth,
        "plate_type": ["building" if name else "door" for name in columns["building"]],
        "parent_id": behind, "valid_from": known_from(plan, len(keys)),
        "geom": as_points(points), **where,
    }  # fmt: skip
    out.put("address", {name: _in_order(column, order) for name, column in rows.items()})
    out.put("address_name", {
        "level": [level for level, _, _ in addresses.renamed],
        "old": [old for _, old, _ in addresses.renamed],
        "new": [new for _, _, new in addresses.renamed],
        "changed_on": [plan.today - timedelta(days=RENAMED_AGO)] * len(addresses.renamed),
    })  # fmt: skip


#: So much of the registers was entered when the platform began; the rest came in since.
FROM_THE_BEGIN: Final = 0.9
#: The platform has been in use so long.
IN_USE: Final = 3 * 366


def known_from(plan: Plan, count: int) -> NDArray[np.datetime64]:
    """Return the days on which entries of a register were made: most at once, then some a week."""
    drawn = (np.arange(count, dtype=np.uint64) * 2_654_435_761 % 2**32).astype(float) / 2**32
    later = np.clip((drawn - FROM_THE_BEGIN) / (1 - FROM_THE_BEGIN), 0, 1)
    begin = np.datetime64(plan.today, "D") - IN_USE
    return begin + np.floor(later * (IN_USE + 1)).astype("timedelta64[D]")


def _in_order(column: Any, order: Ints) -> Any:
    """Put a column in another order: a plate comes before what lies behind it."""
    return column[order] if isinstance(column, np.ndarray) else [column[k] for k in order.tolist()]


def _building_name(world: World, addresses: Addresses, k: int) -> str | None:
    if addresses.estate[k] and addresses.building[k]:
        return f"{addresses.estate[k]}{addresses.building[k]}"
    programme = world.blocks[world.houses.block[k]].programme
    named = ("school", "hospital", "station", "cbd", "market")
    return world.block_names[world.houses.block[k]] if programme in named else None


def store_firms(
    out: Writer, plan: Plan, vault: Vault, firms: Firms, sites: Sites,
    rentals: tuple[Ints, list[str], Floats], keys: Keys, index: PlaceIndex,
) -> None:  # fmt: skip
    """Write enterprises with sealed contacts, and premises."""
    ids, building_ids = keys["enterprise"], keys["building"]
    points = to_lonlat(firms.points)
    out.put("enterprise", {
        "id": ids, "uscc": firms.uscc, "name": firms.name, "kind": firms.kind,
        "industry": firms.industry, "status": firms.status, "staff": firms.staff,
        "registered_on": [plan.today - timedelta(days=int(d)) for d in firms.age_days],
        "contact_sealed": vault.seal_many("enterprise", "contact_sealed", ids.tolist(),
                                          firms.contact),
        "address_id": keys["address"][firms.building], "geom": as_points(points),
        "valid_from": known_from(plan, len(ids)), **_placed(index, points),
    })  # fmt: skip
    points = to_lonlat(sites.points)
    out.put("premises", {
        "enterprise_id": ids[sites.firm], "building_id": building_ids[sites.building],
        "kind": sites.kind, "name": sites.name, "floor_area_m2": sites.area_m2,
        "valid_from": known_from(plan, len(points)), "geom": as_points(points), **_placed(index, points),
    })  # fmt: skip
    which, names, spots = rentals
    points = to_lonlat(spots)
    out.put("premises", {
        "building_id": building_ids[which], "kind": ["rental_house"] * len(which), "name": names,
        "valid_from": known_from(plan, len(which)), "geom": as_points(points), **_placed(index, points),
    })  # fmt: skip


def store_fittings(
    out: Writer,
    plan: Plan,
    components: Components,
    facilities: Facilities,
    index: PlaceIndex,
    keys: Keys,
) -> None:
    """Write components and facilities."""
    shapes = to_earth(components.shapes)
    out.put("component", {
        "id": keys["component"], "identifier": components.identifier, "code": components.code,
        "state": components.state, "department_code": components.department, "geom": shapes,
        "valid_from": known_from(plan, len(shapes)), **_placed(index, link_points(shapes)),
    })  # fmt: skip
    points = to_lonlat(facilities.points)
    out.put("facility", {
        "kind": facilities.kind, "name": facilities.name, "geom": as_points(points),
        "valid_from": known_from(plan, len(points)), **_placed(index, points),
    })  # fmt: skip


def _placed(index: PlaceIndex, lonlat: Floats) -> dict[str, Any]:
    return index.link(lonlat).columns()


def wipe(connection: Connection) -> None:
    """Remove a city with everything that stands on it: cases, registers, accounts, feed."""
    connection.execute(
        text(
            "TRUNCATE incident, grid_plan, grid, cell, area, road, water, landuse, place, building, address,"
            " quality_result, quality_alarm, base_number, base_signature, macro_figure,"
            " import_key, import_mend, import_row, import_batch, duplicate_pair, entry_merge,"
            " fact, fact_check, correction, correction_file, register_change, address_name, address_question, address_alias, component, facility, site, enterprise, premises, dwelling, household, person, person_event, people_count,"
            " people_group_count, people_draw, population_count, population_told,"
            " code_conversion, pipe,"
            " observation,"
            " account, feed, request_key, number_day, blob CASCADE"
        )
    )
    connection.execute(text("ALTER SEQUENCE address_code_seq RESTART"))
    connection.execute(text("UPDATE feed_state SET no = 0, xid = '0', hash = ''::bytea"))
