"""Bring the letters of an address to one form, remembering where each stood.

Full and half width, traditional letters, the many dashes and brackets, blanks inside of words,
and numerals (二十三号, 一〇八弄, 廿三号) become one writing. Rules that change the number of letters
keep the place of each letter in the original, so that a page can show what was understood.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

from opencc import OpenCC

LONGEST = 300  #: nobody writes a longer address; the rest of such a text is not read

_DASHES = "-‐‑‒–—―−﹣－~～〜∼至"
_OPEN, _CLOSE = "([{【〔〖「『《<", ")]}】〕〗」』》>"
_MARKS = ",，、;；。:：|\\\"'“”‘’!！?？*·•_=^`"
_SHAPES = {
    **dict.fromkeys(_DASHES, "-"), **dict.fromkeys(_OPEN, "("), **dict.fromkeys(_CLOSE, ")"),
    **dict.fromkeys(_MARKS, "|"), "＃": "#", "№": "#", "╱": "/",
}  # fmt: skip

DIGITS = {sign: k for k, sign in enumerate("零一二三四五六七八九")} | {
    "〇": 0, "○": 0, "两": 2, "壹": 1, "贰": 2, "叁": 3, "肆": 4, "伍": 5, "陆": 6, "柒": 7, "捌": 8,
    "玖": 9, "幺": 1,
}  # fmt: skip
TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
PAIRS = {"廿": 20, "卅": 30}
_NUMERAL = "".join((*DIGITS, *TENS, *PAIRS))
#: A numeral counts as a number where a word of counting follows or 附, 之, 第 goes before.
_COUNTED = re.compile(
    rf"[{_NUMERAL}]+(?=号|弄|支弄|幢|栋|座|单元|层|楼|室|房|户|组|期|区|-|#)"
    rf"|(?<=[附之第])[{_NUMERAL}]+"
    rf"|(?<=[-])[{_NUMERAL}]+"
)
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Normal:
    """A text in one form; letter k stood at `begins[k]:ends[k]` of the original."""

    text: str
    begins: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a stretch stood in the original."""
        return self.begins[start], self.ends[end - 1]


@lru_cache(maxsize=100_000)
def normal_text(text: str) -> str:
    """Return the normal form alone."""
    return normalise(text).text


def normalise(text: str) -> Normal:
    """Bring a text to one form; `|` stands where it was divided by a mark or a blank."""
    signs: list[tuple[str, int, int]] = []
    for k, sign in enumerate(text[:LONGEST]):
        signs += [(plain, k, k + 1) for plain in _plain(sign)]
    signs = _simplified(signs)
    signs = _numbers(signs)
    signs = _joined(signs)
    return Normal(
        "".join(sign for sign, _, _ in signs),
        tuple(start for _, start, _ in signs), tuple(end for _, _, end in signs),
    )  # fmt: skip


@cache
def _plain(sign: str) -> str:
    """Return what one letter stands for: nothing, itself, or several."""
    if sign in _SHAPES:
        return _SHAPES[sign]
    if sign in "０〇○":
        return "0" if sign == "０" else "〇"
    wide = unicodedata.normalize("NFKC", sign)
    out = ""
    for one in wide:
        kind = unicodedata.category(one)
        if one in _SHAPES:
            out += _SHAPES[one]
        elif kind[0] == "Z" or one in "\t\n\r\x0b\x0c":
            out += " "
        elif kind[0] != "C":
            out += one.upper() if len(one.upper()) == 1 else one
    return out


def _simplified(signs: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Write traditional letters simply, where there are any."""
    text = "".join(sign for sign, _, _ in signs)
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        simple = _converter().convert(text)
        if len(simple) == len(signs):
            return [(new, start, end) for new, (_, start, end) in zip(simple, signs, strict=True)]
    return signs


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")


def _numbers(signs: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    text = "".join(sign for sign, _, _ in signs)
    for found in reversed(list(_COUNTED.finditer(text))):
        value = numeral(found.group())
        if value is not None:
            first, last = signs[found.start()], signs[found.end() - 1]
            signs[found.start() : found.end()] = [(digit, first[1], last[2]) for digit in value]
    return signs


def numeral(words: str) -> str | None:
    """Read a Chinese numeral: by places (一百零八), by digits (一〇八), 廿三; None where it is none.

    >>> numeral("一百零八"), numeral("二十三"), numeral("一〇二"), numeral("廿三"), numeral("十")
    ('108', '23', '102', '23', '10')
    """
    if all(sign in DIGITS for sign in words):
        return "".join(str(DIGITS[sign]) for sign in words)
    total, digit, last = 0, 0, 10_000
    for sign in words:
        if sign in DIGITS:
            digit = DIGITS[sign]
        elif sign in PAIRS:
            if total % 100 or digit:
                return None
            total += PAIRS[sign]
            last = 10
        else:
            unit = TENS[sign]
            if unit >= last:
                return None
            total += (digit or 1) * unit
            digit, last = 0, unit
    return str(total + digit)


def _joined(signs: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Drop blanks inside of Chinese words and around their figures; the others divide."""
    out: list[tuple[str, int, int]] = []
    for k, (sign, start, end) in enumerate(signs):
        if sign == " ":
            before = next((s for s, _, _ in reversed(signs[:k]) if s != " "), "")
            after = next((s for s, _, _ in signs[k + 1 :] if s != " "), "")
            is_inside = _HAN.match(before) or _HAN.match(after) or not before or not after
            if is_inside or (out and out[-1][0] in " |") or after == "|":
                continue
        elif sign == "|" and (not out or out[-1][0] == "|"):
            continue
        out.append((sign, start, end))
    while out and out[-1][0] in "| ":
        out.pop()
    return out
