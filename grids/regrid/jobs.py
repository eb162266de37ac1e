"""The worker draws what planners ask for, and switches towns to their new grids at midnight."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from procrastinate import JobContext
from sqlalchemy import select
from sqlalchemy.orm import Session

from grids import audit
from grids.city import City
from grids.errors import GridsError
from grids.feed import write_no_event
from grids.jobs import tasks, work_of
from grids.regrid.designer import design
from grids.regrid.models import GridPlan
from grids.regrid.plans import draft, drawing_of
from grids.regrid.switching import SETTLED_AFTER, Outcome, settle, switch

log = logging.getLogger("wangge.regrid")


@tasks.task(name="draft_grids", pass_context=True)
def draft_grids(context: JobContext, plan_id: int) -> None:
    """Survey a town and draw its grids by the wishes of a plan; what cannot be is said there."""
    with Session(work_of(context).engine) as session:
        draft_or_say(session, plan_id, datetime.now(UTC))


def draft_or_say(session: Session, plan_id: int, now: datetime) -> None:
    """Draft a plan in a transaction of its own, or note in it why that is not possible."""
    try:
        with session.begin():
            write_no_event(session.connection())
            plan = session.get(GridPlan, plan_id, with_for_update=True)
            if plan is not None and plan.state == "drafting":
                draft(session, plan, design, now=now)
    except GridsError as error:
        _fail(session, plan_id, error)


@tasks.periodic(cron="* * * * *")
@tasks.task(name="switch_grids", queueing_lock="switch_grids", pass_context=True)
def switch_grids(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - the queue's form
    """Switch what is due today, each plan in a transaction of its own; settle what was switched."""
    with Session(work_of(context).engine) as session:
        switch_due(session, datetime.now(UTC))


def switch_due(session: Session, now: datetime) -> list[Outcome]:
    """Switch the plans whose day has come, one transaction each; those that fail say why."""
    with session.begin():
        today = city_day(session, now)
        due = [] if today is None else session.scalars(
            select(GridPlan.id)
            .where(GridPlan.state == "approved", GridPlan.starts_on <= today)
            .order_by(GridPlan.starts_on, GridPlan.id)
        ).all()  # fmt: skip
    done = [one for plan_id in due if (one := switch_or_say(session, plan_id, today, now))]
    with session.begin():
        late = session.scalars(
            select(GridPlan.id).where(
                GridPlan.state == "switched",
                GridPlan.switched_at <= now - SETTLED_AFTER,
                GridPlan.outcome["is_settled"].as_boolean().is_not(True),
            )
        ).all()
    for plan_id in late:
        with session.begin():
            settle(session, session.get_one(GridPlan, plan_id, with_for_update=True), now=now)
    return done


def switch_or_say(
    session: Session, plan_id: int, today: date | None, now: datetime
) -> Outcome | None:
    """Switch one plan, or give it back to its planners with the reason."""
    try:
        with session.begin():
            plan = session.get(
                GridPlan, plan_id, with_for_update=True, populate_existing=True
            )  # another worker may have been here
            if plan is None or plan.state != "approved" or today is None:
                return None
            return switch(session, plan, drawing_of(plan), on=today, now=now)
    except GridsError as error:
        log.warning("plan %d was not switched: %s", plan_id, error.code)
        _fail(session, plan_id, error)
        return None


def city_day(session: Session, now: datetime) -> date | None:
    """Return the day in the city; None before there is one."""
    zone = session.scalar(select(City.city_zone))
    return None if zone is None else now.astimezone(ZoneInfo(zone)).date()


def _fail(session: Session, plan_id: int, error: GridsError) -> None:
    with session.begin():
        plan = session.get_one(GridPlan, plan_id, with_for_update=True, populate_existing=True)
        plan.state = "failed"
        plan.outcome = {"code": error.code, "params": {k: str(v) for k, v in error.params.items()}}
        audit.record(
            session, "grid_plan_failed", actor_id=None, is_success=False,
            subject=f"grid_plan:{plan.id}", detail={"code": error.code},
        )  # fmt: skip
