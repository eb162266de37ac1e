"""Claims: who works on which case now."""

from __future__ import annotations

from uuid import UUID

import msgspec
from flask import g
from flask.typing import ResponseReturnValue

from app.auth import requires
from app.desk_api.asking import bp, now
from app.desk_api.queue import claim_json
from app.incidents_api import body_as
from app.render import json_answer
from grids.desk import claims


class IdsBody(msgspec.Struct, forbid_unknown_fields=True):
    """The cases that an open page still works on."""

    ids: list[UUID]


@bp.put("/api/desk/claims/<uuid:incident_id>")
@requires("desk:dispatch")
def put_claim(incident_id: UUID) -> ResponseReturnValue:
    """Say that the caller works on a case for the next 90 seconds; 409 names who was first."""
    with g.session.begin():
        claim = claims.claim(g.session, g.actor, incident_id, now=now())
    return json_answer(claim_json(claim))


@bp.delete("/api/desk/claims/<uuid:incident_id>")
@requires("desk:dispatch")
def delete_claim(incident_id: UUID) -> ResponseReturnValue:
    """Let go of a case; somebody else's claim stays."""
    with g.session.begin():
        claims.release(g.session, g.actor, incident_id)
    return "", 204


@bp.post("/api/desk/claims/renew")
@requires("desk:dispatch")
def renew_claims() -> ResponseReturnValue:
    """Keep the caller's claims; `ids` in the answer are those that are still theirs."""
    body = body_as(IdsBody)
    at = now()
    with g.session.begin():
        kept = claims.renew(g.session, g.actor, body.ids, now=at)
    return json_answer({"ids": kept, "until": (at + claims.LASTS).isoformat()})
