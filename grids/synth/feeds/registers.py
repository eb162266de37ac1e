"""What departments know of a city: entries of its registers, read by their place in the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from grids.synth.feeds.departments import Department
from grids.synth.plan import FULL_ENTERPRISES

Ints = NDArray[np.int64]
Entry = dict[str, Any]

#: Parts that several of the statements below have.
_PARTS: Final = {
    ":areas": """LEFT JOIN area AS c ON c.code = left(a.area_code, 6)
        LEFT JOIN area AS t ON t.code = left(a.area_code, 9)
        LEFT JOIN area AS m ON m.code = left(a.area_code, 12)""",
    ":parts": """a.id AS address_id, c.name_zh AS county, t.name_zh AS town,
        m.name_zh AS community, a.street, a.number, a.estate, a.building""",
    ":point": "ST_X(r.geom) AS lon, ST_Y(r.geom) AS lat",
}
#: Register -> the facts of its entries and where they come from; every key is a column of the rows.
_READ: Final[dict[str, str]] = {
    "enterprise": """SELECT r.id, r.name, r.uscc, r.kind, r.industry, r.status, r.staff,
        r.registered_on, :point, :parts FROM enterprise AS r
        LEFT JOIN address AS a ON a.id = r.address_id :areas""",
    "premises": """SELECT r.id, r.name, r.kind, r.floor_area_m2, e.uscc AS enterprise_uscc,
        :point, :parts FROM premises AS r LEFT JOIN enterprise AS e ON e.id = r.enterprise_id
        LEFT JOIN building AS b ON b.id = r.building_id
        LEFT JOIN address AS a ON a.id = b.address_id :areas""",
    "component": """SELECT r.id, r.identifier, r.code, r.state, r.department_code,
        ST_AsBinary(r.geom) AS wkb, ST_X(ST_Centroid(r.geom)) AS lon,
        ST_Y(ST_Centroid(r.geom)) AS lat, k.name_zh AS code_word, d.name_zh AS department_word
        FROM component AS r
        LEFT JOIN category AS k ON k.code = r.code AND k.code_system = r.code_system
             AND k.kind = 'component' AND k.valid_to IS NULL
        LEFT JOIN department AS d ON d.code = r.department_code""",
    "facility": "SELECT r.id, r.name, r.kind, :point FROM facility AS r",
    "building": """SELECT r.id, r.name, r.kind, r.levels, r.height_m, r.built_year,
        ST_AsBinary(r.geom) AS wkb, ST_X(ST_PointOnSurface(r.geom)) AS lon,
        ST_Y(ST_PointOnSurface(r.geom)) AS lat FROM building AS r""",
    "address": """SELECT r.id, r.text, r.street, r.number, r.estate, r.building, :point
        FROM address AS r""",
}
#: What of a register departments send; simulated feeds speak of what the city was built with.
_OWN: Final = {
    "enterprise": "r.uscc IS NOT NULL AND r.status <> 'closed'",
    "premises": "r.enterprise_id IS NOT NULL AND r.building_id IS NOT NULL",
    "component": "ST_GeometryType(r.geom) = 'ST_Point'",
}
#: What a department's ids have before the day, where it speaks of an entry for the first time.
NEW: Final = "-N"
#: What came in by these feeds is called by the id that it came with.
_NOT_FED: Final = """NOT EXISTS (SELECT 1 FROM import_key AS k
    WHERE k.target = '{table}' AND k.entry_id = r.id AND position('-N' IN k.own_id) > 0)"""


@dataclass(frozen=True)
class Registers:
    """The registers of a built city, as feeds draw on them."""

    connection: Connection

    def scale(self) -> float:
        """Return the scale of the city, by its enterprises."""
        count = self.connection.execute(text("SELECT count(*) FROM enterprise")).scalar_one()
        return int(count) / FULL_ENTERPRISES

    def keys(self, department: Department) -> Ints:
        """Return the keys of all entries that a department may know, in ascending order."""
        table = department.target
        where = ["r.valid_to IS NULL", _OWN.get(table, "true"), _NOT_FED.format(table=table)]
        given: dict[str, Any] = {}
        if department.kinds:
            where.append("r.kind = ANY(:kinds)")
            given["kinds"] = list(department.kinds)
        if department.owners:
            where.append("r.department_code = ANY(:owners)")
            given["owners"] = list(department.owners)
        statement = f"SELECT r.id FROM {table} AS r WHERE {' AND '.join(where)} ORDER BY r.id"  # noqa: S608 - own literals
        return np.array(self.connection.execute(text(statement), given).scalars().all(), np.int64)

    def entries(self, target: str, keys: Sequence[int] | Ints) -> list[Entry]:
        """Read entries by their keys, in the order of the keys."""
        statement = _READ[target] + " WHERE r.id = ANY(:keys)"
        for name, part in _PARTS.items():
            statement = statement.replace(name, part)
        rows = self.connection.execute(
            text(statement),
            {"keys": [int(key) for key in keys]},
        )
        found = {row["id"]: dict(row) for row in rows.mappings()}
        return [found[int(key)] for key in keys]
