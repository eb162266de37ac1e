"""Identifiers of components: 17 digits since 2026, 16 before; the length says which list."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from grids.errors import Invalid

COUNTY_DIGITS: Final = 6
SEQUENCE_DIGITS: Final = 6
#: Length of an identifier -> digits of its sub-class.
LENGTHS: Final = {17: 5, 16: 4}
MATTER_LENGTH: Final = 11


class BadIdentifier(Invalid):
    """An identifier of a component has the wrong length, letter, county, class or number."""

    code = "codes.bad_identifier"


@dataclass(frozen=True)
class Identifier:
    """A component's identifier in its parts."""

    county: str
    code: str  #: class and sub-class: five digits since 2026, four before
    sequence: int

    @property
    def is_of_2026(self) -> bool:
        """Say whether it numbers by the list of 2026."""
        return len(self.code) == LENGTHS[17]

    def __str__(self) -> str:
        return f"{self.county}{self.code}{self.sequence:0{SEQUENCE_DIGITS}d}"

    def with_code(self, code: str) -> Identifier:
        """Return the identifier of the same object under the code of another list.

        The sequence stays, so that the old number can be read from the new one; two old codes
        that become one may then meet, which the register refuses.
        """
        return parse_identifier(f"{self.county}{code}{self.sequence:0{SEQUENCE_DIGITS}d}")


def parse_identifier(
    text: str, *, county: str | None = None, is_known: Callable[[str], bool] | None = None
) -> Identifier:
    """Read an identifier of 17 or 16 digits; digits of full width are taken too.

    `county` and `is_known` (of the sub-class) are checked where they are given. Raises
    `BadIdentifier`.
    """
    digits = "".join(unicodedata.normalize("NFKC", text).split())
    if not (digits.isdecimal() and digits.isascii()):
        raise _bad(text, "digits", "holds something that is no digit")
    if len(digits) not in LENGTHS:
        raise _bad(text, "length", f"has {len(digits)} digits, not 17 or 16")
    end = COUNTY_DIGITS + LENGTHS[len(digits)]
    found = Identifier(digits[:COUNTY_DIGITS], digits[COUNTY_DIGITS:end], int(digits[end:]))
    if county is not None and found.county != county:
        raise _bad(text, "county", f"is of county {found.county}, not {county}")
    if is_known is not None and not is_known(found.code):
        raise _bad(text, "code", f"names the class {found.code}, which its list has not")
    if found.sequence == 0:
        raise _bad(text, "sequence", "ends with number 000000; numbers begin at 1")
    return found


def matter_code(county: str, code: str) -> str:
    """Write the 11 digits of a matter: county and class. It names a class, never one case."""
    whole = f"{county}{code}"
    if len(whole) != MATTER_LENGTH or not (whole.isdecimal() and whole.isascii()):
        raise _bad(whole, "length", "is not 11 digits of county and class")
    return whole


def _bad(text: str, part: str, why: str) -> BadIdentifier:
    return BadIdentifier(f"identifier {text!r} {why}", field="identifier", part=part, why=why)
