"""Texts: one width of letters, no signs that nobody sees, one blank where there were many."""

from __future__ import annotations

import re
import unicodedata
from typing import Any, Final

#: What people write where nothing is known.
NOTHING: Final = frozenset(
    ("-", "--", "—", "——", "/", "\\", "无", "空", "null", "none", "nil", "n/a", "na", "nan", "暂无",
     "不详", "未知", "(空)", "#n/a")
)  # fmt: skip
#: What a spreadsheet shows where a formula failed.
_FAILED: Final = re.compile(
    r"#(?:REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|SPILL!|CALC!)", re.IGNORECASE
)
_UNSEEN: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufffe\uffff]")
_BLANKS: Final = re.compile(r"\s+")
_LONGEST_NAME: Final = 200


class Unfit(ValueError):
    """A value breaks a rule; `rule` is a key of the catalogue, `params` fill its text."""

    def __init__(self, rule: str, **params: Any) -> None:
        super().__init__(rule)
        self.rule = rule
        self.params = params


def clean(text: str) -> str:
    """Bring a text to half width where there is one, without signs that nobody sees.

    >>> clean(" Ａ１２３　\u200b某店 "), clean("（甲）")
    ('A123 某店', '(甲)')
    """
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()
    plain = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    plain = "".join(sign if sign.isprintable() or sign.isspace() else "" for sign in plain)
    return _BLANKS.sub(" ", plain).strip()


def bare(text: str) -> str:
    """Clean a text; "" where it only says that nothing is known. Raises `Unfit`.

    >>> bare(" 无 "), bare("甲")
    ('', '甲')
    """
    plain = clean(text)
    if plain.lower() in NOTHING:
        return ""
    if plain.startswith("#") and _FAILED.fullmatch(plain):
        raise Unfit("formula_failed")
    if "\ufffd" in plain:
        raise Unfit("letters_lost")
    return plain


def name(text: str) -> str:
    """Bring a name to its form: Chinese names carry full-width brackets and no blanks.

    >>> name("义乌 (某某) 有限公司"), name("Blue Cafe (North)")
    ('义乌（某某）有限公司', 'Blue Cafe (North)')
    """
    if len(text) > _LONGEST_NAME:
        raise Unfit("too_long", most=_LONGEST_NAME)
    if text.isascii():
        return text
    if text.isdecimal():
        raise Unfit("not_a_name")
    plain = re.sub(r"(?<=[\u3400-\u9fff（）()])\s+|\s+(?=[\u3400-\u9fff（）()])", "", text)
    return plain.replace("(", "（").replace(")", "）")
