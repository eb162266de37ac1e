"""How good an address is, 0 to 100: which levels it has, whether its point and text can be right.

| points | for |
|---|---|
| 10, 10, 10 | the town, the community, the duty grid of its point are known |
| 25 | a street, village or estate |
| 25 | a door: a number or a building |
| 10 | its point lies within 400 m of another address of the same name: no stray point |
| 10 | no other address of the city has the same text |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from sqlalchemy import Connection, text

from grids.bulk import copy_frame

LEVELS: Final = ("street", "number", "estate", "building")
FOR_AREA: Final = ((9, 10), (12, 10), (15, 10))
FOR_NAME, FOR_DOOR, FOR_POINT, FOR_TEXT = 25, 25, 10, 10
STRAY_M: Final = 400.0
#: Names are laid this far apart, so that one search finds the neighbour of the same name.
_APART_M: Final = 1e7


def scores(
    texts: Sequence[str], levels: Sequence[Sequence[str | None]], areas: Sequence[str],
    points_m: NDArray[np.float64],
) -> NDArray[np.int64]:  # fmt: skip
    """Score addresses that are all the city has; `points_m` are metres."""
    street, number, estate, building = (np.array([bool(v) for v in one]) for one in levels)
    depth = np.array([len(area) for area in areas])
    score = np.zeros(len(texts), dtype=np.int64)
    for digits, worth in FOR_AREA:
        score += worth * (depth >= digits)
    score += FOR_NAME * (street | estate) + FOR_DOOR * (number | building)
    names = [e or s or "" for s, e in zip(levels[0], levels[2], strict=True)]
    score += FOR_POINT * _has_neighbour(names, points_m)
    _, which, counts = np.unique(np.array(texts, dtype=object), return_inverse=True,
                                 return_counts=True)  # fmt: skip
    score += FOR_TEXT * (counts[which] == 1)
    return score


def _has_neighbour(names: Sequence[str], points_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say of each point whether another of the same name is near; who is alone is not stray."""
    if not len(names):
        return np.zeros(0, dtype=np.bool_)
    _, which, counts = np.unique(np.array(names, dtype=object), return_inverse=True,
                                 return_counts=True)  # fmt: skip
    apart = np.column_stack([points_m, which * _APART_M])
    near = cKDTree(apart).query(apart, k=2, distance_upper_bound=STRAY_M)[0]
    found = np.atleast_2d(near)[:, -1] <= STRAY_M
    return np.asarray(found | (counts[which] == 1))


def refresh(connection: Connection, metric_srid: int) -> int:
    """Score all addresses anew; return how many changed. For imports and the nightly run."""
    rows = connection.execute(
        text(
            "SELECT id, text, street, number, estate, building, area_code, quality,"
            " ST_X(p) AS x, ST_Y(p) AS y"
            " FROM (SELECT *, ST_Transform(geom, cast(:srid AS int)) AS p FROM address) AS a"
            " WHERE plate_state <> 'cancelled' ORDER BY id"
        ),
        {"srid": metric_srid},
    ).all()
    if not rows:
        return 0
    worth = scores(
        [row.text for row in rows], [[getattr(row, name) for row in rows] for name in LEVELS],
        [row.area_code for row in rows], np.array([(row.x, row.y) for row in rows]),
    )  # fmt: skip
    changed = [
        (row.id, score) for row, score in zip(rows, worth.tolist(), strict=True)
        if row.quality != score
    ]  # fmt: skip
    connection.execute(text("CREATE TEMP TABLE scored (id bigint, quality int) ON COMMIT DROP"))
    copy_frame(connection, "scored", {
        "id": [key for key, _ in changed], "quality": [score for _, score in changed],
    })  # fmt: skip
    connection.execute(
        text("UPDATE address AS a SET quality = s.quality FROM scored AS s WHERE s.id = a.id")
    )
    connection.execute(text("DROP TABLE scored"))
    return len(changed)
