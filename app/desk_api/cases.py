"""What the desk knows beside a case: what may be the same, and who could take it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
from flask import current_app, g
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.auth import requires
from app.config import Settings
from app.desk_api.asking import bp, now
from app.incident_answers import named, photo_json, row_json, why_words
from app.render import json_answer
from grids.desk.duplicates import Duplicate, duplicates_of
from grids.desk.roads import ROAD_NETWORK, Network
from grids.desk.suggestions import Person, Why, suggest


@bp.get("/api/desk/cases/<uuid:incident_id>/duplicates")
@requires("incident:view")
def duplicates(incident_id: UUID) -> ResponseReturnValue:
    """Give open cases that may be the same problem, proposed ones first."""
    found = duplicates_of(g.session, g.actor, incident_id, now=now())
    return json_answer({"items": [_duplicate_json(item) for item in found]})


@bp.get("/api/desk/cases/<uuid:incident_id>/suggestions")
@requires("incident:view")
def suggestions(incident_id: UUID) -> ResponseReturnValue:
    """Give the department that answers for a case, and people who could take it, with reasons."""
    found = suggest(g.session, g.actor, incident_id, now=now(), network=_network)
    department = found.department
    return json_answer(
        {
            "department": {
                "code": department.code,
                "name": named(department.name_zh, department.name_en),
                "why": why_words(found.department_why)
                if found.has_rule_words
                else str(_(f"why.{found.department_why}")),
                "assisting": [
                    {"code": one.code, "name": named(one.name_zh, one.name_en)}
                    for one in found.assisting
                ],
            }
            if department
            else None,
            "people": [_person_json(person) for person in found.people],
            "has_roads": found.has_roads,
        }
    )


def _network() -> Network | None:
    """Return the roads of this process; a connection of its own builds them."""
    settings: Settings = current_app.extensions["settings"]
    url = settings.tiles_url.replace("postgresql+psycopg://", "postgresql://")
    return ROAD_NETWORK.network(
        lambda: psycopg.connect(url, autocommit=True, application_name="wangge-roads")
    )


def _duplicate_json(item: Duplicate) -> dict[str, Any]:
    return {
        **row_json(item.row),
        "text": item.row.text,
        "distance_m": round(item.distance_m, 1),
        "age_s": round(item.age_s),
        "same_component": item.same_component,
        "proposed": item.is_proposed,
        "photo": photo_json(item.photo) if item.photo else None,
    }


def _person_json(person: Person) -> dict[str, Any]:
    return {
        "account": person.account_id,
        "name": person.name,
        "role": person.role,
        "role_name": str(_(f"role.{person.role}")),
        "why": [_why(one) for one in person.why],
        "minutes": None if person.minutes is None else round(person.minutes, 1),
        "distance_m": None if person.distance_m is None else round(person.distance_m),
        "open_cases": person.open_cases,
        "handled_well": person.handled_well,
        "on_duty": person.is_on_duty,
        "is_grid_owner": person.is_grid_owner,
    }


def _why(one: Why) -> str:
    """Say one fact in the reader's language."""
    return str(_(f"why.{one.word}", value=one.value))
