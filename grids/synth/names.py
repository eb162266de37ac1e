"""Believable names that belong to nobody: roads, estates, towns, villages, firms, people."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

import numpy as np
from pypinyin import lazy_pinyin


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ARTERIALS: Final = _words(
    "人民 解放 中山 建设 文昌 迎宾 学院 工业 商城 望江 春晗 丹溪 城中 城北 新科 国贸 "
    "银海 兴隆 康宁 江东 云溪 五洲 环球 龙回 秀禾 广益 通济 化工 机场 站前 四海 民和 "
    "长春 黄杨 金麟 雪峰 阳光 杨村 青岩 南山 富港 清风 凤凰 香溪 九联 丰登 大成 "
    "柳青 南门 北苑 双江"
)
FIRST: Final = _words(
    "青 云 溪 兰 秀 福 永 长 新 东 南 西 北 上 下 金 银 石 龙 凤 柳 桃 梅 松 竹 荷 香 雅 "
    "和 安 宁 康 泰 祥 瑞 锦 丹 碧 清 明 春 秋 文 学 景 望 映 听 白 紫 大 五 双 九"
)
SECOND: Final = _words(
    "溪 塘 桥 湖 山 岭 泉 井 门 园 林 河 江 浦 洲 湾 村 坊 里 庭 亭 阁 台 岩 坑 畈 田 垅 "
    "坂 屏 峰 源 水 月 风 苑 华 荣 乐 平 阳 明 光 川 云 霞 莲 兰 枫 桂 樟 柏 杏"
)
VILLAGE_ENDS: Final = _words(
    "村 塘 桥 畈 岭 坑 宅 店 头 山 田 岩 浦 垅 坞 源 里 陈 王 朱 吴 楼 何 金 方"
)
TOWN_FIRST: Final = _words(
    "青溪 云门 北桥 江湾 柳塘 兰泽 松门 丹桥 望湖 石井 荷塘 梅林 春和 南浦 白屏 秀水 竹山 长亭 凤栖 安澜"
)
ESTATE_FIRST: Final = _words(
    "金色 锦绣 阳光 东方 紫荆 滨江 香樟 绿城 江南 翡翠 世纪 华府 嘉和 丽景 湖畔 书香 凤凰 "
    "丹桂 春晓 明月 山水 御景 星河 天成 万景 都市 枫丹 时代"
)
ESTATE_LAST: Final = _words(
    "花园 家园 名苑 新村 小区 公寓 华庭 雅苑 水岸 府邸 嘉苑 春城 御园 里 湾 庭院 名城 新城 一品 居"
)
SURNAMES: Final = _words(
    "王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 何 高 林 罗 郑 梁 谢 宋 唐 许 韩 冯 "
    "邓 曹 彭 曾 肖 田 董 袁 潘 于 蒋 蔡 余 杜 叶 程 苏 魏 吕 丁 任 沈 姚 卢 姜 崔 钟 谭 "
    "陆 汪 范 金 石 廖 贾 夏 韦 付 方 白 邹 孟 熊 秦 邱 江 尹 薛 闫 段 雷 侯 龙 史 陶 黎 "
    "贺 顾 毛 郝 龚 邵 万 钱 严 楼 骆 虞 傅 吉"
)
GIVEN_A: Final = _words(
    "伟 芳 娜 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 明 超 兰 霞 平 刚 桂 文 辉 建 国 志 海 "
    "晓 小 春 秀 玉 红 金 永 宝 佳 嘉 子 雨 梓 浩 宇 欣 思 俊 泽 雅 诗 一 天 博 睿 若 可 "
    "乐 新 家 立 少"
)
GIVEN_B: Final = _words(
    "英 华 玲 军 平 林 波 燕 飞 鹏 斌 云 峰 梅 琴 凤 芬 萍 荣 生 明 光 亮 东 清 成 红 芝 "
    "花 香 莲 珍 兰 龙 虎 轩 涵 萱 琪 怡 宁 瑞 凯 豪 彤 悦 阳 辰 妍 然 昊 宸 君 良 民 安 "
    "德 福 才 根"
)
FIRM_WORDS: Final = _words(
    "华 鑫 瑞 宏 盛 嘉 恒 泰 隆 兴 丰 达 通 顺 博 远 诚 信 德 凯 亿 万 佳 美 优 天 海 金 "
    "银 宝 利 发 旺 祥 和 裕 润 泽 晟 锦 辰 卓 越 创 新 源 程 铭"
)

#: Words in English names that pinyin must not spell.
ENDINGS: Final = {
    "开发区街道": "Development Zone", "街道": "Subdistrict", "镇": "Town", "乡": "Township", "社区": "Community", "村": "Village",
    "大道": "Avenue", "路": "Road", "街": "Street", "巷": "Lane", "弄": "Alley",
    "公园": "Park", "广场": "Square", "湖": "Lake", "水库": "Reservoir", "江": "River",
    "溪": "Brook", "山": "Hill", "市": "City", "站": "Station", "产业园": "Industrial Park",
    "老城": "Old Town", "新区": "New District",
}  # fmt: skip
DIRECTIONS: Final = {"东": "East", "西": "West", "南": "South", "北": "North", "中": "Middle"}


@cache
def english(name: str) -> str:
    """Write a Chinese place name in Latin letters, its kind in English.

    >>> english("江滨北路"), english("青溪街道"), english("柳塘村")
    ('Jiangbin North Road', 'Qingxi Subdistrict', 'Liutang Village')
    """
    ending = next((e for e in sorted(ENDINGS, key=len, reverse=True) if name.endswith(e)), "")
    stem = name[: len(name) - len(ending)] if ending else name
    turn = ""
    if ending in ("路", "街", "大道") and len(stem) > 2 and stem[-1] in DIRECTIONS:
        stem, turn = stem[:-1], DIRECTIONS[stem[-1]]
    word = "".join(lazy_pinyin(stem)).capitalize()
    return " ".join(part for part in (word, turn, ENDINGS.get(ending, "")) if part)


def unique_words(
    rng: np.random.Generator, firsts: tuple[str, ...], lasts: tuple[str, ...], taken: set[str]
) -> Iterator[str]:
    """Yield combinations of two lists in random order, none of them twice or taken.

    When the list is used up it goes on with a numeral before the last part.
    """
    words = [a + b for a in firsts for b in lasts if a != b]
    for lap in range(40):
        mark = "" if lap == 0 else "二三四五六七八九十"[(lap - 1) % 9] + "新" * ((lap - 1) // 9)
        for k in rng.permutation(len(words)):
            word = words[k] if not mark else words[k][: -len(lasts[0])] + mark + words[k][-1:]
            if word not in taken:
                taken.add(word)
                yield word


class Namer:
    """Hands out names, each once in a city."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._taken: set[str] = set()
        pair = FIRST, SECOND
        self._arterials = iter([ARTERIALS[k] for k in rng.permutation(len(ARTERIALS))])
        self._streets = unique_words(rng, *pair, self._taken)
        self._villages = unique_words(rng, FIRST, VILLAGE_ENDS, set())
        self._estates = unique_words(rng, ESTATE_FIRST, ESTATE_LAST, set())
        self._towns = iter([TOWN_FIRST[k] for k in rng.permutation(len(TOWN_FIRST))])
        self._communities = unique_words(rng, *pair, set())
        self._rng = rng

    def arterial(self) -> str:
        """Name a main road, without its ending."""
        return next(self._arterials, None) or next(self._streets)

    def street(self) -> str:
        """Name a street, without its ending."""
        return next(self._streets)

    def lane(self) -> str:
        """Name a lane of the old town."""
        return next(self._streets) + ("巷" if self._rng.random() < 0.7 else "弄")

    def village(self) -> str:
        """Name a natural village."""
        name = next(self._villages)
        return name if name.endswith("村") else name + "村"

    def estate(self) -> str:
        """Name a housing estate."""
        return next(self._estates)

    def town(self) -> str:
        """Name a town or street, without its ending."""
        return next(self._towns, None) or next(self._communities)

    def community(self) -> str:
        """Name a community, without its ending."""
        return next(self._communities)


def person_names(rng: np.random.Generator, count: int) -> list[str]:
    """Draw names of people; common surnames come often."""
    weight = 1 / (np.arange(len(SURNAMES)) + 4.0)
    family = rng.choice(len(SURNAMES), count, p=weight / weight.sum())
    first = rng.integers(0, len(GIVEN_A), count)
    second = rng.integers(-len(GIVEN_B) // 4, len(GIVEN_B), count)
    return [
        SURNAMES[f] + GIVEN_A[a] + (GIVEN_B[b] if b >= 0 else "")
        for f, a, b in zip(family.tolist(), first.tolist(), second.tolist(), strict=True)
    ]
