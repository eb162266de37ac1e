"""The dispatcher's desk: its page, and the figures of a shift; all else comes from the APIs."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, g, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.auth import requires
from app.command import page_data
from app.incident_answers import instant, named
from app.render import json_answer
from grids.city import the_city
from grids.desk import shift
from grids.desk.shift import Handled
from grids.incidents.listing import Filter, count_cases

bp = Blueprint("dispatch", __name__)


@bp.get("/command/desk")
@requires("desk:dispatch")
def page() -> ResponseReturnValue:
    """Show the dispatcher's desk."""
    data = {**page_data(), "turn": shift.turn_of(g.actor)}
    return render_template("dispatch/index.html", page_data=data)


@bp.get("/command/desk/shift")
@requires("desk:dispatch")
def figures() -> ResponseReturnValue:
    """Give what the caller did today, what waits for their role, and what is late."""
    now = datetime.now(UTC)
    open_cases = Filter(statuses=("open",))
    counts = count_cases(
        g.session, g.actor, open_cases, now=now, facets=("status", "risk"), parts=("open",)
    )
    by_status, by_risk = counts.facets["status"], counts.facets["risk"]
    return json_answer(
        {
            "done": shift.count_handled(g.session, g.actor, since=_midnight(now)),
            "waiting": sum(by_status.get(status, 0) for status in shift.turn_of(g.actor)),
            "late": by_risk.get("late", 0),
            "as_of": instant(now),
        }
    )


@bp.get("/command/desk/done")
@requires("desk:dispatch")
def done_today() -> ResponseReturnValue:
    """Give the cases that the caller took a step further today, the last one first."""
    found = shift.handled(g.session, g.actor, since=_midnight(datetime.now(UTC)))
    return json_answer({"items": [_handled_json(one) for one in found]})


def _handled_json(one: Handled) -> dict[str, str | None]:
    return {
        "id": str(one.incident_id),
        "number": one.number,
        "name": named(one.category_zh, one.category_en),
        "address": one.address,
        "status_name": str(_(f"status.{one.status}")),
        "action_name": str(_(f"action.{one.action}")),
        "at": instant(one.recorded_at),
    }


def _midnight(now: datetime) -> datetime:
    """Return the beginning of the day in the city."""
    day = now.astimezone(ZoneInfo(the_city(g.session).city_zone))
    return day.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
