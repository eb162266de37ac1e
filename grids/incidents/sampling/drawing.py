"""How a sample is drawn: pure, so that anybody gets the same from a head and a list of numbers."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from typing import Final

#: How much of a day is checked (domain 7.4); of a day with any case, at least one.
SHARE: Final = 0.05


def seed_of(head: str) -> str:
    """Return the seed of a day: the SHA-256 of the text of its head, without the signature.

    The head is made after the day is over and holds the ends of both chains, so that who
    closed a case could not know it.

    >>> seed_of("wangge audit head\\nkind: day\\n")[:16]
    '8207d580f548e0ae'
    """
    return hashlib.sha256(head.encode()).hexdigest()


def rank(seed: str, number: str) -> str:
    """Return the place of a case in the draw: `printf '%s %s' SEED NUMBER | sha256sum`."""
    return hashlib.sha256(f"{seed} {number}".encode()).hexdigest()


def size_of(population: int) -> int:
    """Return how many cases are drawn of so many.

    >>> [size_of(n) for n in (0, 1, 20, 21, 400)]
    [0, 1, 1, 2, 20]
    """
    return math.ceil(population * SHARE - 1e-9)


def drawn(seed: str, numbers: Iterable[str]) -> tuple[str, ...]:
    """Return the numbers that are drawn, the lowest ranks first; their order says nothing."""
    ordered = sorted(set(numbers), key=lambda number: rank(seed, number))
    return tuple(ordered[: size_of(len(ordered))])
