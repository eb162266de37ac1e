"""Lay towns, communities, duty grids and unit cells over a city, and store them."""

from grids.gridding.blocks import (
    GREAT,
    MAIN_STREET,
    STREET,
    WEAK,
    Barriers,
    Blocks,
    Homes,
    lay_blocks,
)
from grids.gridding.city import lay_city, lay_grids
from grids.gridding.communities import lay_communities
from grids.gridding.regions import reading_order
from grids.gridding.store import (
    store_cells,
    store_divisions,
    store_grids,
    to_storage,
    unit_cells,
)
from grids.gridding.territory import (
    Division,
    DutyGrid,
    Known,
    Layout,
    Name,
    Seed,
    Sizes,
    Territory,
    TooManyGrids,
)

__all__ = [
    "GREAT",
    "MAIN_STREET",
    "STREET",
    "WEAK",
    "Barriers",
    "Blocks",
    "Division",
    "DutyGrid",
    "Homes",
    "Known",
    "Layout",
    "Name",
    "Seed",
    "Sizes",
    "Territory",
    "TooManyGrids",
    "lay_blocks",
    "lay_city",
    "lay_communities",
    "lay_grids",
    "reading_order",
    "store_cells",
    "store_divisions",
    "store_grids",
    "to_storage",
    "unit_cells",
]
