"""What may stand in the log: one line a value, nothing that moves the reader's cursor."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

MOST: Final = 300
#: Resident numbers (GB 11643) and mobile numbers: a log is no place for them.
_NUMBERS: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:[1-9]\d{5}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    r"\d{3}[\dXx]|(?:\+?86)?1[3-9]\d{9})(?![0-9A-Za-z])"
)
#: Control, format (bidi, zero width), surrogate and the two line ends of Unicode.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def one_line(text: str, most: int = MOST) -> str:
    r"""Write a text that a stranger chose so that it stays one harmless line (S26, S27).

    Line ends, terminal codes and characters that turn the reading direction are shown by
    their number; resident and mobile numbers are struck out.

    >>> one_line("a\nb"), one_line("\x1b[31mred"), one_line("x\u202ey")
    ('a\\u000ab', '\\u001b[31mred', 'x\\u202ey')
    >>> one_line("call 13800138000 now"), one_line("")
    ('call *** now', '')
    """
    shown = "".join(
        f"\\u{ord(char):04x}" if unicodedata.category(char) in _HIDDEN else char
        for char in text[: most + 1]
    )
    if len(shown) > most:
        shown = f"{shown[: most - 1]}…"
    return _NUMBERS.sub("***", shown)


def harmless(value: Any) -> Any:
    """Apply `one_line` to every text within a value of JSON."""
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, dict):
        return {one_line(str(name), 60): harmless(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [harmless(part) for part in value]
    return value
