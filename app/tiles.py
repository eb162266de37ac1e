"""Vector tiles of every layer: `/tiles/<layer>/<z>/<x>/<y>.mvt`."""

from __future__ import annotations

from collections import OrderedDict
from datetime import date
from threading import Lock
from typing import Any, cast

from flask import Blueprint, Flask, Response, g, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from app import reading
from app.auth import PUBLIC, SignInNeeded, requires
from app.errors import problem
from app.i18n import translated
from gis.errors import BadTile
from gis.tiling import Tile
from grids import layers
from grids.errors import Invalid, NotAllowed
from grids.layers.access import checked_area

bp = Blueprint("tiles", __name__)

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
HOUR_S = 3600
YEAR_S = 365 * 24 * HOUR_S


class KeptTiles:
    """Tiles of this process by their tag, the longest unused given up first.

    A tag names version, scope and everything asked, so what is kept can never be wrong.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._tiles: OrderedDict[str, bytes] = OrderedDict()
        self._lock = Lock()

    def get(self, tag: str) -> bytes | None:
        """Return a tile that is kept."""
        with self._lock:
            body = self._tiles.get(tag)
            if body is not None:
                self._tiles.move_to_end(tag)
            return body

    def put(self, tag: str, body: bytes) -> None:
        """Keep a tile; give up others where there is no room."""
        with self._lock:
            self._bytes += len(body) - len(self._tiles.pop(tag, b""))
            self._tiles[tag] = body
            while self._bytes > self._most_bytes:
                _tag, gone = self._tiles.popitem(last=False)
                self._bytes -= len(gone)


KEPT_BYTES = 32 * 1024 * 1024
_kept = KeptTiles(KEPT_BYTES)


@bp.record_once
def _init(state: BlueprintSetupState) -> None:
    reading.init_app(cast("Flask", state.app))


def layer_for_caller(layer_id: str) -> layers.Layer:
    """Return a layer that the caller may see; who is not signed in is asked to.

    From here on the caller acts by the grants that show this layer.
    """
    try:
        layer = layers.seen_layer(layer_id, g.actor)
    except NotAllowed:
        if g.actor is None:
            raise SignInNeeded("sign in first") from None
        raise
    if g.actor is not None and layer.permission is not None:
        g.actor = g.actor.acting(layer.permission)
    return layer


def as_asked(layer: layers.Layer) -> layers.Layer:
    """Return the layer as of the day in `asof`, where one is asked for."""
    written = request.args.get("asof", "")
    try:
        return layers.as_of(layer, date.fromisoformat(written)) if written else layer
    except ValueError:
        raise Invalid("asof is a day: 2026-05-01", field="asof") from None


def wanted_classes() -> tuple[str, ...]:
    """Read the classes that the legend has left on; empty for all."""
    names = request.args.get("class", "")[:200].split(",")
    return tuple(sorted({name for name in names if name}))


# The layer's own permission is checked inside: some layers are for everybody.
@bp.get("/tiles/<layer_id>/<int:z>/<int:x>/<int:y>.mvt")
@requires(PUBLIC)
def tile(layer_id: str, z: int, x: int, y: int) -> ResponseReturnValue:
    """Give one tile with a strong tag; an unchanged one costs no look at any geometry."""
    layer = as_asked(layer_for_caller(layer_id))
    try:
        address = Tile(z, x, y)
    except BadTile as error:
        detail = translated(f"error.{error.code}", str(error), **error.params)
        return problem(404, error.code, detail)
    classes = wanted_classes()
    area = checked_area(request.args.get("area", ""))
    with reading.reader() as conn:
        version, _changed_at = layers.version_of(conn, layer)
        tag = layers.tile_tag(layer, version, g.actor, address.path, area, ",".join(classes))
        if request.if_none_match.contains_weak(tag):
            return _dressed(Response(status=304), layer, tag, version)
        body = _kept.get(tag)
        if body is None:
            body = layers.tile_of(conn, layer, address, g.actor, area=area, classes=classes)
            _kept.put(tag, body)
    return _dressed(Response(body, mimetype=MEDIA_TYPE), layer, tag, version)


def _dressed(answer: Response, layer: layers.Layer, tag: str, version: str) -> Response:
    """Say who may keep the tile: everybody for public layers, else this browser, asking again."""
    answer.set_etag(tag)
    answer.vary.add("Cookie") if layer.permission else None
    answer.headers["Cache-Control"] = cache_rule(layer, version, request.args)
    return answer


def cache_rule(layer: layers.Layer, version: str, query: Any) -> str:
    """Write the Cache-Control of a tile. An address that names the version never changes."""
    if layer.permission is not None:
        # Revalidated each time: the next person at this screen may see less.
        return "private, no-cache"
    if query.get("v") == version:
        return f"public, max-age={YEAR_S}, immutable"
    return f"public, max-age={HOUR_S // 60}"
