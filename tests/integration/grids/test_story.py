"""The told cases of a simulated city: every branch of the tables, by the services alone."""

from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app.config import as_role
from grids import demo
from grids.accounts import Account, actor_of
from grids.blobs import Store, verify_store
from grids.disputes.lifecycle import FLOW as DISPUTE
from grids.disputes.models import Dispute
from grids.disputes.service import KIND as DISPUTES
from grids.flows import reading
from grids.flows.reading import Wanted
from grids.flows.taking import rebuilt
from grids.hazards.lifecycle import FLOW as HAZARD
from grids.hazards.models import Hazard
from grids.hazards.service import KIND as HAZARDS
from grids.incidents import listing, projection
from grids.incidents.lifecycle import FLAGS, MOVES, STATES
from grids.incidents.models import Incident
from grids.ledgers.burden import LEAST_WORKERS
from grids.synth import story
from grids.synth.story import telling
from grids.synth.story.telling import tell
from grids.synth.story.twins import MOST, ONE_IN, enter_twice
from tests.support.cases import VAULT

#: What only the platform does, at a change of the calendar or of the grids.
NOT_TOLD = {"recompute", "regrid"}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("photos"))


@pytest.fixture(scope="module")
def told(city_admin_url: str, stored: Store) -> Iterator[Session]:
    """A small city in which everything was told; what is told is never committed."""
    engine = create_engine(as_role(city_admin_url, "wangge_owner", "none"), poolclass=NullPool)
    with Session(engine) as session:
        session.info["told"] = tell(
            session, vault=VAULT, store=stored, seed=3, now=datetime.now(UTC)
        )
        yield session
        session.rollback()
    engine.dispose()


def seen(session: Session, words: str) -> set[str]:
    return set(session.scalars(text(words)))


def test_every_state_and_flag_of_a_case_can_be_opened(told: Session) -> None:
    states = seen(told, "SELECT DISTINCT status FROM incident")
    flags = seen(told, "SELECT DISTINCT jsonb_object_keys(flags) FROM incident")

    assert STATES.keys() - states == {"draft"}
    assert FLAGS.keys() - flags == set()


def test_every_step_of_the_three_tables_was_taken(told: Session) -> None:
    cases = seen(told, "SELECT DISTINCT action FROM incident_event")
    disputes = seen(told, "SELECT DISTINCT action FROM dispute_event")
    hazards = seen(told, "SELECT DISTINCT action FROM hazard_event")

    assert {move.action for move in MOVES} - cases == NOT_TOLD
    assert {step.action for step in DISPUTE.steps} - disputes == set()
    assert {step.action for step in HAZARD.steps} - hazards == set()


def test_every_state_of_disputes_hazards_and_quarrels_is_there(told: Session) -> None:
    assert seen(told, "SELECT DISTINCT status FROM dispute") == set(DISPUTE.states)
    assert seen(told, "SELECT DISTINCT status FROM hazard") == set(HAZARD.states)
    assert seen(told, "SELECT DISTINCT state FROM arbitration") >= {"open", "decided", "defaulted"}
    assert told.scalar(text("SELECT count(*) FROM precedent")) >= 2
    assert told.scalar(text("SELECT count(*) FROM responsibility_set WHERE status <> 'live'")) == 2
    assert told.scalar(text("SELECT count(*) FROM moratorium")) == 3
    assert told.scalar(text("SELECT count(DISTINCT level) FROM inspection")) >= 2


def test_what_was_told_is_what_the_events_say(told: Session) -> None:
    """Rows are those that the logs add up to, whatever was told."""
    for row in told.query(Incident).filter(text("id IN (SELECT incident_id FROM incident_event"
                                                " WHERE id <> incident_id AND role = 'commander')")):  # fmt: skip
        assert projection.rebuilt(told, row.id) == projection.of_row(row), row.number
    for model, kind in ((Dispute, DISPUTES), (Hazard, HAZARDS)):
        for row in told.query(model):
            again = rebuilt(told, kind, row.id)
            assert {name: getattr(row, name) for name in again} == again, row.number


def test_nothing_lies_ahead_and_photos_have_their_files(told: Session, stored: Store) -> None:
    ahead = told.scalar(
        text("SELECT count(*) FROM incident_event WHERE recorded_at > now() + interval '1 minute'")
    )

    assert ahead == 0
    assert told.scalar(text("SELECT count(*) FROM attachment")) > 50
    assert verify_store(told, stored) == []


def test_who_has_nobody_to_act_is_told_nothing(session: Session) -> None:
    assert story.is_told(session)


def test_the_same_seed_tells_the_same_cases(
    told: Session, stored: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told twice in the same city at the same instant, a few tales of each kind."""
    some = ("decided", "at the town", "with helpers, done", "main", "merged")
    monkeypatch.setattr(telling, "CASES", tuple(t for t in telling.CASES if t.name in some))
    monkeypatch.setattr(telling, "DISPUTES", telling.DISPUTES[4:6])
    monkeypatch.setattr(telling, "HAZARDS", telling.HAZARDS[4:6])
    found = []
    now = datetime.now(UTC)
    for _ in range(2):
        with told.begin_nested() as point:
            tell(told, vault=VAULT, store=stored, seed=11, now=now)
            found.append(_content(told))
            point.rollback()

    assert found[0] == found[1]
    assert len(found[0]) > len(_content(told))


def _content(session: Session) -> list[tuple[object, ...]]:
    rows = session.execute(
        text(
            "SELECT incident_id, seq, action, recorded_at, to_status, department_code, photos"
            " FROM incident_event WHERE role <> 'x' AND recorded_at > now() - interval '40 days'"
            " UNION ALL SELECT dispute_id, seq, action, recorded_at, to_status, role, photos"
            " FROM dispute_event"
            " UNION ALL SELECT hazard_id, seq, action, recorded_at, to_status, role, photos"
            " FROM hazard_event ORDER BY 1, 2"
        )
    )
    return [tuple(row) for row in rows]


@pytest.fixture(scope="module")
def logins(told: Session) -> list[demo.DemoLogin]:
    """The demonstration's sign-ins, drawn once: a password takes its time."""
    return demo.create_demo_accounts(told, now=datetime.now(UTC))


def test_town_seats_and_town_departments_see_their_own_area_only(
    told: Session, logins: list[demo.DemoLogin]
) -> None:
    """The demonstration's sign-ins of towns: every list holds what lies in the town, no more."""
    now = datetime.now(UTC)
    towns = [one for one in logins if one.role == "town_seat"]
    offices = [one for one in logins if one.role == "handler" and len(one.area) == demo.TOWN]
    assert len(towns) == len(offices) >= 2
    for login in (*towns, *offices):
        account = told.query(Account).filter_by(login=login.login).one()
        actor = actor_of(account, now)
        assert actor is not None
        assert actor.areas == (login.area,)
        cases = listing.list_cases(told, actor, listing.Filter(limit=100), now=now)
        rows = [one.row.area_code for kind in (DISPUTES, HAZARDS)
                for one in reading.page(told, kind, actor, Wanted(limit=100), now=now).items]  # fmt: skip
        rows += [one.area_code for one in cases.items]
        assert all(code.startswith(login.area) for code in rows), login.login
        if login.role == "town_seat":
            assert rows, f"{login.login} has nothing to do"


def test_every_department_and_every_town_can_be_signed_in_to(
    told: Session, logins: list[demo.DemoLogin]
) -> None:
    departments = seen(told, "SELECT code FROM department")
    towns = seen(told, "SELECT code FROM area WHERE length(code) = 9")

    handlers = {one.department: one.area for one in logins if one.role == "handler"}
    assert handlers.keys() == departments
    assert {one.area for one in logins if one.role == "town_seat"} == towns
    assert {code: area for code, area in handlers.items() if code[1:] in towns} == {
        f"T{town}": town for town in towns
    }
    assert len({one.login for one in logins}) == len(logins)


def test_workers_went_round_and_the_ledgers_have_rows(told: Session) -> None:
    made = told.info["told"].visits
    seen_subjects = told.scalar(
        text("SELECT count(DISTINCT (subject, subject_id)) FROM observation")
    )
    reused = told.scalar(text("SELECT count(*) FROM visit WHERE reused > 0 OR asked < apart"))

    assert told.scalar(text("SELECT count(*) FROM visit")) == made > 10
    town = told.scalar(
        text("SELECT max(n) FROM (SELECT count(DISTINCT worker_id) AS n FROM visit"
             " GROUP BY left(area_code, 9)) AS towns")
    )  # fmt: skip
    assert town >= LEAST_WORKERS
    assert seen_subjects > 10
    assert reused > 0


def test_sign_ins_of_a_city_that_is_gone_are_known_as_such(session: Session) -> None:
    session.add(Account(login="demo-steward", name="demo-steward", password_hash="-"))
    session.flush()

    assert demo.are_known(session, ["demo-steward"])
    assert not demo.are_known(session, ["demo-steward", "demo-worker"])


def test_enterprises_entered_twice_wait_for_a_steward_on_the_first_visit(told: Session) -> None:
    now = datetime.now(UTC)
    before = set(told.scalars(text("SELECT id FROM enterprise")))

    with told.begin_nested() as undone:
        found = enter_twice(told, np.random.default_rng(5), now, now.date())
        planted = set(told.scalars(text("SELECT id FROM enterprise"))) - before
        pairs = told.execute(
            text("SELECT one, other FROM duplicate_pair WHERE state = 'open'")
        ).all()
        linked = told.scalar(
            text("SELECT count(*) FROM enterprise WHERE id = ANY(:ids) AND cell_id IS NOT NULL"),
            {"ids": list(planted)},
        )
        undone.rollback()

    assert len(planted) == min(MOST, len(before) // ONE_IN) > 0
    assert linked == len(planted)
    assert found == len(pairs)
    caught = {other for _one, other in pairs} & planted
    assert len(caught) >= 0.7 * len(planted)
