"""The sites (站点) of the organisations that govern the city's grids, as a tree."""

from grids.sites.hours import BadHours, Opening, is_open, parse
from grids.sites.models import Site
from grids.sites.tree import LEVEL_KINDS, KindCount, Node, counts, under

__all__ = [
    "LEVEL_KINDS",
    "BadHours",
    "KindCount",
    "Node",
    "Opening",
    "Site",
    "counts",
    "is_open",
    "parse",
    "under",
]
