"""The one public number (对外编号) of a case: what people are told and can say on the phone.

It is the case's own number in other clothes, so it needs no table and no second count, and one
follows from the other without a look-up.
"""

from __future__ import annotations

import re
from typing import Final

_CASE: Final = re.compile(r"20(\d{6})-0*(\d{1,})")
_PUBLIC: Final = re.compile(r"(?:\d{3,8}-)?(\d{6})-(\d{4,})")


def public_number(number: str, hotline: str = "96150") -> str:
    """Write the number of a case as the public knows it.

    >>> public_number("20300101-000123"), public_number("20300101-012345")
    ('96150-300101-0123', '96150-300101-12345')
    """
    found = _CASE.fullmatch(number)
    if found is None:
        return number
    return f"{hotline}-{found[1]}-{int(found[2]):04d}"


def case_number(text: str) -> str | None:
    """Read a public number, typed with or without the hotline; None where it is none.

    >>> case_number("96150-300101-0123"), case_number("300101-0123"), case_number("0123")
    ('20300101-000123', '20300101-000123', None)
    """
    found = _PUBLIC.fullmatch(text.strip().replace(" ", ""))
    return f"20{found[1]}-{int(found[2]):06d}" if found else None
