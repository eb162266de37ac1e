"""The one table: every step between the states, who may take it, what it needs and leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from grids.incidents.lifecycle.states import (
    ALL,
    HANDLING,
    OPEN,
    VERIFIED_CHANNELS,
)

#: What a step does to the clocks. `pause` and `resume` are about handling, which waits while
#: others have the case; `hold` and `release` stop the very clock that runs, in the open.
Clock = Literal["next", "keep", "pause", "resume", "hold", "release", "switch", "extend"]
PhotoPart = Literal["before", "after", "evidence"]
Count = Literal[
    "rework_count", "return_count", "extension_count", "suspension_count", "reopen_count"
]

SAME: Final = ""  #: as a target: the case stays where it is


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
    counts: Count | None = None
    needs_flag: str | None = None
    bars_flag: str | None = None  #: not while the case has this flag
    sets_flag: str | None = None
    clears: tuple[str, ...] = ()  #: flags that end with this step
    guard: str | None = None  #: a condition of `guards.GUARDS`
    leads: str | None = None  #: a condition of `guards.LEADS`: where it holds, leadership decides
    unassigned: str = ""  #: the target where no department and no worker has the case
    joins: bool = False  #: goes on only when every sub-task has replied
    goes_back: str = ""  #: a flag that keeps the state to which this leads back
    seat: Literal["", "own", "above"] = ""  #: at `SEAT_STATES`: of the case's level, or above too
    of_assisting: bool = False  #: for the departments whose sub-task waits
    unless_listed: str = ""  #: a flag that lists departments: not for these again
    of_owner: bool = False  #: for whoever has the case, see `owners`
    anyone: bool = False  #: whoever holds the role and sees the case
    in_wait: bool = False  #: also while the reporter is being asked
    may_undo: bool = True
    by_channel: MappingProxyType[str, str] = field(default_factory=lambda: MappingProxyType({}))
    is_primary: bool = False  #: the step forward: the filled button

    def to(self, status: str, channel: str) -> str:
        """Return the state this move leads to from `status`, for a case of that channel."""
        return self.by_channel.get(channel, self.target) or status


DESK: Final = ("intake", "town_seat")  # a town's seat takes in and dispatches in its own area
DISPATCH: Final = ("dispatcher", "town_seat")
FIELD: Final = ("worker", "grid_leader")
HANDLER: Final = ("handler", "worker", "grid_leader")
LEADERS: Final = ("commander",)
CENTRE: Final = ("intake", "shift_leader", "dispatcher", "town_seat")
STAFF: Final = (*CENTRE, "commander", "handler", *FIELD)

VERIFY_FIRST: Final = MappingProxyType(dict.fromkeys(VERIFIED_CHANNELS, "pending_verify"))
OF_SUBTASKS: Final = ("assisting", "assist_signed", "assist_returned", "lead_replied")
BEFORE_HANDLING: Final = ("pending_accept", "pending_verify", "pending_file", "pending_dispatch")

MOVES: Final[tuple[Move, ...]] = (
    # 上报, 自行处置, 受理
    Move("submit", ("draft",), "pending_accept",
         ("worker", "grid_leader", "intake", "shift_leader", "town_seat", "public",
          "system"),
         ("category", "point", "text|photos"), ("urgency",), photos="before", may_undo=False,
         is_primary=True),
    Move("self_close", ("draft",), "self_handled", FIELD, ("category", "point", "photos", "after"),
         ("text",), photos="before", may_undo=False),
    Move("accept", ("pending_accept",), "pending_file", DESK, (), ("category", "urgency", "note"),
         by_channel=VERIFY_FIRST, is_primary=True),
    Move("fast_track", ("pending_accept",), "pending_sign", ("shift_leader",),
         ("department|worker",), ("assisting", "category", "note"), guard="urgent",
         clears=OF_SUBTASKS),
    Move("reject", ("pending_accept",), "not_accepted", DESK, ("reason",), reasons="reject",
         in_wait=True),
    # 抽查, 核实
    Move("sample", ("self_handled", "closed"), "pending_verify",
         ("shift_leader", "commander", "system"), guard="unjudged", sets_flag="sampled"),
    Move("sample_ok", ("pending_verify",), "self_handled", FIELD, ("photos",), ("note", "point"),
         needs_flag="sampled", goes_back="sampled", not_by=HANDLING, is_primary=True),
    Move("sample_failed", ("pending_verify",), "pending_accept", FIELD, ("reason",),
         ("photos", "note", "point"), reasons="sample", needs_flag="sampled", not_by=HANDLING),
    Move("verify", ("pending_verify",), "pending_file", FIELD, ("photos",), ("note", "point"),
         photos="before", bars_flag="sampled", is_primary=True),
    Move("find_untrue", ("pending_verify",), "not_accepted", FIELD, ("reason",),
         ("photos", "note", "point"), reasons="untrue", bars_flag="sampled"),
    # 并案 and back
    Move("merge", BEFORE_HANDLING, "merged", CENTRE, ("main",), bars_flag="sampled",
         sets_flag="merged_from", in_wait=True, may_undo=False),
    Move("unmerge", ("merged",), SAME, CENTRE, ("note",), (), clears=("merged_from",),
         goes_back="merged_from", may_undo=False),
    Move("joined", OPEN, SAME, ("system",), clock="keep", anyone=True, in_wait=True,
         guard="internal", may_undo=False),
    Move("parted", ALL, SAME, ("system",), clock="keep", anyone=True, in_wait=True,
         guard="internal", may_undo=False),
    # 立案
    Move("file", ("pending_file",), "pending_dispatch", ("shift_leader",), (),
         ("category", "urgency", "note"), is_primary=True),
    Move("refuse", ("pending_file",), "not_filed", ("shift_leader",), ("reason",),
         reasons="refuse", in_wait=True),
    Move("send_back", ("pending_file",), "pending_accept", ("shift_leader",), ("reason",),
         reasons="send_back"),
    # 派遣, 上报吹哨, 下派, 签收
    Move("dispatch", ("pending_dispatch",), "pending_sign", (*DISPATCH, "grid_leader"),
         ("department|worker",), ("assisting", "note"), seat="own", guard="own_people",
         clears=OF_SUBTASKS, is_primary=True),
    Move("take", ("pending_dispatch",), "handling", FIELD, (), ("note",), seat="own",
         guard="low_level", clears=OF_SUBTASKS, is_primary=True),
    Move("escalate", ("pending_dispatch", "handling"), "pending_dispatch", (*DISPATCH, *FIELD),
         ("note",), ("level", "photos"), clock="pause", seat="above", named=FIELD,
         guard="below_county", sets_flag="escalated"),
    Move("delegate", ("pending_dispatch",), SAME, (*DISPATCH, "grid_leader"), (),
         ("level", "note"), seat="own", guard="above_grid", clears=("escalated",)),
    Move("send_back", ("pending_dispatch",), "pending_file", DISPATCH, ("reason",),
         reasons="send_back", seat="own"),
    Move("sign", ("pending_sign",), "handling", HANDLER, named=FIELD, is_primary=True),
    Move("return", ("pending_sign",), "pending_dispatch", HANDLER, ("reason",),
         reasons="return", named=FIELD, counts="return_count", guard="first_return",
         clears=OF_SUBTASKS),
    Move("ask_return", ("pending_sign", "handling"), SAME, HANDLER, ("reason",),
         reasons="return", clock="keep", named=FIELD, bars_flag="return_asked",
         sets_flag="return_asked"),
    Move("approve_return", ("pending_sign", "handling"), "pending_dispatch", DISPATCH, ("note",),
         (), clock="pause", not_by=("ask_return",), needs_flag="return_asked",
         counts="return_count", clears=OF_SUBTASKS),
    Move("refuse_return", ("pending_sign", "handling"), SAME, DISPATCH, ("note",), (),
         clock="keep", not_by=("ask_return",), needs_flag="return_asked",
         clears=("return_asked",)),
    Move("reassign", ("pending_dispatch", "pending_sign", "handling"), "pending_sign", DISPATCH,
         ("department|worker", "note"), ("assisting",), clock="pause", seat="own",
         guard="was_dispatched", clears=OF_SUBTASKS),
    # 权属争议
    Move("dispute", ("pending_dispatch", "pending_sign", "handling"), "disputed",
         (*HANDLER, *DISPATCH, "system"), ("note",), ("department",), clock="pause",
         named=FIELD, seat="own", may_undo=False),
    Move("arbitrate", ("disputed",), "pending_sign", ("commander", "shift_leader", "system"),
         ("department", "note"), ("assisting",), not_by=("dispute",), clears=OF_SUBTASKS,
         may_undo=False, is_primary=True),
    # 处置, 反馈, 协办
    Move("handle", ("handling",), SAME, HANDLER, ("note|photos",), ("note", "photos", "point"),
         clock="keep", named=FIELD, in_wait=True),
    Move("reply", ("handling",), "pending_review", HANDLER, ("note", "photos"), ("point",),
         clock="pause", photos="after", named=FIELD, joins=True, is_primary=True),
    Move("assist_reply", ("pending_sign", "handling"), "pending_review", ("handler",), ("note",),
         ("photos",), clock="pause", photos="after", joins=True, of_assisting=True,
         in_wait=True, is_primary=True),
    Move("assist_sign", ("pending_sign", "handling"), SAME, ("handler",), clock="keep",
         of_assisting=True, unless_listed="assist_signed", in_wait=True, is_primary=True),
    Move("assist_return", ("pending_sign", "handling"), "pending_review", ("handler",),
         ("reason",), reasons="return", clock="pause", joins=True, of_assisting=True,
         unless_listed="assist_signed", in_wait=True),
    # 延期, 缓办, 挂账: the department asks, somebody else decides and says why
    Move("ask_extend", ("handling",), SAME, HANDLER, ("until", "reason"), ("photos", "note"),
         reasons="extend", clock="keep", named=FIELD, bars_flag="extend_asked",
         guard="extendable", sets_flag="extend_asked"),
    Move("extend", ("handling",), SAME, ("shift_leader", "commander"), ("note",), ("until",),
         clock="extend", not_by=("ask_extend",), needs_flag="extend_asked", leads="extension",
         guard="later_limit", counts="extension_count", clears=("extend_asked",)),
    Move("refuse_extend", ("handling",), SAME, ("shift_leader", "commander"), ("note",), (),
         clock="keep", not_by=("ask_extend",), needs_flag="extend_asked", leads="extension",
         clears=("extend_asked",)),
    Move("ask_defer", ("handling",), SAME, HANDLER, ("until", "reason"), ("photos", "note"),
         reasons="defer", clock="keep", named=FIELD, bars_flag="defer_asked",
         guard="within_a_year", sets_flag="defer_asked"),
    Move("defer", ("handling",), SAME, ("shift_leader", *DISPATCH), ("note",), ("until",),
         clock="keep", not_by=("ask_defer",), needs_flag="defer_asked", guard="within_a_year",
         sets_flag="deferred", clears=("defer_asked",)),
    Move("refuse_defer", ("handling",), SAME, ("shift_leader", *DISPATCH), ("note",), (),
         clock="keep", not_by=("ask_defer",), needs_flag="defer_asked", clears=("defer_asked",)),
    Move("ask_suspend", ("handling",), SAME, HANDLER, ("until", "reason"), ("photos", "note"),
         reasons="suspend", clock="keep", named=FIELD, bars_flag="suspend_asked",
         guard="suspendable", sets_flag="suspend_asked"),
    Move("suspend", ("handling",), "suspended", LEADERS, ("note",), ("until",), clock="pause",
         not_by=("ask_suspend",), needs_flag="suspend_asked", guard="suspendable",
         counts="suspension_count", sets_flag="review"),
    Move("refuse_suspend", ("handling",), SAME, LEADERS, ("note",), (), clock="keep",
         not_by=("ask_suspend",), needs_flag="suspend_asked", clears=("suspend_asked",)),
    Move("resume", ("suspended",), "handling", ("shift_leader", *DISPATCH, *LEADERS), ("note",),
         (), clock="resume", is_primary=True),
    # 外部处置
    Move("hand_over", ("pending_dispatch", "handling"), "outside", (*DISPATCH, *HANDLER),
         ("outside", "until"), ("note",), clock="pause", named=FIELD, seat="own",
         guard="within_a_year", sets_flag="outside", may_undo=False),
    Move("outside_replied", ("outside",), "handling", (*HANDLER, *DISPATCH, "system"), ("note",),
         ("photos",), clock="resume", photos="after", named=FIELD,
         unassigned="pending_review", is_primary=True),
    Move("take_back", ("outside",), "handling", (*HANDLER, *DISPATCH), ("note",), (),
         clock="resume", named=FIELD, unassigned="pending_dispatch"),
    # 审核, 核查, 结案
    Move("ask_check", ("pending_review",), "pending_check", ("dispatcher", "town_seat", "intake"),
         (), ("worker", "note"), not_by=HANDLING, seat="own", is_primary=True),
    Move("rework", ("pending_review",), "handling", DISPATCH, ("reason",), reasons="rework",
         clock="resume", counts="rework_count", seat="own", unassigned="pending_dispatch"),
    Move("check_ok", ("pending_check",), "pending_close", FIELD, ("photos",), ("note", "point"),
         photos="after", not_by=HANDLING, is_primary=True),
    Move("rework", ("pending_check",), "handling", (*FIELD, "shift_leader"), ("reason",),
         ("photos", "note", "point"), reasons="rework", clock="resume", not_by=HANDLING,
         counts="rework_count", unassigned="pending_dispatch"),
    Move("close", ("pending_close",), "closed", ("shift_leader",), not_by=HANDLING,
         is_primary=True),
    Move("rework", ("pending_close",), "handling", ("shift_leader",), ("reason",),
         reasons="rework", clock="resume", counts="rework_count", unassigned="pending_dispatch"),
    Move("reopen", ("closed",), "handling", ("shift_leader", *LEADERS), ("reason",),
         reasons="reopen", guard="lately_closed", counts="reopen_count", sets_flag="reopened",
         unassigned="pending_dispatch"),
    # 督办, 催办, 改级
    Move("supervise", OPEN, SAME, ("commander", "shift_leader"), ("grade", "until", "note"), (),
         clock="keep", guard="within_a_year", sets_flag="supervised", in_wait=True),
    Move("answer_supervision", OPEN, SAME, STAFF, ("note",), ("photos",), clock="keep",
         of_owner=True, needs_flag="supervised", clears=("supervised",), in_wait=True),
    Move("expedite", OPEN, SAME, ("system", "commander", "shift_leader", *DISPATCH), ("note",),
         (), clock="keep", sets_flag="expedited", in_wait=True),
    Move("regrade", (*BEFORE_HANDLING, "pending_sign", "handling"), SAME, CENTRE,
         ("urgency", "note"), (), clock="switch", guard="other_urgency"),
    # 问询: the running clock stops, in the open
    Move("ask_reporter", ("pending_accept", "pending_file", "pending_dispatch", "handling"), SAME,
         CENTRE, ("note",), (), clock="hold", bars_flag="waiting_reporter",
         sets_flag="waiting_reporter", seat="own", may_undo=False),
    Move("reporter_answered", ("pending_accept", "pending_file", "pending_dispatch", "handling"),
         SAME, (*CENTRE, *FIELD, "system"), ("note",), ("photos",), clock="release",
         needs_flag="waiting_reporter", clears=("waiting_reporter",), seat="above", in_wait=True,
         is_primary=True),
    # 超时申诉: two steps; the fact stays, the statistic is exempted
    Move("appeal", ("handling", "pending_review", "pending_check", "pending_close", "closed"),
         SAME, HANDLER, ("reason", "note"), ("photos",), reasons="appeal", clock="keep",
         named=FIELD, bars_flag="appeal_asked", guard="was_late", sets_flag="appeal_asked"),
    Move("appeal_first", ("handling", "pending_review", "pending_check", "pending_close",
                          "closed"), SAME, ("shift_leader",), ("note",), (), clock="keep",
         not_by=("appeal", *HANDLING), needs_flag="appeal_asked", bars_flag="appeal_passed",
         guard="undecided", sets_flag="appeal_passed"),
    Move("appeal_final", ("handling", "pending_review", "pending_check", "pending_close",
                          "closed"), SAME, LEADERS, ("note",), (), clock="keep",
         not_by=("appeal", "appeal_first", *HANDLING), needs_flag="appeal_passed",
         guard="undecided", sets_flag="exempt"),
    Move("refuse_appeal", ("handling", "pending_review", "pending_check", "pending_close",
                           "closed"), SAME, ("shift_leader", *LEADERS), ("note",), (),
         clock="keep", not_by=("appeal", *HANDLING), needs_flag="appeal_asked",
         leads="appeal", guard="undecided", sets_flag="appeal_refused"),
    # 作废: one person asks, a second one decides
    Move("ask_void", OPEN, SAME, ("shift_leader",), ("reason",), reasons="void", clock="keep",
         bars_flag="void_asked", sets_flag="void_asked", in_wait=True),
    Move("refuse_void", OPEN, SAME, ("shift_leader", "dispatcher", "intake"), ("note",), (),
         clock="keep", not_by=("ask_void",), needs_flag="void_asked", clears=("void_asked",),
         in_wait=True),
    Move("void", OPEN, "void", ("shift_leader", "dispatcher", "intake"), not_by=("ask_void",),
         needs_flag="void_asked", in_wait=True),
    # 备注, 补充证据, 撤回
    Move("comment", ALL, SAME, STAFF, ("note|photos",), ("note", "photos"), clock="keep",
         anyone=True, in_wait=True),
    Move("late_evidence", ALL, SAME, ("handler", *FIELD), ("note|photos",),
         ("note", "photos", "point"), clock="keep", anyone=True, guard="internal",
         sets_flag="late_evidence", in_wait=True, may_undo=False),
    Move("see_evidence", ALL, SAME, CENTRE, (), ("note",), clock="keep",
         needs_flag="late_evidence", clears=("late_evidence",), in_wait=True),
    # 工作日历调整: the running clocks are measured again, see grids.reminders.recomputing
    Move("recompute", OPEN, SAME, ("system",), (), (), clock="keep", anyone=True,
         guard="internal", in_wait=True, may_undo=False),
    # 网格调整: the case lies in another grid from a day on, see grids.regrid.handing
    Move("regrid", OPEN, SAME, ("system",), (), (), clock="keep", anyone=True,
         guard="internal", in_wait=True, may_undo=False),
    Move("undo", ALL, SAME, (*STAFF, "system"), (), (), anyone=True, guard="internal",
         in_wait=True, may_undo=False),
)  # fmt: skip

_BY_PLACE: Final = MappingProxyType(
    {(move.action, source): move for move in MOVES for source in move.sources}
)
_FROM: Final = MappingProxyType(
    {source: tuple(move for move in MOVES if source in move.sources) for source in (*ALL, "draft")}
)


def find_move(action: str, status: str) -> Move | None:
    """Return the line for an action in a state; None where the table has no such move."""
    return _BY_PLACE.get((action, status))


def moves_from(status: str) -> tuple[Move, ...]:
    """Return what may happen to a case in this state, in the order of the table."""
    return _FROM.get(status, ())


def actions() -> tuple[str, ...]:
    """Return every action of the table once."""
    return tuple(dict.fromkeys(move.action for move in MOVES))


def targets(move: Move) -> set[str]:
    """Return every state that a line may lead to, over all its sources.

    `goes_back` leads to where the steps that set its flag come from.
    """
    back = {source for line in MOVES if move.goes_back and line.sets_flag == move.goes_back
            for source in line.sources}  # fmt: skip
    named = {*move.by_channel.values(), *filter(None, (move.target, move.unassigned))}
    stays = set(move.sources) if (not move.target or move.joins) and not move.goes_back else set()
    return named | stays | back
