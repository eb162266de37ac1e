"""Readers of outside data into the registers."""

from grids.importing.osm import ImportReport, import_osm

__all__ = ["ImportReport", "import_osm"]
