"""Tales of disputes and of hazards: every step of their tables."""

from __future__ import annotations

from typing import Final

from grids.synth.story.turns import Tale, Turn, turns

NAMED: Final = turns((3, "town_seat", "assign", {"mediator": "@mediator"}))
RUNNING: Final = turns(
    NAMED, (6, "mediator", "contact", {"note": "已分别电话联系双方，约定到场调解"})
)
MET: Final = turns(
    RUNNING,
    (44, "mediator", "meet", {
        "held_at": 0, "place": "社区调解室", "present": "双方当事人、社区干部",
        "minutes": "双方陈述了经过。申请人要求停止影响并赔偿；被申请人承认事实，对金额有异议。"
                   "调解员讲明相关规定，双方同意各让一步，约期再议。"}),
)  # fmt: skip
AGREED: Final = turns(
    MET,
    (50, "mediator", "agree", {
        "agreement": "一、被申请人于约定日前完成整改，恢复原状。二、被申请人一次性补偿申请人人民币"
                     "三千元。三、双方就此事再无其他争议。",
        "terms": [(4, "完成整改，恢复原状"), (9, "支付补偿款三千元")], "photo": "paper"}),
)  # fmt: skip
KEPT: Final = turns(
    AGREED, (100, "mediator", "perform", {"term": "1", "performed_on": 0}),
    (110, "mediator", "perform", {"term": "2", "performed_on": 0}),
)  # fmt: skip


def _dispute(
    name: str, ago: float, kind: str, text: str, path: tuple[Turn, ...] = (), *,
    who: str = "worker", copies: int = 2, severity: str = "general", people: str = "2", channel: str = "visit",
) -> Tale:  # fmt: skip
    values = {
        "kind": kind,
        "text": text,
        "severity": severity,
        "people": people,
        "channel": channel,
    }
    return Tale(name, ago, who, values, path, copies)


DISPUTES: Final[tuple[Tale, ...]] = (
    _dispute("just in", 2, "02", "楼上漏水，天花板渗水发霉，双方对责任和修复费用意见不一", copies=3),
    _dispute("named", 9, "03", "楼道长期堆物，多次劝说无效，邻里争吵", NAMED),
    _dispute("took it", 12, "06", "拖欠三名工人工资共计四万余元", turns((2, "mediator", "take")),
             who="grid_leader", people="4"),
    _dispute("running", 60, "01", "赡养老人费用分担争议", RUNNING, who="grid_leader"),
    _dispute("met", 90, "05", "装修施工扰民并损坏公共管道", MET, copies=3),
    _dispute("more time asked", 320, "04", "宅基地边界争议", turns(
        MET, (200, "mediator", "ask_extend", {"note": "等待测绘结果"})), severity="larger"),
    _dispute("more time given", 420, "04", "承包地流转价款争议", turns(
        MET, (200, "mediator", "ask_extend", {"note": "等待评估"}), (8, "town_seat", "extend")),
        people="6", severity="larger"),
    _dispute("more time refused", 400, "08", "停车位使用争议", turns(
        MET, (200, "mediator", "ask_extend", {"note": "一方出差"}),
        (8, "town_seat", "refuse_extend", {"note": "可视频参加，按期调解"}))),
    _dispute("agreed", 150, "02", "空调外机噪声影响休息", AGREED, copies=3),
    _dispute("half kept", 260, "09", "物业服务质量与欠费争议", turns(
        AGREED, (96, "mediator", "perform", {"term": "1", "performed_on": 0}),
        (1, "mediator", "sign_copy", {"photo": "paper"})), people="12"),
    _dispute("closed", 480, "03", "树枝遮光争议", turns(
        KEPT, (30, "mediator", "revisit_ok", {"note": "上门回访，双方满意，关系恢复"})), copies=4),
    _dispute("broken", 420, "06", "工伤赔偿协议未按期履行", turns(
        AGREED, (250, "mediator", "revisit_broken", {"note": "第二项到期未付，恢复调解"}))),
    _dispute("failed", 500, "10", "合伙经营债务争议", turns(
        MET, (60, "mediator", "fail", {"reason": "no_consent", "way": "court",
                                       "note": "已告知诉讼途径与法律援助"})), people="5"),
    _dispute("to arbitration", 520, "06", "解除劳动合同补偿争议", turns(
        MET, (60, "mediator", "fail", {"reason": "fact_open", "way": "labour_arbitration"}))),
    _dispute("declined", 200, "11", "已进入诉讼程序的房屋买卖争议", turns(
        (4, "town_seat", "decline", {"reason": "in_court"}))),
    _dispute("withdrawn", 220, "03", "公共走廊鞋柜争议", turns(
        RUNNING, (20, "mediator", "withdraw", {"reason": "settled", "note": "双方自行和好"}))),
    _dispute("taken up", 70, "12", "多户征迁补偿标准争议", turns(
        NAMED, (20, "mediator", "escalate", {"reason": "many_people", "note": "涉及二十余户"})),
        people="24", severity="major"),
    _dispute("given down", 40, "07", "消费退款争议", turns(
        (3, "town_seat", "delegate", {"note": "请社区调委会先行调解"})), who="town_seat",
        channel="phone"),
    _dispute("another mediator", 110, "01", "离婚后探望子女争议", turns(
        RUNNING,
        (20, "town_seat", "reassign", {"mediator": "@mediator2", "note": "原调解员与一方相识，回避"}),
        (10, "mediator", "comment", {"note": "新任调解员已阅卷"}))),
    _dispute("one more party", 130, "05", "施工损坏邻房墙体", turns(
        RUNNING, (8, "mediator", "add_party", {"parties": "@party"}))),
    _dispute("again", 640, "02", "漏水维修后再次渗漏", turns(
        KEPT, (30, "mediator", "revisit_ok", {"note": "已履行"}),
        (60, "town_seat", "reopen", {"reason": "new_facts", "note": "再次渗漏，另一部位"}))),
)  # fmt: skip

ORDERED: Final = turns(
    (4, "town_seat", "order", {"term": "7", "measures": "清理疏散通道，撤除占用物品，保持安全出口畅通。"}),
)  # fmt: skip
SERVED: Final = turns(
    ORDERED, (3, "worker", "serve", {"note": "已送达经营者签收", "photo": "paper"})
)
RIGHT: Final = turns(SERVED, (60, "worker", "rectify", {"note": "经营者已清理，通道畅通"}))


def _hazard(
    name: str, ago: float, text: str, path: tuple[Turn, ...] = (), *,
    who: str = "worker", severity: str = "general", copies: int = 2, premises: bool = True, visit: tuple[str, ...] = (),
) -> Tale:  # fmt: skip
    values = {"severity": severity, "text": text, "at_premises": premises, "visit": visit}
    return Tale(name, ago, who, values, path, copies)


HAZARDS: Final[tuple[Tale, ...]] = (
    _hazard("found", 3, "安全出口上锁", copies=3),
    _hazard("found in the open", 5, "沿街广告牌固定件锈蚀松动", premises=False),
    _hazard("inspected", 7, "", visit=("S12", "S16", "S23"), copies=2),
    _hazard("inspected well", 30, "", visit=(), copies=3, premises=True),
    _hazard("on the spot", 26, "灭火器被杂物遮挡", turns(
        (0.2, "worker", "order_spot", {"measures": "当场移除杂物"}),
        (0.5, "worker", "rectify", {"note": "已当场移除"}),
        (20, "grid_leader", "recheck_ok", {"note": "复查合格"})), copies=4),
    _hazard("ordered", 20, "电线私拉乱接", ORDERED),
    _hazard("being put right", 60, "电动自行车在室内充电", SERVED, severity="major", copies=3),
    _hazard("to re-check", 90, "疏散通道堆放货物", RIGHT, copies=3),
    _hazard("closed", 160, "疏散指示标志不亮", turns(
        RIGHT, (30, "grid_leader", "recheck_ok", {"note": "复查合格，销号"})), copies=4),
    _hazard("not done", 150, "厨房与用餐区未分隔", turns(
        RIGHT, (30, "grid_leader", "recheck_fail", {"reason": "done_in_part", "note": "隔墙未封顶"}))),
    _hazard("overdue", 420, "彩钢板搭建仓库", turns(SERVED, (340, "", "*overdue")), copies=2),
    _hazard("refused", 200, "违规住人（三合一）", turns(
        SERVED, (80, "town_seat", "escalate", {"reason": "refused", "department": "D09"}),
        (30, "handler", "reorder", {"term": "15", "measures": "限期搬离，拆除隔间。"})),
        severity="major"),
    _hazard("enforcement", 330, "违规储存易燃品", turns(
        SERVED, (80, "town_seat", "escalate", {"reason": "danger", "department": "D09"}),
        (20, "handler", "enforce", {"document": "消行罚决字〔2026〕第0031号"})), severity="major"),
    _hazard("enforced", 520, "消防车通道被固定设施占用", turns(
        SERVED, (80, "town_seat", "escalate", {"reason": "beyond_town", "department": "D09"}),
        (20, "handler", "enforce", {"document": "消行罚决字〔2026〕第0027号"}),
        (200, "handler", "enforced", {"note": "已强制拆除"}),
        (40, "grid_leader", "recheck_ok", {"note": "通道畅通"})), severity="major"),
    _hazard("worse than thought", 34, "燃气软管老化", turns(
        (2, "grid_leader", "raise_severity", {"note": "接口已漏气，列为重大隐患"}),
        (1, "town_seat", "order", {"term": "7", "measures": "立即停用，更换金属软管，装报警切断装置。"}),
        (1, "worker", "comment", {"note": "燃气公司已约定上门"}))),
    _hazard("no hazard", 70, "疑似占用消防通道", turns(
        (3, "town_seat", "dismiss", {"reason": "no_hazard", "note": "为划线停车位"}))),
)  # fmt: skip
