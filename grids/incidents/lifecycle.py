"""The life of a case as one literal table: its states and the moves between them.

Buttons, the API, permissions, history texts, the simulator and the random-walk test all
read this table. A new step is one line in `MOVES` (and one text in the catalogues, under
`action.<action>`); a new state is one line in `STATES`. Names and codes follow the stages
of the national standard: 上报, 受理, 立案, 派遣, 处置, 核查, 结案.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

Clock = Literal["next", "keep", "pause", "resume"]
PhotoPart = Literal["before", "after", "evidence"]


@dataclass(frozen=True)
class State:
    """One state of a case: whose turn it is and which clock runs meanwhile."""

    code: str
    stage: str | None = None  #: S1 .. S8 or H, see grids.incidents.clocks
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

SAME: Final = ""  #: as a target: the case stays where it is
#: Whoever did one of these on a case handled it, and may neither check nor close it.
HANDLING: Final = ("sign", "handle", "reply")

#: Reports of these channels are looked at on the spot before they are filed (4.2).
VERIFIED_CHANNELS: Final = ("public", "phone", "media")
CHANNELS: Final = ("worker", "public", "phone", "document", "media", "system")
URGENCIES: Final = ("A", "B", "C", "D")

#: Lists of reason codes, by what they explain (4.8). Texts: `reason.<code>`.
REASONS: Final[MappingProxyType[str, tuple[str, ...]]] = MappingProxyType(
    {
        "reject": (
            "outside_area", "outside_scope", "duplicate", "too_little_information",
            "recovered", "in_court", "malicious",
        ),
        "untrue": ("untrue", "recovered", "unverifiable"),
        "refuse": ("below_threshold", "already_open", "private_area", "building_site"),
        "send_back": ("too_little_information", "wrong_category", "wrong_place"),
        "return": ("not_our_duty", "ownership_unclear", "place_unclear", "needs_several"),
        "rework": ("not_solved", "poor_quality", "wrong_place", "proof_missing"),
        "void": ("duplicate", "wrong_entry", "test_entry", "recovered"),
    }
)  # fmt: skip

FieldKind = Literal["text", "choice", "photos", "department", "departments", "account", "category",
                    "point"]  # fmt: skip


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
            Field("department", "department"),  # lead department (主办)
            Field("assisting", "departments"),  # assisting departments (协办)
            Field("worker", "account"),  # a named worker instead of a department, or to check
        )
    }
)


@dataclass(frozen=True)
class Move:
    """One line of the table: who may take a case from where to where, and what it needs.

    `requires` names fields of `FIELDS`; "a|b" means one of the two. `not_by` names actions:
    who has done one of them on this case may not do this move (two axes: who handles a case
    never checks or closes it). `named` roles act only where the case names the person; other
    workers act unless the case names somebody else.
    """

    action: str
    sources: tuple[str, ...]
    target: str
    roles: tuple[str, ...]
    requires: tuple[str, ...] = ()
    optional: tuple[str, ...] = ("note",)
    reasons: str | None = None  #: which list of `REASONS` the reason comes from
    clock: Clock = "next"
    photos: PhotoPart = "evidence"
    not_by: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    counts: Literal["rework_count", "return_count"] | None = None
    needs_flag: str | None = None
    sets_flag: str | None = None
    by_channel: MappingProxyType[str, str] = field(default_factory=lambda: MappingProxyType({}))
    is_primary: bool = False  #: the step forward: the filled button

    def to(self, status: str, channel: str) -> str:
        """Return the state this move leads to from `status`, for a case of that channel."""
        return self.by_channel.get(channel, self.target) or status


DESK: Final = ("intake", "town_seat")  # a town's seat takes in and dispatches in its own area
DISPATCH: Final = ("dispatcher", "town_seat")
FIELD: Final = ("worker", "grid_leader")
HANDLER: Final = ("handler", "worker")

VERIFY_FIRST: Final = MappingProxyType(dict.fromkeys(VERIFIED_CHANNELS, "pending_verify"))

#: The table. Further branches of 4.4 (merge, fast track, suspend, extend, reopen ...) are
#: further lines: their states stand above already.
MOVES: Final[tuple[Move, ...]] = (
    # 上报, 受理
    Move("submit", ("draft",), "pending_accept",
         ("worker", "grid_leader", "intake", "town_seat", "public", "system"),
         ("category", "point", "text|photos"), ("urgency",), photos="before", is_primary=True),
    Move("accept", ("pending_accept",), "pending_file", DESK, (), ("category", "urgency", "note"),
         by_channel=VERIFY_FIRST, is_primary=True),
    Move("reject", ("pending_accept",), "not_accepted", DESK, ("reason",), reasons="reject"),
    # 核实
    Move("verify", ("pending_verify",), "pending_file", FIELD, ("photos",), ("note", "point"),
         photos="before", is_primary=True),
    Move("find_untrue", ("pending_verify",), "not_accepted", FIELD, ("reason",),
         ("photos", "note", "point"), reasons="untrue"),
    # 立案
    Move("file", ("pending_file",), "pending_dispatch", ("shift_leader",), (),
         ("category", "urgency", "note"), is_primary=True),
    Move("refuse", ("pending_file",), "not_filed", ("shift_leader",), ("reason",),
         reasons="refuse"),
    Move("send_back", ("pending_file",), "pending_accept", ("shift_leader",), ("reason",),
         reasons="send_back"),
    # 派遣, 签收
    Move("dispatch", ("pending_dispatch",), "pending_sign", DISPATCH, ("department|worker",),
         ("assisting", "note"), is_primary=True),
    Move("send_back", ("pending_dispatch",), "pending_file", DISPATCH, ("reason",),
         reasons="send_back"),
    Move("sign", ("pending_sign",), "handling", HANDLER, named=("worker",), is_primary=True),
    Move("return", ("pending_sign", "handling"), "pending_dispatch", HANDLER, ("reason",),
         reasons="return", named=("worker",), counts="return_count"),
    # 处置, 反馈, 审核
    Move("handle", ("handling",), SAME, HANDLER, ("note|photos",), ("note", "photos", "point"),
         clock="keep", named=("worker",)),
    Move("reply", ("handling",), "pending_review", HANDLER, ("note", "photos"), ("point",),
         clock="pause", photos="after", named=("worker",), is_primary=True),
    Move("ask_check", ("pending_review",), "pending_check", ("dispatcher", "town_seat", "intake"),
         (), ("worker", "note"), is_primary=True),
    Move("rework", ("pending_review",), "handling", DISPATCH, ("reason",), reasons="rework",
         clock="resume", counts="rework_count"),
    # 核查, 结案
    Move("check_ok", ("pending_check",), "pending_close", FIELD, ("photos",), ("note", "point"),
         photos="after", not_by=HANDLING, is_primary=True),
    Move("rework", ("pending_check",), "handling", (*FIELD, "shift_leader"), ("reason",),
         ("photos", "note", "point"), reasons="rework", clock="resume", not_by=HANDLING,
         counts="rework_count"),
    Move("close", ("pending_close",), "closed", ("shift_leader",), not_by=HANDLING,
         is_primary=True),
    Move("rework", ("pending_close",), "handling", ("shift_leader",), ("reason",),
         reasons="rework", clock="resume", counts="rework_count"),
    # 作废: one person asks, a second one decides
    Move("ask_void", OPEN, SAME, ("shift_leader",), ("reason",), reasons="void", clock="keep",
         sets_flag="void_asked"),
    Move("void", OPEN, "void", ("shift_leader", "dispatcher", "intake"), not_by=("ask_void",),
         needs_flag="void_asked"),
)  # fmt: skip

_BY_PLACE: Final = MappingProxyType(
    {(move.action, source): move for move in MOVES for source in move.sources}
)


def find_move(action: str, status: str) -> Move | None:
    """Return the line for an action in a state; None where the table has no such move."""
    return _BY_PLACE.get((action, status))


def moves_from(status: str) -> tuple[Move, ...]:
    """Return what may happen to a case in this state, in the order of the table."""
    return tuple(move for move in MOVES if status in move.sources)


def actions() -> tuple[str, ...]:
    """Return every action of the table once."""
    return tuple(dict.fromkeys(move.action for move in MOVES))
