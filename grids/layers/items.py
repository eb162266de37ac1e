"""Rows of a layer as GeoJSON, page by page."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import psycopg

from gis.bbox import parse_bbox
from gis.crs import CRS84, CRS84_SRID, parse_crs
from gis.postgis import Page, Within, items
from grids.accounts import Actor
from grids.errors import Invalid
from grids.layers.access import condition
from grids.layers.model import Layer

MOST_ITEMS: Final = 10_000
#: Digits of the largest bigint, and of any area code.
LONGEST_KEY: Final = 18
#: About five kilometres, in degrees.
CLOSE_DEG: Final = 0.06


class NoItems(Invalid):
    """The layer is a picture of several tables; it has no rows to list."""

    code = "layer.no_items"


class BadAfter(Invalid):
    """The place in the list does not come from an earlier page."""

    code = "layer.bad_after"


def page_of(
    conn: psycopg.Connection[Any],
    layer: Layer,
    actor: Actor | None,
    *,
    within: Within | None = None,
    area: str = "",
    classes: tuple[str, ...] = (),
    after: str | None = None,
    limit: int = 1000,
) -> Page:
    """Read a page of a layer in CRS84, in order of its key. Raises `NoItems` and `BadAfter`."""
    if layer.source is None:
        raise NoItems(f"layer {layer.id} has no rows to list", layer=layer.id)
    return items(
        conn,
        layer.rows,
        limit=min(limit, MOST_ITEMS),
        within=within,
        after=_checked_key(layer, after),
        where=condition(layer, actor, area=area, classes=classes, is_boxed=_is_close(within)),
        crs=CRS84,
    )


def _is_close(within: Within | None) -> bool:
    """Say whether a box is smaller than any town: then it picks the rows, not the code."""
    if within is None or within.srid != CRS84_SRID:
        return False
    box = within.bbox
    return 0 <= box.east - box.west < CLOSE_DEG and box.north - box.south < CLOSE_DEG


def _checked_key(layer: Layer, after: str | None) -> str | None:
    """Return the key of an earlier page. Raises `BadAfter` for what cannot be one."""
    if after is None:
        return None
    if layer.is_case:
        try:
            return str(UUID(after))
        except ValueError:
            raise BadAfter("`after` is no key of a case", field="after") from None
    if not (after.isascii() and after.isdecimal() and len(after) <= LONGEST_KEY):
        raise BadAfter("`after` is not from an earlier page", field="after")
    return after


def within_of(bbox: str, crs: str = "") -> Within | None:
    """Read a box and the name of its system; None where no box is given.

    Names in the OGC's long form (URI, URN) have the axes in the registry's order, so that
    EPSG:4490 is latitude first and EPSG:4549 northing first; the short form `EPSG:4549`
    and CRS84 are x, y, as map libraries write them.
    """
    if not bbox:
        return None
    system = parse_crs(crs) if crs else CRS84
    parts: list[str] = bbox.split(",")
    if system.registry_yx and crs.strip().lower().startswith(("http", "urn:")):
        half = len(parts) // 2
        # Swapped in each corner; a height, where there is one, stays behind.
        parts = [
            parts[corner + place]
            for corner in (0, half)
            for place in (1, 0, *range(2, half))
            if corner + place < len(parts)
        ]
    return Within(parse_bbox(parts, geographic=system.is_geographic), system.srid)
