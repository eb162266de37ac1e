"""The life of a dispute as one literal table: states, steps, fields, reasons (domain 3.11, 5.4).

The mediator is named; whoever asks for more time does not grant it. First contact within 24
hours of registration, 30 days of mediation, once 30 more. What is agreed is looked at again
(回访) before the dispute is closed. Texts: `dispute.action.*`, `.status.*`, `.reason.*`, `.field.*`.
"""

from __future__ import annotations

from typing import Final

from grids.flows.limits import Term
from grids.flows.table import SAME, Field, Flow, State, Step, fields, states

#: Sub-classes in the order of domain 3.11; codes 01 to 18.
KINDS: Final = (
    "01", "02", "03", "04", "05", "06", "07", "08", "09",
    "10", "11", "12", "13", "14", "15", "16", "17", "18",
)  # fmt: skip
SEVERITIES: Final = ("general", "larger", "major", "extreme")  # 一般, 较大, 重大, 特别重大
LEVELS: Final = ("grid", "village", "town", "county")
CHANNELS: Final = ("visit", "worker", "phone", "transfer", "document")
SIDES: Final = ("applicant", "respondent")
#: Where somebody goes when mediation fails (Mediation Law art. 26, Labour Dispute Law art. 5).
WAYS: Final = ("labour_arbitration", "arbitration", "court", "administrative", "petition")

SEAT: Final = ("town_seat", "intake")
MEDIATOR: Final = ("mediator",)
REGISTER: Final = ("worker", "grid_leader", "town_seat", "intake", "mediator")
RUNNING: Final = ("registered", "assigned", "mediating")

TERMS: Final = {
    "contact": Term(24, "hour"),
    "mediate": Term(30, "day"),
    "revisit": Term(30, "day"),
}

STATES: Final = states(
    State("registered", "contact", "town_seat|intake|mediator"),  # 待指派
    State("assigned", "contact", "named"),  # 待首次联系
    State("mediating", "mediate", "named"),  # 调解中
    State("agreed", "revisit", "named"),  # 已达成协议，待履行回访
    State("closed", is_terminal=True),  # 办结
    State("failed", is_terminal=True),  # 调解不成
    State("declined", is_terminal=True),  # 不予受理
    State("withdrawn", is_terminal=True),  # 撤回
)

FIELDS: Final = fields(
    Field("area", "area"),
    Field("kind", "choice", KINDS),
    Field("severity", "choice", SEVERITIES),
    Field("channel", "choice", CHANNELS),
    Field("people", "number", most=9999),
    Field("text", "text"),
    Field("parties", "parties", is_sealed=True),
    Field("mediator", "account"),
    Field("reason", "choice"),
    Field("note", "text"),
    Field("held_at", "instant"),
    Field("place", "line", most=200),
    Field("present", "line", most=200, is_sealed=True),
    Field("minutes", "text", most=8000, is_sealed=True),
    Field("agreement", "text", most=8000, is_sealed=True),
    Field("terms", "terms", most=6000, is_sealed=True, is_future=True),
    Field("term", "term"),
    Field("performed_on", "day"),
    Field("revisit_on", "day", is_future=True),
    Field("way", "choice", WAYS),
    Field("photos", "photos"),
)

STEPS: Final = (
    Step("register", (SAME,), "registered", REGISTER,
         ("area", "kind", "text", "parties"), ("severity", "channel", "people", "photos"),
         sets=(("kind", "field:kind"), ("severity", "field:severity"), ("text", "field:text"),
               ("channel", "field:channel"), ("people", "field:people")),
         starts=("contact",), is_primary=True),
    # 指派调解员, 受理
    Step("assign", ("registered",), "assigned", SEAT, ("mediator",), ("note",),
         sets=(("holder_id", "field:mediator"),), starts=("mediate",), is_primary=True),
    Step("take", ("registered",), "assigned", MEDIATOR, (), ("note",),
         sets=(("holder_id", "actor"),), starts=("mediate",), is_primary=True),
    Step("decline", ("registered",), "declined", SEAT, ("reason",), ("note",),
         reasons=("in_court", "criminal", "decided", "outside_scope", "duplicate")),
    # 首次联系, 调解会
    Step("contact", ("assigned",), "mediating", MEDIATOR, ("note",), ("held_at",),
         sets=(("contacted_at", "now"),), named=MEDIATOR, is_primary=True),
    Step("meet", ("mediating",), SAME, MEDIATOR, ("held_at", "place", "minutes"),
         ("present", "photos"), counts="meeting_count", named=MEDIATOR, is_primary=True),
    Step("agree", ("mediating",), "agreed", MEDIATOR, ("agreement",),
         ("terms", "revisit_on", "photos"), sets=(("agreed_at", "now"),), starts=("revisit",),
         photo_part="signed", named=MEDIATOR),
    Step("fail", ("mediating",), "failed", MEDIATOR, ("reason", "way"), ("note", "photos"),
         sets=(("way", "field:way"),), named=MEDIATOR,
         reasons=("no_consent", "absent", "limit_over", "fact_open")),
    # 延期：one asks, another decides, once
    Step("ask_extend", ("mediating",), SAME, MEDIATOR, ("note",), (), sets_flag="extend_asked",
         most=("extension_count", 1), named=MEDIATOR),
    Step("extend", ("mediating",), SAME, SEAT, (), ("note",), extends="mediate",
         needs_flag="extend_asked", clears_flag="extend_asked", counts="extension_count",
         most=("extension_count", 1), not_by=("ask_extend",), is_primary=True),
    Step("refuse_extend", ("mediating",), SAME, SEAT, ("note",), (),
         needs_flag="extend_asked", clears_flag="extend_asked", not_by=("ask_extend",)),
    # 履行, 回访
    Step("perform", ("agreed",), SAME, MEDIATOR, ("term", "performed_on"), ("note", "photos"),
         named=MEDIATOR),
    Step("sign_copy", ("agreed",), SAME, MEDIATOR, ("photos",), ("note",), photo_part="signed",
         named=MEDIATOR),
    Step("revisit_ok", ("agreed",), "closed", (*MEDIATOR, *SEAT), ("note",), ("photos",),
         named=MEDIATOR, is_primary=True),
    Step("revisit_broken", ("agreed",), "mediating", (*MEDIATOR, *SEAT), ("note",), (),
         counts="reopen_count", starts=("mediate",), named=MEDIATOR),
    # 上报, 下交, 改派
    Step("reassign", ("assigned", "mediating"), SAME, SEAT, ("mediator", "note"), (),
         sets=(("holder_id", "field:mediator"),)),
    Step("escalate", RUNNING, "registered", ("worker", "grid_leader", *MEDIATOR, "town_seat"),
         ("reason",),
         ("note",), sets=(("level", "up"), ("holder_id", "none")), named=MEDIATOR,
         reasons=("too_complex", "several_towns", "many_people", "no_mediator")),
    Step("delegate", ("registered",), SAME, SEAT, ("note",), (), sets=(("level", "down"),)),
    Step("add_party", RUNNING, SAME, (*MEDIATOR, *SEAT), ("parties",), (),
         counts="party_count", named=MEDIATOR),
    Step("comment", (*RUNNING, "agreed"), SAME, (*MEDIATOR, *SEAT), ("note",), ("photos",)),
    Step("withdraw", RUNNING, "withdrawn", (*SEAT, *MEDIATOR), ("reason",), ("note",),
         named=MEDIATOR, reasons=("settled", "applicant_withdrew", "wrong_entry")),
    Step("reopen", ("closed", "failed", "withdrawn", "declined"), "registered", SEAT, ("reason",),
         ("note",), sets=(("holder_id", "none"), ("extension_count", "zero"), ("way", "none")),
         counts="reopen_count", starts=("contact",),
         reasons=("broken", "new_facts", "asked_again")),
)  # fmt: skip

FLOW: Final = Flow("dispute", STATES, STEPS, FIELDS, LEVELS)
