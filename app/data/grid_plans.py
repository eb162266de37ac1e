"""The designer: plans of new grids for a town, drawn, edited on the map, approved, switched."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import msgspec
from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import faces
from app.auth import requires
from app.data.frame import page
from app.data.grids import day_of
from app.i18n import translated
from app.incidents_api import body_as
from app.render import json_answer
from grids.accounts import Account, Actor
from grids.area_tree import area_names, area_node
from grids.errors import Conflict, GridsError, Invalid
from grids.layers.access import checked_area
from grids.regrid import history, plans, showing
from grids.regrid.errors import BadDay, BadWish
from grids.regrid.models import GridPlan
from grids.regrid.wishes import HOURS, Wishes

bp = Blueprint("grid_plans", __name__)

FIELDS: Final = (
    "town", "name", "start", "grids", "households", "move_cost", "frozen",
    *(f"hours_{name}" for name in HOURS),
)  # fmt: skip
MOST_FROZEN: Final = 400
DRAFTING_S: Final = 3


class EditBody(msgspec.Struct, forbid_unknown_fields=True):
    """An edit of the map: `move` patches to a grid, `split` one, `merge` two, or `undo`."""

    action: str
    edit: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]  #: number of the last one seen
    grid: Annotated[int, msgspec.Meta(ge=0, le=32_000)] = 0
    other: Annotated[int, msgspec.Meta(ge=0, le=32_000)] = 0
    patches: Annotated[
        list[Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]], msgspec.Meta(max_length=20_000)
    ] = []


@bp.get("/data/grids/plans")
@requires("grids:view")
def home() -> ResponseReturnValue:
    """List the plans of the own area, with the form to ask for one."""
    return _home({})


def _home(typed: dict[str, str], refused: GridsError | None = None) -> str:
    with g.session.begin():
        found = plans.plans(g.session, g.actor)
        return page(
            "grid_plans", plans=found, towns=history.towns(g.session, g.actor), typed=typed,
            refused=refused.params.get("field") if refused else None,
            refused_words=_said(refused) if refused else "",
            names={plan.town_code: faces.by_language(*area_names(g.session, plan.town_code))
                   for plan in found},
            hours=HOURS, wish=Wishes(),
        )  # fmt: skip


@bp.post("/data/grids/plans")
@requires("grids:design")
def ask() -> ResponseReturnValue:
    """Ask for a plan of a town's grids; the worker draws it."""
    typed = {name: request.form.get(name, "").strip() for name in FIELDS}
    now = datetime.now(UTC)
    try:
        wishes = _wishes(typed)
        with g.session.begin():
            made = plans.ask(
                g.session, g.actor, checked_area(typed["town"]), typed["name"], wishes,
                on=history.today(g.session), now=now,
            ).id  # fmt: skip
    except Invalid as error:
        return _home(typed, error), 422
    return redirect(url_for("grid_plans.one", plan_id=made), 303)


def _wishes(typed: dict[str, str]) -> Wishes:
    """Read what the designer is asked for. Raises `BadWish`, which names the field."""
    numbers = {name: _number(name, typed[name]) for name in FIELDS[3:6] + FIELDS[7:]}
    cost = numbers["move_cost"]
    return Wishes(
        start=typed["start"] or "today",
        grids=_whole("grids", numbers["grids"]),
        households=_whole("households", numbers["households"]),
        move_cost=Wishes.move_cost if cost is None else cost,
        frozen=tuple(typed["frozen"].replace(",", " ").split()[:MOST_FROZEN]),
        hours={name: HOURS[name] if (given := numbers[f"hours_{name}"]) is None else given
               for name in HOURS},
    )  # fmt: skip


def _number(name: str, written: str) -> float | None:
    if not written:
        return None
    try:
        return float(written)
    except ValueError:
        raise BadWish(f"{name} is no number", field=name, value=written) from None


def _whole(name: str, value: float | None) -> int | None:
    if value is not None and value != int(value):
        raise BadWish(f"{name} is no whole number", field=name, value=value)
    return None if value is None else int(value)


@bp.get("/data/grids/plans/<int:plan_id>")
@requires("grids:view")
def one(plan_id: int) -> ResponseReturnValue:
    """Show a plan: both maps, figures before and after, what may be done with it."""
    return _page(plan_id)


def _page(plan_id: int, refused: GridsError | None = None) -> str:
    with g.session.begin():
        plan = plans.plan_of(g.session, g.actor, plan_id)
        names = {c: faces.by_language(*area_names(g.session, c)) for c in _communities(plan)}
        people = {
            key: account.name
            for key in (plan.made_by, plan.asked_by, plan.approved_by)
            if key and (account := g.session.get(Account, key))
        }
        node = area_node(g.session, plan.town_code)
        has_hand = g.actor.account_id in plan.editors
        return page(
            "grid_plan", plan=plan, town=faces.by_language(*area_names(g.session, plan.town_code)),
            figures=plan.figures, communities=names, people=people,
            wishes=Wishes.of_json(plan.wishes), has_hand=has_hand,
            refused_words=_said(refused) if refused else "",
            failed_words=_failed(plan), refresh=DRAFTING_S if plan.state == "drafting" else None,
            tomorrow=history.today(g.session) + timedelta(days=1),
            page_data={"plan": {
                "id": plan.id, "bounds": node.bounds if node else None, "communities": names,
                "canEdit": plan.state == "draft" and g.actor.can("grids:design"),
            } if plan.labels is not None else None},
        )  # fmt: skip


def _communities(plan: GridPlan) -> list[str]:
    return sorted({grid["community"] for grid in plan.figures.get("grids", ())})


def _failed(plan: GridPlan) -> str:
    code = plan.outcome.get("code") if plan.state == "failed" else None
    return translated(f"error.{code}", code, **plan.outcome.get("params", {})) if code else ""


def _said(error: GridsError) -> str:
    return translated(f"error.{error.code}", str(error), **error.params)


@bp.get("/data/grids/plans/<int:plan_id>/ground")
@requires("grids:view")
def ground(plan_id: int) -> ResponseReturnValue:
    """Give the patches of a plan, which never change."""
    with g.session.begin():
        answer = json_answer(showing.ground(plans.plan_of(g.session, g.actor, plan_id)))
    answer.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return answer


@bp.get("/data/grids/plans/<int:plan_id>/state")
@requires("grids:view")
def state(plan_id: int) -> ResponseReturnValue:
    """Give the grid of each patch and the figures as they are now."""
    with g.session.begin():
        return json_answer(showing.state(plans.plan_of(g.session, g.actor, plan_id)))


@bp.post("/data/grids/plans/<int:plan_id>/edits")
@requires("grids:design")
def edit(plan_id: int) -> ResponseReturnValue:
    """Edit a plan on the map; the answer is its new state."""
    body = body_as(EditBody)
    now = datetime.now(UTC)
    with g.session.begin():
        if plans.plan_of(g.session, g.actor, plan_id, lock=True).edit_no != body.edit:
            raise Conflict("somebody else has edited the plan meanwhile")
        return json_answer(showing.state(_edited(plan_id, body, now)))


def _edited(plan_id: int, body: EditBody, now: datetime) -> GridPlan:
    session, actor = g.session, g.actor
    match body.action:
        case "move":
            return plans.move(session, actor, plan_id, body.patches, body.grid, now=now)
        case "split":
            return plans.split(session, actor, plan_id, body.grid, now=now)
        case "merge":
            return plans.merge(session, actor, plan_id, body.grid, body.other, now=now)
        case "undo":
            return plans.undo(session, actor, plan_id, now=now)
        case _:
            raise Invalid(f"no edit {body.action!r}", field="action")


@bp.post("/data/grids/plans/<int:plan_id>/design")
@requires("grids:design")
def hand_in(plan_id: int) -> ResponseReturnValue:
    """Ask for the approval of a plan, or lay it aside."""
    steps = {"submit": plans.submit, "drop": plans.drop}
    return _stepped(plan_id, steps.get(request.form.get("action", "")))


@bp.post("/data/grids/plans/<int:plan_id>/decision")
@requires("grids:approve")
def decide(plan_id: int) -> ResponseReturnValue:
    """Approve a plan for a day to come, or give it back to those who drew it."""
    return _stepped(plan_id, {"approve": _approve, "refuse": plans.refuse}.get(
        request.form.get("action", "")
    ))  # fmt: skip


def _stepped(plan_id: int, step: Callable[..., GridPlan] | None) -> ResponseReturnValue:
    if step is None:
        raise Invalid("no such step", field="action")
    try:
        with g.session.begin():
            step(g.session, g.actor, plan_id, now=datetime.now(UTC))
    except Invalid as error:
        return _page(plan_id, error), 422
    return redirect(url_for("grid_plans.one", plan_id=plan_id), 303)


def _approve(session: Session, actor: Actor, plan_id: int, *, now: datetime) -> GridPlan:
    today = history.today(session)
    starts_on = day_of(request.form.get("starts_on", ""))
    if starts_on is None:
        raise BadDay("no day", day=today.isoformat(), field="starts_on")
    return plans.approve(session, actor, plan_id, starts_on, today=today, now=now)
