"""What is known of a city before it is divided, and what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from shapely.geometry.base import BaseGeometry

from grids.errors import GridsError
from grids.gridding.blocks import Barriers, Homes


class TooManyGrids(GridsError):
    """A community would need more duty grids than its codes can number."""

    code = "gridding.too_many"


@dataclass(frozen=True)
class Name:
    """What a division is called, in Chinese or the local language, and in English."""

    zh: str
    en: str

    def numbered(self, n: int, word: str) -> Name:
        """Name the n-th part of this division; `word` is the Chinese word for such a part."""
        return Name(f"{self.zh}第{n}{word}" if _is_chinese(self.zh) else f"{self.zh} {n}",
                    f"{self.en} {n}")  # fmt: skip


@dataclass(frozen=True)
class Known:
    """A town or community whose border the map knows."""

    name: Name
    shape: BaseGeometry


@dataclass(frozen=True)
class Seed:
    """A named place that a town or a community may grow around."""

    name: Name
    x: float
    y: float


@dataclass(frozen=True)
class Sizes:
    """What each division should hold; `exact_seeds` makes one community of every seed."""

    town: float = 15_000.0  #: dwellings
    community: float = 2_000.0  #: dwellings
    grid: float = 300.0  #: dwellings
    open_m2: float = 3e6  #: open land counts as one grid
    grids: int | None = None  #: most grids in the whole city
    exact_seeds: bool = False


@dataclass(frozen=True)
class Territory:
    """What is known of a city before it is divided; all shapes metric."""

    name: Name
    county_code: str
    outline: BaseGeometry
    barriers: Barriers
    homes: Homes
    towns: Sequence[Known] = ()
    communities: Sequence[Known] = ()
    town_seeds: Sequence[Seed] = ()
    community_seeds: Sequence[Seed] = ()
    sizes: Sizes = field(default_factory=Sizes)


@dataclass(frozen=True)
class Division:
    """A county, town or community with its code."""

    code: str
    kind: str
    name: Name
    shape: BaseGeometry


@dataclass(frozen=True)
class DutyGrid:
    """A duty grid with its 15-digit code."""

    code: str
    name: str
    dwellings: int
    area_m2: float
    shape: BaseGeometry


@dataclass(frozen=True)
class Layout:
    """The divisions of a city. Shapes of one level tile those of the level above exactly."""

    divisions: list[Division]  #: county, towns, communities, in the order of their codes
    grids: list[DutyGrid]


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)
