"""Told cases of a simulated city: every branch of the tables, taken through the real services.

The year of `grids.synth` is quantity; this is what a visitor opens: each state, flag and step
of cases, disputes and hazards at least once, with photos, arbitration, precedents, moratoria
and versions of the matrix, dated over the last weeks.
"""

from grids.synth.story.telling import Told, enliven, is_told, tell

__all__ = ["Told", "enliven", "is_told", "tell"]
