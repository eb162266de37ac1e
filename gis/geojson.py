"""GeoJSON as RFC 7946 has it: CRS84, right-hand rule, streamed; read only through the guard."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis.bbox import Bbox
from gis.errors import GisError, InvalidGeometry
from gis.guard import MAX_VERTICES, geometry, load_json

DIGITS: Final = 7
"""Decimals of a degree that are written: 1 cm (RFC 7946, 11.2)."""

MEDIA_TYPE: Final = "application/geo+json"
_CHUNK_BYTES: Final = 65_536


@dataclass
class Tally:
    """What a stream has written so far; read it when the stream has ended."""

    rows: int = 0
    size: int = 0


@dataclass(frozen=True)
class Feature:
    """A feature that came in and passed the guard."""

    index: int
    id: str | int | None
    geometry: BaseGeometry
    properties: dict[str, Any]


@dataclass(frozen=True)
class Refused:
    """A feature that did not pass: its place in the document, and why."""

    index: int
    id: str | int | None
    error: GisError


def to_geojson(shape: BaseGeometry | None, digits: int = DIGITS) -> str:
    """Write a geometry in longitude and latitude; exterior rings run counter-clockwise.

    >>> to_geojson(shapely.Polygon([(0, 0), (0, 1), (1, 1), (0, 0)]))
    '{"type":"Polygon","coordinates":[[[0.0,0.0],[1.0,1.0],[0.0,1.0],[0.0,0.0]]]}'
    >>> to_geojson(None)
    'null'
    """
    if shape is None or shape.is_empty:
        return "null"
    rounded = shapely.transform(shape, lambda xy: np.round(xy, digits) + 0.0)
    return str(shapely.to_geojson(shapely.orient_polygons(rounded)))


def geojson_stream(
    rows: Iterable[tuple[object, str, Mapping[str, object] | str]], tally: Tally | None = None
) -> Iterator[bytes]:
    """Write a feature collection from rows, piece by piece.

    Parameters
    ----------
    rows : iterable of (id, geometry, properties)
        `geometry` is GeoJSON text, `properties` a mapping or JSON text; None as id leaves
        the member out.
    tally : Tally or None
        Counts what is written, for the log.

    Yields
    ------
    bytes
        Pieces of about 64 KiB. The document ends with `numberReturned`, so that a reader
        sees whether it has everything.

    Examples
    --------
    >>> row = (1, '{"type":"Point","coordinates":[120.1,29.3]}', {"name": "井"})
    >>> b"".join(geojson_stream([row])).decode()[40:]
    '{"type":"Feature","id":1,"geometry":{"type":"Point","coordinates":[120.1,29.3]},\
"properties":{"name":"井"}}],"numberReturned":1}'
    >>> b"".join(geojson_stream([]))
    b'{"type":"FeatureCollection","features":[],"numberReturned":0}'
    """
    return feature_collection((_feature(*row) for row in rows), tally)


def feature_collection(
    features: Iterable[bytes],
    tally: Tally | None = None,
    *,
    members: Mapping[str, object] | None = None,
) -> Iterator[bytes]:
    """Write a feature collection from features that are GeoJSON text already.

    As `geojson_stream`; the partner of `gis.postgis.feature_texts`. `members` are foreign
    members of the collection (RFC 7946, 6.1), written before the features.
    """
    tally = tally if tally is not None else Tally()
    head = _json(members)[1:-1] + "," if members else ""
    piece = bytearray(f'{{"type":"FeatureCollection",{head}"features":['.encode())
    for feature in features:
        if tally.rows:
            piece += b","
        piece += feature
        tally.rows += 1
        if len(piece) >= _CHUNK_BYTES:
            tally.size += len(piece)
            yield bytes(piece)
            piece.clear()
    piece += b'],"numberReturned":%d}' % tally.rows
    tally.size += len(piece)
    yield bytes(piece)


def _feature(key: object, geometry_text: str, properties: Mapping[str, object] | str) -> bytes:
    if not isinstance(properties, str):
        properties = _json(properties)
    head = "" if key is None else f'"id":{_json(key)},'
    text = f'{{"type":"Feature",{head}"geometry":{geometry_text},"properties":{properties}}}'
    return text.encode()


def _json(value: object) -> str:
    # What JSON has no word for (dates, decimals, UUIDs) leaves as its text; NaN is refused.
    return json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), default=str, allow_nan=False
    )


def read_features(
    body: bytes | str,
    envelope: Bbox,
    *,
    kinds: Collection[str] = (),
    max_vertices: int = MAX_VERTICES,
    restore: Callable[[BaseGeometry], BaseGeometry] | None = None,
) -> Iterator[Feature | Refused]:
    """Read a GeoJSON text that a stranger sent, feature by feature.

    Parameters
    ----------
    body : bytes or str
        A FeatureCollection, a Feature or a bare geometry.
    envelope, kinds, max_vertices
        As `gis.guard.geometry`.
    restore : callable or None
        Applied to each geometry that passed, such as taking a shift off.

    Yields
    ------
    Feature or Refused
        One for each feature, in the order of the document; a bad one does not stop the rest.

    Raises
    ------
    GisError
        Where the document as a whole cannot be read.

    Examples
    --------
    >>> city = Bbox(119.8, 29.0, 120.4, 29.6)
    >>> text = '{"type":"Point","coordinates":[29.3,120.1]}'
    >>> [found.error.code for found in read_features(text, city)]
    ['gis.swapped']
    >>> list(read_features('{"type":"FeatureCollection","features":[]}', city))
    []
    """
    document = load_json(body)
    if not isinstance(document, dict):
        raise InvalidGeometry("the document is not a GeoJSON object", place="document")
    for index, feature in enumerate(_members(document)):
        key = feature.get("id") if isinstance(feature, dict) else None
        key = key if isinstance(key, str | int) and not isinstance(key, bool) else None
        place = f"features[{index}].geometry"
        try:
            shape = geometry(
                _geometry_of(feature, index),
                envelope,
                kinds=kinds,
                max_vertices=max_vertices,
                place=place,
            )
        except GisError as error:
            yield Refused(index, key, error)
            continue
        properties = feature.get("properties")
        shape = restore(shape) if restore else shape
        yield Feature(index, key, shape, properties if isinstance(properties, dict) else {})


def _members(document: dict[str, Any]) -> list[Any]:
    kind = document.get("type")
    if kind == "FeatureCollection":
        features = document.get("features")
        if not isinstance(features, list):
            raise InvalidGeometry("the collection has no list of features", place="features")
        return features
    if kind == "Feature":
        return [document]
    return [{"type": "Feature", "geometry": document, "properties": {}}]


def _geometry_of(feature: object, index: int) -> object:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise InvalidGeometry(f"features[{index}]: not a Feature", place=f"features[{index}]")
    return feature.get("geometry")
