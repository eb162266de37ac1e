"""The encoding of a text that somebody sends: its mark, else what it can be without a fault."""

from __future__ import annotations

import codecs
from typing import Final

#: What may be chosen by hand.
ENCODINGS: Final = ("utf-8", "gb18030", "big5", "utf-16", "utf-32")
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Of double bytes, those that the common characters of GB 2312 use; Big5 hits them half the time.
_COMMON: Final = 0.8
_SAMPLE: Final = 200_000


def guess_encoding(data: bytes) -> tuple[str, bool]:
    """Guess the encoding of a text; return it and whether all bytes fit.

    UTF-8 and GB18030 rarely fit what is in another encoding. Where nothing fits wholly, the
    one with the fewest faults is taken, and the rows with faults are told later.

    Examples
    --------
    >>> guess_encoding("名称".encode("gb18030")), guess_encoding("名称".encode())
    (('gb18030', True), ('utf-8', True))
    >>> guess_encoding(b"\\xef\\xbb\\xbfname")
    ('utf-8-sig', True)
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name, fits(data, name)
    if (wide := _without_mark(data)) is not None:
        return wide, fits(data, wide)
    if fits(data, "utf-8"):
        return "utf-8", True
    if fits(data, "gb18030"):
        is_big5 = _share_of_common(data) < _COMMON and fits(data, "big5")
        return ("big5" if is_big5 else "gb18030"), True
    if fits(data, "big5"):
        return "big5", True
    return min(("utf-8", "gb18030"), key=lambda name: faults(data, name)), False


def fits(data: bytes, name: str) -> bool:
    """Say whether all bytes are text in an encoding."""
    try:
        data.decode(name)
    except (UnicodeDecodeError, UnicodeError):
        return False
    return True


def faults(data: bytes, name: str) -> int:
    """Count the characters that an encoding cannot read."""
    return data[: 4 * _SAMPLE].decode(name, errors="replace").count("\ufffd")


def is_binary(data: bytes) -> bool:
    """Say whether the bytes are no text at all."""
    if data.startswith(tuple(mark for mark, _ in _MARKS)):
        return False
    return b"\0" in data and _without_mark(data) is None


def _without_mark(data: bytes) -> str | None:
    """Recognise UTF-16 without its mark by zeros in every other byte of the first line."""
    head = data[:400]
    if b"\0" not in head or len(head) < 4:
        return None
    for name, start in (("utf-16-le", 1), ("utf-16-be", 0)):
        high = head[start::2]
        if high.count(0) * 10 > len(high) * 3 and 0 not in head[1 - start :: 2]:
            return name
    return None


def _share_of_common(data: bytes) -> float:
    common = pairs = 0
    sample = data[:_SAMPLE]
    at = 0
    while at < len(sample) - 1:
        if sample[at] < 0x80:
            at += 1
            continue
        pairs += 1
        common += 0xB0 <= sample[at] <= 0xF7 and sample[at + 1] >= 0xA1
        at += 2
    return common / pairs if pairs else 1.0
