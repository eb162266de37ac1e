"""The API of disputes, hazards and inspections: lists, one record, opening one, taking a step.

Ids are made by the client and repeat without harm, as those of cases do. No list and no record
names a party of a dispute; `POST /api/disputes/<id>/parties` does, for a purpose, and is kept.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from flask import Blueprint, Response, g, request
from flask.typing import ResponseReturnValue

from app import faces
from app.auth import requires
from app.incidents_api import body_as
from app.render import json_answer
from grids.disputes import parties
from grids.disputes import service as disputes
from grids.disputes.models import Dispute
from grids.flows import reading
from grids.flows.errors import BadValue
from grids.flows.once import Answer
from grids.flows.reading import Listed, Record, Wanted
from grids.flows.taking import Kind, StepRequest
from grids.hazards import inspecting
from grids.hazards import service as hazards
from grids.hazards.checklists import lists
from grids.hazards.inspecting import Visit
from grids.hazards.models import Hazard

bp = Blueprint("flow_api", __name__)

TRAYS: Final = ("", "turn", "open", "done")
LONGEST_SEARCH: Final = 40
#: Columns that a list shows beside those of every kind; the text of a dispute is no matter of one.
IN_LISTS: Final[dict[type[Any], tuple[str, ...]]] = {
    Dispute: ("kind", "severity", "level", "party_count"),
    Hazard: ("severity", "origin", "item", "place", "term"),
}
IN_RECORDS: Final[dict[type[Any], tuple[str, ...]]] = {
    Dispute: ("text", "channel", "people", "meeting_count", "extension_count", "reopen_count",
              "way", "contacted_at", "agreed_at"),
    Hazard: ("text", "measures", "notice_no", "document", "ordered_at", "rework_count",
             "escalation_count", "competent_code", "checklist", "premises_id", "inspection_id"),
}  # fmt: skip

Line = Annotated[str, msgspec.Meta(max_length=8000)]
Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class PartyBody(msgspec.Struct, forbid_unknown_fields=True):
    """Who takes part in a dispute."""

    side: Literal["applicant", "respondent"]
    name: str
    phone: str = ""
    is_organisation: bool = False


class RegisterBody(msgspec.Struct, forbid_unknown_fields=True):
    """A dispute as it is registered; the id stands in the address."""

    parties: list[PartyBody]
    values: dict[str, Line] = {}
    photos: list[Hash] = []


class HazardBody(msgspec.Struct, forbid_unknown_fields=True):
    """A hazard as it is reported: of premises by their key, or of a point."""

    photos: list[Hash]
    values: dict[str, Line] = {}
    lon: float | None = None
    lat: float | None = None


class StepBody(msgspec.Struct, forbid_unknown_fields=True):
    """One step: the id is made by the client, so that it may be sent again."""

    id: UUID
    action: str
    values: dict[str, Line] = {}
    photos: list[Hash] = []
    parties: list[PartyBody] = []


class VisitBody(msgspec.Struct, forbid_unknown_fields=True):
    """A visit to premises: an answer for each item, a photo for each that failed."""

    premises: str
    answers: dict[str, Literal["ok", "failed", "na"]]
    photos: dict[str, Hash] = {}
    notes: dict[str, Annotated[str, msgspec.Meta(max_length=500)]] = {}


class PurposeBody(msgspec.Struct, forbid_unknown_fields=True):
    """What the parties are needed for."""

    purpose: str


@bp.after_request
def keep_nothing(answer: Response) -> Response:
    """Let no cache keep what is said of disputes and hazards."""
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/api/disputes")
@requires("dispute:view")
def list_disputes() -> ResponseReturnValue:
    """Give a page of the disputes that the caller has part in or answers for."""
    return _page(disputes.KIND)


@bp.get("/api/hazards")
@requires("hazard:view")
def list_hazards() -> ResponseReturnValue:
    """Give a page of the hazards of the caller's area or department."""
    return _page(hazards.KIND)


@bp.get("/api/disputes/<uuid:dispute_id>")
@requires("dispute:view")
def get_dispute(dispute_id: UUID) -> ResponseReturnValue:
    """Give one dispute with its history and the steps that the caller may take now."""
    return _one(disputes.KIND, dispute_id)


@bp.get("/api/hazards/<uuid:hazard_id>")
@requires("hazard:view")
def get_hazard(hazard_id: UUID) -> ResponseReturnValue:
    """Give one hazard with its history and the steps that the caller may take now."""
    return _one(hazards.KIND, hazard_id)


@bp.put("/api/disputes/<uuid:dispute_id>")
@requires("dispute:register")
def put_dispute(dispute_id: UUID) -> ResponseReturnValue:
    """Register a dispute; sending it again is harmless and gets the same answer."""
    body = body_as(RegisterBody)
    values = {**body.values, "parties": _parties(body.parties)}
    wanted = StepRequest(dispute_id, "register", values, tuple(body.photos))
    with g.session.begin():
        answer = disputes.register(g.session, wanted, g.actor, now=_now(), vault=faces.vault())
    return _answered(answer)


@bp.put("/api/hazards/<uuid:hazard_id>")
@requires("hazard:report")
def put_hazard(hazard_id: UUID) -> ResponseReturnValue:
    """Report a hazard; sending it again is harmless and gets the same answer."""
    body = body_as(HazardBody)
    point = {} if body.lon is None or body.lat is None else {"point": [body.lon, body.lat]}
    wanted = StepRequest(hazard_id, "report", {**body.values, **point}, tuple(body.photos))
    with g.session.begin():
        answer = hazards.report(g.session, wanted, g.actor, now=_now())
    return _answered(answer)


@bp.post("/api/disputes/<uuid:dispute_id>/moves")
@requires("dispute:move")
def move_dispute(dispute_id: UUID) -> ResponseReturnValue:
    """Take a dispute one step further; sending the step again is harmless."""
    wanted = _step(body_as(StepBody))
    with g.session.begin():
        answer = disputes.take(
            g.session, dispute_id, wanted, g.actor, now=_now(), vault=faces.vault()
        )
    return _answered(answer)


@bp.post("/api/hazards/<uuid:hazard_id>/moves")
@requires("hazard:move")
def move_hazard(hazard_id: UUID) -> ResponseReturnValue:
    """Take a hazard one step further; sending the step again is harmless."""
    wanted = _step(body_as(StepBody))
    with g.session.begin():
        answer = hazards.take(g.session, hazard_id, wanted, g.actor, now=_now())
    return _answered(answer)


@bp.post("/api/disputes/<uuid:dispute_id>/parties")
@requires("dispute:parties", step_up=True)
def get_parties(dispute_id: UUID) -> ResponseReturnValue:
    """Name who takes part, for a purpose; the look is written down."""
    purpose = body_as(PurposeBody).purpose
    with g.session.begin():
        shown = parties.reveal(
            g.session, g.actor, faces.vault(), dispute_id, purpose, now=_now(),
            source_ip=request.remote_addr or "",
        )  # fmt: skip
    return json_answer({"items": [_party(one) for one in shown]})


@bp.get("/api/checklists")
@requires("hazard:view")
def checklists() -> ResponseReturnValue:
    """Give the check-lists of inspections with weights and major marks."""
    return json_answer(
        {
            name: [
                {"code": item.code, "zh": item.zh, "en": item.en, "weight": item.weight,
                 "is_major": item.is_major, "department": item.department}
                for item in items
            ]
            for name, items in lists().items()
        }
    )  # fmt: skip


@bp.put("/api/inspections/<uuid:inspection_id>")
@requires("hazard:report")
def put_inspection(inspection_id: UUID) -> ResponseReturnValue:
    """Keep a visit: each failed item becomes a hazard; sending it again is harmless."""
    body = body_as(VisitBody)
    visit = Visit(inspection_id, body.premises, body.answers, body.photos, body.notes)
    with g.session.begin():
        answer = inspecting.inspect(g.session, visit, g.actor, now=_now())
    return _answered(answer)


def _page(kind: Kind) -> Response:
    args = request.args
    tray = args.get("show", "open")
    if tray not in TRAYS:
        raise BadValue(f"show is one of {', '.join(filter(None, TRAYS))}", field="show")
    limit = args.get("limit", "50")
    if not (limit.isascii() and limit.isdecimal() and len(limit) <= 4):
        raise BadValue("limit is a number", field="limit")
    wanted = Wanted(
        tray, tuple(filter(None, args.get("risk", "").split(","))),
        args.get("q", "").strip()[:LONGEST_SEARCH], args.get("after") or None, int(limit),
    )  # fmt: skip
    with g.session.begin():
        found = reading.page(g.session, kind, g.actor, wanted, now=_now())
        items = [_line(kind, one) for one in found.items]
    return json_answer({"items": items, "next": found.next, "total": found.total})


def _one(kind: Kind, record_id: UUID) -> Response:
    with g.session.begin():
        found = reading.record(g.session, kind, g.actor, record_id, now=_now())
        return json_answer(_whole(kind, found))


def _line(kind: Kind, one: Listed | Record) -> dict[str, Any]:
    row = one.row
    return {
        "id": str(row.id),
        "number": row.number,
        "status": row.status,
        "risk": one.risk,
        "area": row.area_code,
        "opened_at": row.opened_at,
        "stage_at": row.stage_at,
        "due_at": row.due_at,
        "ended_at": row.ended_at,
        "holder": one.holder,
        "department": row.department_code,
        **{name: getattr(row, name) for name in IN_LISTS[kind.row]},
    }


def _whole(kind: Kind, found: Record) -> dict[str, Any]:
    row = found.row
    return {
        **_line(kind, found),
        **{name: getattr(row, name) for name in IN_RECORDS[kind.row]},
        "limits": row.limits,
        "flags": row.flags,
        "events": [
            {
                "seq": told.event.seq,
                "at": told.event.recorded_at,
                "action": told.event.action,
                "from": told.event.from_status,
                "to": told.event.to_status,
                "role": told.event.role,
                "actor": told.actor,
                "reason": told.event.reason,
                "note": told.event.note,
                "values": told.event.data.get("values", {}),
            }
            for told in found.log
        ],
        "photos": [
            {"seq": one.event_seq, "part": one.part, "sha256": one.public_sha256,
             "thumb": one.thumb_sha256}
            for one in found.photos
        ],
        "steps": [
            {"action": step.action, "requires": step.requires, "optional": step.optional,
             "reasons": step.reasons}
            for step in found.steps
        ],
    }  # fmt: skip


def _step(body: StepBody) -> StepRequest:
    values: dict[str, Any] = dict(body.values)
    if body.parties:
        values["parties"] = _parties(body.parties)
    return StepRequest(body.id, body.action, values, tuple(body.photos))


def _parties(given: list[Any]) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(one) for one in given]


def _party(shown: parties.PartyShown) -> dict[str, Any]:
    return {"no": shown.no, "side": shown.side, "is_organisation": shown.is_organisation,
            "name": shown.name, "phone": shown.phone}  # fmt: skip


def _answered(answer: Answer) -> Response:
    """Answer 201 for a new write and 200 for one that was answered before."""
    return json_answer(answer.body, 201 if answer.is_new else 200)


def _now() -> datetime:
    return datetime.now(UTC)
