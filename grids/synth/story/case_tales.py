"""Tales of cases: each branch of `grids.incidents.lifecycle`, to its end or to where it waits."""

from __future__ import annotations

from typing import Any, Final

from grids.synth.story.turns import Tale, Turn, Values, turns

FILED: Final = turns((0.1, "intake", "accept"), (0.2, "shift_leader", "file"))
SEEN: Final = turns(
    (0.1, "intake", "accept"), (0.9, "worker", "verify", {"note": "现场核实，情况属实"}),
    (0.2, "shift_leader", "file"),
)  # fmt: skip
OUT: Final = turns(FILED, (0.2, "dispatcher", "dispatch", {"department": "@owner"}))
SIGNED: Final = turns(OUT, (0.4, "handler", "sign"))
REPLIED: Final = turns(SIGNED, (4, "handler", "reply", {"note": "已处理完毕，现场恢复正常"}))
ASKED: Final = turns(REPLIED, (0.4, "dispatcher", "ask_check"))
CHECKED: Final = turns(ASKED, (1.2, "worker", "check_ok", {"note": "现场核查，问题已解决"}))
CLOSED: Final = turns(CHECKED, (0.3, "shift_leader", "close"))
LATE: Final = turns(
    SIGNED, (150, "handler", "reply", {"note": "因配件调运，今日处理完毕"}),
    (0.4, "dispatcher", "ask_check"), (1.2, "worker", "check_ok", {"note": "已修复"}),
    (0.3, "shift_leader", "close"),
)  # fmt: skip
APPEALED: Final = turns(
    LATE, (20, "handler", "appeal", {"reason": "force_majeure",
                                     "note": "台风期间停工，附气象部门证明"}),
)  # fmt: skip
DISPUTED: Final = turns(
    SIGNED,
    (2, "handler", "dispute", {"note": "该段管线产权未移交，非本单位管养范围", "department": "@other"}),
    (0.02, "", "*watch"),
    (0.2, "handler", "*state", {"text": "该设施未列入本单位移交清单。", "basis": "2024年移交清单"}),
)  # fmt: skip
DECIDED: Final = turns(
    DISPUTED,
    (0.3, "commander", "*decide", {
        "department": "@other", "facts": "设施位于道路红线内，建设单位已移交，管养协议已签。",
        "why": "道路红线内已移交的设施由管养单位负责，产权资料不全不影响先行处置。"}),
)  # fmt: skip


def _tale(
    name: str, ago: float, code: str, text: str, path: tuple[Turn, ...], *,
    channel: str = "worker", who: str = "", copies: int = 2, more: Values | None = None,
) -> Tale:  # fmt: skip
    usual = {"worker": "worker", "public": "public", "system": "system"}.get(channel, "intake")
    values: dict[str, Any] = {"category": code, "text": text, "channel": channel, **(more or {})}
    return Tale(name, ago, who or usual, values, path, copies)


INTAKE: Final = (
    _tale("just in", 0.1, "06010", "绿化带旁堆有成袋垃圾", (), copies=4),
    _tale("just in, public", 0.3, "06028", "楼下烧烤店深夜音响声很大", (), channel="public", copies=3),
    _tale("asked", 1.6, "06027", "有油烟味，不清楚是哪一家", turns(
        (0.3, "intake", "ask_reporter", {"note": "请问是哪一家店、几点油烟最重？"}),
    ), channel="public"),
    _tale("answered", 5, "06027", "饭店油烟直排", turns(
        (0.3, "intake", "ask_reporter", {"note": "请问是哪一家店？"}),
        (2, "intake", "reporter_answered", {"note": "来电人答复：一楼转角的饭店，晚上六点以后"}),
        (0.1, "intake", "accept"),
    ), channel="phone"),
    _tale("confidential", 48, "08001", "要求保密：工地多次夜间施工", turns(
        SEEN, (0.2, "dispatcher", "dispatch", {"department": "@owner"}), (0.5, "handler", "sign"),
    ), channel="phone", more={"confidential": True}),
    _tale("seen next door", 26, "06010", "巡查路过相邻网格，路边有垃圾", turns(
        (0.3, "intake", "accept"), (0.4, "shift_leader", "file"),
    ), more={"outside_own": True}, copies=1),
    _tale("place made up", 7, "06012", "手机定位为模拟位置，待核实", (),
          more={"mock_place": True}, copies=1),
    _tale("untrue", 60, "06036", "楼道堆放大量杂物", turns(
        (0.1, "intake", "accept"), (1.4, "worker", "find_untrue", {"reason": "untrue"}),
    ), channel="public"),
    _tale("rejected", 80, "06028", "对面太吵", turns(
        (0.2, "intake", "reject", {"reason": "too_little_information"}),
    ), channel="public"),
    _tale("main", 30, "06042", "垃圾箱满溢，异味明显", turns(
        FILED, (0.3, "dispatcher", "dispatch", {"department": "@owner"}), (6, "handler", "sign"),
    )),
    _tale("merged", 29.8, "06042", "门口垃圾桶满了没人收", turns(
        (0.15, "intake", "merge", {"main": "main", "note": "同一处垃圾箱，先到案卷在办"}),
    ), channel="public"),
    _tale("unmerged", 29.7, "06042", "另一侧垃圾箱也满溢", turns(
        (0.12, "intake", "merge", {"main": "main", "note": "疑似同一处"}),
        (1, "intake", "unmerge", {"note": "经核对为另一只垃圾箱"}), (0.1, "intake", "accept"),
        (0.5, "worker", "verify", {"note": "属实"}),
    ), channel="public"),
    _tale("urgent", 220, "10901", "路面塌陷约半米深，已影响通行", turns(
        (0.05, "shift_leader", "fast_track", {"department": "@owner"}), (0.2, "handler", "sign"),
        (0.5, "handler", "handle", {"note": "已设围挡和警示灯，抢修队到场"}),
        (9, "handler", "reply", {"note": "回填压实，恢复通行"}), (0.2, "dispatcher", "ask_check"),
        (1, "worker", "check_ok", {"note": "路面平整，已通车"}), (0.2, "shift_leader", "close"),
    )),
    _tale("urgent, now", 3, "10902", "水管破裂，路面冒水", turns(
        (0.05, "shift_leader", "fast_track", {"department": "@owner"}), (0.2, "handler", "sign"),
        (0.4, "handler", "handle", {"note": "已关阀，挖掘设备在途"}),
    ), channel="phone"),
    _tale("on the spot", 50, "06010", "垃圾箱外零星垃圾，当场清理", (), copies=4, more={"after": True}),
    _tale("sample waits", 30, "06010", "垃圾箱外零星垃圾，当场清扫", turns(
        (20, "shift_leader", "sample"),), more={"after": True}),
    _tale("sample passed", 90, "06010", "零星垃圾，当场清理入箱", turns(
        (20, "shift_leader", "sample"), (3, "grid_leader", "sample_ok", {"note": "抽查合格"}),
    ), more={"after": True}),
    _tale("sample failed", 34, "06010", "零星垃圾，当场清理", turns(
        (20, "shift_leader", "sample"), (3, "grid_leader", "sample_failed", {"reason": "not_solved"}),
        (0.2, "intake", "accept"), (0.2, "shift_leader", "file"),
    ), more={"after": True}, copies=1),
    _tale("sent back", 20, "06013", "路面坑洼", turns(
        (0.1, "intake", "accept"), (0.3, "shift_leader", "send_back", {"reason": "wrong_category"}),
        (0.2, "intake", "accept"), (0.2, "shift_leader", "file"),
        (0.2, "dispatcher", "send_back", {"reason": "wrong_place"}), (0.2, "shift_leader", "file"),
        (0.2, "dispatcher", "dispatch", {"department": "@owner"}),
    )),
    _tale("not filed", 70, "06012", "少量落叶", turns(
        (0.1, "intake", "accept"), (0.2, "shift_leader", "refuse", {"reason": "below_threshold"}))),
    _tale("to file", 0.7, "09005", "店外摆放货品", turns((0.1, "intake", "accept"))),
    _tale("to verify", 1.2, "09012", "消防通道停了两辆车", turns(
        (0.1, "intake", "accept")), channel="public", copies=3),
    _tale("to dispatch", 0.6, "06011", "装修垃圾堆在路边", FILED, copies=3),
    _tale("from above", 28, "08004", "督查通报：工地扬尘未喷淋", turns(OUT, (1, "handler", "sign")),
          channel="document"),
    _tale("in the media", 46, "06025", "媒体反映河面有漂浮物", turns(
        SEEN, (0.2, "dispatcher", "dispatch", {"department": "@owner"}), (1, "handler", "sign"),
    ), channel="media"),
    _tale("from a sensor", 8, "10906", "水位计报警：下穿通道积水18厘米", turns(
        OUT, (0.3, "handler", "sign")), channel="system"),
)  # fmt: skip

LEVELS: Final = (
    _tale("down to the village", 100, "06036", "楼道堆放杂物", turns(
        FILED, (0.2, "dispatcher", "delegate", {"level": "town", "note": "请镇街处理"}),
        (0.5, "town_seat", "delegate", {"level": "village", "note": "请社区处理"}),
        (1, "grid_leader", "take"), (5, "grid_leader", "reply", {"note": "已劝导居民清理"}),
        (0.5, "town_seat", "ask_check"), (2, "worker", "check_ok", {"note": "楼道畅通"}),
        (0.3, "shift_leader", "close"),
    )),
    _tale("at the town", 26, "09001", "流动摊贩聚集", turns(
        FILED, (0.2, "dispatcher", "delegate", {"level": "town", "note": "属地处置"}),
        (0.5, "town_seat", "dispatch", {"department": "@town"}), (0.6, "handler", "sign"),
        (2, "handler", "handle", {"note": "已到场劝离，约谈三名摊主"}),
    ), copies=4),
    _tale("waits at the town", 1.2, "07001", "墙面大量小广告", turns(
        FILED, (0.2, "dispatcher", "delegate", {"level": "town", "note": "属地处置"}),
    ), copies=4),
    _tale("given to a worker", 9, "06036", "门口堆放纸箱", turns(
        FILED, (0.2, "dispatcher", "delegate", {"level": "village", "note": "请社区处理"}),
        (0.5, "grid_leader", "dispatch", {"worker": "@worker"}), (0.5, "worker", "sign"),
    )),
    _tale("called up", 15, "06001", "院内新搭铁皮棚", turns(
        FILED, (0.2, "dispatcher", "delegate", {"level": "town", "note": "请镇街先行核查"}),
        (3, "town_seat", "escalate", {"note": "涉及规划认定，镇街无执法权，吹哨上报"}),
    )),
)  # fmt: skip

PASSED: Final = (
    _tale("returned", 130, "06013", "人行道板松动翘起", turns(
        OUT, (0.5, "handler", "return", {"reason": "not_our_duty"}),
        (0.3, "dispatcher", "dispatch", {"department": "@other"}), (0.6, "handler", "sign"),
        (7, "handler", "reply", {"note": "已更换板材"}), (0.4, "dispatcher", "ask_check"),
        (2, "worker", "check_ok", {"note": "平整"}), (0.3, "shift_leader", "close"),
    )),
    _tale("return asked", 12, "06013", "路缘石松动", turns(
        SIGNED, (2, "handler", "ask_return", {"reason": "ownership_unclear"}))),
    _tale("return refused", 52, "06013", "路面坑洼约1平方米", turns(
        SIGNED, (2, "handler", "ask_return", {"reason": "not_our_duty"}),
        (0.5, "dispatcher", "refuse_return", {"note": "管养协议在贵单位名下，请先行处置"}),
        (5, "handler", "reply", {"note": "已修补"}),
    )),
    _tale("return approved", 20, "06012", "绿化带内有污渍", turns(
        SIGNED, (2, "handler", "ask_return", {"reason": "place_unclear"}),
        (0.5, "dispatcher", "approve_return", {"note": "同意退回，改派"}),
        (0.2, "dispatcher", "reassign", {"department": "@other", "note": "按权属改派"}),
    )),
    _tale("disputed", 6, "06013", "地下管线回填处路面沉降", DISPUTED, copies=2),
    _tale("disputed long", 6.4, "06011", "拆迁地块边建筑垃圾", turns(
        SIGNED, (2, "handler", "dispute", {"note": "非本单位设施"}), (0.02, "", "*watch"))),
    _tale("decided", 190, "01004", "雨水箅子缺失", turns(
        DECIDED, (0.5, "handler", "sign"), (5, "handler", "reply", {"note": "已补装"}),
        (0.4, "dispatcher", "ask_check"), (2, "worker", "check_ok", {"note": "已补装"}),
        (0.3, "shift_leader", "close"))),
    _tale("decided, another class", 260, "06017", "铁路边坡绿地垃圾", turns(
        DECIDED, (0.5, "handler", "sign")), copies=1),
    _tale("by default", 340, "01007", "弱电井盖翘起", turns(
        SIGNED, (2, "handler", "dispute", {"note": "井盖无标识，权属不明"}), (0.02, "", "*watch"),
        (150, "", "*watch"), (0.5, "handler", "sign")), copies=1),
    _tale("returned twice", 21, "06034", "长期停放的废弃车辆", turns(
        OUT, (0.5, "handler", "return", {"reason": "not_our_duty"}),
        (0.3, "dispatcher", "dispatch", {"department": "@other"}), (0.6, "handler", "sign"),
        (1, "handler", "ask_return", {"reason": "ownership_unclear"}),
        (0.5, "dispatcher", "approve_return", {"note": "双方均称非本职责，提请裁定"}),
        (0.02, "", "*watch"))),
    _tale("outside", 40, "01007", "运营商光缆垂落", turns(
        SIGNED, (1, "handler", "hand_over", {"outside": "城东物业服务中心", "until": 72,
                                             "note": "小区内管线，由物业修复"}))),
    _tale("outside replied", 110, "01037", "小区路灯不亮", turns(
        SIGNED, (1, "handler", "hand_over", {"outside": "明月花园业委会", "until": 96}),
        (30, "handler", "outside_replied", {"note": "物业已更换灯具"}),
        (1, "handler", "reply", {"note": "复核已亮灯"}),
    )),
    _tale("taken back", 90, "01037", "路灯杆倾斜", turns(
        SIGNED, (1, "handler", "hand_over", {"outside": "城南开发公司", "until": 48}),
        (50, "handler", "take_back", {"note": "逾期未处理，收回由本单位处置"}),
    )),
)  # fmt: skip
