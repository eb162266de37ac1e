"""Parse JSON texts that strangers send: size and depth are measured before anything is built."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final, NoReturn

import numpy as np

from gis.errors import NotFinite, NotJson, TooDeep, TooLarge

#: A feature collection of collections needs 12; properties may bring some of their own.
MAX_DEPTH: Final = 32
MAX_JSON_BYTES: Final = 64 << 20

# Possessive, so that a text of quotes and backslashes cannot make the search go back.
_STRINGS: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_HUGE_NUMBERS: Final = re.compile(rb"[0-9.][eE]\+?0*[0-9]{3}|[0-9]{309}")
_OPENS: Final = np.zeros(256, dtype=np.int8)
_OPENS[list(b"[{")] = 1
_OPENS[list(b"]}")] = -1


def load_json(
    body: bytes | str, *, max_bytes: int = MAX_JSON_BYTES, max_depth: int = MAX_DEPTH
) -> Any:
    """Parse a JSON text that a stranger sent.

    Size and depth are measured first, without parsing. NaN, Infinity and numbers that
    overflow are refused: they are no JSON, yet Python's parser takes them.

    Raises
    ------
    TooLarge, TooDeep, NotJson, NotFinite

    Examples
    --------
    >>> load_json('{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    >>> load_json("[" * 30_000)
    Traceback (most recent call last):
    gis.errors.TooDeep: the document is nested 30000 deep, allowed are 32
    >>> load_json("")
    Traceback (most recent call last):
    gis.errors.NotJson: not a JSON document: Expecting value at character 0
    """
    data = body.encode() if isinstance(body, str) else body
    if len(data) > max_bytes:
        raise TooLarge(
            f"the document has {len(data)} bytes, allowed are {max_bytes}",
            size=len(data),
            limit=max_bytes,
        )
    # Fewer brackets than levels need no closer look, and most bodies are such.
    depth = _depth(data) if data.count(b"[") + data.count(b"{") > max_depth else 0
    if depth > max_depth:
        raise TooDeep(
            f"the document is nested {depth} deep, allowed are {max_depth}",
            depth=depth,
            limit=max_depth,
        )
    has_huge = _HUGE_NUMBERS.search(data) is not None
    try:
        return json.loads(
            data.removeprefix(b"\xef\xbb\xbf"),
            parse_constant=_refuse_number,
            parse_float=_finite if has_huge else None,
            parse_int=_whole if has_huge else None,
        )
    except json.JSONDecodeError as problem:
        raise NotJson(
            f"not a JSON document: {problem.msg} at character {problem.pos}", position=problem.pos
        ) from problem
    except UnicodeDecodeError as problem:
        raise NotJson("not a JSON document: not in UTF-8", position=problem.start) from problem


def _depth(data: bytes) -> int:
    bare = _STRINGS.sub(b"", data)
    if not bare:
        return 0
    steps = _OPENS[np.frombuffer(bare, dtype=np.uint8)]
    return int(np.cumsum(steps, dtype=np.int64).max())


def _refuse_number(text: str) -> NoReturn:
    raise NotFinite(f"{text[:20]} is not a number of JSON", value=text[:20])


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse_number(text)


def _whole(text: str) -> int:
    return int(text) if len(text) <= 300 else _refuse_number(text)
