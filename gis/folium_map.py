"""Maps of a selection as one HTML file that loads nothing: for mail, archives and USB sticks.

folium's own output names ten outside addresses and puts popup texts into the page as HTML.
It also compiles what it has written as a template again, so that `{{ }}` in a feature's name
would run on the server. Here folium writes a frame with numbered slots only: our own copy
of Leaflet, the features and all texts are put in after it is done. A content security policy
in the file forbids the browser any request, and texts of features reach the page as text.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from gis.errors import InvalidGeometry

if TYPE_CHECKING:
    import folium
    from branca.element import Figure

_COLOUR: Final = re.compile(r"^#[0-9a-fA-F]{6}$")
_OUTSIDE: Final = re.compile(r"https?://(?!www\.w3\.org/)[^\s\"'<>`)]*")
_SOURCE_MAP: Final = re.compile(r"/[/*][#@]\s*sourceMappingURL=[^\n*]*(\*/)?")
_CSS_LOADS: Final = re.compile(
    r"url\(\s*(?!['\"]?data:)[^)]*\)|@import[^;]*;|behavior:[^;}]*", re.IGNORECASE
)
_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"
)
_STYLE: Final = """
body { font: 14px/1.5 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; }
.folium-map { background: #f4f5f7; }
.map-head { position: absolute; z-index: 1000; left: 56px; top: 12px; max-width: 60%;
  padding: 8px 14px; background: #fff; border-radius: 6px; box-shadow: 0 1px 4px #0003; }
.map-head h1 { margin: 0; font-size: 16px; } .map-head p { margin: 0; color: #596270; }
.leaflet-control-scale-line + .leaflet-control-scale-line { display: none; }
.leaflet-popup-content table { border-collapse: collapse; }
.leaflet-popup-content th { text-align: left; padding: 2px 12px 2px 0; color: #596270; }
.watermark { position: fixed; inset: -20%; z-index: 900; display: grid; pointer-events: none;
  grid-template-columns: repeat(4, 1fr); grid-auto-rows: 150px; align-items: center;
  justify-items: center; transform: rotate(-18deg); overflow: hidden; }
.watermark span { color: #1f293738; font-size: 13px; white-space: nowrap; }
"""
#: Texts are set as text, never as HTML, whatever they hold.
_BIND: Final = """function (feature, layer) {
  const rows = feature.properties.rows || [];
  if (!rows.length) return;
  layer.bindPopup(function () {
    const table = document.createElement('table');
    rows.forEach(function (row) {
      const line = table.insertRow();
      const head = line.appendChild(document.createElement('th'));
      head.textContent = row[0];
      line.insertCell().textContent = row[1];
    });
    return table;
  });
  layer.bindTooltip(function () {
    const text = document.createElement('span');
    text.textContent = rows[0][1];
    return text;
  });
}"""


#: Copies of a watermark: enough to cover a large screen.
_WATERMARKS: Final = 60


@dataclass(frozen=True)
class MapLayer:
    """One layer of a map file.

    Attributes
    ----------
    title : str
        As the layer list shows it.
    collection : mapping
        A GeoJSON FeatureCollection in CRS84.
    labels : mapping of str to str
        Properties that popups show, with their words; the first is the tooltip too.
    colour : str
        ``#rrggbb`` of lines and fills.
    weight : float
        Width of lines, pixels.
    radius : float
        Of points, pixels.
    """

    title: str
    collection: Mapping[str, Any]
    labels: Mapping[str, str] = field(default_factory=dict)
    colour: str = "#1f6feb"
    weight: float = 2.0
    radius: float = 6.0


@dataclass(frozen=True)
class Assets:
    """Leaflet's script and style sheet, as text."""

    leaflet_js: str
    leaflet_css: str


def map_html(
    layers: Sequence[MapLayer],
    assets: Assets,
    *,
    title: str,
    note: str = "",
    lang: str = "zh-CN",
    watermark: str = "",
) -> str:
    """Draw layers as one HTML document that opens from a disk without a network.

    Parameters
    ----------
    layers : sequence of MapLayer
        Drawn in this order, so base lines come first.
    title, note : str
        Stand over the map: what it shows, as of when, how many things of how many.
    watermark : str
        Drawn all over the map, on the screen and on paper.

    Raises
    ------
    InvalidGeometry
        Where a colour is none or a collection has no features member.
    """
    # Here, not above: folium brings pandas, 1.4 s that a web process need not wait for to start.
    import folium
    from branca.element import Element

    slots = _Slots()
    drawn = folium.Map(
        tiles=None, attribution_control=False, prefer_canvas=True, control_scale=True
    )
    # Set on the one map, so that folium's own lists stay as they are.
    drawn.default_js, drawn.default_css = [], []
    for layer in layers:
        _drawn_layer(layer, slots).add_to(drawn)
    folium.LayerControl(position="bottomright", collapsed=False).add_to(drawn)
    bounds = bounds_of(layers)
    if bounds is not None:
        west, south, east, north = bounds
        drawn.fit_bounds([[south, west], [north, east]], max_zoom=17)
    figure = cast("Figure", drawn.get_root())
    figure.title = slots.put(html.escape(title))
    figure.header.add_child(Element(slots.put(_head(assets))), index=0)
    figure.html.add_child(Element(slots.put(_heading(title, note) + _watermark(watermark))))
    page = figure.render().replace("<html>", f'<html lang="{html.escape(lang)}">', 1)
    return slots.fill(page)


class _Slots:
    """Texts that folium must not see, each behind a word that it passes on."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def put(self, text: str) -> str:
        """Keep a text, written for the place where its word will stand; return the word."""
        self._texts.append(text)
        return f"slot{len(self._texts) - 1}of{id(self)}"

    def fill(self, page: str) -> str:
        """Put every text in its place, in one pass: what a text holds is not looked at."""
        word = re.compile(rf'"?slot(\d+)of{id(self)}"?')
        return word.sub(lambda found: self._texts[int(found[1])], page)


def _drawn_layer(layer: MapLayer, slots: _Slots) -> folium.GeoJson:
    import folium
    from folium.utilities import JsCode

    if not _COLOUR.match(layer.colour):
        raise InvalidGeometry(f"{layer.colour[:20]!r} is not a colour like #1f6feb")
    return folium.GeoJson(
        {"type": "FeatureCollection", "features": slots.put(_script_json(list(_shown(layer))))},
        # Leaflet sets a layer's name as HTML.
        name=slots.put(_script_json(html.escape(layer.title))),
        marker=folium.CircleMarker(radius=layer.radius, fill=True),
        on_each_feature=JsCode(_BIND),
    )


def _script_json(value: object) -> str:
    """Write JSON that may stand in a script element: no tag can end it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", r"\u003c").replace("\u2028", r"\u2028").replace("\u2029", r"\u2029")


def _shown(layer: MapLayer) -> Iterator[dict[str, Any]]:
    """Keep of each feature what the map shows and nothing else."""
    style = {
        "color": layer.colour,
        "fillColor": layer.colour,
        "weight": layer.weight,
        "fillOpacity": 0.25,
    }
    features = layer.collection.get("features")
    if not isinstance(features, list):
        raise InvalidGeometry(f"layer {layer.title[:40]!r} is no feature collection")
    for feature in features:
        properties = feature.get("properties") or {}
        rows = [
            [label, str(properties[name])]
            for name, label in layer.labels.items()
            if properties.get(name) is not None
        ]
        if feature.get("geometry"):
            yield {
                "type": "Feature",
                "geometry": feature["geometry"],
                "properties": {"rows": rows, "style": style},
            }


def bounds_of(layers: Sequence[MapLayer]) -> tuple[float, float, float, float] | None:
    """Find west, south, east, north of all features; None where there is no place.

    >>> feature = {"geometry": {"type": "Point", "coordinates": [120.1, 29.3]}}
    >>> bounds_of([MapLayer("x", {"features": [feature]})])
    (120.1, 29.3, 120.1, 29.3)
    >>> bounds_of([]) is None
    True
    """
    places = [
        place
        for layer in layers
        for feature in layer.collection.get("features", [])
        for place in _positions(feature.get("geometry") or {})
    ]
    if not places:
        return None
    lons, lats = [place[0] for place in places], [place[1] for place in places]
    return min(lons), min(lats), max(lons), max(lats)


def _positions(shape: Mapping[str, Any]) -> Iterator[Sequence[float]]:
    waiting: list[Any] = [shape.get("coordinates", [])]
    waiting += [member.get("coordinates", []) for member in shape.get("geometries", [])]
    while waiting:
        value = waiting.pop()
        if value and isinstance(value[0], int | float):
            yield value
        else:
            waiting.extend(value)


def _head(assets: Assets) -> str:
    script = _OUTSIDE.sub("#", _SOURCE_MAP.sub("", assets.leaflet_js))
    # A closing tag inside a text would end the element that holds it.
    script = re.sub("</script", r"<\\/script", script, flags=re.IGNORECASE)
    style = _CSS_LOADS.sub("none", _SOURCE_MAP.sub("", assets.leaflet_css))
    style = _OUTSIDE.sub("#", style).replace("</", "<")
    return (
        f'<meta charset="utf-8" />'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}" />'
        f"<style>{style}\n{_STYLE}</style><script>{script}</script>"
    )


def _heading(title: str, note: str) -> str:
    below = f"<p>{html.escape(note)}</p>" if note else ""
    return f'<div class="map-head"><h1>{html.escape(title)}</h1>{below}</div>'


def _watermark(text: str) -> str:
    if not text:
        return ""
    line = f"<span>{html.escape(text)}</span>"
    return f'<div class="watermark" aria-hidden="true">{line * _WATERMARKS}</div>'
