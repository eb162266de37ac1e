"""What a name is found by: itself, its pinyin, the initials of its pinyin, the English name."""

from __future__ import annotations

import unicodedata


def search_key(name_zh: str, name_en: str) -> str:
    """Join what a name is found by. Brackets of any width are left out of the pinyin.

    >>> search_key("路灯", "street light")
    '路灯 ludeng ld street light'
    >>> search_key("变压器（箱）", "transformer (box)")
    '变压器（箱） 变压器(箱) 变压器箱 bianyaqixiang byqx transformer (box)'
    """
    # Here, not above: its dictionary takes half a second, and only those who load codes need it.
    from pypinyin import Style, lazy_pinyin

    half = unicodedata.normalize("NFKC", name_zh)
    bare = "".join(character for character in half if character.isalnum())
    pinyin = "".join(lazy_pinyin(bare))
    initials = "".join(lazy_pinyin(bare, style=Style.FIRST_LETTER))
    spellings = " ".join(dict.fromkeys((name_zh, half, bare)))
    return f"{spellings} {pinyin} {initials} {name_en}".lower()
