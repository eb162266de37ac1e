"""When the buildings of the simulated city were built."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from grids.synth.world import World

#: programme -> (mean, spread, latest) of the year of construction
YEARS = {
    "old": (1981, 10, 2005), "town": (1995, 9, 2018), "village": (1999, 9, 2022),
    "urban_village": (1999, 6, 2014), "estate": (2004, 7, 2023), "tower": (2016, 4, 2025),
    "villas": (2010, 5, 2022), "factory": (2008, 6, 2024), "warehouse": (2013, 5, 2024),
    "cbd": (2014, 5, 2025), "shops": (2002, 8, 2022), "school": (2001, 9, 2023),
}  # fmt: skip
OTHER = (2003, 9, 2024)
EARLIEST = 1949


def built_years(world: World) -> NDArray[np.int64]:
    """Date every building: houses of one block are of about one age."""
    rng = world.plan.rng("years")
    blocks = np.array([YEARS.get(b.programme, OTHER) for b in world.blocks], dtype=np.float64)
    age = blocks[:, 0] + rng.normal(0, 1, len(blocks)) * blocks[:, 1]
    mine = world.houses.block
    year = np.clip(age[mine] + rng.normal(0, 2.5, len(mine)), EARLIEST, blocks[mine, 2])
    return np.asarray(np.round(year), dtype=np.int64)
