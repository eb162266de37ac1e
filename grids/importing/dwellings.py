"""How many homes a building is likely to have, where the map does not say."""

from __future__ import annotations

from grids.importing.osm_tags import NO_HOMES, ONE_HOME

#: Floor area per home with its share of stairs and walls; walls take a fifth of the footprint.
HOME_M2 = 110.0
USED_SHARE = 0.8
#: Smaller than this is a shed or a garage.
SMALLEST_HOME_M2 = 30.0
#: Large buildings that nobody described are homes for a part only.
PLAIN_LARGE_M2, PLAIN_LARGE_SHARE = 400.0, 0.5
MOST_HOMES = 2_000


def estimate(kind: str, area_m2: float, levels: int | None, flats: int | None) -> int:
    """Estimate the homes of a building from its word, footprint and storeys.

    What the map counts (`building:flats`) is taken as it is.
    """
    if flats is not None:
        return min(max(flats, 0), MOST_HOMES)
    if kind in NO_HOMES or area_m2 < SMALLEST_HOME_M2:
        return 0
    if kind in ONE_HOME:
        return 1
    floors = levels or _usual_levels(kind, area_m2)
    homes = area_m2 * USED_SHARE * floors / HOME_M2
    if kind == "semidetached_house":
        return 2 if area_m2 > 130 else 1
    if kind == "building" and area_m2 > PLAIN_LARGE_M2:
        homes *= PLAIN_LARGE_SHARE
    return min(max(1, round(homes)), MOST_HOMES)


def _usual_levels(kind: str, area_m2: float) -> int:
    if kind in ("apartments", "dormitory", "residential"):
        return 4 if area_m2 > 200 else 2
    return 1 if area_m2 < 110 else 2
