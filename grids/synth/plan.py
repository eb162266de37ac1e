"""How large a simulated city is, and where its random numbers come from."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from datetime import date

import numpy as np

COUNTY = "339901"  #: no county of GB/T 2260 has it: no number made here can be a real one
CENTRE_LON, CENTRE_LAT = 120.07, 29.31
METRIC_SRID = 4549
CITY_ZONE = "Asia/Shanghai"
NAME_ZH, NAME_EN = "示例市", "Sample City"

#: The customer's city, scale 1.
FULL_AREA_M2 = 1_105e6
FULL_PERSONS = 2_080_000
FULL_ENTERPRISES = 300_000
FULL_COMPONENTS = 600_000
FULL_COMMUNITIES = 797  #: 40 communities and 757 villages
FULL_URBAN = 40
FULL_GRIDS = 1_700
FULL_INCIDENTS = 200_000  #: of a year
FULL_TOWNS = 16  #: 14 towns and streets, 2 development zones
FULL_ZONES = 2

SMALLEST_SCALE, LARGEST_SCALE = 0.002, 1.0
MOST_YEARS = 5


@dataclass(frozen=True)
class Plan:
    """What a scale means in square metres and heads, before a line is drawn."""

    scale: float
    seed: int
    today: date
    area_m2: float
    radius_m: float
    core_m: float  #: radius of the continuous built-up area
    river_m: float  #: width of the river
    towns: int
    communities: int
    grids: int
    zones: int  #: of the towns
    urban: int  #: of the communities; the others are villages
    persons: int
    enterprises: int
    components: int
    years: int  #: how long cases have been coming in
    incidents: int  #: of all these years

    def rng(self, part: str) -> np.random.Generator:
        """Return the random numbers of one part of the city, always the same for a seed.

        Each part has its own stream, so that a change in one does not move the others.
        """
        return np.random.default_rng([self.seed, zlib.crc32(part.encode())])


def plan_for(scale: float, seed: int, today: date, years: int = 1) -> Plan:
    """Size the city: counts grow with the scale, the built-up radius with its square root."""
    if not SMALLEST_SCALE <= scale <= LARGEST_SCALE:
        raise ValueError(f"scale {scale} is not between {SMALLEST_SCALE} and {LARGEST_SCALE}")
    if not 1 <= years <= MOST_YEARS:
        raise ValueError(f"{years} years are not between 1 and {MOST_YEARS}")
    area = FULL_AREA_M2 * scale
    radius = math.sqrt(area / math.pi)
    towns = max(2, round(FULL_TOWNS * scale**0.4))
    communities = max(3, round(FULL_COMMUNITIES * scale))
    return Plan(
        scale=scale,
        seed=seed,
        today=today,
        area_m2=area,
        radius_m=radius,
        core_m=radius * (0.46 - 0.07 * math.sqrt(scale)),
        river_m=min(220.0, 40.0 + 0.022 * radius),
        towns=towns,
        communities=communities,
        zones=max(int(towns > 2), round(towns * FULL_ZONES / FULL_TOWNS)),
        urban=max(1, round(communities * FULL_URBAN / FULL_COMMUNITIES)),
        grids=max(6, round(FULL_GRIDS * scale)),
        persons=round(FULL_PERSONS * scale),
        enterprises=round(FULL_ENTERPRISES * scale),
        components=round(FULL_COMPONENTS * scale),
        years=years,
        incidents=round(FULL_INCIDENTS * scale) * years,
    )
