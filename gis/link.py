"""Points to unit cells and duty grids at the speed of arithmetic.

Over the grids lies a fine lattice in degrees. Almost all of its cells meet no border, so
everything in them belongs to one grid and a point is answered by looking its cell up.
Only points in the cells along a border, three in a hundred, meet the sides of the
grids there, and those are tried exactly (`gis.inside`). The lattice follows meridians and
parallels because a grid's sides are straight in degrees; in metres they would be bent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from shapely.geometry.base import BaseGeometry

from gis.errors import InvalidGeometry
from gis.inside import Bools, Floats, Frame, Ints, Sides, distinct, file_sides, ragged
from gis.lattice import cell_ids

OUTSIDE: Final = -1
"""The grid of a point that no grid covers."""

_BLOCK_BITS: Final = 3
_BLOCK: Final = 1 << _BLOCK_BITS
_CHUNK: Final = 65_536
#: Share of the ground that may lie in cells along a border, and what the lattice may cost.
_BORDER_SHARE: Final = 0.03
_MOST_CELLS: Final = 1 << 24
_FEWEST_CELLS: Final = 1 << 12


@dataclass(frozen=True)
class Linked:
    """What points are linked to.

    Attributes
    ----------
    cell_id : ndarray, shape (n,), int64
        Unit cell, -1 where a coordinate is missing.
    grid : ndarray, shape (n,), int64
        Key of the duty grid, `OUTSIDE` where none covers the point.
    """

    cell_id: Ints
    grid: Ints


@dataclass(frozen=True)
class _Table:
    """Cell -> rank of the grid; -1 outside; -2 - k: the k-th cell along a border.

    `coarse` has a value for each block of 8 x 8 cells, or -2 - b where block `b` of `fine`
    must be asked.
    """

    coarse: NDArray[np.int32]
    fine: NDArray[np.int32]
    blocks_across: int

    def look_up(self, column: Ints, row: Ints) -> NDArray[np.int32]:
        block = (row >> _BLOCK_BITS) * self.blocks_across + (column >> _BLOCK_BITS)
        found = self.coarse[block]
        mixed = np.flatnonzero(found < OUTSIDE)
        if len(mixed):
            within = ((row[mixed] & (_BLOCK - 1)) << _BLOCK_BITS) | (column[mixed] & (_BLOCK - 1))
            found[mixed] = self.fine[(-2 - found[mixed].astype(np.int64)) * _BLOCK**2 + within]
        return found


class GridIndex:
    """Answers which grid covers a point, for any number of points.

    Parameters
    ----------
    keys : array_like, shape (g,), int64
        What is answered for each grid.
    codes : sequence of str, length g
        A point that several grids cover, on a shared border or where they overlap, goes
        to the lowest code, compared as bytes (`COLLATE "C"`).
    shapes : sequence of shapely Polygon or MultiPolygon, length g
        In the storage system. They may leave gaps; empty ones cover nothing.
    metric_srid : int
        The system that the unit cells lie in.

    Notes
    -----
    Answers are those of `ST_Covers`. Building takes 0.2 s for 170 grids and 2 s for
    1,700 on one core; the index is immutable and may be shared by threads.

    Examples
    --------
    >>> west, east = shapely.box(120.0, 29.0, 120.1, 29.1), shapely.box(120.1, 29.0, 120.2, 29.1)
    >>> index = GridIndex([7, 8], ["02", "01"], [west, east], 4549)
    >>> index.link([[120.05, 29.05], [120.1, 29.05], [121.0, 29.0]]).grid.tolist()
    [7, 8, -1]
    >>> index.link([]).grid.shape
    (0,)
    """

    def __init__(
        self,
        keys: ArrayLike,
        codes: Sequence[str],
        shapes: Sequence[BaseGeometry],
        metric_srid: int,
    ) -> None:
        given = np.asarray(keys, dtype=np.int64).reshape(-1)
        if not len(given) == len(codes) == len(shapes):
            raise InvalidGeometry(
                f"{len(given)} keys, {len(codes)} codes and {len(shapes)} shapes do not match"
            )
        order = sorted(range(len(codes)), key=lambda at: codes[at].encode())
        ranked = np.empty(len(order), dtype=object)
        ranked[:] = [shapes[at] for at in order]
        self.metric_srid = metric_srid
        self._keys = np.append(given[order], OUTSIDE)
        self._build(ranked)

    def __len__(self) -> int:
        """Count the grids."""
        return len(self._keys) - 1

    def link(self, lonlat: ArrayLike) -> Linked:
        """Link points to their unit cell and their grid.

        Parameters
        ----------
        lonlat : array_like, shape (n, 2), float64
            Longitude and latitude in the storage system; NaN where a place is missing.
        """
        points = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)
        return Linked(cell_ids(points, self.metric_srid), self.grids(points))

    def grids(self, lonlat: ArrayLike) -> Ints:
        """Give the keys of the grids alone, shape (n,), int64."""
        points = np.asarray(lonlat, dtype=np.float64).reshape(-1, 2)
        out = np.empty(len(points), dtype=np.int64)
        for start in range(0, len(points), _CHUNK):
            chunk = points[start : start + _CHUNK]
            ranks = self._ranks(chunk[:, 0], chunk[:, 1])
            np.take(self._keys, ranks, out=out[start : start + _CHUNK], mode="wrap")
        return out

    def _ranks(self, lon: Floats, lat: Floats) -> NDArray[np.int32]:
        row = self._frame.rows_of(lat)
        ranks = self._table.look_up(self._frame.columns_of(lon), row)
        border = np.flatnonzero(ranks < OUTSIDE)
        if len(border):
            cell = -2 - ranks[border].astype(np.int64)
            ranks[border] = self._tried(cell, lon[border], lat[border], row[border])
        return ranks

    def _tried(self, cell: Ints, lon: Floats, lat: Floats, row: Ints) -> Ints:
        start = self._first[cell]
        count = self._first[cell + 1] - start
        point, offset = ragged(count)
        rank = self._candidates[start[point] + offset]
        covered = self._strips.covers(rank, lon[point], lat[point], row[point])
        best = np.full(len(cell), len(self), dtype=np.int64)
        np.minimum.at(best, point[covered], rank[covered])
        return np.where(best < len(self), best, OUTSIDE)

    def _build(self, shapes: NDArray[np.object_]) -> None:
        sides = Sides.of(shapes)
        self._frame = _frame_for(sides, shapes)
        self._strips, cell, rank = file_sides(sides, self._frame, len(shapes))
        tree = shapely.STRtree(shapes)
        touched = distinct(cell)
        # A grid may hold a whole cell that only another grid's border crosses: overlaps.
        also, holding = self._covering(tree, touched)
        pairs = distinct(
            np.concatenate([cell, touched[also]]) * max(len(shapes), 1)
            + np.concatenate([rank, holding])
        )
        cell, self._candidates = np.divmod(pairs, max(len(shapes), 1))
        self._first = np.append(np.searchsorted(cell, touched), len(cell))
        self._table = self._tabulate(tree, touched)

    def _covering(self, tree: shapely.STRtree, cell: Ints) -> tuple[Ints, Ints]:
        """List which grids cover the middles of cells: place in `cell`, rank."""
        lon, lat = self._frame.centres(cell)
        at, rank = tree.query(shapely.points(lon, lat))
        row = self._frame.rows_of(lat[at])
        covered: Bools = self._strips.covers(rank, lon[at], lat[at], row)
        return at[covered], rank[covered]

    def _tabulate(self, tree: shapely.STRtree, touched: Ints) -> _Table:
        frame = self._frame
        free = np.ones(frame.rows * frame.columns, dtype=bool)
        free[touched] = False
        # Cells that no border touches and that hang together lie in the same grids.
        regions, count = ndimage.label(free.reshape(frame.rows, frame.columns))
        regions = regions.reshape(-1)
        member = np.zeros(count + 1, dtype=np.int64)
        member[regions] = np.arange(len(regions))
        at, rank = self._covering(tree, member[1:])
        answer = np.full(count + 1, len(self), dtype=np.int32)
        np.minimum.at(answer, at + 1, rank.astype(np.int32))
        answer[answer == len(self)] = OUTSIDE
        np.take(answer, regions, out=regions)
        regions[touched] = -2 - np.arange(len(touched), dtype=np.int32)
        return _compressed(regions, frame)


def _frame_for(sides: Sides, shapes: NDArray[np.object_]) -> Frame:
    """Choose a lattice so fine that few points fall into cells along a border."""
    if not len(sides):
        return Frame(0.0, 0.0, 1.0, 1.0, _BLOCK, _BLOCK)
    west, south = min(sides.ax.min(), sides.bx.min()), min(sides.ay.min(), sides.by.min())
    east, north = max(sides.ax.max(), sides.bx.max()), max(sides.ay.max(), sides.by.max())
    squeeze = max(0.01, math.cos(math.radians((south + north) / 2)))
    border = float(np.hypot((sides.bx - sides.ax) * squeeze, sides.by - sides.ay).sum())
    ground = (east - west) * squeeze * (north - south)
    owned = float(shapely.area(shapes).sum()) * squeeze
    # A border is counted for the grids on both of its sides; it touches about 1.3 cells a step.
    step = _BORDER_SHARE * owned / (0.65 * border)
    cells = min(max(ground / step**2, _FEWEST_CELLS), _MOST_CELLS)
    step = math.sqrt(ground / cells)
    columns = _in_blocks((east - west) * squeeze / step)
    rows = _in_blocks((north - south) / step)
    per_lon, per_lat = (columns - 4) / (east - west), (rows - 4) / (north - south)
    return Frame(west - 2 / per_lon, south - 2 / per_lat, per_lon, per_lat, columns, rows)


def _in_blocks(cells: float) -> int:
    return max(_BLOCK, math.ceil((cells + 4) / _BLOCK) * _BLOCK)


def _compressed(dense: NDArray[np.int32], frame: Frame) -> _Table:
    across, down = frame.columns // _BLOCK, frame.rows // _BLOCK
    coarse = np.empty(across * down, dtype=np.int32)
    mixed_blocks = []
    taken = 0
    lines = dense.reshape(down, _BLOCK, across, _BLOCK)
    for line in range(down):
        blocks = lines[line].transpose(1, 0, 2).reshape(across, _BLOCK**2)
        mixed = np.flatnonzero((blocks != blocks[:, :1]).any(axis=1))
        values = blocks[:, 0].copy()
        values[mixed] = -2 - taken - np.arange(len(mixed), dtype=np.int32)
        coarse[line * across : (line + 1) * across] = values
        mixed_blocks.append(blocks[mixed])
        taken += len(mixed)
    return _Table(coarse, np.concatenate(mixed_blocks).reshape(-1), across)
