"""The one map: every layer that the platform can show, said once.

`registry` is the list. Tiles, lists, exports, legends, permissions and their tests read it;
nobody writes a second query for the same layer.
"""

from grids.layers.access import condition, layers_for, may_see, scope_key, seen_layer
from grids.layers.model import Aggregate, Column, Layer, Part, Style, Swatch, level_at
from grids.layers.registry import LAYERS, NoLayer, layer_of
from grids.layers.tiles import tile_of
from grids.layers.versions import tile_tag, version_of

__all__ = [
    "LAYERS",
    "Aggregate",
    "Column",
    "Layer",
    "NoLayer",
    "Part",
    "Style",
    "Swatch",
    "condition",
    "layer_of",
    "layers_for",
    "level_at",
    "may_see",
    "scope_key",
    "seen_layer",
    "tile_of",
    "tile_tag",
    "version_of",
]
