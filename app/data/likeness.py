"""Words for what speaks for and against two entries being one."""

from __future__ import annotations

from collections.abc import Mapping

from app.i18n import translated
from grids.matching.linkage import AGREEMENT

_AGAINST = frozenset({"two", "other", "far", "unlike"})


def evidence(said: Mapping[str, str]) -> list[tuple[str, str]]:
    """Name how far two entries agree, with how that is meant; what is unknown is left out."""
    return [
        (translated(f"duplicate.evidence.{name}.{said[name]}", said[name]),
         "late" if said[name] in _AGAINST
         else "ok" if words.index(said[name]) >= len(words) - 2 else "soon")
        for name, words in AGREEMENT.items()
        if said.get(name) in words
    ]  # fmt: skip
