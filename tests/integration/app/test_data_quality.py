"""The pages of data quality and of base numbers: scope, alarms, signatures, refusals."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from grids.base_numbers.sheet import keep
from grids.quality import alarms, run
from tests.support.cases import EAST, WEST, build_city, today

SignIn = Callable[..., FlaskClient]
WEST_TOWN, EAST_TOWN = "339901001", "339901002"


@pytest.fixture
def judged(session: Session) -> Session:
    """Store two towns with enterprises, of which those of the west lack a credit code."""
    build_city(session)
    day = today()
    for n in range(25):
        for place, code, name in ((WEST, None, "西店"), (EAST, f"{n:018}", "东店")):
            session.execute(
                text("INSERT INTO enterprise (name, uscc, kind, industry, source, valid_from, geom)"
                     " VALUES (:name, :code, 'company', 'F', 'gongshang:1', '2020-01-01',"
                     " ST_SetSRID(ST_MakePoint(:x, :y), 4490))"),
                {"name": f"{name}{n}", "code": code, "x": place[0], "y": place[1]},
            )  # fmt: skip
    run(session.connection(), day)
    alarms.watch(session.connection(), day, datetime.now(UTC))
    keep(session.connection(), day.replace(day=1))
    session.flush()
    return session


def _token(client: FlaskClient, path: str) -> str:
    body = client.get(path).get_data(as_text=True)
    return body.partition('name="csrf_token" value="')[2].partition('"')[0]


def _hidden(body: str, name: str) -> str:
    return body.partition(f'name="{name}" value="')[2].partition('"')[0]


def test_the_overview_tells_dimensions_rules_areas_and_alarms(
    judged: Session, sign_in: SignIn
) -> None:
    who = sign_in("steward", area="339901")

    body = who.get("/data/quality").get_data(as_text=True)

    assert "缺统一社会信用代码" in body
    assert "信用代码校验位不符" in body
    assert f"/data/quality?area={WEST_TOWN}" in body
    assert "data-code=" in body
    complete = who.get(f"/data/quality?dimension=complete&area={WEST_TOWN}").get_data(as_text=True)
    assert "信用代码校验位不符" not in complete
    english = who.get("/data/quality", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "No credit code" in english


def test_a_rule_lists_what_fails_now_in_the_callers_area(judged: Session, sign_in: SignIn) -> None:
    path = "/data/quality/enterprise.uscc.missing"
    west, east = (sign_in("steward", area=town) for town in (WEST_TOWN, EAST_TOWN))

    seen = west.get(path).get_data(as_text=True)
    assert "西店0" in seen
    assert "东店" not in seen
    assert "西店" not in east.get(path).get_data(as_text=True)
    assert east.get(f"{path}?area={WEST_TOWN}").status_code in (200, 403, 404)
    assert "西店" not in east.get(f"{path}?area={WEST_TOWN}").get_data(as_text=True)
    assert west.get("/data/quality/nothing").status_code == 404


def test_rules_about_residents_tell_that_they_are_counts_and_list_nobody(
    judged: Session, sign_in: SignIn
) -> None:
    who = sign_in("steward", area="339901")

    home = who.get("/data/quality").get_data(as_text=True)
    one = who.get("/data/quality/person.phone.missing")

    assert "条居民类规则在此不公布" in home
    assert "成年人缺电话" in home
    assert one.status_code == 200
    body = one.get_data(as_text=True)
    assert "此处不公布" in body
    assert 'id="found-title"' not in body
    assert 'id="quality-map"' not in body


def test_an_alarm_is_noted_once_it_says_what_is_done(judged: Session, sign_in: SignIn) -> None:
    who = sign_in("steward", area="339901")
    key = judged.scalar(text("SELECT id FROM quality_alarm WHERE rule = 'enterprise.uscc.missing'"))
    token = _token(who, "/data/quality")

    def send(client: FlaskClient, note: str, csrf: str) -> int:
        return client.post(
            f"/data/quality/alarms/{key}", data={"csrf_token": csrf, "note": note, "area": ""}
        ).status_code

    assert send(who, " ", token) == 422
    east = sign_in("steward", area=EAST_TOWN)
    assert send(east, "看过了", _token(east, "/data/quality")) == 404
    assert send(who, "已请工商补报", token) == 303
    assert "已请工商补报" in who.get("/data/quality").get_data(as_text=True)


def test_a_leader_signs_what_the_page_shows(judged: Session, sign_in: SignIn) -> None:
    leader = sign_in("grid_leader", area="339901001001")
    path = "/data/base?area=339901001001001"
    body = leader.get(path).get_data(as_text=True)
    form: dict[str, Any] = {
        "csrf_token": _hidden(body, "csrf_token"), "area": "339901001001001",
        "digest": _hidden(body, "digest"), "note": "核对无误",
    }  # fmt: skip

    assert "底数" in body
    assert "25" in body
    judged.execute(text("UPDATE enterprise SET valid_to = current_date WHERE name = '西店0'"))
    judged.flush()
    moved = leader.post("/data/base", data=form)
    assert moved.status_code == 409
    form["digest"] = _hidden(moved.get_data(as_text=True), "digest")
    assert leader.post("/data/base", data=form).status_code == 303
    assert "核对无误" in leader.get(path).get_data(as_text=True)


def test_a_sheet_of_another_area_is_not_there(judged: Session, sign_in: SignIn) -> None:
    leader = sign_in("grid_leader", area="339901001001")
    token = _token(leader, "/data/base")

    page = leader.get(f"/data/base?area={EAST_TOWN}").get_data(as_text=True)
    assert 'name="digest"' not in page
    answer = leader.post(
        "/data/base", data={"csrf_token": token, "area": EAST_TOWN, "digest": "", "note": ""}
    )
    assert answer.status_code == 404
    worker = sign_in("worker", area="339901001001001")
    assert 'name="digest"' not in worker.get("/data/base").get_data(as_text=True)
