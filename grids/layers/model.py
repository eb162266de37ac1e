"""What a layer of the one map is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal

from psycopg import sql

from gis.postgis import EVERYTHING, TableSource, Where

Level = Literal["L1", "L2", "L3", "L4"]
Kind = Literal["text", "integer", "number", "date", "instant", "boolean"]
Shape = Literal["point", "line", "polygon", "mixed"]

#: Levels that may leave by a map or an export; what is above stays in its module.
OPEN_LEVELS: Final = ("L1", "L2")
#: Zoom at which signs of one lattice cell of 100 m stand apart: a tile is drawn 512 pixels
#: wide, so a square of level 15 - z is about 60 of them in middle latitudes.
CELL_ZOOM: Final = 15
MAX_LEVEL: Final = 8


@dataclass(frozen=True)
class Column:
    """A property of a layer: where it comes from, how sensitive it is, what kind it has.

    `expression` is a column of the source or an expression over `t`; the name by default.
    `goes` says whether it is in tiles, in rows (items, exports) or in both.
    """

    name: str
    kind: Kind = "text"
    level: Level = "L1"
    expression: str | sql.Composable = ""
    goes: Literal["both", "tiles", "rows"] = "both"

    @property
    def taken_from(self) -> str | sql.Composable:
        """The column or expression over the source's table."""
        return self.expression or self.name


@dataclass(frozen=True)
class Swatch:
    """One class of a legend: the value of the class property and its colours by theme."""

    value: str
    light: str
    dark: str


@dataclass(frozen=True)
class Style:
    """How a browser draws a layer, in plain data; colours by theme, safe for the colour-blind.

    `by` names the property that chooses a swatch; what has none takes the first one.
    """

    draw: Literal["base", "circle", "line", "fill", "outline"]
    swatches: tuple[Swatch, ...] = ()
    by: str | None = None
    radius_px: float = 5
    width_px: float = 1.5
    opacity: float = 1
    label: str | None = None
    label_zoom: int = 16


PLAIN: Final = Style("fill")


@dataclass(frozen=True)
class Aggregate:
    """What a layer shows below its smallest zoom: counts per lattice cell and class.

    `is_live` counts at request time: for layers of few rows that change every minute.
    """

    class_column: str | sql.Composable
    from_zoom: int = 7
    is_live: bool = False


#: From which zoom on which rows are drawn; the last step that is reached holds.
Steps = tuple[tuple[int, Where], ...]
ALL_ZOOMS: Final[Steps] = ((0, EVERYTHING),)


def where_at(steps: Steps, z: int) -> Where | None:
    """Return the condition of a zoom; None where nothing is drawn yet."""
    passed = [where for from_zoom, where in steps if z >= from_zoom]
    return passed[-1] if passed else None


@dataclass(frozen=True)
class Part:
    """One layer of the base map's tiles: its source, and what is drawn from which zoom on."""

    name: str
    source: TableSource
    steps: Steps = ALL_ZOOMS


@dataclass(frozen=True)
class Layer:
    """A layer of the one map: said once here, read by everything that shows or hands it out.

    `tables` are those whose change makes a new version. `permission` None is for everybody;
    `scope` is the column of area codes that the caller's areas limit, None where the whole
    city is for everybody who may see the layer at all. `is_requestable`: who may export but
    not look at the layer may ask for a file of it, which a second person approves.
    """

    id: str
    group: str
    shape: Shape
    tables: tuple[str, ...]
    source: TableSource | None = None
    columns: tuple[Column, ...] = ()
    min_zoom: int = 0
    max_zoom: int = 18
    aggregate: Aggregate | None = None
    style: Style = PLAIN
    permission: str | None = "map:view"
    scope: str | None = "area_code"
    is_exportable: bool = True
    is_requestable: bool = False
    is_default_on: bool = False
    follows_feed: bool = False
    is_case: bool = False
    class_filter: str | None = None
    steps: Steps = ALL_ZOOMS
    parts: tuple[Part, ...] = ()

    @property
    def open_columns(self) -> tuple[Column, ...]:
        """The columns that may leave."""
        return tuple(column for column in self.columns if column.level in OPEN_LEVELS)

    @property
    def rows(self) -> TableSource:
        """The source with every open column: for items and exports."""
        return self._with(self.row_columns)

    @property
    def row_columns(self) -> tuple[Column, ...]:
        """The open columns of items and exports."""
        return tuple(column for column in self.open_columns if column.goes != "tiles")

    @property
    def tile_rows(self) -> TableSource:
        """The source with the columns that tiles carry."""
        return self._with(tuple(column for column in self.open_columns if column.goes != "rows"))

    def chosen(self, names: tuple[str, ...]) -> TableSource:
        """Return the source with these open columns, in the registry's order."""
        return self._with(tuple(column for column in self.row_columns if column.name in names))

    def _with(self, columns: tuple[Column, ...]) -> TableSource:
        if self.source is None:
            raise ValueError(f"layer {self.id} has no table of its own")
        return replace(self.source, columns={column.name: column.taken_from for column in columns})

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the entry itself: tiles of another definition have other tags."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:8]


def level_at(z: int) -> int:
    """Choose the size of the squares that a zoom shows: 100 m * 2^level.

    >>> [level_at(z) for z in (16, 14, 13, 10, 4)]
    [0, 1, 2, 5, 8]
    """
    return min(MAX_LEVEL, max(0, CELL_ZOOM - z))
