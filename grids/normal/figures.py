"""Numbers with the signs that people set around them: 1,200、3.5万、120㎡、15人."""

from __future__ import annotations

import math
import re
from typing import Final

from grids.normal.texts import Unfit

_FIGURE: Final = re.compile(
    r"(?:约|共|￥|¥)?\s*([-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?|[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)\s*(万|亿|千|百)?\s*"
    r"(㎡|m2|m²|平方米|平米|平方|米|m|人|名|个|层|户|间|元|年|%)?"
)
_TIMES: Final = {"百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_HECTARE: Final = {"亩": 666.6667, "公顷": 10_000.0}


def figure(text: str, *, least: float = -1e12, most: float = 1e12) -> float:
    """Read a number. Raises `Unfit`.

    >>> figure("1,200.5"), figure("3.5万"), figure("120㎡"), figure("2公顷")
    (1200.5, 35000.0, 120.0, 20000.0)
    """
    for unit, times in _HECTARE.items():
        if text.endswith(unit):
            return _within(_plain(text[: -len(unit)]) * times, least, most)
    return _within(_plain(text), least, most)


def whole(text: str, *, least: int = 0, most: int = 2_000_000_000) -> int:
    """Read a whole number. Raises `Unfit`.

    >>> whole("15人"), whole("3.0")
    (15, 3)
    """
    number = figure(text, least=least, most=most)
    if not number.is_integer():
        raise Unfit("not_whole")
    return int(number)


def _plain(text: str) -> float:
    found = _FIGURE.fullmatch(text.strip())
    if found is None:
        raise Unfit("not_a_number")
    number = float(found[1].replace(",", "")) * _TIMES.get(found[2] or "", 1)
    if not math.isfinite(number):
        raise Unfit("not_a_number")
    return number


def _within(number: float, least: float, most: float) -> float:
    if not least <= number <= most:
        raise Unfit("out_of_bounds", least=f"{least:g}", most=f"{most:g}")
    return number
