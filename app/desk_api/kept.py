"""Kept filters and drafts of replies."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from flask import g
from flask.typing import ResponseReturnValue

from app.auth import requires
from app.desk_api.asking import bp, now
from app.incidents_api import body_as
from app.render import json_answer
from grids.desk import kept


class FilterBody(msgspec.Struct, forbid_unknown_fields=True):
    """A filter under a name; with a role it is shared with those who hold it around here."""

    name: str
    query: dict[str, str | int | list[str] | None]
    role: str | None = None


class DraftBody(msgspec.Struct, forbid_unknown_fields=True):
    """What stands in the form of a step."""

    action: str
    fields: dict[str, Any]


@bp.get("/api/desk/filters")
@requires("incident:view")
def filters() -> ResponseReturnValue:
    """Give the caller's kept filters and those shared with them."""
    found = kept.filters_of(g.session, g.actor)
    return json_answer(
        {
            "items": [
                {
                    "id": str(one.id),
                    "name": one.name,
                    "query": one.query,
                    "role": one.role,
                    "own": one.is_own,
                    "owner": None if one.is_own else one.owner,
                }
                for one in found
            ]
        }
    )


@bp.put("/api/desk/filters/<uuid:filter_id>")
@requires("incident:view")
def put_filter(filter_id: UUID) -> ResponseReturnValue:
    """Keep a filter under a name, or change an own one."""
    body = body_as(FilterBody)
    with g.session.begin():
        kept.keep_filter(
            g.session, g.actor, filter_id, name=body.name, query=body.query, role=body.role,
            now=now(),
        )  # fmt: skip
    return "", 204


@bp.delete("/api/desk/filters/<uuid:filter_id>")
@requires("incident:view")
def delete_filter(filter_id: UUID) -> ResponseReturnValue:
    """Remove an own filter."""
    with g.session.begin():
        kept.drop_filter(g.session, g.actor, filter_id)
    return "", 204


@bp.get("/api/desk/drafts/<uuid:incident_id>")
@requires("incident:move")
def draft(incident_id: UUID) -> ResponseReturnValue:
    """Give what the caller has typed for a case and not sent; `draft` is null without any."""
    found = kept.draft_of(g.session, g.actor, incident_id, now=now())
    shown = (
        {"action": found.action, "fields": found.fields, "at": found.updated_at.isoformat()}
        if found
        else None
    )
    return json_answer({"draft": shown})


@bp.put("/api/desk/drafts/<uuid:incident_id>")
@requires("incident:move")
def put_draft(incident_id: UUID) -> ResponseReturnValue:
    """Keep what the caller has typed for a case; gone with the step, or after a week."""
    body = body_as(DraftBody)
    with g.session.begin():
        kept.keep_draft(
            g.session, g.actor, incident_id, action=body.action, fields=body.fields, now=now()
        )
    return "", 204


@bp.delete("/api/desk/drafts/<uuid:incident_id>")
@requires("incident:move")
def delete_draft(incident_id: UUID) -> ResponseReturnValue:
    """Forget the caller's draft for a case."""
    with g.session.begin():
        kept.drop_draft(g.session, g.actor, incident_id)
    return "", 204
