"""A synthetic city of any size, from a seed: see docs/simulator.md."""

from grids.synth.build import CityExists, SynthReport, build, is_unfinished

__all__ = ["CityExists", "SynthReport", "build", "is_unfinished"]
