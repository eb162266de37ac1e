"""The one map: every layer that the platform can show, said once.

`registry` is the list. Tiles, lists, exports, legends, permissions and their tests read it;
nobody writes a second query for the same layer.
"""

from grids.layers.access import condition, layers_for, may_see, scope_key, seen_layer
from grids.layers.days import as_of
from grids.layers.facts import Facts, facts_of, rows_of
from grids.layers.items import MOST_ITEMS, page_of, within_of
from grids.layers.model import Aggregate, Column, Layer, Part, Style, Swatch, level_at
from grids.layers.registry import LAYERS, NoLayer, layer_of
from grids.layers.tiles import tile_of
from grids.layers.versions import tile_tag, version_of

__all__ = [
    "LAYERS",
    "MOST_ITEMS",
    "Aggregate",
    "Column",
    "Facts",
    "Layer",
    "NoLayer",
    "Part",
    "Style",
    "Swatch",
    "as_of",
    "condition",
    "facts_of",
    "layer_of",
    "layers_for",
    "level_at",
    "may_see",
    "page_of",
    "rows_of",
    "scope_key",
    "seen_layer",
    "tile_of",
    "tile_tag",
    "version_of",
    "within_of",
]
