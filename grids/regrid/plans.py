"""The life of a plan: asked for, drafted by the worker, edited, approved by somebody else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grids import audit, jobs, scope
from grids.accounts import Actor
from grids.city import the_city
from grids.divisions import Area
from grids.errors import Invalid
from grids.regrid.checking import faults
from grids.regrid.drawing import Added, Drawing, comparison
from grids.regrid.errors import (
    BadDay,
    Faulty,
    NoGrids,
    NoPlan,
    NothingToUndo,
    Outdated,
    SamePlanner,
    WrongState,
)
from grids.regrid.fabric import (
    BaseGrid,
    Ints,
    base_of,
    pack,
    pack_labels,
    survey,
    unpack,
    unpack_labels,
)
from grids.regrid.models import GridPlan, GridPlanEdit
from grids.regrid.wishes import Wishes

TOWN_DIGITS: Final = 9
LONGEST_NAME: Final = 100
MOST_LISTED: Final = 200
#: Draws a town's grids by what is wished: `grids.regrid.designer.design`.
Designer = Callable[[Drawing], Drawing]


def plans(session: Session, actor: Actor, *, town: str = "") -> list[GridPlan]:
    """List the plans of the caller's area, the latest first."""
    wanted = select(GridPlan).where(scope.in_areas(GridPlan.town_code, actor.areas))
    if town:
        wanted = wanted.where(GridPlan.town_code == town)
    return list(session.scalars(wanted.order_by(GridPlan.id.desc()).limit(MOST_LISTED)))


def count_waiting(session: Session, actor: Actor) -> int:
    """Count the plans that wait for the caller's approval."""
    if not actor.can("grids:approve"):
        return 0
    found: int | None = session.scalar(
        select(func.count())
        .select_from(GridPlan)
        .where(
            GridPlan.state == "waiting",
            scope.in_areas(GridPlan.town_code, actor.areas),
            ~GridPlan.editors.contains([actor.account_id]),
        )
    )
    return found or 0


def plan_of(session: Session, actor: Actor, plan_id: int, *, lock: bool = False) -> GridPlan:
    """Return one plan of the caller's area. Raises `NoPlan`."""
    wanted = select(GridPlan).where(
        GridPlan.id == plan_id, scope.in_areas(GridPlan.town_code, actor.areas)
    )
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    found = session.scalar(wanted)
    if found is None:
        raise NoPlan(f"no plan {plan_id}", plan=plan_id)
    return found


def ask(
    session: Session, actor: Actor, town: str, name: str, wishes: Wishes, *, on: date,
    now: datetime,
) -> GridPlan:  # fmt: skip
    """Ask for a draft of a town's grids; the worker draws it. Raises `NoGrids` and `Invalid`."""
    if not _is_town(session, actor, town) or not base_of(session.connection(), town, on):
        raise NoGrids(f"{town} has no grids on {on}", field="town")
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid("a name of a plan", field="name")
    plan = GridPlan(
        town_code=town, name=name, state="drafting", wishes=wishes.as_json(), base_on=on,
        made_by=actor.account_id or None, made_at=now, edited_at=now,
        editors=[actor.account_id] if actor.account_id else [],
    )  # fmt: skip
    session.add(plan)
    session.flush()
    _note(session, "grid_plan_made", plan, actor.account_id)
    jobs.defer(session, "draft_grids", plan_id=plan.id)
    return plan


def _is_town(session: Session, actor: Actor, town: str) -> bool:
    found = session.get(Area, town) if len(town) == TOWN_DIGITS else None
    return found is not None and scope.may_see(actor, town)


def draft(session: Session, plan: GridPlan, design: Designer, *, now: datetime) -> None:
    """Survey the town, let the designer draw, and keep what it drew. Raises `NoGrids`."""
    city = the_city(session)
    connection = session.connection()
    wishes = Wishes.of_json(plan.wishes)
    base, fabric = survey(connection, plan.town_code, on=plan.base_on, now=now,
                          metric_srid=city.metric_srid)  # fmt: skip
    if not base:
        raise NoGrids(f"{plan.town_code} has no grids", field="town")
    drawing = design(Drawing(base, (), fabric, fabric.patches.owner.copy(), wishes))
    plan.base = [asdict(grid) for grid in base]
    plan.fabric = pack(fabric)
    _keep(session, plan, drawing)
    plan.state, plan.edited_at = "draft", now
    session.flush()


def drawing_of(plan: GridPlan) -> Drawing:
    """Read the drawing that a plan keeps. Raises `WrongState` before it was drafted."""
    if plan.fabric is None or plan.labels is None:
        raise WrongState(f"plan {plan.id} is {plan.state}", state=plan.state)
    return Drawing(
        [BaseGrid(**grid) for grid in plan.base],
        tuple(Added(**one) for one in plan.added),
        unpack(plan.fabric),
        unpack_labels(plan.labels),
        Wishes.of_json(plan.wishes),
    )


def move(
    session: Session, actor: Actor, plan_id: int, patches: list[int], to: int, *, now: datetime
) -> GridPlan:
    """Give patches to another grid by hand."""
    chosen: Ints = np.array(patches, dtype=np.int64)
    return _edited(session, actor, plan_id, "move", lambda old: old.move(chosen, to), now)


def split(session: Session, actor: Actor, plan_id: int, label: int, *, now: datetime) -> GridPlan:
    """Divide a grid in two."""
    return _edited(session, actor, plan_id, "split", lambda old: old.split(label), now)


def merge(
    session: Session, actor: Actor, plan_id: int, one: int, other: int, *, now: datetime
) -> GridPlan:
    """Make one grid of two."""
    return _edited(session, actor, plan_id, "merge", lambda old: old.merge(one, other), now)


def undo(session: Session, actor: Actor, plan_id: int, *, now: datetime) -> GridPlan:
    """Take the last edit back. Raises `NothingToUndo`."""
    plan = _editable(session, actor, plan_id)
    last = session.get(GridPlanEdit, (plan.id, plan.edit_no))
    if last is None:
        raise NothingToUndo("nothing was edited")
    before = Drawing(
        [BaseGrid(**grid) for grid in plan.base],
        tuple(Added(**one) for one in last.added),
        drawing_of(plan).fabric,
        unpack_labels(last.labels),
        Wishes.of_json(plan.wishes),
    )
    session.delete(last)
    plan.edit_no -= 1
    _keep(session, plan, before)
    _signed(plan, actor, now)
    session.flush()
    return plan


def _edited(
    session: Session, actor: Actor, plan_id: int, action: str,
    change: Callable[[Drawing], Drawing], now: datetime,
) -> GridPlan:  # fmt: skip
    plan = _editable(session, actor, plan_id)
    before = drawing_of(plan)
    after = change(before)
    plan.edit_no += 1
    assert plan.labels is not None
    session.add(
        GridPlanEdit(
            plan_id=plan.id, no=plan.edit_no, action=action, labels=plan.labels,
            added=plan.added, edited_by=actor.account_id, edited_at=now,
        )
    )  # fmt: skip
    _keep(session, plan, after)
    _signed(plan, actor, now)
    session.flush()
    return plan


def _editable(session: Session, actor: Actor, plan_id: int) -> GridPlan:
    plan = plan_of(session, actor, plan_id, lock=True)
    if plan.state != "draft":
        raise WrongState(f"plan {plan.id} is {plan.state}", state=plan.state)
    return plan


def _keep(session: Session, plan: GridPlan, drawing: Drawing) -> None:
    plan.added = [asdict(one) for one in drawing.added]
    plan.labels = pack_labels(drawing.labels)
    plan.figures = comparison(drawing)
    session.flush()


def _signed(plan: GridPlan, actor: Actor, now: datetime) -> None:
    plan.editors = sorted({*plan.editors, actor.account_id})
    plan.edited_at = now


def faults_in(session: Session, plan: GridPlan, drawing: Drawing) -> list[dict[str, Any]]:
    """List what keeps a plan from being approved."""
    return faults(session.connection(), drawing, plan.town_code, on=plan.base_on,
                  metric_srid=the_city(session).metric_srid)  # fmt: skip


def submit(session: Session, actor: Actor, plan_id: int, *, now: datetime) -> GridPlan:
    """Ask for approval. Raises `Faulty`, and `Outdated` where the grids have changed."""
    plan = _editable(session, actor, plan_id)
    drawing = drawing_of(plan)
    if not len(drawing.changed):
        raise Faulty("nothing is changed", n=1, grid="", kind="same")
    _require_sound(session, plan, drawing)
    plan.state, plan.asked_by, plan.asked_at = "waiting", actor.account_id, now
    _signed(plan, actor, now)
    session.flush()
    _note(session, "grid_plan_submitted", plan, actor.account_id)
    return plan


def _require_sound(session: Session, plan: GridPlan, drawing: Drawing) -> None:
    found = base_of(session.connection(), plan.town_code, plan.base_on)
    if [grid.version for grid in found] != [grid.version for grid in drawing.base]:
        raise Outdated(f"the grids of {plan.town_code} have changed", town=plan.town_code)
    wrong = faults_in(session, plan, drawing)
    if wrong:
        raise Faulty(f"{len(wrong)} faults, first {wrong[0]}", n=len(wrong),
                     grid=", ".join(wrong[0]["grids"]), kind=wrong[0]["kind"])  # fmt: skip


def approve(
    session: Session, actor: Actor, plan_id: int, starts_on: date, *, today: date, now: datetime
) -> GridPlan:
    """Approve a plan that others have drawn; it is switched at the begin of a day to come.

    Raises `WrongState`, `SamePlanner`, `BadDay`, `Outdated` and `Faulty`.
    """
    plan = _waiting(session, actor, plan_id)
    if starts_on <= today:
        raise BadDay("grids are switched at the begin of a day to come", day=today.isoformat(),
                     field="starts_on")  # fmt: skip
    _require_sound(session, plan, drawing_of(plan))
    plan.approved_by, plan.approved_at, plan.starts_on = actor.account_id, now, starts_on
    plan.state = "approved"
    session.flush()
    _note(session, "grid_plan_approved", plan, actor.account_id, on=starts_on.isoformat())
    return plan


def refuse(session: Session, actor: Actor, plan_id: int, *, now: datetime) -> GridPlan:
    """Give a plan back to those who drew it, before or after its approval."""
    plan = _waiting(session, actor, plan_id, ("waiting", "approved"))
    plan.state, plan.edited_at = "draft", now
    plan.approved_by = plan.approved_at = plan.starts_on = None
    session.flush()
    _note(session, "grid_plan_refused", plan, actor.account_id)
    return plan


def _waiting(
    session: Session, actor: Actor, plan_id: int, states: tuple[str, ...] = ("waiting",)
) -> GridPlan:
    plan = plan_of(session, actor, plan_id, lock=True)
    if plan.state not in states:
        raise WrongState(f"plan {plan.id} is {plan.state}", state=plan.state)
    if actor.account_id in plan.editors:
        raise SamePlanner(f"account {actor.account_id} has worked on plan {plan.id}")
    return plan


def drop(session: Session, actor: Actor, plan_id: int, *, now: datetime) -> GridPlan:
    """Lay a plan aside that is not approved; of the grids nothing knows of it."""
    plan = plan_of(session, actor, plan_id, lock=True)
    if plan.state not in ("drafting", "failed", "draft", "waiting"):
        raise WrongState(f"plan {plan.id} is {plan.state}", state=plan.state)
    plan.state, plan.edited_at = "dropped", now
    session.flush()
    _note(session, "grid_plan_dropped", plan, actor.account_id)
    return plan


def _note(
    session: Session, action: str, plan: GridPlan, actor_id: int | None, **detail: Any
) -> None:
    audit.record(session, action, actor_id=actor_id or None, subject=f"grid_plan:{plan.id}",
                 detail={"town": plan.town_code, **detail})  # fmt: skip
