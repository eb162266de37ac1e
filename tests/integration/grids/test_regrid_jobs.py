"""The worker drafts and switches, as its own database role, and says what cannot be."""

from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app.config import as_role
from grids.cells import Grid
from grids.regrid import jobs, plans
from grids.regrid.models import GridPlan
from grids.regrid.wishes import Wishes
from tests.support.database import SCHEMA_SOURCES, build_schema
from tests.support.grids import NOW, TOWN, build_town, planner

DAY = date(2026, 3, 10)
#: 00:00:30 of the day in the city; the database's own day is still the one before.
MIDNIGHT = datetime(2026, 3, 9, 16, 0, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def town_url(server):
    """Address of a database with a town whose transactions are real."""
    name = server.clone(server.template("schema", SCHEMA_SOURCES, build_schema), "regrid")
    engine = create_engine(owner(server.url(name)), poolclass=NullPool)
    with Session(engine) as session, session.begin():
        build_town(session)
        for person in ("drawer", "second"):
            planner(session, person)
    engine.dispose()
    yield server.url(name)
    server.drop(name)


def owner(url):
    return "postgresql+psycopg://" + as_role(url, "wangge_owner", "none").partition("://")[2]


@pytest.fixture
def worker(town_url):
    """A session of the worker's role."""
    url = as_role(town_url, "wangge_worker", "none").partition("://")[2]
    engine = create_engine("postgresql+psycopg://" + url, poolclass=NullPool)
    with Session(engine) as session:
        yield session
    engine.dispose()


@pytest.fixture
def desk(town_url):
    """A session of the owner with both planners."""
    engine = create_engine(owner(town_url), poolclass=NullPool)
    with Session(engine) as session, session.begin():
        found = {
            row.login: row.id
            for row in session.execute(text("SELECT login, id FROM account ORDER BY id"))
        }
    with Session(engine) as session:
        yield session, found
    engine.dispose()


def person(session, key):
    from grids import accounts

    account = session.get_one(accounts.Account, key)
    found = accounts.actor_of(account, datetime.now(UTC))
    assert found is not None
    return found


def asked(desk, wishes=None):
    session, people = desk
    with session.begin():
        drawer = person(session, people["drawer"])
        made = plans.ask(session, drawer, TOWN, "调整", wishes or Wishes(grids=13),
                         on=DAY - timedelta(days=3), now=NOW)  # fmt: skip
        return made.id


def approved(desk, plan_id, day=DAY):
    session, people = desk
    with session.begin():
        plans.submit(session, person(session, people["drawer"]), plan_id, now=NOW)
        second = person(session, people["second"])
        plans.approve(session, second, plan_id, day, today=NOW.date(), now=NOW)


def state(session, plan_id):
    with session.begin():
        return session.get_one(GridPlan, plan_id, populate_existing=True).state


def test_a_plan_goes_from_the_wish_to_the_switch_at_midnight_in_the_city(desk, worker):
    session, _ = desk
    plan_id = asked(desk)
    assert session.scalar(
        text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'wangge:draft_grids'")
    ) == 1  # fmt: skip
    session.rollback()
    jobs.draft_or_say(worker, plan_id, NOW)
    assert state(worker, plan_id) == "draft"
    approved(desk, plan_id)

    assert jobs.switch_due(worker, MIDNIGHT - timedelta(minutes=1)) == []
    [done] = jobs.switch_due(worker, MIDNIGHT)
    assert jobs.switch_due(worker, MIDNIGHT) == []

    assert (done.on, len(done.made)) == ("2026-03-10", 1)
    with worker.begin():
        plan = worker.get_one(GridPlan, plan_id, populate_existing=True)
        assert (plan.state, "is_settled" in plan.outcome) == ("switched", False)
    late_building(session)
    jobs.switch_due(worker, MIDNIGHT + timedelta(minutes=3))
    with worker.begin():
        plan = worker.get_one(GridPlan, plan_id, populate_existing=True)
        assert plan.outcome["is_settled"]
        assert plan.outcome["late"]["building"] == 1
        code = worker.scalar(text("SELECT area_code FROM building WHERE name = 'late'"))
        assert code == done.made[0]


def late_building(session):
    """A building that somebody wrote while the switch ran: linked to the grid of before."""
    with session.begin():
        session.execute(
            text("INSERT INTO building (name, kind, area_m2, dwellings, geom, cell_id, grid_id,"
                 " area_code) SELECT 'late', b.kind, b.area_m2, 0, b.geom, b.cell_id, g.id, g.code"
                 " FROM building AS b, grid AS g, grid_plan AS p WHERE g.code = (SELECT"
                 "  p.outcome #>> '{opened,0}') AND b.area_code = p.outcome #>> '{made,0}'"
                 " LIMIT 1")
        )  # fmt: skip


def test_what_cannot_be_drawn_or_switched_says_why(desk, worker):
    session, _ = desk
    plan_id = asked(desk, Wishes(start="anew", grids=1))
    jobs.draft_or_say(worker, plan_id, NOW)
    with session.begin():
        plan = session.get_one(GridPlan, plan_id)
        assert (plan.state, plan.outcome["code"]) == ("failed", "regrid.bad_wish")

    grids = session.scalar(text("SELECT count(*) FROM grid_version"))
    session.rollback()
    ids = [asked_on_top(desk, worker) for _ in range(2)]
    for one in ids:
        approved(desk, one, DAY + timedelta(days=10))
    done = jobs.switch_due(worker, MIDNIGHT + timedelta(days=10))

    assert len(done) == 1
    with session.begin():
        late = session.get_one(GridPlan, ids[1], populate_existing=True)
        assert (late.state, late.outcome["code"]) == ("failed", "regrid.bad_day")
        assert session.scalar(text("SELECT count(*) FROM grid_version")) > grids


def asked_on_top(desk, worker):
    """Ask for a plan on the grids as they are after the first test's switch."""
    session, people = desk
    with session.begin():
        drawer = person(session, people["drawer"])
        made = plans.ask(session, drawer, TOWN, "再调整", Wishes(grids=14),
                         on=DAY + timedelta(days=5), now=NOW).id  # fmt: skip
    jobs.draft_or_say(worker, made, NOW)
    return made


def test_the_commands_draw_and_switch(town_url, tmp_path, monkeypatch):
    from app.cli.grids import grids_group

    monkeypatch.setenv("WANGGE_DATABASE_URL", town_url)
    monkeypatch.setenv("WANGGE_VAR_DIR", str(tmp_path))
    drawn = CliRunner().invoke(grids_group, ["plan", TOWN, "--anew", "--move-cost", "0"])
    assert drawn.exit_code == 0, drawn.output
    assert "13 -> 13 grids" in drawn.output or "14 -> 14 grids" in drawn.output
    assert "households move" in drawn.output
    switched = CliRunner().invoke(grids_group, ["switch"])
    assert switched.output == "nothing is due\n"


def test_codes_are_never_used_again(desk):
    session, _ = desk
    with session.begin():
        codes = session.query(Grid.code).all()
    assert len(codes) == len(set(codes))
