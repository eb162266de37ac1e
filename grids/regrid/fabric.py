"""The ground of a town as the designer sees it: patches with what stands on them."""

from __future__ import annotations

import io
import zlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from gis.patchwork import Patches, cut
from grids.gridding.blocks import locate, sums
from grids.linking import link_points
from grids.scope import code_range

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Digits of a community's code, the border that no grid crosses.
COMMUNITY: Final = 12
YEAR: Final = timedelta(days=365)

_BASE = text("""
    SELECT g.id, v.id AS version, g.code, g.name, v.area_m2, ST_AsBinary(v.geom) AS shape
    FROM grid AS g JOIN grid_version AS v ON v.grid_id = g.id
    WHERE v.valid @> CAST(:day AS date) AND g.code >= :lo AND g.code < :hi ORDER BY g.code
""")
_BUILDINGS = text("""
    SELECT ST_AsBinary(geom) AS shape, dwellings AS n FROM building
    WHERE area_code >= :lo AND area_code < :hi AND dwellings > 0 AND valid_to IS NULL
""")
_PREMISES = text("""
    SELECT ST_AsBinary(geom) AS shape, 1 AS n FROM premises
    WHERE area_code >= :lo AND area_code < :hi AND valid_to IS NULL
""")
_CASES = text("""
    SELECT ST_AsBinary(geom) AS shape, 1 AS n FROM incident
    WHERE area_code >= :lo AND area_code < :hi AND received_at >= :since AND received_at < :now
      AND geom IS NOT NULL
""")


@dataclass(frozen=True)
class BaseGrid:
    """A grid as it is on the day that a plan starts from."""

    id: int
    version: int
    code: str
    name: str
    area_m2: float


@dataclass(frozen=True)
class Fabric:
    """Patches of a town, each cut from one of today's grids, with what stands on them."""

    patches: Patches
    households: Floats  #: dwellings
    cases: Floats  #: of the last year
    premises: Floats

    def __len__(self) -> int:
        """Count the patches."""
        return len(self.patches)

    def hours(self, weights: dict[str, float]) -> Floats:
        """Return the yearly work on each patch, in hours."""
        return (
            self.households * weights["household"]
            + self.cases * weights["case"]
            + self.premises * weights["premises"]
        )


def base_of(connection: Connection, town: str, on: date) -> list[BaseGrid]:
    """Return the grids of a town on a day, in the order of their codes."""
    return [_base_grid(row) for row in _base(connection, town, on)]


def shapes_of(connection: Connection, town: str, on: date) -> dict[int, Any]:
    """Return the shapes of a town's grids on a day, by the key of the grid."""
    rows = _base(connection, town, on)
    return {row.id: shapely.from_wkb(bytes(row.shape)) for row in rows}


def survey(
    connection: Connection, town: str, *, on: date, now: datetime, metric_srid: int
) -> tuple[list[BaseGrid], Fabric]:
    """Cut the grids of a town into patches and count what stands on each.

    Cases are those of the year before `now`. Only counts leave this function.
    """
    rows = _base(connection, town, on)
    shapes = np.array([shapely.from_wkb(bytes(row.shape)) for row in rows], dtype=object)
    if not len(shapes):
        return [], _empty()
    patches = cut(shapes, metric_srid)
    low, high = code_range(town)
    within = {"lo": low, "hi": high}
    times = {"since": now - YEAR, "now": now}
    return [_base_grid(row) for row in rows], Fabric(
        patches,
        households=_counted(connection, patches, _BUILDINGS, within),
        cases=_counted(connection, patches, _CASES, within | times),
        premises=_counted(connection, patches, _PREMISES, within),
    )


def _base(connection: Connection, town: str, on: date) -> Any:
    low, high = code_range(town)
    return connection.execute(_BASE, {"day": on, "lo": low, "hi": high}).all()


def _base_grid(row: Any) -> BaseGrid:
    return BaseGrid(row.id, row.version, row.code, row.name, row.area_m2)


def _counted(
    connection: Connection, patches: Patches, query: Any, values: dict[str, Any]
) -> Floats:
    """Add up on each patch what a statement finds there."""
    rows = connection.execute(query, values).all()
    shapes = shapely.from_wkb(np.array([bytes(row.shape) for row in rows], dtype=object))
    at = locate(patches.polygons, link_points(shapes).reshape(-1, 2))
    return sums(at, np.array([row.n for row in rows], dtype=np.float64), len(patches))


def pack(fabric: Fabric) -> bytes:
    """Write a fabric as a plan keeps it."""
    patches = fabric.patches
    shapes = shapely.to_wkb(patches.polygons)
    out = io.BytesIO()
    np.savez(
        out,
        shape=np.frombuffer(b"".join(shapes), dtype=np.uint8),
        length=np.array([len(shape) for shape in shapes], dtype=np.int64),
        **{name: getattr(patches, name) for name in _PATCH_COLUMNS},
        households=fabric.households,
        cases=fabric.cases,
        premises=fabric.premises,
    )
    return zlib.compress(out.getvalue(), 6)


def unpack(kept: bytes) -> Fabric:
    """Read what `pack` wrote."""
    with np.load(io.BytesIO(zlib.decompress(kept)), allow_pickle=False) as found:
        body = found["shape"].tobytes()
        ends = np.cumsum(found["length"])
        starts = ends - found["length"]
        shapes = [body[a:b] for a, b in zip(starts.tolist(), ends.tolist(), strict=True)]
        polygons = shapely.from_wkb(np.array(shapes, dtype=object))
        patches = Patches(polygons, **{name: found[name] for name in _PATCH_COLUMNS})
        return Fabric(patches, found["households"], found["cases"], found["premises"])


def pack_labels(labels: Ints) -> bytes:
    """Write which grid each patch belongs to: two bytes a patch, and mostly repetition."""
    return zlib.compress(labels.astype("<i2").tobytes(), 6)


def unpack_labels(kept: bytes) -> Ints:
    """Read what `pack_labels` wrote."""
    return np.frombuffer(zlib.decompress(kept), dtype="<i2").astype(np.int64)


_PATCH_COLUMNS: Final = (
    "owner", "cell_id", "area_m2", "centre", "pairs", "shared_m", "perimeter_m",
)  # fmt: skip


def _empty() -> Fabric:
    none = np.empty(0)
    ints = np.empty(0, dtype=np.int64)
    patches = Patches(np.empty(0, dtype=object), ints, ints, none, none.reshape(0, 2),
                      ints.reshape(0, 2), none, none)  # fmt: skip
    return Fabric(patches, none, none, none)
