"""Base numbers (底数) of an area: counts, completeness, last check, change since last month, signed."""

from grids.base_numbers.models import BaseNumber, BaseSignature

__all__ = ["BaseNumber", "BaseSignature"]
