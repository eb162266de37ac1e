"""How the parts of an address look that carry a number or end in a word of their kind."""

from __future__ import annotations

import re
from typing import Final

#: Most specific first; the first that fits at a place is taken.
NUMBERED: Final = re.compile(
    r"""
      (?P<lane>\d+弄(?:\d+支弄)?)(?:(?P<lane_no>\d+(?:-\d+)?)(?:号|\#)(?!楼|院|幢|栋))?
    | (?P<plate>\d+[A-Z]?)(?:[-之附/](?P<sub>\d+))?号(?!楼(?![上下前后道梯])|幢|栋|院|线|路|房|室|梯|门(?![口前外卫面]))
        (?:(?:之|附|-)(?P<sub2>\d+)(?!\d|[-幢栋座单室层楼])号?)?
    | (?P<building>(?:[A-Z]{1,2}\d*|\d+[A-Z]?|(?<![\u3400-\u9fff])[东南西北中])(?:-\d+)?)
        (?:(?:号|号院|\#)楼(?![上下前后道梯])|号幢|号栋|幢|栋|座)
    | (?P<unit>\d+|[A-Z])(?:单元|梯)
    | (?P<door>\d+)门(?![牌店口面])
    | (?P<floor>(?:负|地下|B)?\d+[A-Z]?(?:-\d+)?)(?:层|楼|F(?![A-Z]))
    | (?P<room>[A-Z]?\d+[A-Z]?(?:-\d+[A-Z]?)*)(?:号房|室|房(?!产|屋)|户(?!外))
    | (?:附|之)(?P<annex>\d+)号?
    | (?P<hash>\d+)\#
    | (?P<bare>(?<![A-Z0-9])(?:[A-Z]{0,2}\d+[A-Z]?(?:[-/]\d+[A-Z]?){0,3}|[A-Z](?=\d|$)))(?![A-Z0-9层路线米年月日])
    """,
    re.VERBOSE,
)

STREET_ENDS: Final = ("大道", "大街", "公路", "胡同", "路", "街", "巷", "弄", "道", "线", "里")
ESTATE_ENDS: Final = (
    "小区", "花园", "家园", "公寓", "新村", "别墅", "山庄", "广场", "大厦", "中心", "大楼", "商厦", "商城", "市场",
    "园区", "工业园", "产业园", "科技园", "创业园", "工业区", "工业城", "华庭", "名苑", "雅苑", "嘉苑", "苑", "庭院",
    "学校", "医院", "公司", "酒店", "宾馆", "大院", "自然村", "庄", "园", "城", "府", "湾", "居",
)  # fmt: skip
TOWN: Final = re.compile(r"^([\u3400-\u9fff]{2,6}?(?:街道(?:办事处)?|镇|乡))(?![路街巷])")
COMMUNITY: Final = re.compile(
    r"^([\u3400-\u9fff]{1,8}?(?:社区(?:居委会)?|居委会|村委会|行政村))(?=[\u3400-\u9fff]|$)"
)
VILLAGE: Final = re.compile(
    r"^([\u3400-\u9fff]{1,7}?(?:自然村|村|屯|寨))(?![路街巷弄道村]|大[街道])(?=[\u3400-\u9fff]|$)"
)
STREET: Final = re.compile(
    r"^([\u3400-\u9fffA-Z0-9]{1,9}?(?:" + "|".join(STREET_ENDS[:8]) + r")"
    r"(?:[东南西北中]段|[一二三四五六七八九十]{1,2}[街路巷弄])?)"
)
#: 12号门前, 5幢旁边: words of where something is, not of the address.
BESIDE: Final = re.compile(
    r"(?:的)?(?:门口|门前|门外|旁边|旁|附近|对面|对过|斜对面|隔壁|楼下|后面|前面|路口|交叉口|以东|以西|以南|以北)$"
    r"|^(?:的)?(?:门口|门前|门外|旁边|旁|附近|对面|对过|斜对面|隔壁|楼下|后面|前面)"
)
NOTE: Final = re.compile(r"\([^()]*\)")
PHONE: Final = re.compile(
    r"(?:(?:联系)?(?:电话|手机|TEL|号码)[|]?\s?)?(?<!\d)(?:1[3-9]\d{9}|0\d{2,3}-?\d{7,8}|400-?\d{3}-?\d{4})(?!\d)"
)
