"""Turn one OpenStreetMap element into the rows that it stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from grids.importing import osm_tags as words
from grids.importing.osm_tags import Tags

Row = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Element:
    """A node, way or assembled relation with its geometry as WKB."""

    kind: str  #: node, way, relation
    osm_id: int
    tags: Tags
    wkb: bytes  #: point, line or multipolygon, as drawn
    outline: bytes | None  #: the polygon of a closed way or a relation

    @property
    def source_id(self) -> int:
        """The element's number; relations count below zero, so that ways keep theirs."""
        return -self.osm_id if self.kind == "relation" else self.osm_id

    @property
    def shape(self) -> bytes:
        """The outline where there is one, else the point or line."""
        return self.outline or self.wkb


def rows_of(element: Element) -> Iterator[Row]:
    """List the rows of an element: table and values, `geom` as WKB."""
    tags = element.tags
    if element.kind == "way":
        yield from _road(element)
    if tags.get("building", "no") not in words.DENIED:
        yield "building", _building(element)
    yield from _water(element)
    yield from _landuse(element)
    if tags.get("place") and (tags.get("name") or tags.get("name:zh")):
        yield "place", _place(element)
    if tags.get("addr:housenumber") and "addr:interpolation" not in tags:
        yield "address", _address(element)
    code = component_code(tags)
    if code:
        yield "component", _component(element, code)
    facility = _looked_up(tags, words.FACILITIES)
    if facility:
        yield "facility", {**_named(element), "kind": facility}
    premises = premises_kind(tags)
    if premises:
        yield "premises", {**_named(element), "kind": premises}


def _road(element: Element) -> Iterator[Row]:
    tags = element.tags
    kind = tags.get("highway") or tags.get("railway")
    if not kind or kind in words.DENIED:
        return
    yield (
        "road",
        {
            "source_id": element.source_id,
            "kind": kind,
            "rank": words.ROAD_RANKS.get(kind, words.LAST_RANK),
            "name": local_name(tags) or tags.get("ref"),
            "is_oneway": tags.get("oneway") in ("yes", "1", "true", "-1"),
            "is_bridge": tags.get("bridge", "no") not in words.DENIED,
            "is_tunnel": tags.get("tunnel", "no") not in words.DENIED,
            "speed_kmh": _speed(tags.get("maxspeed")),
            "geom": element.wkb,
        },
    )


def _building(element: Element) -> dict[str, Any]:
    tags = element.tags
    return {
        **_named(element),
        "kind": _building_kind(tags),
        "levels": _within(_number(tags.get("building:levels")), 1, 200),
        "height_m": _metres(tags.get("height") or tags.get("building:height")),
        "built_year": _within(_number((tags.get("start_date") or "")[:4]), 1000, 2100),
        "flats": _within(_number(tags.get("building:flats")), 0, 9999),
        "geom": element.shape,
    }


def _building_kind(tags: Tags) -> str:
    kind = tags["building"]
    if kind not in ("yes", "true", "1"):
        return kind
    amenity = tags.get("amenity", "")
    if amenity in words.FACILITIES["amenity"]:
        return {"kindergarten": "kindergarten", "hospital": "hospital", "school": "school"}.get(
            amenity, "public"
        )
    for key, said in (("shop", "retail"), ("office", "office"), ("industrial", "industrial")):
        if tags.get(key, "no") not in words.DENIED:
            return said
    return "hotel" if tags.get("tourism") in ("hotel", "hostel", "motel") else "building"


def _water(element: Element) -> Iterator[Row]:
    tags = element.tags
    waterway = tags.get("waterway", "")
    kind: str | None = None
    shape = element.wkb
    if element.outline:
        found = next((item for item in tags.items() if item in words.WATER_AREAS), None)
        if found:
            kind = tags.get("water") or words.WATER_AREAS[found]
        elif waterway in words.WATERWAY_AREAS:
            kind = "river" if waterway == "riverbank" else waterway
        shape = element.outline if kind else shape
    if kind is None and element.kind == "way":
        if waterway in words.WATERWAY_LINES:
            kind = waterway
        elif tags.get("natural") == "coastline":
            kind = "coastline"
    if kind:
        yield "water", {
            "source_id": element.source_id, "kind": kind, "name": local_name(tags), "geom": shape,
        }  # fmt: skip


def _landuse(element: Element) -> Iterator[Row]:
    tags = element.tags
    if not element.outline or any(item in words.WATER_AREAS for item in tags.items()):
        return
    for key in words.LANDUSE_KEYS:
        value = tags.get(key, "no")
        only = words.ONLY_LANDUSE.get(key)
        if value in words.DENIED or (key, value) in words.NOT_LANDUSE:
            continue
        if only is not None and (value not in only or "building" in tags):
            continue
        yield (
            "landuse",
            {
                "source_id": element.source_id,
                "kind": value,
                "name": local_name(tags),
                "geom": element.outline,
            },
        )
        return


def _place(element: Element) -> dict[str, Any]:
    tags = element.tags
    return {
        "source_id": element.source_id,
        "kind": tags["place"],
        "name": local_name(tags),
        "name_en": tags.get("name:en") or tags.get("int_name"),
        "rank": words.PLACE_RANKS.get(tags["place"], words.LAST_RANK),
        "population": _within(_number(tags.get("population")), 0, 10**9),
        "geom": element.shape,
    }


def _address(element: Element) -> dict[str, Any]:
    tags = element.tags
    street = tags.get("addr:street") or tags.get("addr:place") or tags.get("addr:suburb")
    number = tags["addr:housenumber"]
    joint = "" if street and _ends_chinese(street) else " "
    return {
        "source_id": element.source_id,
        "source": f"osm:{element.kind}",
        "text": f"{street}{joint}{number}" if street else number,
        "street": street,
        "number": number,
        "estate": tags.get("addr:neighbourhood") or tags.get("addr:estate"),
        "building": tags.get("addr:housename") or tags.get("addr:unit"),
        "geom": element.shape,
    }


def _component(element: Element, code: str) -> dict[str, Any]:
    return {**_named(element), "code": code}


def _named(element: Element) -> dict[str, Any]:
    return {
        "source_id": element.source_id,
        "source": f"osm:{element.kind}",
        "name": local_name(element.tags),
        "geom": element.shape,
    }


def component_code(tags: Tags) -> str | None:
    """Give the code of the national component class that fits, None where none does."""
    if tags.get("manhole", "no") not in words.DENIED and "man_made" not in tags:
        tags = {**tags, "man_made": "manhole"}
    code = _looked_up(tags, words.COMPONENTS)
    if code in words.REFINED:
        key, codes = words.REFINED[code]
        return codes.get(tags.get(key, ""), code)
    return code


def premises_kind(tags: Tags) -> str | None:
    """Give the kind of premises that a tag tells of, None where there is no business."""
    for key, kinds in words.PREMISES.items():
        value = tags.get(key, "no")
        if value in words.DENIED or value == "vacant":
            continue
        kind = kinds.get(value, kinds.get(None, ""))
        if kind:
            return kind
    return None


def _looked_up(tags: Tags, table: dict[str, dict[str, str]]) -> str | None:
    for key, values in table.items():
        value = tags.get(key)
        if value is not None and value in values:
            return values[value]
    return None


def local_name(tags: Tags) -> str | None:
    """Give the name people on the spot use; labels of one map must not mix languages."""
    return tags.get("name") or tags.get("name:zh") or tags.get("name:en")


def english_name(tags: Tags) -> str | None:
    """Give the name for English readers, else the local one."""
    return tags.get("name:en") or tags.get("int_name") or tags.get("name")


def _number(text: str | None) -> int | None:
    found = re.match(r"\s*(-?\d{1,12})(?:[.,]\d+)?", text or "")
    return int(found[1]) if found else None


def _within(value: int | None, least: int, most: int) -> int | None:
    return value if value is not None and least <= value <= most else None


def _metres(text: str | None) -> float | None:
    found = re.match(r"\s*(\d{1,4}(?:[.,]\d+)?)\s*(m|')?\s*$", text or "")
    if not found:
        return None
    value = float(found[1].replace(",", "."))
    return round(value * 0.3048, 2) if found[2] == "'" else value


def _speed(text: str | None) -> int | None:
    value = _within(_number(text), 1, 400)
    if value is None or text is None:
        return None
    return round(value * 1.609344) if "mph" in text else value


def _ends_chinese(text: str) -> bool:
    return "\u4e00" <= text[-1] <= "\u9fff"
