"""Initials in the database are those of the library that spells names elsewhere."""

import pytest
from pypinyin import Style, lazy_pinyin
from sqlalchemy import text


@pytest.mark.parametrize(
    ("words", "initials"),
    [
        ("江滨路3号", "jbl3h"),
        ("河滩物流（贸易）有限公司", "htwlmyyxgs"),
        ("ABC超市 2 店", "abccs2d"),
        ("Café 咖啡", "cafkf"),
        ("", ""),
        ("🙂〇", ""),
    ],
)
def test_initials_of_words(session, words, initials) -> None:
    assert session.scalar(text("SELECT pinyin_initials(:words)"), {"words": words}) == initials


def test_each_sign_has_the_letter_of_its_commonest_reading(session) -> None:
    signs = [chr(n) for n in range(0x4E00, 0x9FA6)]
    wanted = [lazy_pinyin(sign, style=Style.FIRST_LETTER)[0] for sign in signs]

    found = session.scalar(text("SELECT pinyin_initials(:words)"), {"words": "".join(signs)})

    assert len(found) == len(signs)
    differing = [
        sign for sign, one, other in zip(signs, wanted, found, strict=True)
        if one != other and other != "?"
    ]  # fmt: skip
    assert not differing
    assert found.count("?") < 50, "signs without a Latin letter"
