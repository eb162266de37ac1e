"""How layers are written for pages: title, legend and style in the language of the request."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _

from app.i18n import translated
from grids.layers import Facts, Layer, Swatch, level_at


def layer_json(layer: Layer, facts: Facts) -> dict[str, Any]:
    """Write one entry of the layer list."""
    return {
        "id": layer.id,
        "title": _(f"layer.{layer.id}"),
        "group": _(f"layer_group.{layer.group}"),
        "geometry": layer.shape,
        "min_zoom": layer.aggregate.from_zoom if layer.aggregate else layer.min_zoom,
        "max_zoom": layer.max_zoom,
        "detail_zoom": layer.min_zoom,
        "source": "tiles",
        "tiles": tiles_url(layer, facts.version),
        "legend": legend_json(layer),
        "style": style_json(layer, facts),
        "count": facts.rows,
        "default_on": layer.is_default_on,
        "exportable": layer.is_exportable,
        "as_of": facts.as_of.isoformat(),
    }


def tiles_url(layer: Layer, version: str) -> str:
    """Write the address of a layer's tiles; the version lets public ones be kept for good."""
    return f"/tiles/{layer.id}/{{z}}/{{x}}/{{y}}.mvt?v={version}"


def legend_json(layer: Layer) -> list[dict[str, str]]:
    """Write the classes of a layer with their colours and names."""
    return [
        {**_colours(swatch), "value": swatch.value, "label": class_name(layer, swatch.value)}
        for swatch in layer.style.swatches
    ]


def class_name(layer: Layer, value: str) -> str:
    """Name a class of a layer."""
    return translated(f"legend.{layer.id}.{value}", value)


def style_json(layer: Layer, facts: Facts) -> dict[str, Any]:
    """Write how a browser draws a layer, in plain data."""
    style = layer.style
    first = _colours(style.swatches[0]) if style.swatches else {}
    return {
        **first,
        "draw": style.draw,
        "radius": style.radius_px,
        "width": style.width_px,
        "opacity": style.opacity,
        "by": style.by,
        "values": {swatch.value: _colours(swatch) for swatch in style.swatches},
        "label": style.label,
        "label_zoom": style.label_zoom,
        "counts": counts_json(layer, facts) if layer.aggregate else None,
    }


#: A step between the zoom that shows single things and the one that shows the whole city.
MIDDLE_LEVEL = 3


def counts_json(layer: Layer, facts: Facts) -> dict[str, Any]:
    """Write how counts are drawn below the layer's smallest zoom; classes are quantiles."""
    middle = level_at(layer.min_zoom) + MIDDLE_LEVEL
    return {
        "below": layer.min_zoom,
        "property": "count",
        "breaks": facts.breaks.get(str(middle), []),
        "levels": facts.breaks,
    }


def _colours(swatch: Swatch) -> dict[str, str]:
    return {"colour": swatch.light, "colour_dark": swatch.dark}
