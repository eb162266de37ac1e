"""What happens in the simulated city: how often, where, in which months and at which hours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from grids.synth.shapes import Floats

#: Weight of each month, January first.
SEASONS: dict[str, tuple[float, ...]] = {
    "even": (0.92, 0.72, 1.0, 1.02, 1.05, 1.02, 1.05, 1.05, 1.03, 1.05, 1.05, 1.0),
    "summer": (0.3, 0.3, 0.5, 0.8, 1.2, 1.7, 2.1, 2.0, 1.4, 0.8, 0.5, 0.3),
    "plum_rain": (0.3, 0.5, 0.9, 1.2, 1.6, 2.4, 1.8, 1.6, 1.0, 0.4, 0.3, 0.2),
    "winter": (1.8, 1.6, 1.0, 0.7, 0.6, 0.5, 0.5, 0.5, 0.6, 0.9, 1.4, 1.8),
    "autumn": (0.8, 0.6, 0.7, 0.7, 0.7, 0.7, 0.7, 0.8, 1.2, 1.8, 2.0, 1.3),
    "typhoon": (0.3, 0.3, 0.6, 0.7, 0.8, 1.0, 2.2, 2.8, 2.0, 0.8, 0.4, 0.3),
    "snow": (5.0, 4.0, 0.6, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 2.3),
}
#: Weight of each hour of the day, midnight first.
HOURS: dict[str, tuple[float, ...]] = {
    "patrol": (0, 0, 0, 0, 0, .1, .5, 1.8, 4.2, 5.4, 5.0, 3.2, 1.6, 2.2, 4.6, 4.9, 4.0, 2.4, 1.2,
               .9, .7, .4, .2, .1),
    "shops": (.1, 0, 0, 0, 0, .4, 1.4, 2.4, 2.2, 2.0, 2.0, 2.0, 1.6, 1.6, 2.0, 2.4, 3.4, 4.4, 4.6,
              4.0, 2.8, 1.4, .6, .2),
    "night": (2.0, 1.2, .7, .4, .3, .3, .5, .6, .6, .6, .6, .7, .9, .7, .7, .7, .9, 1.3, 2.4, 3.6,
              4.6, 5.0, 4.4, 3.2),
    "all": (.7, .5, .4, .4, .4, .6, 1.2, 2.0, 2.4, 2.4, 2.2, 2.0, 1.6, 1.8, 2.2, 2.2, 2.2, 2.2,
            2.0, 1.8, 1.6, 1.3, 1.1, .9),
    "fire": (1.6, 1.5, 1.4, 1.3, 1.0, .9, 1.0, 1.2, 1.3, 1.4, 1.6, 2.1, 2.0, 1.6, 1.6, 1.7, 1.9,
             2.3, 2.4, 2.3, 2.2, 2.1, 2.0, 1.8),
}  # fmt: skip
WEEKDAYS = (1.12, 1.08, 1.05, 1.05, 1.02, 0.86, 0.82)


@dataclass(frozen=True)
class Matter:
    """A sort of incident. `place` names a pool of places, or the code of a component."""

    code: str
    share: float
    place: str
    season: str
    hours: str
    say: tuple[str, ...]
    reach: float = 1.0  #: how much it gathers at hot spots


MATTERS = (
    Matter("06010", 12.0, "homes", "summer", "patrol",
           ("有暴露垃圾约2平方米", "垃圾堆在路边没人清", "绿化带旁有成袋垃圾"), 2.0),
    Matter("06011", 5.0, "homes", "even", "patrol", ("堆有建筑垃圾和渣土", "装修垃圾多日未清运"), 1.4),
    Matter("06012", 5.0, "street", "autumn", "patrol", ("路面落叶和尘土较多", "人行道有污渍")),
    Matter("06042", 6.0, "03005", "summer", "all", ("垃圾箱满溢", "垃圾桶外溢，有异味"), 1.6),
    Matter("06013", 2.6, "street", "plum_rain", "patrol", ("路面坑洼破损约1平方米", "人行道板松动翘起")),
    Matter("06036", 4.4, "homes", "even", "patrol", ("楼道和通道堆放杂物", "门口堆放纸箱杂物"), 1.2),
    Matter("06017", 2.0, "parks", "summer", "patrol", ("绿地内有白色垃圾", "草坪踩踏脏乱")),
    Matter("06028", 3.4, "homes", "summer", "night", ("夜间音响声音很大", "深夜有机器噪声", "广场舞音量过大"), 1.3),
    Matter("06027", 1.2, "shops", "even", "shops", ("饭店油烟直排，气味重",), 1.5),
    Matter("06029", 1.4, "shops", "summer", "night", ("露天烧烤占道，油烟大",), 1.6),
    Matter("06020", 0.8, "villages", "autumn", "shops", ("露天焚烧树叶杂草",)),
    Matter("06025", 1.2, "river", "summer", "patrol", ("河面有漂浮物和水草", "河道边有垃圾漂浮")),
    Matter("06001", 1.0, "homes", "even", "patrol", ("楼顶疑似私自搭建", "院内新搭铁皮棚")),
    Matter("06041", 2.0, "homes", "even", "all", ("垃圾未分类投放",)),
    Matter("06050", 0.8, "street", "even", "patrol", ("路缘石缺损一段",)),
    Matter("06034", 0.6, "street", "even", "patrol", ("长期停放的废弃车辆",)),
    Matter("07001", 6.0, "homes", "even", "patrol", ("墙面和电杆有小广告", "楼道口张贴大量小广告"), 1.5),
    Matter("07006", 0.9, "shops", "even", "patrol", ("店招未经审批设置",)),
    Matter("08004", 1.4, "sites", "summer", "patrol", ("工地扬尘明显，未喷淋",), 1.8),
    Matter("08001", 1.0, "sites", "even", "night", ("工地夜间施工噪声",), 1.8),
    Matter("08007", 0.5, "sites", "typhoon", "patrol", ("工地围挡倾斜破损",)),
    Matter("08011", 0.6, "street", "even", "night", ("渣土车未密闭，沿路遗撒",)),
    Matter("09005", 6.0, "shops", "even", "shops", ("店外摆放货品经营", "店家占用人行道摆桌"), 2.2),
    Matter("09006", 3.2, "shops", "even", "shops", ("占道摆摊影响通行",), 2.2),
    Matter("09001", 3.4, "shops", "summer", "shops", ("流动摊贩聚集", "无证摊贩占道叫卖"), 2.5),
    Matter("09009", 9.0, "street", "even", "shops", ("机动车违停占用人行道", "车辆乱停堵住路口"), 1.8),
    Matter("09010", 4.2, "shops", "even", "all", ("电动车乱停放占盲道", "非机动车停放杂乱"), 1.8),
    Matter("09011", 1.8, "street", "even", "all", ("共享单车倒伏堆积",), 1.8),
    Matter("09012", 2.2, "homes", "even", "night", ("消防通道被车辆占用", "单元门口消防通道堵塞"), 1.6),
    Matter("09020", 0.7, "shops", "even", "shops", ("农贸市场周边秩序混乱",), 1.5),
    Matter("10001", 0.5, "street", "snow", "all", ("路面结冰湿滑",)),
    Matter("10002", 0.6, "street", "typhoon", "all", ("架空线缆垂落",)),
    Matter("10905", 0.9, "homes", "plum_rain", "all", ("下水道堵塞外溢",)),
    Matter("10906", 0.7, "street", "plum_rain", "all", ("路面积水较深",)),
    Matter("10901", 0.08, "street", "plum_rain", "all", ("路面塌陷，约半米深",)),
    Matter("10902", 0.15, "street", "winter", "all", ("水管破裂，路面冒水",)),
    Matter("01002", 0.9, "01002", "plum_rain", "patrol", ("污水井盖破损", "污水井盖移位有响声")),
    Matter("01003", 0.7, "01003", "plum_rain", "patrol", ("雨水井盖松动",)),
    Matter("01004", 0.8, "01004", "plum_rain", "patrol", ("雨水箅子堵塞", "雨水箅子缺失")),
    Matter("01007", 0.4, "01007", "even", "patrol", ("通信井盖翘起",)),
    Matter("01013", 0.25, "01013", "even", "patrol", ("消火栓漏水", "消火栓被遮挡")),
    Matter("01037", 2.6, "01037", "winter", "night", ("路灯不亮", "路灯杆倾斜")),
    Matter("02010", 0.7, "02010", "typhoon", "patrol", ("交通标志牌倾斜",)),
    Matter("02014", 0.4, "02014", "typhoon", "all", ("信号灯不亮",)),
    Matter("03005", 0.6, "03005", "even", "patrol", ("垃圾箱破损",)),
    Matter("04002", 1.2, "04002", "typhoon", "patrol", ("行道树倒伏", "行道树枯死")),
    Matter("04007", 0.2, "04007", "even", "patrol", ("座椅破损",)),
)  # fmt: skip
FIRE = "10907"
FIRE_SAYS = ("有烟冒出，疑似起火", "室内电器起火", "电动自行车充电起火", "厨房起火")

#: Odds of a fire in a building, as factors: what the risk models have to find again.
FIRE_ODDS = {
    "let_by_the_room": 3.0,  #: three homes or more are let
    "workshop_in_house": 3.6,  #: people live and produce under one roof (三合一)
    "catering": 2.0,
    "storage": 1.8,
    "built_before_1990": 1.8,
    "urban_village": 1.6,
    "burned_before": 2.5,
}

CHANNELS = ("worker", "public", "phone", "document", "media", "system")
CHANNEL_SHARE = (0.66, 0.18, 0.11, 0.015, 0.015, 0.02)


def hour_curve(name: str) -> Floats:
    """Return the hours of a profile as shares."""
    weight = np.array(HOURS[name])
    share: Floats = weight / weight.sum()
    return share
