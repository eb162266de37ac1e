"""Enterprises with valid but impossible credit codes, and the premises where they work."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from grids.synth.homes import Dwellings
from grids.synth.names import FIRM_WORDS, person_names
from grids.synth.plan import COUNTY, Plan
from grids.synth.shapes import Floats
from grids.synth.world import World

Ints = NDArray[np.int64]
Texts = NDArray[np.str_]

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
VALUE = {ch: n for n, ch in enumerate(ALPHABET)}
#: In organisation codes letters count 10 to 35, in credit codes their place in the alphabet.
ORG_VALUE = {ch: int(ch, 36) for ch in ALPHABET}
ORG_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
USCC_WEIGHTS = tuple(3**k % 31 for k in range(17))
PREFIX = {
    "company": "91", "individual": "92", "institution": "12", "organ": "11", "association": "51",
}  # fmt: skip

#: trade -> (words of the name, section of GB/T 4754, kind of premises, kinds of buildings, share)
TRADES: dict[str, tuple[tuple[str, ...], str, str, tuple[str, ...], float]] = {
    "shop": (("百货店", "便利店", "五金店", "服装店", "文具店", "水果店", "手机店", "烟酒店", "饰品店",
              "花店", "药店", "建材店"), "F", "shop", ("retail", "house"), 27),
    "restaurant": (("面馆", "饭店", "小吃店", "餐馆", "火锅店", "早餐店", "茶餐厅", "烧烤店"), "H",
                   "restaurant", ("retail", "house"), 10),
    "beauty": (("美发店", "美容店", "足浴店"), "O", "beauty", ("retail", "house"), 4),
    "repair": (("汽修店", "电动车行", "家电维修部"), "O", "shop", ("retail", "house"), 3),
    "hotel": (("宾馆", "旅馆", "酒店", "民宿"), "H", "hotel", ("commercial", "retail", "house"), 1),
    "fun": (("网咖", "棋牌室", "歌舞厅"), "R", "entertainment", ("retail", "commercial"), 1),
    "training": (("培训中心", "托管中心", "幼教中心"), "P", "training", ("retail", "commercial"), 1.5),
    "clinic": (("诊所", "口腔门诊部", "中医馆"), "Q", "clinic", ("retail", "house"), 1),
    "trade": (("贸易有限公司", "进出口有限公司", "电子商务有限公司", "商贸有限公司"), "F", "office",
              ("commercial", "office", "apartments"), 20),
    "workshop": (("服饰厂", "饰品加工厂", "工艺品厂", "包装厂", "塑料制品厂", "印刷厂"), "C", "workshop",
                 ("house", "industrial"), 8),
    "factory": (("制造有限公司", "工艺品有限公司", "针织有限公司", "电器有限公司", "机械有限公司",
                 "化妆品有限公司", "拉链有限公司"), "C", "factory", ("industrial",), 8),
    "logistics": (("物流有限公司", "货运代理有限公司", "仓储有限公司", "快递有限公司"), "G", "warehouse",
                  ("warehouse", "industrial"), 3),
    "building": (("建设有限公司", "装饰工程有限公司"), "E", "office", ("office", "commercial"), 2.5),
    "property": (("物业管理有限公司", "房地产经纪有限公司"), "K", "office", ("office", "commercial"), 2),
    "software": (("信息科技有限公司", "网络科技有限公司", "软件有限公司"), "I", "office",
                 ("office", "commercial"), 3.5),
    "service": (("广告有限公司", "咨询有限公司", "人力资源有限公司", "会计服务有限公司"), "L", "office",
                ("office", "commercial"), 3),
    "farm": (("农业专业合作社", "家庭农场", "苗木有限公司"), "A", "farm", ("house",), 1.5),
}  # fmt: skip


@dataclass(frozen=True)
class Firms:
    """Enterprises, lists and arrays of n; `building` is where each is."""

    uscc: list[str]
    name: list[str]
    kind: Texts
    industry: Texts
    status: Texts
    staff: Ints
    age_days: Ints
    contact: list[str]
    building: Ints
    points: Floats


@dataclass(frozen=True)
class Sites:
    """Premises; `firm` is -1 where none belongs to it, as in a house that is let."""

    kind: Texts
    name: list[str]
    firm: Ints
    building: Ints
    area_m2: Floats
    points: Floats


def open_firms(plan: Plan, world: World) -> tuple[Firms, Sites]:
    """Register enterprises in suitable buildings, and the premises of those that have some."""
    rng = plan.rng("firms")
    trades = list(TRADES)
    share = np.array([TRADES[t][4] for t in trades])
    trade = rng.choice(len(trades), plan.enterprises, p=share / share.sum())
    building = _homes_of(world, rng, trades, trade)
    words = [TRADES[trades[t]][0] for t in trade.tolist()]
    endings = [w[int(r * len(w))] for w, r in zip(words, rng.random(len(words)), strict=True)]
    is_company = np.array([end.endswith("公司") for end in endings])
    kind = np.where(is_company, "company", "individual")
    sign = _signs(rng, plan.enterprises)
    name = [("示例市" + s if c else s) + end
            for s, c, end in zip(sign, is_company.tolist(), endings, strict=True)]  # fmt: skip
    points = spots_in(world, rng, building)
    people = person_names(rng, plan.enterprises)
    firms = Firms(
        uscc=credit_codes(kind.tolist(), rng),
        name=name,
        kind=kind,
        industry=np.array([TRADES[trades[t]][1] for t in trade.tolist()]),
        status=rng.choice(["open", "suspended", "closed"], plan.enterprises, p=[0.94, 0.03, 0.03]),
        staff=np.maximum(1, rng.lognormal(np.where(is_company, 2.0, 0.6), 0.8)).astype(np.int64),
        age_days=(rng.exponential(2100, plan.enterprises) + 20).astype(np.int64),
        contact=[f"{p} 12{d:09d}" for p, d in
                 zip(people, rng.integers(0, 10**9, plan.enterprises).tolist(), strict=True)],
        building=building,
        points=points,
    )  # fmt: skip
    has_site = np.array([TRADES[trades[t]][2] != "office" for t in trade.tolist()])
    which = np.flatnonzero(has_site & (firms.status != "closed"))
    floor = np.array([_FLOOR_M2[TRADES[trades[t]][2]] for t in trade[which].tolist()])
    sites = Sites(
        kind=np.array([TRADES[trades[t]][2] for t in trade[which].tolist()]),
        name=[name[k] for k in which.tolist()],
        firm=which,
        building=building[which],
        area_m2=np.round(floor * rng.lognormal(0, 0.45, len(which)), 0),
        points=points[which],
    )
    return firms, sites


_FLOOR_M2 = {
    "shop": 55.0, "restaurant": 80.0, "beauty": 70.0, "hotel": 600.0, "entertainment": 240.0,
    "training": 200.0, "clinic": 110.0, "workshop": 220.0, "factory": 1900.0, "warehouse": 1500.0,
    "farm": 140.0,
}  # fmt: skip


def rental_houses(
    world: World, dwellings: Dwellings, names: list[str]
) -> tuple[Ints, list[str], Floats]:
    """List houses in which three homes or more are let: premises that are inspected."""
    let = np.bincount(
        dwellings.building[dwellings.use == "rental"], minlength=len(world.houses.shapes)
    )
    which = np.flatnonzero((let >= 3) & (world.houses.kinds == "house"))
    points = shapely.get_coordinates(shapely.centroid(world.houses.shapes[which]))
    return which, [names[k] + "出租房" for k in which.tolist()], points


def _homes_of(world: World, rng: np.random.Generator, trades: list[str], trade: Ints) -> Ints:
    """Choose a building for each enterprise; front and large ones hold more."""
    kinds = world.houses.kinds
    room = shapely.area(world.houses.shapes) * np.maximum(world.houses.levels, 1)
    room = np.where((kinds == "house") & ~world.houses.on_front, room * 0.12, room)
    everything = np.ones(len(kinds), dtype=bool)
    out = np.zeros(len(trade), dtype=np.int64)
    for k, name in enumerate(trades):
        mine = np.flatnonzero(trade == k)
        fit = np.isin(kinds, TRADES[name][3])
        fit = fit if fit.any() else everything
        first = np.where(kinds == TRADES[name][3][0], 4.0, 1.0)
        weight = np.where(fit, np.sqrt(room) * first, 0.0)
        out[mine] = rng.choice(len(kinds), len(mine), p=weight / weight.sum())
    return out


def spots_in(world: World, rng: np.random.Generator, building: Ints) -> Floats:
    """Draw a point inside each building."""
    corners = shapely.get_coordinates(world.houses.shapes).reshape(-1, 5, 2)[building]
    u, v = rng.uniform(0.12, 0.88, (2, len(building), 1))
    out: Floats = (
        corners[:, 0] + u * (corners[:, 1] - corners[:, 0]) + v * (corners[:, 3] - corners[:, 0])
    )
    return out


def _signs(rng: np.random.Generator, count: int) -> list[str]:
    words = np.array(FIRM_WORDS)
    pick = words[rng.integers(0, len(words), (count, 3))]
    long = rng.random(count) < 0.4
    return [a + b + (c if is_long else "")
            for (a, b, c), is_long in zip(pick.tolist(), long.tolist(), strict=True)]  # fmt: skip


def credit_codes(kinds: list[str], rng: np.random.Generator) -> list[str]:
    """Make unified social credit codes of GB 32100 under the county that does not exist."""
    count = len(kinds)
    start = int(rng.integers(0, 31**3))
    codes: list[str] = []
    for n, kind in enumerate(kinds):
        number = (start + n * 7919) % 31**6
        digits = []
        for _ in range(6):
            number, rest = divmod(number, 31)
            digits.append(ALPHABET[rest])
        stem = "MA" + "".join(reversed(digits))
        body = PREFIX[kind] + COUNTY + stem + org_check(stem)
        codes.append(body + uscc_check(body))
    if len(set(codes)) != count:
        raise ValueError(f"{count} enterprises do not fit the numbers of one county")
    return codes


def org_check(stem: str) -> str:
    """Check character of an organisation code (GB 11714)."""
    rest = (11 - sum(w * ORG_VALUE[c] for w, c in zip(ORG_WEIGHTS, stem, strict=True)) % 11) % 11
    return "X" if rest == 10 else str(rest)


def uscc_check(body: str) -> str:
    """Check character of a unified social credit code (GB 32100)."""
    total = sum(w * VALUE[c] for w, c in zip(USCC_WEIGHTS, body, strict=True))
    return ALPHABET[(31 - total % 31) % 31]
