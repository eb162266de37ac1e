"""Words that offices write for the kinds of the registers: one literal table for each list.

A word is compared after `plain`: without blanks, in small letters. The key itself is always a
word of its own.
"""

from __future__ import annotations

import re
from typing import Final

from grids.normal import clean

ENTERPRISE_KINDS: Final = {
    "company": "公司 企业 有限公司 有限责任公司 股份有限公司 企业法人 法人 合伙企业 个人独资企业 内资企业 私营企业",
    "individual": "个体工商户 个体 个体户",
    "institution": "事业单位 事业法人",
    "organ": "机关 机关单位 党政机关 机关法人",
    "association": "社会团体 社会组织 社团 民办非企业单位 基金会 协会",
}
ENTERPRISE_STATES: Final = {
    "open": "开业 在业 存续 在营 正常 营业 营业中 存续(在营、开业、在册) active",
    "suspended": "停业 歇业 停产 暂停营业",
    "closed": "注销 吊销 关闭 已注销 吊销未注销 迁出",
}
PREMISES_KINDS: Final = {
    "shop": "商店 店铺 门店 零售店 便利店",
    "restaurant": "餐馆 餐饮 饭店 餐饮店 小吃店",
    "hotel": "旅馆 宾馆 酒店 民宿 住宿",
    "beauty": "美容美发 理发店 足浴",
    "entertainment": "娱乐场所 娱乐 歌舞厅 棋牌室",
    "ktv": "歌舞娱乐",
    "internet_cafe": "网吧 上网服务",
    "bar": "酒吧",
    "cafe": "咖啡馆 茶馆",
    "training": "培训 培训机构 托管",
    "clinic": "诊所 门诊部 卫生室",
    "office": "办公 写字楼 办公场所",
    "workshop": "作坊 小作坊 加工点 加工厂",
    "factory": "厂房 工厂 生产企业",
    "warehouse": "仓库 仓储 物流",
    "market": "市场 农贸市场 专业市场",
    "supermarket": "超市",
    "mall": "商场 综合体",
    "farm": "农场 养殖场",
    "rental_house": "出租房 出租屋 租赁住房",
    "repair": "维修 修理 汽修",
    "fuel": "加油加气 加油站 加气站",
    "hazardous": "危险品 危化品 危险化学品",
    "sports": "体育健身 健身房 游泳馆",
    "bank": "银行",
}
FACILITY_KINDS: Final = {
    "school": "学校 小学 中学 初中 高中",
    "kindergarten": "幼儿园 托儿所",
    "university": "大学 高校 学院",
    "hospital": "医院",
    "clinic": "诊所 卫生院 社区卫生服务中心 卫生服务站",
    "police": "派出所 公安局 警务室 警务站",
    "fire_station": "消防站 微型消防站 消防救援站",
    "shelter": "避难场所 应急避难场所 避灾点",
    "government": "政府机关 便民服务中心 村委会 居委会",
    "sports": "体育健身 体育馆 体育场",
    "temple": "寺庙",
    "church": "教堂",
    "market": "市场 农贸市场",
}
BUILDING_KINDS: Final = {
    "residential": "住宅 住宅楼 居住",
    "apartments": "公寓 高层住宅 小区住宅",
    "house": "独栋住宅 自建房 农房 民房 别墅",
    "dormitory": "宿舍 集体宿舍",
    "industrial": "工业 厂房 工业厂房",
    "warehouse": "仓库 仓储",
    "commercial": "商业 商业楼 综合楼",
    "retail": "零售 商铺 店面",
    "office": "办公 写字楼 办公楼",
    "hotel": "旅馆 宾馆 酒店",
    "school": "学校 教学楼",
    "hospital": "医院",
    "public": "公共 公共建筑",
    "government": "政府机关",
    "religious": "宗教",
    "temple": "寺庙",
    "station": "车站 客运站 站房",
    "construction": "在建",
    "building": "建筑 其他 其它",
}
COMPONENT_STATES: Final = {
    "intact": "完好 正常 在用",
    "damaged": "破损 损坏",
    "missing": "丢失 缺失",
    "abandoned": "废弃",
    "removed": "移除 拆除 已拆除",
}
INDUSTRIES: Final = {
    "A": "农林牧渔业 农、林、牧、渔业",
    "B": "采矿业",
    "C": "制造业",
    "D": "电力热力燃气供水 电力、热力、燃气及水生产和供应业",
    "E": "建筑业",
    "F": "批发和零售业 批发业 零售业",
    "G": "交通运输仓储邮政 交通运输、仓储和邮政业",
    "H": "住宿和餐饮业 住宿业 餐饮业",
    "I": "信息技术服务 信息传输、软件和信息技术服务业",
    "J": "金融业",
    "K": "房地产业",
    "L": "租赁和商务服务 租赁和商务服务业",
    "M": "科研和技术服务 科学研究和技术服务业",
    "N": "水利环境公共设施 水利、环境和公共设施管理业",
    "O": "居民服务和修理 居民服务、修理和其他服务业",
    "P": "教育 教育业",
    "Q": "卫生和社会工作",
    "R": "文化体育娱乐 文化、体育和娱乐业",
    "S": "公共管理 公共管理、社会保障和社会组织",
    "T": "国际组织",
}
#: Last division (two digits) of each section of GB/T 4754-2017.
_SECTIONS: Final = (
    (5, "A"), (12, "B"), (43, "C"), (46, "D"), (50, "E"), (52, "F"), (60, "G"), (62, "H"),
    (65, "I"), (69, "J"), (70, "K"), (72, "L"), (75, "M"), (79, "N"), (82, "O"), (83, "P"),
    (85, "Q"), (90, "R"), (96, "S"), (97, "T"),
)  # fmt: skip
_BETWEEN: Final = re.compile(r"[\s_\-/.()（）:：*]+")


def plain(word: str) -> str:
    """Bring a word to the form in which words are compared.

    >>> plain("企业 名称（必填）"), plain("Company_Name")
    ('企业名称', 'companyname')
    """
    return _BETWEEN.sub("", clean(word).lower().replace("必填", "").replace("选填", ""))


def listed(words: dict[str, str]) -> dict[str, str]:
    """Lead from every way to write a kind to the kind."""
    found = {plain(key): key for key in words}
    for key, many in words.items():
        found |= {plain(word): key for word in many.split()}
    return found


def industries() -> dict[str, str]:
    """Lead from sections, divisions, groups and names of GB/T 4754 to the section.

    >>> known = industries()
    >>> known["h"], known["62"], known["h62"], known["住宿和餐饮业"]
    ('H', 'H', 'H', 'H')
    """
    found = listed(INDUSTRIES)
    first = 1
    for last, section in _SECTIONS:
        for division in range(first, last + 1):
            found |= {f"{division:02d}": section, f"{section}{division:02d}".lower(): section}
        first = last + 1
    return found
