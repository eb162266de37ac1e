"""The steps of a case as HTML forms, for the worker's page and the department's desk.

Script sends the same steps through the API; without it these forms post themselves.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from flask import g, request
from flask_babel import gettext as _

from app import faces
from app.faces import FieldErrors
from app.i18n import translated
from app.incident_answers import detail_json
from gis.errors import GisError
from grids.city import the_city
from grids.errors import GridsError, NotFound
from grids.incidents import detail, people, service
from grids.incidents.requests import MoveRequest

NAMES = ("id", "action", "note", "reason", "lon", "lat", "until", "level", "grade", "outside",
         "urgency", "main", "department", "worker", "category", "kind")  # fmt: skip
#: Fields of which several may be ticked.
SEVERAL = ("assisting",)
#: No form ticks more, and no code is longer.
MOST_TICKED, MOST_CODE = 50, 20


def case_page(incident_id: UUID, *, errors: dict[str, str] | None = None) -> dict[str, Any]:
    """Return what the page of a case shows: facts, photos, history, forms of the next steps.

    Raises `NoIncident` outside the caller's scope.
    """
    now = datetime.now(UTC)
    found = detail.detail(g.session, g.actor, incident_id, now=now)
    case = detail_json(found)
    for event, step in zip(case["events"], found.steps, strict=True):
        event["at_text"] = faces.instant_words(step.event.recorded_at)
        event["at_full"] = faces.moment_words(step.event.recorded_at)
        event["is_move"] = step.event.from_status != step.event.to_status
    case["actions"].sort(key=lambda action: not action["primary"])  # the likely step comes first
    for action in case["actions"]:
        action["id"] = str(uuid4())
    _offer(case)
    row = found.row
    place = {"id": case["id"], "lon": row.lon, "lat": row.lat, "risk": row.risk,
             "accuracy_m": row.accuracy_m}  # fmt: skip
    return {
        "case": case,
        "errors": errors or {},
        "chosen": request.form.get("action", "") if errors else "",
        "form": request.form if errors else {},
        "accuracy": str(_("case.accuracy", m=f"{row.accuracy_m:,.0f}")) if row.accuracy_m else "",
        "left": faces.left_words(row.due_at, row.risk, now),
        "due_text": str(_("desk.until", at=faces.instant_words(row.due_at))) if row.due_at else "",
        "reported_text": faces.instant_words(row.reported_at),
        "reported_full": faces.moment_words(row.reported_at),
        "due_full": str(_("desk.until", at=faces.moment_words(row.due_at))) if row.due_at else "",
        "rests": _rests(found),
        "sent": _done(case, request.args.get("done", "")),
        "page_data": faces.page_data(the_city(g.session), case=place),
    }


def _offer(case: dict[str, Any]) -> None:
    """Give long lists to the fields that ask for them; script fetches the same."""
    specs = [spec for action in case["actions"] for spec in action["requires"]]
    if any(spec["kind"] in ("department", "departments") for spec in specs):
        names = [{"value": one.code, "label": faces.by_language(one.name_zh, one.name_en)}
                 for one in people.departments(g.session)]  # fmt: skip
        for spec in specs:
            if spec["kind"] in ("department", "departments"):
                spec["options"] = names
    for spec in specs:
        if spec["kind"] == "category":
            # Nothing chosen keeps the category: the same code may stand in a newer list.
            spec |= {"value": "", "kept": case["category"]["name"],
                     "of": case["category"]["kind"], "groups": _categories(case)}  # fmt: skip


def _categories(case: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the categories of the case's kind, by class; read once in a request."""
    if "categories" not in g:
        g.categories = faces.groups(datetime.now(UTC), case["category"]["kind"])
    found: list[dict[str, Any]] = g.categories
    return found


def _rests(found: detail.CaseDetail) -> dict[str, str] | None:
    """Say until when cases like it rest, why, and who said so."""
    rests = found.moratorium
    if rests is None:
        return None
    until = faces.instant_words(rests.valid.upper) if rests.valid.upper else "–"
    return {"until": until, "reason": rests.reason, "approved_by": rests.approved_by}


def _done(case: dict[str, Any], action: str) -> str:
    """Say that the last step was taken, where it really is the last one of the case."""
    last = case["events"][-1]
    if not action or last["action"] != action:
        return ""
    return str(_("desk.done", action=last["action_name"]))


def post(incident_id: UUID) -> dict[str, str]:
    """Take the step of a form; return what is wrong with it by field, or nothing.

    Raises `NoIncident` outside the caller's scope.
    """
    now = datetime.now(UTC)
    try:
        values = faces.form_values(NAMES)
        point = faces.coordinates(values) or (None, None)
        with g.session.begin():
            photos = faces.sent_photos(the_city(g.session), g.actor, now=now, least=0)
            wanted = MoveRequest(
                id=faces.form_id(values["id"]) or uuid4(),
                action=values["action"],
                note=values["note"],
                reason=values["reason"] or None,
                photos=photos,
                lon=point[0],
                lat=point[1],
                until=_instant(values["until"]),
                level=values["level"] or None,
                grade=values["grade"] or None,
                outside=values["outside"],
                urgency=values["urgency"] or None,
                main=detail.case_named(g.session, g.actor, values["main"]),
                category=values["category"] or None,
                kind=values["kind"] or "matter",
                department=values["department"] or None,
                assisting=_several("assisting"),
                worker=_account(values["worker"]),
            )
            service.move(g.session, incident_id, wanted, g.actor, now=now)
    except FieldErrors as refused:
        return refused.errors
    except NotFound:
        raise
    except (GridsError, GisError) as refused:
        return faces.field_errors(refused)
    return {}


def _instant(text: str) -> datetime | None:
    """Read a day and time of the city's clock, or an instant with an offset."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise FieldErrors({"until": translated("error.incident.bad_instant", "no time")}) from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=ZoneInfo(the_city(g.session).city_zone))
    return at.astimezone(UTC)


def _several(name: str) -> tuple[str, ...]:
    """Return everything that was ticked under a name."""
    return tuple(text[:MOST_CODE] for text in request.form.getlist(name) if text)[:MOST_TICKED]


def _account(text: str) -> int | None:
    if text and not text.isdigit():
        raise FieldErrors({"worker": translated("error.incident.unknown_worker", "no worker")})
    return int(text) if text else None
