"""Further tales of cases: time that is asked for, several departments, judging, voiding."""

from __future__ import annotations

from typing import Final

from grids.synth.story.case_tales import (
    APPEALED,
    ASKED,
    CHECKED,
    CLOSED,
    FILED,
    INTAKE,
    LEVELS,
    OUT,
    PASSED,
    REPLIED,
    SIGNED,
    _tale,
)
from grids.synth.story.turns import Tale, turns

VERIFIED: Final = turns((0.1, "intake", "accept"), (0.3, "worker", "verify", {"note": "属实"}))

TIME: Final = (
    _tale("more time asked", 10, "06013", "路面破损面积较大", turns(
        SIGNED, (1, "handler", "ask_extend", {"until": 120, "reason": "weather",
                                              "note": "连续降雨，沥青无法施工"}))),
    _tale("more time given", 30, "06013", "人行道大面积沉降", turns(
        SIGNED, (1, "handler", "ask_extend", {"until": 160, "reason": "material"}),
        (1, "shift_leader", "extend", {"note": "同意延期一次"}))),
    _tale("more time refused", 24, "06011", "建筑垃圾堆放", turns(
        SIGNED, (1, "handler", "ask_extend", {"until": 200, "reason": "coordination"}),
        (1, "shift_leader", "refuse_extend", {"note": "清运力量充足，按原时限办理"}))),
    _tale("more time, engineering", 60, "06001", "楼顶疑似私自搭建", turns(
        SIGNED, (3, "handler", "ask_extend", {"until": 1200, "reason": "engineering"}),
        (4, "commander", "extend", {"note": "拆除须履行程序，同意延期"}))),
    _tale("later asked", 14, "04002", "行道树枯死", turns(
        SIGNED, (1, "handler", "ask_defer", {"until": 900, "reason": "season"}))),
    _tale("later", 70, "06050", "路缘石缺损，随道路大修更换", turns(
        SIGNED, (1, "handler", "ask_defer", {"until": 700, "reason": "planned_work"}),
        (2, "dispatcher", "defer", {"note": "列入下月养护计划"}))),
    _tale("later refused", 26, "06013", "人行道破损", turns(
        SIGNED, (1, "handler", "ask_defer", {"until": 700, "reason": "other"}),
        (2, "dispatcher", "refuse_defer", {"note": "影响通行安全，不予缓办"}))),
    _tale("rest asked", 18, "06001", "历史搭建，产权不清", turns(
        SIGNED, (2, "handler", "ask_suspend", {"until": 720, "reason": "ownership_dispute"}))),
    _tale("resting", 150, "06001", "老旧厂房违建，待征收", turns(
        SIGNED, (2, "handler", "ask_suspend", {"until": 1400, "reason": "planning"}),
        (5, "commander", "suspend", {"note": "纳入征收计划，挂账管理"}))),
    _tale("rest refused", 40, "06001", "新搭雨棚", turns(
        SIGNED, (2, "handler", "ask_suspend", {"until": 700, "reason": "funds"}),
        (3, "commander", "refuse_suspend", {"note": "金额不大，年内经费可解决"}))),
    _tale("resting no more", 240, "06001", "违建拆除后建筑垃圾待清", turns(
        SIGNED, (2, "handler", "ask_suspend", {"until": 400, "reason": "funds"}),
        (5, "commander", "suspend", {"note": "待经费下达"}),
        (160, "dispatcher", "resume", {"note": "经费已下达，恢复办理"}))),
    _tale("in a moratorium", 30, "04002", "行道树倒伏后待补植", SIGNED),
)  # fmt: skip

TOGETHER: Final = (
    _tale("with helpers", 20, "08011", "渣土车沿路遗撒", turns(
        FILED, (0.2, "dispatcher", "dispatch",
                {"department": "@owner", "assisting": ["@other", "@third"]}),
        (0.4, "handler", "sign"), (1, "assist", "assist_sign"),
        (3, "assist", "assist_reply", {"note": "已调取卡口记录"}),
        (2, "handler", "reply", {"note": "路面已冲洗，待其他单位反馈"}))),
    _tale("with helpers, done", 140, "08011", "渣土车未密闭", turns(
        FILED, (0.2, "dispatcher", "dispatch",
                {"department": "@owner", "assisting": ["@other", "@third"]}),
        (0.4, "handler", "sign"), (4, "assist", "assist_reply", {"note": "已锁定车辆"}),
        (0.5, "assist2", "assist_return", {"reason": "not_our_duty"}),
        (2, "handler", "reply", {"note": "已处罚并清洗路面"}), (0.4, "dispatcher", "ask_check"),
        (2, "worker", "check_ok", {"note": "路面干净"}), (0.3, "shift_leader", "close"))),
    _tale("reworked", 150, "06013", "坑洼修补", turns(
        REPLIED, (0.5, "dispatcher", "rework", {"reason": "proof_missing"}),
        (6, "handler", "reply", {"note": "补充照片"}), (0.4, "dispatcher", "ask_check"),
        (2, "worker", "rework", {"reason": "poor_quality"}),
        (20, "handler", "reply", {"note": "重新摊铺"}), (0.4, "dispatcher", "ask_check"),
        (2, "worker", "check_ok", {"note": "平整"}),
        (0.3, "shift_leader", "rework", {"reason": "wrong_place"}),
        (5, "handler", "reply", {"note": "补修相邻路段"}), (0.4, "dispatcher", "ask_check"),
        (2, "worker", "check_ok", {"note": "全部修好"}), (0.3, "shift_leader", "close"))),
    _tale("reopened", 120, "06010", "垃圾反复堆放", turns(
        CLOSED, (70, "shift_leader", "reopen", {"reason": "recurrence"}))),
    _tale("to review", 6.2, "06010", "路边成袋垃圾", REPLIED, copies=3),
    _tale("to check", 7, "06010", "绿地垃圾", ASKED, copies=4),
    _tale("to close", 8, "06010", "墙角垃圾", CHECKED, copies=3),
    _tale("signed late", 5, "09009", "机动车违停占用人行道", OUT, copies=4),
    _tale("done", 55, "09010", "共享单车乱停占盲道", CLOSED, copies=4),
)  # fmt: skip

JUDGED: Final = (
    _tale("watched from above", 60, "06025", "河面漂浮物反复出现", turns(
        SIGNED, (3, "commander", "supervise", {"grade": "listed", "until": 96,
                                               "note": "挂牌督办，每日报告进展"}))),
    _tale("watched, answered", 80, "08004", "工地扬尘反复投诉", turns(
        SIGNED, (3, "commander", "supervise", {"grade": "key", "until": 96, "note": "重点督办"}),
        (10, "handler", "answer_supervision", {"note": "已约谈施工单位，增设雾炮两台"}))),
    _tale("hurried", 32, "06042", "垃圾箱多日未清", turns(
        SIGNED, (2.2, "dispatcher", "expedite", {"note": "时限已过半，请加快办理"}))),
    _tale("appeal asked", 320, "06010", "垃圾清运超时", APPEALED),
    _tale("appeal half way", 340, "06042", "垃圾箱清运超时", turns(
        APPEALED, (5, "shift_leader2", "appeal_first", {"note": "情况属实，报请复审"}))),
    _tale("exempt", 360, "06010", "暴露垃圾清运超时", turns(
        APPEALED, (5, "shift_leader2", "appeal_first", {"note": "情况属实"}),
        (20, "commander", "appeal_final", {"note": "同意，不计入超时"}))),
    _tale("appeal refused", 350, "06010", "垃圾堆放超时", turns(
        APPEALED, (5, "shift_leader2", "refuse_appeal", {"note": "当日并未停工，不予采纳"}))),
    _tale("urgency changed", 9, "01002", "井盖破损", turns(
        (0.1, "intake", "accept"),
        (0.1, "intake", "regrade", {"urgency": "B", "note": "已临时加盖，无即时危险"}),
        (0.1, "shift_leader", "file"), (0.2, "dispatcher", "dispatch", {"department": "@owner"}))),
    _tale("talked about", 22, "09020", "农贸市场周边秩序混乱", turns(
        SIGNED, (1, "dispatcher", "comment", {"note": "早市七点前最拥堵，建议错时巡查"}))),
    _tale("taken back at once", 5, "07006", "店招设置不规范", turns(
        FILED, (0.2, "dispatcher", "dispatch", {"department": "@other"}),
        (0.003, "dispatcher", "undo"), (0.05, "dispatcher", "dispatch", {"department": "@owner"}))),
    _tale("late proof", 36, "06036", "消防通道堆物", turns(
        VERIFIED, (0.2, "shift_leader", "file"),
        (3, "worker", "verify", {"note": "断网时拍的第二张现场照片", "device_back": 3.3}),
    ), channel="public"),
    _tale("late proof, seen", 64, "06036", "楼梯间堆物", turns(
        VERIFIED, (0.2, "shift_leader", "file"),
        (3, "worker", "verify", {"note": "补传现场照片", "device_back": 3.3}),
        (1, "dispatcher", "see_evidence", {"note": "已阅"}),
    ), channel="public", copies=1),
    _tale("to be voided", 4, "06034", "测试上报", turns(
        (0.2, "shift_leader", "ask_void", {"reason": "test_entry"}))),
    _tale("not voided", 28, "06034", "废弃车辆", turns(
        (0.2, "shift_leader", "ask_void", {"reason": "duplicate"}),
        (0.2, "dispatcher", "refuse_void", {"note": "并非同一辆车"}), (0.1, "intake", "accept"),
        (0.2, "shift_leader", "file"), (0.2, "dispatcher", "dispatch", {"department": "@owner"}))),
    _tale("voided", 76, "06034", "重复录入", turns(
        (0.2, "shift_leader", "ask_void", {"reason": "duplicate"}), (0.2, "dispatcher", "void"))),
)  # fmt: skip

CASES: Final[tuple[Tale, ...]] = (*INTAKE, *LEVELS, *PASSED, *TIME, *TOGETHER, *JUDGED)
