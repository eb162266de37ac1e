"""The states of a case, its flags, and the words that choices are made from."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal


@dataclass(frozen=True)
class State:
    """One state of a case: whose turn it is and which clock runs meanwhile."""

    code: str
    stage: str | None = None  #: S1 .. S8, H, O or R, see grids.incidents.clocks and .timing
    holder: str | None = None  #: the role whose turn it is; "handler" is a department or person
    public: str = "in_progress"  #: what the public page shows
    is_terminal: bool = False


STATES: Final[MappingProxyType[str, State]] = MappingProxyType(
    {
        state.code: state
        for state in (
            State("draft", holder="reporter", public="received"),  # 草稿
            State("pending_accept", "S1", "intake", "received"),  # 待受理
            State("pending_verify", "S2", "worker", "received"),  # 待核实
            State("not_accepted", public="declined", is_terminal=True),  # 不予受理
            State("pending_file", "S3", "shift_leader", "received"),  # 待立案
            State("not_filed", public="declined", is_terminal=True),  # 不予立案
            State("pending_dispatch", "S4", "dispatcher"),  # 待派遣
            State("pending_sign", "S5", "handler"),  # 待签收
            State("handling", "H", "handler"),  # 处置中
            State("outside", "O", "handler"),  # 外部处置中
            State("disputed", "R", "commander"),  # 待裁定
            State("pending_review", "S6", "dispatcher"),  # 待审核反馈
            State("pending_check", "S7", "worker"),  # 待核查
            State("pending_close", "S8", "shift_leader"),  # 待结案
            State("closed", public="done", is_terminal=True),  # 结案
            State("suspended", holder="shift_leader"),  # 挂账
            State("void", public="declined", is_terminal=True),  # 作废
            State("merged", public="done", is_terminal=True),  # 并案
            State("self_handled", public="done", is_terminal=True),  # 自行处置
        )
    }
)

OPEN: Final = tuple(
    code for code, state in STATES.items() if not state.is_terminal and code != "draft"
)
TERMINAL: Final = tuple(code for code, state in STATES.items() if state.is_terminal)
ALL: Final = tuple(code for code in STATES if code != "draft")

#: Whoever did one of these on a case handled it, and may neither check nor close it.
HANDLING: Final = ("sign", "take", "handle", "reply", "assist_sign", "assist_reply", "self_close")

#: Reports of these channels are looked at on the spot before they are filed (4.2).
VERIFIED_CHANNELS: Final = ("public", "phone", "media", "letter")
CHANNELS: Final = ("worker", "public", "phone", "document", "media", "letter", "system")
URGENCIES: Final = ("A", "B", "C", "D")

#: Where a case stands between the grid and the county, the lowest first (7.3), and the role
#: of the seat that has it there.
LEVELS: Final[MappingProxyType[str, str]] = MappingProxyType(
    {"grid": "worker", "village": "grid_leader", "town": "town_seat", "county": "dispatcher"}
)
#: Digits of an area's code at each level.
LEVEL_DIGITS: Final[MappingProxyType[str, int]] = MappingProxyType(
    {"grid": 15, "village": 12, "town": 9, "county": 6}
)
#: States in which the seat of the case's level decides.
SEAT_STATES: Final = ("pending_dispatch", "pending_review")

GRADES: Final = ("general", "key", "listed")  #: of supervision: 一般, 重点, 挂牌

#: Flags of a case -> whether they end with the state they were set in. Texts: `flag.<code>`.
FLAGS: Final[MappingProxyType[str, Literal["state", "case"]]] = MappingProxyType(
    {
        "void_asked": "state",
        "return_asked": "state",
        "extend_asked": "state",
        "defer_asked": "state",
        "suspend_asked": "state",
        "waiting_reporter": "state",  # the running clock is paused
        "sampled": "state",  # verification is the sample check of a case handled on the spot
        "review": "state",  # a suspended case and the day it is looked at again
        "outside": "state",  # who has it, and until when
        "assisting": "case",  # departments whose sub-task waits for a reply
        "assist_signed": "case",  # of these, who has taken the sub-task on
        "assist_returned": "case",  # departments that gave their sub-task back
        "lead_replied": "case",
        "fast_tracked": "case",  # filed and dispatched at once: drawn from for sample checks
        "moratorium": "case",
        "deferred": "case",
        "supervised": "case",
        "expedited": "case",
        "escalated": "case",
        "reopened": "case",
        "late_evidence": "case",  # came from a device after the case had gone on
        "appeal_asked": "case",
        "appeal_passed": "case",
        "appeal_refused": "case",
        "exempt": "case",  # late, but not counted as late
        "merged_from": "case",
        "mock_place": "case",  # the phone said that its position was made up
        "outside_own": "case",  # outside of the worker's grid, who said that this is meant
        "confidential": "case",  # who reported it is told to the seat of intake only
    }
)

#: Lists of reason codes, by what they explain (4.8). Texts: `reason.<code>`.
REASONS: Final[MappingProxyType[str, tuple[str, ...]]] = MappingProxyType(
    {
        "reject": (
            "outside_area", "outside_scope", "duplicate", "too_little_information",
            "recovered", "in_court", "malicious",
        ),
        "untrue": ("untrue", "recovered", "unverifiable"),
        "sample": ("not_solved", "wrong_place", "proof_missing", "not_for_self_handling"),
        "refuse": ("below_threshold", "already_open", "private_area", "building_site"),
        "send_back": ("too_little_information", "wrong_category", "wrong_place"),
        "return": ("not_our_duty", "ownership_unclear", "place_unclear", "needs_several"),
        "extend": ("weather", "material", "coordination", "engineering", "other"),
        "defer": ("season", "weather", "planned_work", "other"),
        "suspend": ("season", "engineering", "funds", "ownership_dispute", "planning", "other"),
        "rework": ("not_solved", "poor_quality", "wrong_place", "proof_missing"),
        "reopen": ("dissatisfied", "recurrence", "wrongly_closed"),
        "appeal": ("force_majeure", "ordered_to_wait", "wrong_limit", "system_fault", "other"),
        "void": ("duplicate", "wrong_entry", "test_entry", "recovered"),
    }
)  # fmt: skip

FieldKind = Literal["text", "choice", "photos", "department", "departments", "account", "category",
                    "point", "case", "instant", "level", "outside"]  # fmt: skip


@dataclass(frozen=True)
class Field:
    """One thing that may be recorded with a move; forms are drawn from it."""

    name: str
    kind: FieldKind
    options: tuple[str, ...] = ()  #: for a choice outside the reason lists


FIELDS: Final[MappingProxyType[str, Field]] = MappingProxyType(
    {
        field_.name: field_
        for field_ in (
            Field("category", "category"),
            Field("urgency", "choice", URGENCIES),
            Field("point", "point"),
            Field("text", "text"),
            Field("note", "text"),
            Field("reason", "choice"),
            Field("photos", "photos"),
            Field("after", "photos"),  # of what the worker put right on the spot
            Field("department", "department"),  # lead department (主办)
            Field("assisting", "departments"),  # assisting departments (协办)
            Field("worker", "account"),  # a named worker instead of a department, or to check
            Field("main", "case"),  # the case that this one is merged into
            Field("until", "instant"),  # new end of a limit, planned day, day of review
            Field("level", "level", tuple(LEVELS)),
            Field("grade", "choice", GRADES),
            Field("outside", "outside"),  # a party without an account
        )
    }
)
