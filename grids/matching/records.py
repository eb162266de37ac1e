"""What two entries are compared by: names without what many names share, places, codes."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Final

from grids.addressing.lookalikes import GROUPS

#: Ends that say the form of a body, not which body it is; longest first.
FORMS: Final = (
    "股份有限公司", "有限责任公司", "农业专业合作社", "专业合作社", "个体工商户", "有限公司", "合作社",
    "集团", "公司", "商行", "经营部", "门市部", "总店", "分店", "小超市", "便利店", "加工厂", "工厂", "厂",
)  # fmt: skip
#: A long form is known without one of its signs too: people leave signs out.
_ENDS: Final = tuple(sorted(
    {form[:k] + form[k + 1 :] for form in FORMS if len(form) > 3 for k in range(len(form))} | {*FORMS},
    key=lambda form: (-len(form), form),
))  # fmt: skip
_BRACKETS: Final = re.compile(r"[(\[【〔](.*?)[)\]】〕]")
_NO_SIGN: Final = re.compile(r"[^\w]|_")


def plain(name: str) -> str:
    """Return a name in one width, without spaces and signs.

    >>> plain(" 示例市 ＡＢ贸易（有限）公司 ")
    '示例市ab贸易有限公司'
    """
    return _NO_SIGN.sub("", unicodedata.normalize("NFKC", name).lower())


def core(name: str, common: tuple[str, ...]) -> str:
    """Return what a name says of its own: without `common` beginnings, brackets and its form.

    `common` are names of the county and its towns. A branch in brackets stays: it tells two
    shops of one chain apart.

    >>> core("示例市信宝贸易有限公司", ("示例市",))
    '信宝贸易'
    >>> core("信宝贸易（个体工商户）", ("示例市",)), core("（示例市）信宝超市（城北店）", ("示例市",))
    ('信宝贸易', '信宝超市城北店')
    """
    said = unicodedata.normalize("NFKC", name)
    branches = [
        inner for inner in (plain(one) for one in _BRACKETS.findall(said))
        if inner and inner not in FORMS and inner not in common
    ]  # fmt: skip
    rest = plain(_BRACKETS.sub("", said))
    for beginning in common:
        rest = rest.removeprefix(plain(beginning))
    form = next((form for form in _ENDS if rest.endswith(form) and len(rest) > len(form) + 1), "")
    return rest.removesuffix(form) + "".join(branches)


#: An end of a name is a word of a trade once so many names of a thousand have it, and so many at all.
OF_THOUSAND, AT_LEAST = 1.0, 4
LONGEST_END: Final = 8
#: A sign -> the first of those that look like it.
_LIKE: Final = {sign: group[0] for group in reversed(GROUPS) for sign in group}


def common_ends(cores: Sequence[str]) -> frozenset[str]:
    """Return the ends that many names of a register have: words of trades, not of one body."""
    found: Counter[str] = Counter()
    for text in cores:
        for length in range(1, min(LONGEST_END, len(text) - 1) + 1):
            found[text[-length:]] += 1
    least = max(AT_LEAST, len(cores) * OF_THOUSAND / 1000)
    return frozenset(end for end, n in found.items() if n >= least)


def split(text: str, ends: frozenset[str]) -> tuple[str, str]:
    """Divide a core in what is its own and the longest common end; two signs stay its own.

    >>> split("信宝贸易", frozenset({"易", "贸易", "宝贸易"}))
    ('信宝', '贸易')
    """
    for length in range(min(LONGEST_END, len(text) - 2), 0, -1):
        if text[-length:] in ends:
            return text[:-length], text[-length:]
    return text, ""


def shape(text: str) -> str:
    """Return a text with signs that look alike as one.

    >>> shape("末来") == shape("未来")
    True
    """
    return "".join(_LIKE.get(sign, sign) for sign in text)
