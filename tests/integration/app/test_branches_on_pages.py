"""Branches of a case on the pages: who helps, which case is the main one, what waits, what rests."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from grids.incidents import tracking
from grids.incidents.models import IncidentTask
from grids.responsibility import arbitration, moratoria, precedents
from grids.responsibility.arbitration_models import Arbitration
from grids.responsibility.seed import seed_matrix
from tests.integration.app.test_worker import upload
from tests.support import cases
from tests.support.cases import DEPARTMENT, MATTER, OTHER_DEPARTMENT, WEST_GRID


@pytest.fixture
def desk(session: Session):
    cases.build_city(session)
    return cases.Desk(session, cases.make_staff(session), now=datetime.now(UTC))


@pytest.fixture
def seat(desk, sign_in):
    """A seat of the county's desk without script."""
    return sign_in("town_seat")


def at(desk, status, **more):
    case = desk.submit(**more)
    desk.take_to(case, status)
    return case


def test_a_plain_form_names_who_helps_and_the_category(desk, seat, session):
    case = at(desk, "pending_dispatch")
    page = seat.get(f"/desk/cases/{case}").text
    assert re.search(r'type="checkbox" name="assisting" value="D01"', page)

    sent = upload(seat, f"/desk/cases/{case}/moves", id=str(uuid4()), action="dispatch",
                  department=DEPARTMENT, assisting=["D01", "D02"])  # fmt: skip

    assert sent.status_code == 303
    tasks = session.execute(
        select(IncidentTask.department_code, IncidentTask.part)
        .where(IncidentTask.incident_id == case)
        .order_by(IncidentTask.id)
    ).all()
    assert [tuple(row) for row in tasks] == [("D03", "lead"), ("D01", "assist"), ("D02", "assist")]

    other = desk.submit()
    page = seat.get(f"/desk/cases/{other}").text
    assert '<optgroup label="' in page
    upload(seat, f"/desk/cases/{other}/moves", id=str(uuid4()), action="accept",
           category="03002", kind="matter")  # fmt: skip
    session.expire_all()
    assert desk.row(other).category_code == "03002"


def test_a_case_is_merged_by_the_number_of_the_main_one(desk, seat, session):
    main, case, third = (desk.submit() for _ in range(3))
    path = f"/desk/cases/{case}/moves"

    wrong = upload(seat, path, id=str(uuid4()), action="merge", main="20200101-999999")
    assert wrong.status_code == 422
    upload(seat, path, id=str(uuid4()), action="merge", main=f" {desk.row(main).number} ")
    answer = seat.post(
        f"/api/incidents/{third}/moves",
        json={"id": str(uuid4()), "action": "merge", "main": desk.row(main).number},
    )

    session.expire_all()
    assert answer.status_code == 201
    assert {desk.row(one).main_id for one in (case, third)} == {main}


def test_an_assisting_department_signs_and_returns_on_its_page(desk, sign_in, session):
    case = at(desk, "pending_dispatch")
    desk.move(case, "dispatch", "dispatcher", department=DEPARTMENT,
              assisting=("D01", "D02"))  # fmt: skip
    first, second = (sign_in("handler", department=code) for code in ("D01", "D02"))
    path = f"/desk/cases/{case}/moves"

    upload(first, path, id=str(uuid4()), action="assist_sign")
    again = upload(first, path, id=str(uuid4()), action="assist_sign")
    too_late = upload(first, path, id=str(uuid4()), action="assist_return", reason="not_our_duty")
    upload(second, path, id=str(uuid4()), action="assist_return", reason="not_our_duty")

    assert (again.status_code, too_late.status_code) == (422, 422)
    session.expire_all()
    assert desk.row(case).flags["assisting"] == ["D01"]
    assert desk.row(case).flags["assist_returned"] == ["D02"]
    signed = select(IncidentTask.signed_at).where(IncidentTask.department_code == "D01")
    assert session.scalar(signed) is not None


def test_a_step_that_came_too_early_is_answered_202_and_listed(desk, sign_in):
    worker = sign_in("worker", area=WEST_GRID)
    missing = uuid4()
    body = {"id": str(uuid4()), "action": "comment", "note": "门锁着", "follows": str(missing)}
    case = desk.submit()

    answers = [worker.post(f"/api/incidents/{case}/moves", json=body) for _ in range(2)]
    listed = worker.get("/api/incidents/held").json["items"]

    assert [answer.status_code for answer in answers] == [202, 202]
    assert [(one["action"], one["state"], one["follows"]) for one in listed] == [
        ("comment", "waiting", str(missing))
    ]
    first = {"id": str(missing), "action": "comment", "note": "先"}
    assert worker.post(f"/api/incidents/{case}/moves", json=first).status_code == 201
    assert worker.post(f"/api/incidents/{case}/moves", json=body).status_code == 200
    assert worker.get("/api/incidents/held").json["items"] == []


@pytest.fixture
def vault(app):
    return app.extensions["vault"]


def reported(desk, vault, session):
    """Report as a stranger does, with a code of the application's own keys."""
    case = desk.submit(channel="public")
    desk.row(case).track_hash = tracking.stored(vault, case)
    session.flush()
    return case, tracking.code_for(vault, case)


def test_the_reporter_of_a_merged_report_sees_what_became_of_the_main_case(
    desk, client, vault, session
):
    case, code = reported(desk, vault, session)
    main = at(desk, "pending_dispatch", channel="worker")
    number = desk.row(main).number
    desk.later(minutes=1)
    desk.move(case, "merge", "intake", main=main)
    path = f"/api/public/reports/{code}"
    joined = client.get(path).json
    page = client.get(f"/track/{code}", headers={"Accept-Language": "en"}).text

    assert (joined["state"], joined["joined"]) == ("in_progress", True)
    assert "Joined with another report" in page
    assert number not in page + str(joined)

    desk.later(minutes=1)
    photo = cases.make_photo(session)
    desk.move(main, "dispatch", "dispatcher", department=DEPARTMENT)
    desk.move(main, "sign", "handler")
    desk.move(main, "reply", "handler", note="已清运", photos=(photo,))
    desk.move(main, "ask_check", "dispatcher")
    desk.move(main, "check_ok", "grid_leader", photos=(photo,))
    desk.move(main, "close", "shift_leader")
    done = client.get(path).json
    assert (done["state"], done["version"] > joined["version"]) == ("done", True)
    assert len(done["steps"]) > len(joined["steps"])
    assert done["result_photos"] == []


def test_what_rests_is_told_to_the_reporter_and_to_the_desk(desk, client, seat, vault, session):
    case, code = reported(desk, vault, session)
    now = datetime.now(UTC)
    made = moratoria.Wanted(
        kind="matter", category=MATTER[:2], area=WEST_GRID[:9], begins_at=now,
        ends_at=now + timedelta(days=30), reason="道路改造", public_note="施工期间暂缓",
        approved_by="市建设指挥部",
    )  # fmt: skip
    assert client.get(f"/api/public/reports/{code}").json["rests"] is None

    moratoria.set_moratorium(session, made, desk.staff["commander"], now=now)

    assert client.get(f"/api/public/reports/{code}").json["rests"]["note"] == "施工期间暂缓"
    for language, words in (("zh", "暂缓办理"), ("en", "rest in this area until")):
        page = client.get(f"/track/{code}", headers={"Accept-Language": language}).text
        assert words in page
        assert "施工期间暂缓" in page
    assert "道路改造" in seat.get(f"/desk/cases/{case}").text
    told = seat.get(f"/api/incidents/{case}").json["moratorium"]
    assert (told["reason"], told["approved_by"]) == ("道路改造", "市建设指挥部")


def test_rulings_on_like_cases_stand_on_the_dispatch_form(desk, seat, session):
    seed_matrix(session, now=desk.now)
    argued = at(desk, "handling")
    desk.move(argued, "dispute", "handler", note="不归我管")
    one = session.scalars(select(Arbitration)).one()
    decision = arbitration.Decision(OTHER_DEPARTMENT, "树池内由园林负责", "垃圾在行道树树池内")
    arbitration.decide(session, one.id, desk.staff["commander"], decision, now=desk.now)
    assert len(precedents.found(session)) == 1

    case = at(desk, "pending_dispatch")
    page = seat.get(f"/desk/cases/{case}").text
    actions = {a["action"]: a for a in seat.get(f"/api/incidents/{case}").json["actions"]}

    field = next(f for f in actions["dispatch"]["requires"] if f["name"] == "department")
    assert [(p["department"], p["facts"]) for p in field["precedents"]] == [
        (OTHER_DEPARTMENT, "垃圾在行道树树池内")
    ]
    assert "垃圾在行道树树池内" in page
    assert desk.row(argued).number not in page


def test_both_pages_of_a_dispute_agree(desk, sign_in, session):
    seed_matrix(session, now=desk.now)
    case = at(desk, "handling")
    handler = sign_in("handler", department=DEPARTMENT)
    boss = sign_in("commander")

    upload(handler, f"/desk/cases/{case}/moves", id=str(uuid4()), action="dispute",
           note="不归我管", department=OTHER_DEPARTMENT)  # fmt: skip
    one = session.scalars(select(Arbitration)).one()
    listed = boss.get("/command/arbitrations").text
    ruled = boss.post(
        f"/command/arbitrations/{one.id}/decision",
        data={"department": OTHER_DEPARTMENT, "facts": "树池内", "why": "归园林"},
    )

    assert desk.row(case).number in listed
    assert ruled.status_code == 303
    session.expire_all()
    assert (desk.row(case).status, desk.row(case).department_code) == (
        "pending_sign", OTHER_DEPARTMENT,
    )  # fmt: skip
    assert session.scalars(select(Arbitration.state)).one() == "decided"
    history = boss.get(f"/api/incidents/{case}").json["events"]
    assert [event["action"] for event in history][-2:] == ["dispute", "arbitrate"]
