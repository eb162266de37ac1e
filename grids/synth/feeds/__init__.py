"""A day's dirty feeds of fifteen departments, drawn from a built city, with a manifest."""

from grids.synth.feeds.day import MANIFEST, Report, write_day
from grids.synth.feeds.departments import DEPARTMENTS, Department
from grids.synth.feeds.sources import introduce

__all__ = ["DEPARTMENTS", "MANIFEST", "Department", "Report", "introduce", "write_day"]
