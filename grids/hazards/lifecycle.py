"""The life of a hazard as one literal table (domain 8.4): found, ordered, put right, re-checked.

Who put it right does not re-check it. What is overdue goes to the department by the clock.
A failed re-check gets no new term. Texts: `hazard.action.*`, `.status.*`, `.reason.*`, `.field.*`.
"""

from __future__ import annotations

from typing import Final

from grids.flows.limits import Term
from grids.flows.table import SAME, SYSTEM, Field, Flow, State, Step, fields, states

SEVERITIES: Final = ("general", "major")  # 一般, 重大
#: Time to put it right, by severity: at once, or so many days (domain 5.4).
TERMS_OF: Final = {"general": ("spot", "7", "15"), "major": ("7", "15", "30")}
RECTIFY: Final = {
    "spot": Term(2, "hour"),
    "7": Term(7, "day"),
    "15": Term(15, "day"),
    "30": Term(30, "day"),
}
TERMS: Final = {
    "order": Term(1, "work_day"),
    "recheck": Term(3, "work_day"),
    "supervise": Term(5, "work_day"),
    "enforce": Term(30, "day"),
}

FIELD: Final = ("worker", "grid_leader")
SEAT: Final = ("town_seat",)
ORDERS: Final = (*SEAT, "handler")
EVERYBODY: Final = (*FIELD, *ORDERS)

STATES: Final = states(
    State("found", "order", "town_seat"),  # 待责令整改
    State("ordered", "rectify", "worker|grid_leader"),  # 已下达，待送达
    State("rectifying", "rectify", "worker|grid_leader"),  # 整改中
    State("pending_recheck", "recheck", "grid_leader|town_seat"),  # 待复查
    State("escalated", "supervise", "handler"),  # 已升级，部门督办
    State("enforcing", "enforce", "handler"),  # 移交执法
    State("closed", is_terminal=True),  # 销号
    State("dismissed", is_terminal=True),  # 不成立
)

FIELDS: Final = fields(
    Field("premises", "premises", most=20),
    Field("point", "point"),
    Field("place", "line", most=200),
    Field("severity", "choice", SEVERITIES),
    Field("text", "text"),
    Field("term", "choice", tuple(RECTIFY)),
    Field("measures", "text"),
    Field("department", "department", most=20),
    Field("document", "line", most=60),
    Field("reason", "choice"),
    Field("note", "text"),
    Field("photos", "photos"),
)

STEPS: Final = (
    Step("report", (SAME,), "found", (*FIELD, *SEAT, "intake"), ("severity", "text", "photos"),
         ("premises", "point", "place"), photo_part="before",
         sets=(("severity", "field:severity"), ("text", "field:text")), is_primary=True),
    # 责令整改
    Step("order_spot", ("found",), "ordered", FIELD, ("measures",), (), needs=("severity", "general"),
         sets=(("term", "=spot"), ("measures", "field:measures"), ("ordered_at", "now")),
         starts=("rectify",), is_primary=True),
    Step("order", ("found",), "ordered", SEAT, ("term", "measures"), ("note",),
         sets=(("term", "field:term"), ("measures", "field:measures"), ("ordered_at", "now")),
         starts=("rectify",), is_primary=True),
    Step("dismiss", ("found",), "dismissed", SEAT, ("reason",), ("note",),
         reasons=("no_hazard", "duplicate", "put_right_before")),
    # 送达, 整改
    Step("serve", ("ordered",), "rectifying", EVERYBODY, (), ("photos", "note"),
         photo_part="signed"),
    Step("rectify", ("ordered", "rectifying"), "pending_recheck", EVERYBODY, ("photos", "note"),
         (), photo_part="after", starts=("recheck",), is_primary=True),
    # 复查
    Step("recheck_ok", ("pending_recheck",), "closed", EVERYBODY, ("photos",), ("note",),
         photo_part="after", not_by=("rectify", "enforced"), is_primary=True),
    Step("recheck_fail", ("pending_recheck",), "rectifying", EVERYBODY, ("reason",),
         ("photos", "note"), not_by=("rectify", "enforced"), counts="rework_count",
         reasons=("not_done", "done_in_part", "poor_work", "new_hazard")),
    # 升级, 部门督办, 移交执法
    Step("escalate", ("ordered", "rectifying"), "escalated", (*SEAT, SYSTEM),
         ("reason", "department"), ("note",), sets=(("department_code", "field:department"),),
         starts=("supervise",), counts="escalation_count",
         reasons=("overdue", "refused", "danger", "beyond_town")),
    Step("reorder", ("escalated",), "ordered", ("handler",), ("term", "measures"), ("note",),
         sets=(("term", "field:term"), ("measures", "field:measures"), ("ordered_at", "now")),
         starts=("rectify",), is_primary=True),
    Step("enforce", ("escalated",), "enforcing", ("handler",), ("document",), ("note", "photos"),
         sets=(("document", "field:document"),), starts=("enforce",)),
    Step("enforced", ("enforcing",), "pending_recheck", ("handler",), ("photos", "note"), (),
         photo_part="after", starts=("recheck",), is_primary=True),
    Step("raise_severity", ("found", "ordered", "rectifying"), SAME, (*ORDERS, "grid_leader"),
         ("note",), (), needs=("severity", "general"), sets=(("severity", "=major"),)),
    Step("comment", ("found", "ordered", "rectifying", "pending_recheck", "escalated", "enforcing"),
         SAME, EVERYBODY, ("note|photos",), ("note", "photos")),
)  # fmt: skip

FLOW: Final = Flow("hazard", STATES, STEPS, FIELDS)
