"""Codes with check digits, and phone numbers."""

from __future__ import annotations

import re
from typing import Final

from stdnum.cn import uscc

from grids.normal.texts import Unfit

_SCIENTIFIC: Final = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{2}")
_BETWEEN: Final = re.compile(r"[\s\-_.·'’`]")
#: Letters that look like a figure and are in no credit code (GB 32100 leaves out I O S V Z).
_LOOKS_LIKE: Final = str.maketrans({"O": "0", "I": "1"})
_MOBILE: Final = re.compile(r"(?:\+?86)?(1[3-9]\d{9})")
_SERVICE: Final = re.compile(r"(?:400|800)\d{7}|1\d{4}|9\d{4,5}")


def credit_code(text: str) -> str:
    """Read a unified social credit code (GB 32100) and check its digits. Raises `Unfit`.

    >>> credit_code("9111 0000 8000 0119 3y")
    Traceback (most recent call last):
    grids.normal.texts.Unfit: credit_check
    >>> credit_code("91110000600037341L")
    '91110000600037341L'
    """
    plain = _plain(text).upper().translate(_LOOKS_LIKE)
    if len(plain) == 15 and plain.isdecimal():
        raise Unfit("credit_old")
    if len(plain) != 18:
        raise Unfit("credit_length", length=len(plain))
    if not re.fullmatch(r"[0-9A-HJ-NPQRTUWXY]{18}", plain):
        raise Unfit("credit_letters")
    if not uscc.is_valid(plain):
        raise Unfit("credit_check")
    return plain


def identifier(text: str) -> str:
    """Read the 17-digit identifier of a component (GB/T 47678.5). Raises `Unfit`.

    >>> identifier("33990101001000012")
    '33990101001000012'
    """
    plain = _plain(text)
    if not plain.isdecimal():
        raise Unfit("not_digits")
    if len(plain) == 16:
        raise Unfit("identifier_old")
    if len(plain) != 17:
        raise Unfit("identifier_length", length=len(plain))
    return plain


def phone(text: str) -> str:
    """Read a phone number of China. Raises `Unfit`.

    >>> phone("+86 139-0000-0000"), phone("0579-85123456")
    ('13900000000', '0579-85123456')
    """
    plain = _BETWEEN.sub("", text).replace("(", "").replace(")", "")
    if found := _MOBILE.fullmatch(plain):
        return found[1]
    if _SERVICE.fullmatch(plain):
        return plain
    if plain.startswith(("0", "86", "+86")) and (number := _area_code(plain)):
        return number
    raise Unfit("not_a_phone")


def _area_code(plain: str) -> str | None:
    body = plain.removeprefix("+").removeprefix("86").removeprefix("0")
    digits = 2 if body.startswith(("10", "2")) else 3
    area, rest = body[:digits], body[digits:]
    found = re.fullmatch(r"(\d{7,8})(?:(?:转|x|ext)(\d{1,5}))?", rest)
    if found is None:
        return None
    return f"0{area}-{found[1]}" + (f"-{found[2]}" if found[2] else "")


def _plain(text: str) -> str:
    if _SCIENTIFIC.fullmatch(text):
        raise Unfit("digits_lost")
    return _BETWEEN.sub("", text)
