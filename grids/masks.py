"""Masks: what is shown of a personal value to who has not given a purpose for the whole of it."""

from __future__ import annotations

import re
from typing import Final

STAR: Final = "*"
#: An address is shown up to the building; unit, floor and room stay away.
BUILDING: Final = re.compile(r"^(.*?\d+\s*(?:幢|栋|号楼|座|#))")
NUMBER: Final = re.compile(r"^(.*?\d+\s*号)")
ROOM: Final = re.compile(
    r"[\s,，]*(?:\d+|[一二三四五六七八九十]+)\s*(?:单元|层|楼|室).*$|[\s,，]*\d{2,}$"
)


def mask_name(name: str) -> str:
    """Keep the first character.

    >>> mask_name("张三丰"), mask_name("李"), mask_name("")
    ('张**', '*', '')
    """
    if len(name) < 2:
        return STAR * len(name)
    return name[0] + STAR * min(len(name) - 1, 2)


def mask_id_number(number: str) -> str:
    """Keep the first three and the last two.

    >>> mask_id_number("339901199001010017")
    '339*************17'
    """
    return _keep(number, 3, 2)


def mask_phone(phone: str) -> str:
    """Keep three and four; of a short number only the last two.

    >>> mask_phone("13800138000"), mask_phone("87654321")
    ('138****8000', '******21')
    """
    return _keep(phone, 3, 4) if len(phone) >= 11 else _keep(phone, 0, 2)


def mask_plate(plate: str) -> str:
    """Keep the first two and the last two.

    >>> mask_plate("浙A12345")
    '浙A***45'
    """
    return _keep(plate, 2, 2)


def mask_address(address: str) -> str:
    """Cut at the building, where one is named, else at the number, else before the room.

    >>> mask_address("样城和平路12号3幢1单元302室")
    '样城和平路12号3幢'
    >>> mask_address("和平路12号302室")
    '和平路12号'
    >>> mask_address("东山村 3层 301室"), mask_address("")
    ('东山村', '')
    """
    for pattern in (BUILDING, NUMBER):
        if found := pattern.match(address):
            return found[1]
    return ROOM.sub("", address)


def mask_birth(birth: str) -> str:
    """Keep the year.

    >>> mask_birth("1990-01-31")
    '1990-**-**'
    """
    return f"{birth[:4]}-**-**" if len(birth) >= 4 else STAR * len(birth)


def _keep(text: str, first: int, last: int) -> str:
    if len(text) <= first + last:
        return STAR * len(text)
    return text[:first] + STAR * (len(text) - first - last) + text[len(text) - last :]
