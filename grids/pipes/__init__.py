"""Pipes and cables under the streets (地下管线): a restricted register."""

from grids.pipes.models import KINDS, RANKS, Pipe

__all__ = ["KINDS", "RANKS", "Pipe"]
