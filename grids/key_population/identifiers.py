"""What in a table of counts looks like a person: numbers, phones, names, addresses.

A table of counts holds areas, kinds, months and numbers. Anything else is refused, and what
looks like a person is refused by its own name, so that whoever sent it knows what not to
send again. Nothing here returns or keeps the text that it judged.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Final, Literal

Kind = Literal["resident_number", "phone", "name", "address"]

#: Words of a column head that announce persons.
HEADS: Final = (
    "姓名", "名字", "身份证", "证件", "公民身份", "电话", "手机", "联系方式", "联系人", "住址", "地址",
    "门牌", "户号", "户主", "出生", "生日", "年龄", "性别", "民族", "籍贯", "照片", "微信", "车牌",
    "银行", "病", "案由", "备注", "name", "phone", "mobile", "tel", "idcard", "id_card", "id number",
    "idno", "address", "birth", "gender", "remark", "note", "email", "passport",
)  # fmt: skip
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"
_BETWEEN: Final = re.compile(r"[\s\-_.·,，/\\()（）\u200b-\u200f\ufeff]")
_LONG: Final = re.compile(r"(?<!\d)(\d{17}[\dX]|\d{15})(?!\d)")
_MOBILE: Final = re.compile(r"(?<!\d)(?:\+?86|0086)?1[3-9]\d{9}(?!\d)")
_LANDLINE: Final = re.compile(r"(?<!\d)0\d{2,3}[-\s]\d{7,8}(?!\d)")
_ADDRESS: Final = re.compile(
    r"\d+\s*(?:号|弄|幢|栋|单元|室|楼|房)|[路街巷弄里村]\s*[\d一二三四五六七八九十百]+|"
    r"\b\d+\s+\w+\s+(?:road|street|lane|avenue)\b|(?:小区|新村|公寓|花园).*[幢栋室]",
    re.IGNORECASE,
)
_HAN_NAME: Final = re.compile(r"[\u4e00-\u9fff]{1,2}[\u4e00-\u9fff·*○某]{1,3}")
#: The surnames of four in five people, and the commonest of two characters.
_SURNAMES: Final = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏"
    "吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱"
    "严覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包"
)
_DOUBLE: Final = ("欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "司徒")


def plain(text: str) -> str:
    """Bring full-width digits and letters to plain ones and cut what stands around.

    >>> plain(" １３８ ")
    '138'
    """
    return unicodedata.normalize("NFKC", text).strip()


def is_resident_number(digits: str) -> bool:
    """Say whether a run of digits may be a resident number (GB 11643), old or new.

    A wrong check digit does not make it harmless: it is a number with a mistake in it.

    >>> is_resident_number("339901190001010017"), is_resident_number("123456789012345678")
    (True, False)
    """
    digits = digits.upper()
    if len(digits) == 15 and digits.isdecimal():
        return _is_day("19" + digits[6:12])
    if len(digits) != 18 or not digits[:17].isdecimal():
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=False))
    return _CHECKS[total % 11] == digits[17] or _is_day(digits[6:14])


def _is_day(text: str) -> bool:
    try:
        day = date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return False
    return 1890 <= day.year <= 2100


def head_of_persons(head: str) -> bool:
    """Say whether a column head announces persons.

    >>> head_of_persons("身份证号码"), head_of_persons("人数")
    (True, False)
    """
    words = plain(head).lower()
    return any(word in words for word in HEADS)


def kind_of(text: str) -> Kind | None:
    """Say what kind of a person's mark a cell holds; None for none that is known.

    >>> kind_of("339901 19000101 0017"), kind_of("138-0013-8000"), kind_of("王小明")
    ('resident_number', 'phone', 'name')
    >>> kind_of("江滨路12号"), kind_of("2026-03"), kind_of("120")
    ('address', None, None)
    """
    words = plain(text)
    joined = _BETWEEN.sub("", words).upper()
    if any(is_resident_number(found) for found in _LONG.findall(joined)):
        return "resident_number"
    if _MOBILE.search(joined) or _LANDLINE.search(words):
        return "phone"
    if _ADDRESS.search(words):
        return "address"
    if _is_name(words):
        return "name"
    return None


def _is_name(words: str) -> bool:
    short = words.replace(" ", "")
    if not _HAN_NAME.fullmatch(short):
        return False
    return short[0] in _SURNAMES or short.startswith(_DOUBLE)
