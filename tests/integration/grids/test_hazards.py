"""Hazards in a real database: orders, terms, re-checks, what the clock does, inspections."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from app.config import as_role
from grids import scope
from grids.bulk import driver
from grids.errors import NotFound
from grids.flows import reading, taking
from grids.flows.errors import ForbiddenStep, NoRecord, NotYourStep, OtherContent, SamePerson
from grids.flows.reading import Wanted
from grids.hazards import inspecting, service
from grids.hazards.checklists import lists
from grids.hazards.errors import BadAnswers, BadTerm, NoPlace, PhotoNeeded
from grids.hazards.inspecting import Visit
from tests.support.cases import EAST, WEST_GRID, build_city, make_photo
from tests.support.flows import EAST_TOWN, FIRE, Office, make_actor, make_premises
from tests.support.web import FORGET

CITY = ZoneInfo("Asia/Shanghai")
ITEMS = [item.code for item in lists()["small_premises"]]


@pytest.fixture
def office(session: Session) -> Office:
    build_city(session)
    return Office(session)


def local(at: datetime | None) -> str:
    assert at is not None
    return at.astimezone(CITY).strftime("%m-%d %H:%M")


def ordered(office: Office, term: str = "7", **more) -> UUID:
    key = office.report(**more)
    office.act(key, "order", "town_seat", term=term, measures="清理通道")
    return key


def test_a_hazard_is_ordered_put_right_and_rechecked_by_somebody_else(office: Office) -> None:
    key = ordered(office)
    photo = make_photo(office.session, "green")
    notice = office.hazard(key).notice_no
    office.act(key, "serve", "worker")
    office.act(key, "rectify", "worker", note="已清理", photos=(photo,))
    with pytest.raises(SamePerson):
        office.act(key, "recheck_ok", "worker", photos=(photo,))

    office.act(key, "recheck_ok", "grid_leader", photos=(photo,))

    row = office.hazard(key)
    assert (row.status, row.area_code, row.notice_no) == ("closed", WEST_GRID, notice)
    assert str(notice).startswith("ZG20260304-")


@pytest.mark.parametrize(
    ("severity", "term", "due"),
    [("general", "7", "03-11 17:30"), ("general", "15", "03-19 17:30"),
     ("major", "15", "03-19 17:30"), ("major", "30", "04-03 17:30")],
)  # fmt: skip
def test_the_term_follows_from_the_level(office: Office, severity, term, due) -> None:
    key = ordered(office, term, severity=severity)

    assert local(office.hazard(key).due_at) == due


@pytest.mark.parametrize(("severity", "term"), [("general", "30"), ("major", "spot")])
def test_a_term_of_another_level_is_refused(office: Office, severity, term) -> None:
    key = office.report(severity=severity)

    with pytest.raises(BadTerm):
        office.act(key, "order", "town_seat", term=term, measures="x")


def test_a_worker_orders_small_things_on_the_spot_only(office: Office) -> None:
    small, great = office.report(), office.report(severity="major")

    office.act(small, "order_spot", "worker", measures="马上搬走")
    with pytest.raises(ForbiddenStep):
        office.act(great, "order_spot", "worker", measures="马上搬走")
    with pytest.raises(NotYourStep):
        office.act(great, "order", "worker", term="7", measures="x")

    assert local(office.hazard(small).due_at) == "03-04 14:00"


def test_a_failed_recheck_gets_no_new_term(office: Office) -> None:
    key = ordered(office)
    due = office.hazard(key).due_at
    photo = make_photo(office.session)
    office.later(days=2)
    office.act(key, "rectify", "worker", note="好了", photos=(photo,))
    office.later(hours=3)

    office.act(key, "recheck_fail", "grid_leader", reason="done_in_part")

    row = office.hazard(key)
    assert (row.status, row.due_at, row.rework_count) == ("rectifying", due, 1)


def test_what_is_overdue_goes_to_the_department_once(office: Office) -> None:
    late, punctual, rechecked = ordered(office), ordered(office, "15"), ordered(office)
    photo = make_photo(office.session)
    office.act(rechecked, "rectify", "worker", note="好了", photos=(photo,))
    office.session.flush()
    now = office.later(days=9)

    counts = [service.escalate_overdue(office.session, now) for _ in range(3)]

    row = office.hazard(late)
    assert counts == [1, 0, 0]
    assert (row.status, row.department_code, row.escalation_count) == ("escalated", "D03", 1)
    assert office.hazard(punctual).status == "ordered"
    assert office.hazard(rechecked).status == "pending_recheck"
    events = office.session.execute(
        text("SELECT action, role, actor_id, reason FROM hazard_event WHERE hazard_id = :id"
             " ORDER BY seq DESC LIMIT 1"), {"id": late},
    ).one()  # fmt: skip
    assert tuple(events) == ("escalate", "system", None, "overdue")


def test_the_department_orders_again_or_hands_to_enforcement(office: Office) -> None:
    key = ordered(office, severity="major")
    office.act(key, "escalate", "town_seat", reason="danger", department=FIRE)
    photo = make_photo(office.session)
    office.act(key, "enforce", "handler", document="消执〔2026〕1号")
    office.act(key, "enforced", "handler", note="已停业整改", photos=(photo,))
    with pytest.raises(SamePerson):
        office.act(key, "recheck_ok", "handler", photos=(photo,))

    office.act(key, "recheck_ok", "town_seat", photos=(photo,))

    row = office.hazard(key)
    assert (row.status, row.document) == ("closed", "消执〔2026〕1号")


def test_the_row_is_the_fold_of_its_events(office: Office) -> None:
    key = ordered(office, severity="major")
    office.act(key, "escalate", "town_seat", reason="danger", department=FIRE)
    office.act(key, "reorder", "handler", term="7", measures="限期整改")
    row = office.hazard(key)

    folded = taking.rebuilt(office.session, service.KIND, key)

    assert {name: getattr(row, name) for name in folded} == folded


def test_sending_again_is_harmless(office: Office) -> None:
    key = uuid4()
    office.report(id=key)
    office.report(id=key)
    with pytest.raises(OtherContent):
        office.report(id=key, text="别的")
    with pytest.raises(NoPlace):
        office.report(point=None)

    assert office.session.scalar(text("SELECT count(*) FROM hazard")) == 1


# -- inspections


def visit(premises: int, photo: str, **failed: str) -> Visit:
    answers = {code: failed.get(code, "ok") for code in ITEMS}
    photos = {code: photo for code, answer in failed.items() if answer == "failed"}
    return Visit(uuid4(), str(premises), answers, photos, {})


def test_each_failed_item_becomes_a_hazard_with_its_level(office: Office) -> None:
    premises = make_premises(office.session)
    wanted = visit(premises, make_photo(office.session), S12="failed", S18="failed", S27="na")

    answer = inspecting.inspect(office.session, wanted, office.staff["worker"], now=office.now)
    again = inspecting.inspect(office.session, wanted, office.staff["worker"], now=office.now)

    rows = office.session.execute(
        text("SELECT item, severity, premises_id, place, competent_code FROM hazard ORDER BY item")
    ).all()
    assert [tuple(row) for row in rows] == [
        ("S12", "major", premises, "江滨小店", "D09"),
        ("S18", "general", premises, "江滨小店", "D09"),
    ]
    assert (answer.body["level"], answer.is_new, again.is_new) == ("red", True, False)
    assert again.body == answer.body


@pytest.mark.parametrize("spoil", ["missing", "unknown", "no photo"])
def test_a_list_that_is_not_answered_changes_nothing(office: Office, spoil: str) -> None:
    premises = make_premises(office.session)
    made = visit(premises, make_photo(office.session), S01="failed")
    answers = dict(made.answers)
    if spoil == "missing":
        answers.pop("S28")
    if spoil == "unknown":
        answers["S28"] = "perhaps"
    photos = {} if spoil == "no photo" else made.photos
    sent = Visit(made.id, made.premises, answers, photos, {})

    with pytest.raises(PhotoNeeded if spoil == "no photo" else BadAnswers):
        inspecting.inspect(office.session, sent, office.staff["worker"], now=office.now)

    assert office.session.scalar(text("SELECT count(*) FROM inspection")) == 0


def test_premises_of_another_town_cannot_be_inspected(office: Office) -> None:
    premises = make_premises(office.session, at=EAST)
    wanted = visit(premises, make_photo(office.session))

    with pytest.raises(NotFound):
        inspecting.inspect(office.session, wanted, office.staff["worker"], now=office.now)


def test_advice_names_what_failed_most_at_premises_of_the_kind(office: Office) -> None:
    premises, photo = make_premises(office.session), make_photo(office.session)
    for failed in ({"S12": "failed", "S18": "failed"}, {"S12": "failed"}, {"S20": "failed"}):
        inspecting.inspect(
            office.session, visit(premises, photo, **failed), office.staff["worker"],
            now=office.now,
        )  # fmt: skip

    worker, east = office.staff["worker"], make_actor(office.session, "town_seat", area=EAST_TOWN)

    assert inspecting.advice(office.session, worker, "shop") == ["S12", "S18", "S20"]
    assert inspecting.advice(office.session, worker, "hotel") == []
    assert inspecting.advice(office.session, east, "shop") == []


# -- walls


def test_another_town_and_another_department_see_nothing(office: Office) -> None:
    key = ordered(office)
    office.act(key, "escalate", "town_seat", reason="danger", department=FIRE)
    strangers = [
        make_actor(office.session, "town_seat", area=EAST_TOWN),
        make_actor(office.session, "handler", department="D01"),
        make_actor(office.session, "worker", area=f"{EAST_TOWN}001001"),
    ]
    for stranger in strangers:
        page = reading.page(office.session, service.KIND, stranger, Wanted(), now=office.now)
        assert page.total == 0
        with pytest.raises(NoRecord):
            reading.record(office.session, service.KIND, stranger, key, now=office.now)

    def seen(who) -> tuple:
        office.session.execute(text(FORGET))
        office.session.execute(text("SET ROLE wangge_app"))
        try:
            if who is not None:
                scope.state(driver(office.session.connection()), who)
            return tuple(
                office.session.execute(
                    text("SELECT (SELECT count(*) FROM hazard), (SELECT count(*) FROM"
                         " hazard_event), (SELECT count(*) FROM hazard_photo)")
                ).one()
            )  # fmt: skip
        finally:
            office.session.execute(text("RESET ROLE"))

    assert [seen(who) for who in (None, *strangers)] == [(0, 0, 0)] * 4
    assert seen(office.staff["handler"]) == seen(office.staff["worker"]) == (1, 3, 1)


def test_two_workers_escalate_an_overdue_hazard_once(empty_database: str) -> None:
    """On two connections at once, with the rights of the worker."""
    owner = create_engine(as_role(empty_database, "wangge_owner", "none"))
    worker = create_engine(as_role(empty_database, "wangge_worker", "none"))
    with Session(owner) as session, session.begin():
        build_city(session)
        office = Office(session)
        for _ in range(6):
            ordered(office)
        now = office.now + timedelta(days=9)

    def run(_n: int) -> int:
        with Session(worker) as session, session.begin():
            return service.escalate_overdue(session, now)

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(run, range(8)))
    with Session(owner) as session:
        escalated = session.scalar(
            text("SELECT count(*) FROM hazard_event WHERE action = 'escalate'")
        )
    owner.dispose()
    worker.dispose()

    assert (sum(counts), escalated) == (6, 6)
