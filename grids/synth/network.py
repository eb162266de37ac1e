"""Cut the planned lines at their junctions, bend the plan a little, find what they enclose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from grids.synth.layout import RANK, Layout, Street
from grids.synth.plan import Plan
from grids.synth.shapes import Floats, Geometries, Waves

SNAP_M = 0.05


class Bend:
    """A smooth displacement that takes the ruler out of the plan; topology stays as it was."""

    def __init__(self, plan: Plan) -> None:
        rng = plan.rng("bend")
        wave = max(900.0, plan.core_m * 0.75)
        self._x, self._y = Waves(rng, wave), Waves(rng, wave)
        self._size = 0.022 * wave

    def points(self, xy: Floats) -> Floats:
        """Move points, shape (n, 2), by up to a few ten metres."""
        return xy + np.column_stack([self._x(xy), self._y(xy)]) * self._size

    def shape(self, geometry: BaseGeometry) -> BaseGeometry:
        """Move a geometry, with long sides bent as they must be."""
        bent: BaseGeometry = shapely.transform(shapely.segmentize(geometry, 30.0), self.points)
        return bent


@dataclass(frozen=True)
class Network:
    """Pieces between junctions, shape (n,): lines, kind, name, whether over the river."""

    lines: Geometries
    kinds: list[str]
    names: list[str | None]
    is_bridge: list[bool]
    faces: Geometries  #: what all lines enclose, borders that are no road included

    def roads(self) -> list[int]:
        """Indexes of the pieces that are roads."""
        return [k for k, kind in enumerate(self.kinds) if kind != "edge"]


def weave(layout: Layout, river: BaseGeometry, bend: Bend) -> Network:
    """Node all streets on a 5 cm grid, so that they share vertices, and name the pieces."""
    streets = layout.streets
    noded = shapely.union_all([street.line for street in streets], grid_size=SNAP_M)
    pieces = np.asarray(shapely.get_parts(noded), dtype=object)
    owner = _owners(pieces, streets)
    pieces, owner = pieces[owner >= 0], owner[owner >= 0]
    middles = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    shapely.prepare(river)
    over = shapely.contains(river, middles)
    bent = np.asarray([bend.shape(piece) for piece in pieces], dtype=object)
    kept, owner, over = _without_stubs(bent, owner, over, streets)
    faces = shapely.get_parts(shapely.polygonize(kept))
    return Network(
        lines=kept,
        kinds=[streets[k].kind for k in owner],
        names=[streets[k].name for k in owner],
        is_bridge=[bool(o) and streets[k].kind != "edge" for o, k in zip(over, owner, strict=True)],
        faces=np.asarray(faces, dtype=object),
    )


def _owners(
    pieces: Geometries, streets: list[Street]
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Find for each piece the planned street that it came from, the more important one first."""
    order = {**RANK, "edge": 99}
    tree = STRtree([street.line for street in streets])
    middles = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    piece, street = tree.query(middles, predicate="dwithin", distance=3 * SNAP_M)
    rank = np.array([order[s.kind] for s in streets])[street]
    best = np.full(len(pieces), -1, dtype=np.int64)
    for k in np.lexsort((street, -rank)):
        best[piece[k]] = street[k]
    return best


def _without_stubs(
    pieces: Geometries, owner: np.ndarray[tuple[int], np.dtype[np.int64]],
    over: np.ndarray[tuple[int], np.dtype[np.bool_]], streets: list[Street],
) -> tuple[Geometries, np.ndarray[tuple[int], np.dtype[np.int64]],
           np.ndarray[tuple[int], np.dtype[np.bool_]]]:  # fmt: skip
    """Drop short dead ends, where a line overshot its junction."""
    ends = np.round(np.stack([
        shapely.get_coordinates(shapely.get_point(pieces, 0)),
        shapely.get_coordinates(shapely.get_point(pieces, -1)),
    ], axis=1), 2)  # fmt: skip
    flat, number = np.unique(ends.reshape(-1, 2), axis=0, return_inverse=True)
    degree = np.bincount(number.ravel(), minlength=len(flat))
    dead = (degree[number.reshape(-1, 2)] == 1).any(axis=1)
    is_edge = np.array([streets[k].kind == "edge" for k in owner])
    keep = ~(dead & ((shapely.length(pieces) < 28) | is_edge))
    return pieces[keep], owner[keep], over[keep]
