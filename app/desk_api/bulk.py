"""One step for many cases, looked at before and taken back after."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from flask import g
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.auth import requires
from app.desk_api.asking import bp, now
from app.i18n import translated
from app.incidents_api import BadNumber, MoveBody, body_as
from app.render import json_answer
from gis.errors import GisError
from grids.desk import bulk
from grids.desk.bulk import Outcome
from grids.errors import GridsError
from grids.incidents.requests import MoveRequest

#: What a body and a request of a step write differently.
LISTS = ("photos", "assisting")


class PreviewBody(msgspec.Struct, forbid_unknown_fields=True):
    """A step that somebody thinks of taking with many cases."""

    ids: list[UUID]
    action: str
    fields: dict[str, Any] = {}


class BulkBody(msgspec.Struct, forbid_unknown_fields=True):
    """The same, meant: the id is made by the client, so that it may be sent again."""

    id: UUID
    ids: list[UUID]
    action: str
    fields: dict[str, Any] = {}


class UndoBody(msgspec.Struct, forbid_unknown_fields=True):
    """What to take back: a step for many cases by its token, or one event of a case."""

    id: UUID
    token: UUID | None = None
    incident: UUID | None = None
    seq: int | None = None


@bp.post("/api/desk/bulk/preview")
@requires("desk:dispatch")
def preview() -> ResponseReturnValue:
    """Say of each case whether the step would go, by taking it and giving it back."""
    body = body_as(PreviewBody)
    ids = bulk.check_ids(body.ids)
    wanted = _request(UUID(int=0), body.action, body.fields)
    with g.session.begin():
        found = [bulk.tried(g.session, g.actor, one, wanted, now=now()) for one in ids]
    items = [{**_outcome_json(one), "ok": one.error is None, "number": one.number} for one in found]
    fine = sum(one.error is None for one in found)
    return json_answer({"items": items, "ok": fine, "refused": len(found) - fine})


@bp.post("/api/desk/bulk")
@requires("desk:dispatch")
def post_bulk() -> ResponseReturnValue:
    """Take one step with many cases, each for itself; what was refused says why."""
    body = body_as(BulkBody)
    ids = bulk.check_ids(body.ids)
    wanted = _request(body.id, body.action, body.fields)
    with g.session.begin():
        earlier = bulk.answered_before(g.session, g.actor, body.id, ids, wanted)
    if earlier is not None:
        return json_answer(_shown(earlier))
    started = now()
    # Each case is a transaction of its own: what is done stays done wherever the line breaks,
    # and nobody waits for two hundred locks.
    outcomes = [_attempt(one, lambda one=one: _step(one, wanted)) for one in ids]
    done = [_outcome_json(one) for one in outcomes if one.error is None]
    answer = {
        "done": done,
        "refused": [_outcome_json(one) for one in outcomes if one.error is not None],
        "undo": str(body.id) if done else None,
        "until": (started + bulk.UNDO_LASTS).isoformat() if done else None,
        "actor": g.actor.account_id,
    }
    with g.session.begin():
        bulk.keep(g.session, g.actor, ids, wanted, answer, now=started)
    return json_answer(_shown(answer), 201)


@bp.post("/api/desk/undo")
@requires("desk:dispatch")
def undo() -> ResponseReturnValue:
    """Take back own steps of the last half minute where nobody has acted since."""
    body = body_as(UndoBody)
    if body.token is not None:
        with g.session.begin():
            steps = bulk.steps_of(g.session, g.actor, body.token)
    elif body.incident is not None and body.seq is not None:
        steps = [(body.incident, body.seq)]
    else:
        raise bulk.NothingToUndo("name a token, or a case and its event")
    outcomes = [_attempt(step[0], lambda step=step: _take_back(body.id, step)) for step in steps]
    return json_answer(
        {
            "done": [_outcome_json(one) for one in outcomes if one.error is None],
            "refused": [_outcome_json(one) for one in outcomes if one.error is not None],
        }
    )


def _step(incident_id: UUID, wanted: MoveRequest) -> Outcome:
    with g.session.begin():
        return bulk.stepped(g.session, g.actor, incident_id, wanted, now=now())


def _take_back(request_id: UUID, step: tuple[UUID, int]) -> Outcome:
    with g.session.begin():
        return bulk.undone(g.session, g.actor, request_id, step, now=now())


def _attempt(incident_id: UUID, act: Any) -> Outcome:
    """Run one case's part; a refusal is its outcome, not the end of the others."""
    try:
        found: Outcome = act()
    except (GridsError, GisError) as error:
        return Outcome(incident_id, error=error)
    return found


def _request(request_id: UUID, action: str, fields: dict[str, Any]) -> MoveRequest:
    """Read the fields of a step as the step's own address does."""
    body = msgspec.convert({**fields, "id": str(request_id), "action": action}, MoveBody)
    values = {name: getattr(body, name) for name in body.__struct_fields__}
    values |= {name: tuple(values[name]) for name in LISTS}
    worker = values["worker"]
    if isinstance(worker, str) and worker and not worker.isdecimal():
        raise BadNumber("worker is no account id", field="worker")
    return MoveRequest(**{**values, "worker": int(worker) if worker else None})


def _outcome_json(one: Outcome) -> dict[str, Any]:
    if one.error is not None:
        code = one.error.code
        detail = translated(f"error.{code}", str(one.error), **_params(one.error))
        return {"id": str(one.incident_id), "code": code, "detail": detail}
    return {
        "id": str(one.incident_id),
        "seq": one.seq,
        "status": one.status,
        "status_name": str(_(f"status.{one.status}")),
    }


def _params(error: GridsError | GisError) -> dict[str, Any]:
    field = str(error.params.get("field") or "")
    names = " / ".join(translated(f"field.{name}", name) for name in field.split("|") if name)
    return {"field_name": names, **error.params}


def _shown(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "actor"}
