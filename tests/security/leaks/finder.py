"""Finds known ID numbers, phones and names in bytes, in whatever form they were written."""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_plus

import mapbox_vector_tile

#: Pieces of an ID number that tell who it is without its first six digits.
CORE: Final = 12
DEEPEST: Final = 3
LARGEST: Final = 64 * 1024 * 1024
#: As many digits stand together in everything that is looked for; most runs hold none of theirs.
KEY: Final = 10
_SEPARATORS: Final = re.compile(r"(?<=[0-9])[ \t\u00a0\u3000\-._·:/()（）+*#|'\"]{1,3}(?=[0-9Xx])")
_RUN: Final = re.compile(r"[Xx]?[0-9]{10,}[Xx]?")
_ESCAPED: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{14,}={0,2}")
_LONG_HEX: Final = re.compile(r"[0-9a-fA-F]{32,}")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2}){9,}")


@dataclass(frozen=True)
class Window:
    """Digits that give somebody away, and where in them their key begins."""

    text: str
    at: int
    kind: str
    value: str
    form: str


@dataclass(frozen=True)
class Hit:
    """One secret found, in which form."""

    kind: str
    value: str
    form: str


class Finder:
    """Knows what was planted; finds it plain, grouped, reversed, encoded, packed or in a tile."""

    def __init__(self, ids: Iterable[str], phones: Iterable[str], names: Iterable[str]) -> None:
        self._windows: dict[str, list[Window]] = {}
        for value in ids:
            self._add(value, "id", value, "plain")
            self._add(value[::-1], "id", value, "reversed")
            self._add(value[-CORE:], "id", value, "its end")
        for value in phones:
            self._add(value, "phone", value, "plain")
            self._add(value[::-1], "phone", value, "reversed")
        self._names = re.compile("|".join(map(re.escape, names)) or r"(?!)")

    def find(self, data: bytes) -> list[Hit]:
        """Return what was found, each secret once for each form."""
        return list(dict.fromkeys(self._find(data[:LARGEST], "", 0)))

    def _add(self, window: str, kind: str, value: str, form: str) -> None:
        at = int(window[:1] in "Xx")  # the check digit of a number that is written from its end
        key = window[at : at + KEY]
        self._windows.setdefault(key, []).append(Window(window.upper(), at, kind, value, form))

    def _find(self, data: bytes, way: str, depth: int) -> Iterator[Hit]:
        text = data.decode("utf-8", "replace")
        for name, other in _texts(text):
            yield from self._in_text(other, f"{way}{name}")
        if depth >= DEEPEST:
            return
        for name, inner in _inner(data, text):
            yield from self._find(inner, f"{way}{name}>", depth + 1)

    def _in_text(self, text: str, way: str) -> Iterator[Hit]:
        for found in self._names.finditer(text):
            yield Hit("name", found[0], way)
        # Geometry in a dump is millions of digits by chance; what they stand for is read as hex.
        text = _LONG_HEX.sub(lambda found: found[0] if found[0].isdigit() else " ", text)
        joined = _SEPARATORS.sub("", text)
        for run in {*_RUN.findall(text), *_RUN.findall(joined)}:
            for start in range(len(run) - KEY + 1):
                for window in self._windows.get(run[start : start + KEY], ()):
                    first = start - window.at
                    if first >= 0 and run[first : first + len(window.text)].upper() == window.text:
                        yield Hit(window.kind, window.value, f"{way}{window.form}")


def _texts(text: str) -> Iterator[tuple[str, str]]:
    """Yield a text as it is and the lines that a reader of it would see otherwise."""
    yield "", text
    others = list(_others(text))
    lines = set(text.split("\n")) if others else set()
    for name, other in others:
        changed = [line for line in other.split("\n") if line not in lines]
        if changed:
            yield name, "\n".join(changed)


def _others(text: str) -> Iterator[tuple[str, str]]:
    if "%" in text:
        yield "url:", unquote_plus(text)
    if "&" in text:
        yield "html:", html.unescape(text)
    if "\\u" in text:
        yield "json:", _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    if not text.isascii():
        yield "wide:", unicodedata.normalize("NFKC", text)


def _inner(data: bytes, text: str) -> Iterator[tuple[str, bytes]]:
    """Yield what is packed or encoded in the bytes."""
    with suppress(zipfile.BadZipFile, ValueError, RuntimeError, NotImplementedError, zlib.error):
        if data.startswith(b"PK\x03\x04"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for name in archive.namelist():
                    yield "zip", archive.read(name)
    with suppress(OSError, EOFError, zlib.error):
        if data.startswith(b"\x1f\x8b"):
            yield "gzip", gzip.decompress(data)
    if data[:1] == b"\x1a" and b"\x0a" in data[:6]:
        # Numbers of a tile are not written in digits.
        with suppress(Exception):
            yield "tile", repr(mapbox_vector_tile.decode(data)).encode()
    for token in set(_HEX.findall(text)):
        yield "hex", bytes.fromhex(token)
    for token in set(_BASE64.findall(text)):
        plain = token.rstrip("=").replace("-", "+").replace("_", "/")
        with suppress(binascii.Error, ValueError):
            yield "base64", base64.b64decode(plain + "=" * (-len(plain) % 4))
