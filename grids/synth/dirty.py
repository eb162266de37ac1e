"""Addresses as people and departments write them, from the standard ones, with what was done to each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from opencc import OpenCC
from pypinyin import lazy_pinyin

from grids.addressing.lookalikes import GROUPS
from grids.synth.names import FIRST, SECOND

CHINESE: Final = "零一二三四五六七八九"
WIDE: Final = str.maketrans("0123456789", "０１２３４５６７８９")
SHOPS: Final = (
    "小李五金店",
    "便民超市",
    "兰州拉面",
    "中国移动营业厅",
    "社区卫生服务站",
    "快递驿站",
)
BESIDE: Final = ("门口", "附近", "旁边", "对面", "楼下")
TOWN_ENDS: Final = ("街道", "镇", "乡", "")
#: Outside addresses, for which no building of the city is right.
ELSEWHERE: Final = (
    "北京市海淀区中关村大街27号",
    "上海市徐汇区天钥桥路408号",
    "广东省深圳市南山区东滨路86号",
    "杭州市西湖区文三路90号",
)


@dataclass(frozen=True, slots=True)
class Clean:
    """One standard address with the names of its areas."""

    id: int
    county: str
    town: str
    community: str
    street: str | None
    number: str | None
    estate: str | None
    building: str | None
    old_street: str | None = None


@dataclass(frozen=True, slots=True)
class Dirty:
    """A text, what was done to it, and the address that it means; None for none of ours."""

    text: str
    kind: str
    address_id: int | None


class Writer:
    """Writes one address; what is done to it draws from one stream of random numbers."""

    def __init__(self, rng: np.random.Generator, sounds: dict[str, list[str]]) -> None:
        self.rng = rng
        self.sounds = sounds
        self.traditional = OpenCC("s2t")

    def chance(self, share: float) -> bool:
        """Draw yes or no."""
        return bool(self.rng.random() < share)

    def pick(self, ones: Sequence[str]) -> str:
        """Draw one of several."""
        return str(ones[int(self.rng.integers(len(ones)))])

    def areas(self, one: Clean) -> str:
        """Write county, town and community, each of them or not."""
        return "".join(
            name for name, share in ((one.county, 0.35), (one.town, 0.6), (one.community, 0.25))
            if self.chance(share)
        )  # fmt: skip

    def name(self, one: Clean) -> str:
        """Return the name at which the door is: the estate before the street."""
        return one.estate or one.street or ""

    def door(self, one: Clean) -> str:
        """Return the door at that name."""
        return (one.building if one.estate and one.building else one.number) or ""

    def local(self, one: Clean, name: str | None = None, door: str | None = None) -> str:
        """Write name and door; the gate of an estate before it, or not."""
        front = ""
        if one.estate and one.building and one.street and self.chance(0.3):
            front = f"{one.street}{one.number}"
        return (
            front
            + (self.name(one) if name is None else name)
            + (self.door(one) if door is None else door)
        )

    def full(self, one: Clean, **parts: str) -> str:
        """Write areas, name and door."""
        return self.areas(one) + self.local(one, **parts)


Kind = Callable[[Writer, Clean], str | None]


def _plain(w: Writer, one: Clean) -> str:
    return w.full(one)


def _complete(w: Writer, one: Clean) -> str:
    return f"{one.county}{one.town}{one.community}{w.local(one)}"


def _bare(w: Writer, one: Clean) -> str:
    return w.name(one) + w.door(one)


def _wide(w: Writer, one: Clean) -> str:
    return w.full(one).translate(WIDE)


def _numeral(number: int) -> str:
    if number < 10:
        return CHINESE[number]
    if number < 20:
        return "十" + (CHINESE[number % 10] if number % 10 else "")
    if number < 100:
        return CHINESE[number // 10] + "十" + (CHINESE[number % 10] if number % 10 else "")
    rest = number % 100
    if not rest:
        return CHINESE[number // 100] + "百"
    return CHINESE[number // 100] + "百" + (f"零{CHINESE[rest]}" if rest < 10 else
        (f"一{_numeral(rest)}" if rest < 20 else _numeral(rest)))  # fmt: skip


def _numerals(w: Writer, one: Clean) -> str:
    door = w.door(one)
    digits = "".join(sign for sign in door if sign.isdigit())
    by_places = w.chance(0.7)
    said = _numeral(int(digits)) if by_places else "".join(CHINESE[int(d)] for d in digits)
    return w.full(one, door=door.replace(digits, said))


def _synonym(w: Writer, one: Clean) -> str:
    door = w.door(one)
    other = (
        ("栋", "座", "号楼", "#楼", "号") if door.endswith("幢") else ("#", "號", "＃", "号院内")
    )
    return w.full(one, door=door[:-1] + w.pick(other))


def _no_marker(w: Writer, one: Clean) -> str:
    return w.full(one, door=w.door(one)[:-1])


def _blanks(w: Writer, one: Clean) -> str:
    door = w.door(one)
    mark = w.pick((" ", "  ", "，", "、", "-", "\u3000"))
    return w.areas(one) + w.pick((" ", "，", "")) + w.name(one) + mark + door[:-1] + " " + door[-1]


def _traditional(w: Writer, one: Clean) -> str:
    return str(w.traditional.convert(w.full(one)))


def _changed(w: Writer, one: Clean, others: Callable[[str], Sequence[str]]) -> str | None:
    """Write one letter of the name's own part as another."""
    name = w.name(one)
    places = [k for k in range(len(name) - 1) if others(name[k])]
    if not places:
        return None
    k = places[int(w.rng.integers(len(places)))]
    return w.full(one, name=name[:k] + w.pick(others(name[k])) + name[k + 1 :])


def _homophone(w: Writer, one: Clean) -> str | None:
    return _changed(
        w, one, lambda sign: [s for s in w.sounds.get(lazy_pinyin(sign)[0], ()) if s != sign]
    )


def _look_alike(w: Writer, one: Clean) -> str | None:
    return _changed(
        w, one, lambda sign: [s for group in GROUPS if sign in group for s in group if s != sign]
    )


def _wrong_letter(w: Writer, one: Clean) -> str | None:
    return _changed(w, one, lambda sign: [s for s in (*FIRST, *SECOND) if s != sign])


def _lost_letter(w: Writer, one: Clean) -> str | None:
    name = w.name(one)
    if len(name) < 4:
        return None
    k = int(w.rng.integers(len(name) - 1))
    return w.full(one, name=name[:k] + name[k + 1 :])


def _double_letter(w: Writer, one: Clean) -> str:
    name = w.name(one)
    k = int(w.rng.integers(len(name)))
    return w.full(one, name=name[: k + 1] + name[k:])


def _swapped(w: Writer, one: Clean) -> str | None:
    name = w.name(one)
    if name[0] == name[1]:
        return None
    return w.full(one, name=name[1] + name[0] + name[2:])


def _ending(w: Writer, one: Clean) -> str | None:
    """Leave out the end of a street, or write another."""
    if one.estate or not one.street or len(one.street) < 3:
        return None
    return w.full(one, name=one.street[:-1] + w.pick(("", "路", "街")))


def _order(w: Writer, one: Clean) -> str:
    pieces = [one.town, one.community, w.name(one) + w.door(one)]
    return w.pick(("", " ", "，")).join(pieces[k] for k in w.rng.permutation(3))


def _twice(w: Writer, one: Clean) -> str:
    local = w.local(one)
    return w.pick((f"{one.town}{one.town}{local}", f"{one.county}{local} {one.county}{local}",
                   f"{w.areas(one)}{w.name(one)}{w.name(one)}{w.door(one)}"))  # fmt: skip


def _note(w: Writer, one: Clean) -> str:
    return w.full(one) + w.pick(("(近公交站)", "（原粮站）", "【二楼】", w.pick(BESIDE)))


def _phone(w: Writer, one: Clean) -> str:
    phone = f"1{w.rng.integers(30, 99)}{w.rng.integers(10_000_000, 99_999_999)}"
    return w.full(one) + w.pick((" ", "电话", "，联系电话：")) + phone


def _town_alias(w: Writer, one: Clean) -> str:
    ending = next((end for end in TOWN_ENDS if end and one.town.endswith(end)), "")
    stem = one.town.removesuffix(ending)
    return stem + w.pick([end for end in TOWN_ENDS if end != ending]) + w.local(one)


def _wrong_town(w: Writer, one: Clean) -> str:
    return w.pick(("东阳镇", "苏溪镇", "城西街道")) + w.local(one)


def _room(w: Writer, one: Clean) -> str:
    unit, room = (
        int(w.rng.integers(1, 4)),
        int(w.rng.integers(1, 7)) * 100 + int(w.rng.integers(1, 5)),
    )
    words = w.pick((f"{unit}单元{room}室", f"{unit}单元{room}", f"{room}室", f"-{unit}-{room}"))
    door = w.door(one)
    if words.startswith("-"):
        return w.full(one, door=(door.removesuffix("幢")) + words)
    return w.full(one, door=door + words)


def _shop(w: Writer, one: Clean) -> str:
    return w.full(one) + w.pick(SHOPS)


def _old_name(w: Writer, one: Clean) -> str | None:
    return None if one.old_street is None or one.estate else w.full(one, name=one.old_street)


def _pinyin(_w: Writer, one: Clean) -> str | None:
    if one.estate or not one.street:
        return None
    return f"{''.join(lazy_pinyin(one.street))} {(one.number or '')[:-1]}"


def _two(w: Writer, one: Clean) -> str | None:
    """Do two things at once: a wrong letter of the same sound, and something else around it."""
    text = _homophone(w, one)
    return None if text is None else text.translate(WIDE) + w.pick(("(近公交站)", "3楼", "附近"))


#: Kind -> how, and how often among 1,000. What a register's own export would hold is not dirty:
#: only the first three are spared, at a fifth of all.
KINDS: Final[dict[str, tuple[Kind, int]]] = {
    "plain": (_plain, 80), "complete": (_complete, 60), "bare": (_bare, 60),
    "wide": (_wide, 40), "numerals": (_numerals, 60), "synonym": (_synonym, 60),
    "no_marker": (_no_marker, 40), "blanks": (_blanks, 50), "traditional": (_traditional, 30),
    "homophone": (_homophone, 60), "look_alike": (_look_alike, 40),
    "wrong_letter": (_wrong_letter, 20), "lost_letter": (_lost_letter, 20),
    "double_letter": (_double_letter, 20), "swapped": (_swapped, 20), "ending": (_ending, 40),
    "order": (_order, 40), "twice": (_twice, 40), "note": (_note, 40), "phone": (_phone, 30),
    "town_alias": (_town_alias, 40), "wrong_town": (_wrong_town, 10), "room": (_room, 50),
    "shop": (_shop, 30), "old_name": (_old_name, 10), "pinyin": (_pinyin, 5), "two": (_two, 25),
}  # fmt: skip
#: No address of the city is right for these: a street that is nowhere, a house far off, elsewhere.
ABSENT: Final = {"absent_street": 15, "absent_number": 15, "elsewhere": 10}


def dirty(rows: Sequence[Clean], count: int, seed: int) -> Iterator[Dirty]:
    """Yield `count` texts, always the same for a seed; every kind of dirt in its share."""
    rng = np.random.default_rng(seed)
    writer = Writer(rng, by_sound())
    names = [*KINDS, *ABSENT]
    weights = np.array([*(share for _, share in KINDS.values()), *ABSENT.values()], dtype=float)
    streets = {one.street for one in rows}
    made = 0
    while made < count:
        kinds = rng.choice(len(names), count - made, p=weights / weights.sum())
        for kind, k in zip(kinds.tolist(), rng.integers(0, len(rows), len(kinds)).tolist(),
                           strict=True):  # fmt: skip
            name, one = names[kind], rows[k]
            if name in ABSENT:
                yield Dirty(_absent(writer, one, name, streets), name, None)
                made += 1
                continue
            text = KINDS[name][0](writer, one)
            if text is not None:
                yield Dirty(text, name, one.id)
                made += 1


def _absent(w: Writer, one: Clean, kind: str, streets: set[str | None]) -> str:
    if kind == "elsewhere":
        return w.pick(ELSEWHERE)
    if kind == "absent_number":
        return w.areas(one) + (one.street or one.estate or "") + f"{w.rng.integers(2000, 9000)}号"
    while True:
        street = w.pick(("翔鹭", "鸿运", "沧浪", "罗湖", "骊歌", "鼎盛", "昆仑", "蓬莱")) + w.pick(
            ("大道", "三路", "五街")
        )
        if street not in streets:
            return f"{w.areas(one)}{street}{w.rng.integers(1, 90)}号"


def by_sound() -> dict[str, list[str]]:
    """Group common letters by their sound: what a keyboard offers for one."""
    signs = dict.fromkeys(
        "".join((*FIRST, *SECOND))
        + "康岭灵零领林琳临铃凌青轻卿倾云匀芸运柳流留刘溪西希夕熙兰蓝栏澜"
        "秀绣袖福扶服浮永泳咏勇长场肠东冬董南男楠北贝背上尚金今斤银音寅石实时食十龙隆聋凤奉桃逃陶梅"
        "没煤眉松颂竹烛荷河何合禾香乡相湘雅亚和祥翔详瑞锐锦景井静境丹单碧必毕清明鸣名春椿秋丘文闻纹"
        "望旺忘映应英听厅白百紫子大达五武舞双霜九久塘糖堂唐桥乔侨湖胡壶糊山杉泉全权门们园圆源原元江"
        "姜浦普湾弯玩村里理礼李庭廷亭停台抬岩言沿坑峰风丰枫封水月悦越华花滑荣容融乐平苹屏阳扬杨洋光"
        "广川霞侠下莲连联枫桂贵樟章张柏百杏幸城成诚家佳嘉丽利力晶御玉域星新心馨翡翠世纪季"
    )
    found: dict[str, list[str]] = {}
    for sign in signs:
        found.setdefault(lazy_pinyin(sign)[0], []).append(sign)
    return found
