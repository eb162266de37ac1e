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
_FEWEST_ZEROS: Final = 5


def guess_encoding(data: bytes) -> tuple[str, bool]:
    """Guess the encoding of a text; return it and whether all bytes fit.

    UTF-8 and GB18030 rarely fit what is in another encoding. Where nothing fits wholly, the
    one that fits most lines is taken, and the rows with faults are told later.

    Examples
    --------
    >>> guess_encoding("名称".encode("gb18030")), guess_encoding("名称".encode())
    (('gb18030', True), ('utf-8', True))
    >>> guess_encoding("学校".encode("gb18030")), guess_encoding("Müller".encode())
    (('gb18030', True), ('utf-8', True))
    >>> guess_encoding(b"\\xef\\xbb\\xbfname")
    ('utf-8-sig', True)
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name, fits(data, name)
    if (wide := _without_mark(data)) is not None:
        return wide, fits(data, wide)
    if fits(data, "utf-8") and not _is_short_gb(data):
        return "utf-8", True
    if fits(data, "gb18030"):
        is_big5 = _share_of_common(data) < _COMMON and fits(data, "big5")
        return ("big5" if is_big5 else "gb18030"), True
    if fits(data, "big5"):
        return "big5", True
    # GB 18030 makes letters of nearly anything; what is UTF-8 line by line is no accident.
    return ("utf-8" if _has_lines_of(data, "utf-8") else "gb18030"), False


def _is_short_gb(data: bytes) -> bool:
    """Say whether a few Chinese letters happen to be UTF-8 too, as letters of Cyrillic or Arabic.

    The one word 学校 in GB 18030 is ѧУ in UTF-8. Letters with accents are left to UTF-8.
    """
    beyond = {sign for sign in data.decode("utf-8") if sign > "\x7f"}
    if not beyond or not all("\u0250" <= sign <= "\u07ff" for sign in beyond):
        return False
    return fits(data, "gb18030") and _share_of_common(data) >= _COMMON


def fits(data: bytes, name: str) -> bool:
    """Say whether all bytes are text in an encoding."""
    try:
        data.decode(name)
    except (UnicodeDecodeError, UnicodeError):
        return False
    return True


def _has_lines_of(data: bytes, name: str) -> bool:
    """Say whether most lines with letters beyond ASCII are whole in an encoding."""
    lines = [line for line in data[: 4 * _SAMPLE].splitlines() if not line.isascii()]
    return 2 * sum(fits(line, name) for line in lines) >= len(lines)


def is_binary(data: bytes) -> bool:
    """Say whether the bytes are no text at all."""
    if data.startswith(tuple(mark for mark, _ in _MARKS)):
        return False
    return b"\0" in data and _without_mark(data) is None


def _without_mark(data: bytes) -> str | None:
    """Recognise UTF-16 without its mark: the zeros of its figures stand in every other byte."""
    head = data[:4000]
    for name, start in (("utf-16-le", 1), ("utf-16-be", 0)):
        high, low = head[start::2].count(0), head[1 - start :: 2].count(0)
        if high >= _FEWEST_ZEROS and high >= 4 * low:
            return name if fits(data, name) else None
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
