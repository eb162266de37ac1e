"""Entering something by hand, ending it and taking that back, through the forms of the desk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.support.cases import EAST, WEST, build_city

GOOD_CODE = "91339901MA00000154"  # of a county that does not exist (domain 10.2)
SHOP = {"name": "示例百货店", "uscc": GOOD_CODE, "kind": "company", "industry": "F", "staff": "5"}


@pytest.fixture
def city(session: Session) -> None:
    """Store a city of two towns with a building and its address in the west."""
    build_city(session)
    point = f"ST_SetSRID(ST_MakePoint({WEST[0]}, {WEST[1]}), 4490)"
    session.execute(text(
        "WITH a AS (INSERT INTO address (text, street, number, geom)"
        f" VALUES ('江滨路8号', '江滨路', '8', {point}) RETURNING id)"
        " INSERT INTO building (name, kind, dwellings, area_m2, address_id, geom)"
        f" SELECT '一幢', 'apartments', 2, 400, id, ST_Multi(ST_Buffer({point}, 0.0001)) FROM a"
    ))  # fmt: skip
    session.flush()


def _token(who: FlaskClient, path: str) -> str:
    body = who.get(path).get_data(as_text=True)
    return body.partition('name="csrf_token" value="')[2].partition('"')[0]


def _send(who: FlaskClient, register: str, /, at: Any = WEST, **given: str) -> Any:
    path = f"/registers/{register}/new"
    form = {"csrf_token": _token(who, path), "id": str(uuid4()), "step": "enter",
            "lon": str(at[0]), "lat": str(at[1]), **given}  # fmt: skip
    return who.post(path, data=form)


def _decide(who: FlaskClient, path: str, act: str, reason: str) -> Any:
    return who.post(f"{path}/{act}", data={"csrf_token": _token(who, path), "reason": reason})


@pytest.mark.usefixtures("city")
def test_an_enterprise_is_entered_linked_and_counted(
    sign_in: Callable[..., FlaskClient], session: Session
) -> None:
    who = sign_in("steward", area="339901")

    answer = _send(who, "enterprise", registered_on="2026-03-05", **SHOP)
    body = who.get(answer.location).get_data(as_text=True)

    row = session.execute(text(
        "SELECT name, uscc, staff, registered_on, source, coord_source, grid_id, area_code,"
        " address_id FROM enterprise"
    )).one()  # fmt: skip
    assert answer.status_code == 303
    assert (row.name, row.uscc, row.staff, row.source) == ("示例百货店", GOOD_CODE, 5, "local")
    assert str(row.registered_on) == "2026-03-05"
    assert row.coord_source == "map_click"
    assert row.grid_id is not None
    # The point lies in a building: its address is that of the enterprise.
    assert row.address_id == session.scalar(text("SELECT id FROM address"))
    assert row.area_code.startswith("339901001")
    assert "已登记" in body
    acts = session.scalars(
        text("SELECT subject FROM audit_event WHERE action = 'register_entered'")
    )
    assert [act.partition(":")[0] for act in acts] == ["enterprise"]


@pytest.mark.usefixtures("city")
def test_a_form_that_is_sent_twice_enters_once(
    sign_in: Callable[..., FlaskClient], session: Session
) -> None:
    who = sign_in("steward", area="339901")
    key = str(uuid4())

    first = _send(who, "facility", name="示例小学", kind="school", id=key)
    second = _send(who, "facility", name="示例小学", kind="school", id=key)

    assert first.location == second.location
    assert session.scalar(text("SELECT count(*) FROM facility")) == 1


@pytest.mark.usefixtures("city")
@pytest.mark.parametrize(("given", "words"), [
    ({"uscc": "91339901MA00000155"}, "校验"),
    ({"name": ""}, "不能为空"),
    ({"industry": "没有这个行业"}, "不在"),
    ({"staff": "很多"}, ""),
    ({"registered_on": "2026-02-30"}, "没有这一天"),
    ({"name": "11010519491231002X"}, ""),
])  # fmt: skip
def test_what_no_table_may_bring_no_form_may(
    sign_in: Callable[..., FlaskClient], session: Session, given: dict[str, str], words: str
) -> None:
    who = sign_in("steward", area="339901")

    answer = _send(who, "enterprise", **SHOP | given)
    body = answer.get_data(as_text=True)

    assert answer.status_code == 422
    assert f'id="bad-{next(iter(given))}"' in body
    assert words in body
    assert session.scalar(text("SELECT count(*) FROM enterprise")) == 0


@pytest.mark.usefixtures("city")
@pytest.mark.parametrize("at", [("", ""), ("29.3", "120.1"), ("0", "0"), ("nan", "1"), ("12", "")])
def test_a_place_that_is_none_is_told_and_changes_nothing(
    sign_in: Callable[..., FlaskClient], session: Session, at: tuple[str, str]
) -> None:
    who = sign_in("steward", area="339901")

    answer = _send(who, "facility", at=at, name="示例小学", kind="school")

    assert answer.status_code == 422
    assert 'role="alert"' in answer.get_data(as_text=True)
    assert session.scalar(text("SELECT count(*) FROM facility")) == 0


@pytest.mark.usefixtures("city")
def test_an_address_is_looked_up_and_gives_the_place(
    sign_in: Callable[..., FlaskClient], session: Session
) -> None:
    who = sign_in("steward", area="339901")
    path = "/registers/enterprise/new"
    form = {"csrf_token": _token(who, path), "id": str(uuid4()), "address": "江滨路8号", **SHOP}

    found = who.post(path, data={**form, "step": "find"}).get_data(as_text=True)
    unknown = who.post(path, data={**form, "step": "find", "address": "没有路99号"})
    entered = who.post(path, data={**form, "step": "enter"})

    row = session.execute(text("SELECT coord_source, address_id FROM enterprise")).one()
    assert f'name="lon" value="{WEST[0]:.6f}"' in found
    assert "请在地图上点选" in unknown.get_data(as_text=True)
    assert entered.status_code == 303
    assert row.coord_source == "derived"
    assert row.address_id == session.scalar(text("SELECT id FROM address"))


@pytest.mark.usefixtures("city")
def test_what_may_be_the_same_is_shown_before_it_is_entered(
    sign_in: Callable[..., FlaskClient], session: Session
) -> None:
    who = sign_in("steward", area="339901")
    plain = {"code": "01012", "name": "", "state": "intact"}
    code = session.scalar(text("SELECT code FROM category WHERE kind = 'component'"
                               " AND parent IS NOT NULL AND valid_to IS NULL ORDER BY 1 LIMIT 1"))  # fmt: skip
    plain["code"] = str(code)

    _send(who, "component", **plain)
    asked = _send(who, "component", **plain)
    sure = _send(who, "component", sure="yes", **plain)

    identifiers = session.scalars(text("SELECT identifier FROM component ORDER BY 1")).all()
    assert asked.status_code == 409
    assert 'name="sure"' in asked.get_data(as_text=True)
    assert sure.status_code == 303
    assert identifiers == [f"339901{code}000001", f"339901{code}000002"]


@pytest.mark.usefixtures("city")
def test_a_code_is_entered_once_and_premises_find_who_runs_them(
    sign_in: Callable[..., FlaskClient], session: Session
) -> None:
    who = sign_in("steward", area="339901")
    _send(who, "enterprise", **SHOP)

    again = _send(who, "enterprise", **SHOP | {"name": "另一家"})
    premises = {"name": "门店", "kind": "shop", "enterprise_uscc": GOOD_CODE}
    made = _send(who, "premises", **premises)
    unknown = _send(
        who, "premises", **premises | {"name": "别处", "enterprise_uscc": "91339901MA00000074"}
    )

    row = session.execute(text("SELECT enterprise_id, building_id FROM premises")).one()
    assert again.status_code == 409
    assert "已经登记过" in again.get_data(as_text=True)
    assert made.status_code == 303
    assert row.enterprise_id == session.scalar(text("SELECT id FROM enterprise"))
    assert row.building_id == session.scalar(text("SELECT id FROM building"))
    assert unknown.status_code == 422


@pytest.mark.usefixtures("city")
def test_nobody_enters_or_ends_outside_the_own_areas(
    sign_in: Callable[..., FlaskClient], session: Session
) -> None:
    west = sign_in("steward", area="339901001")
    abroad = _send(west, "facility", at=EAST, name="示例小学", kind="school")
    _send(sign_in("steward", area="339901"), "facility", at=EAST, name="示例小学", kind="school")
    key = session.scalar(text("SELECT id FROM facility"))
    token = _token(west, "/registers/facility/new")

    ended = west.post(
        f"/registers/facility/{key}/end", data={"csrf_token": token, "reason": "没有了"}
    )

    assert abroad.status_code == 422
    assert "不在您负责的区域内" in abroad.get_data(as_text=True)
    assert ended.status_code == 404
    assert session.scalar(text("SELECT valid_to FROM facility")) is None


@pytest.mark.parametrize("kind", ["building", "address", "pipe", "site"])
def test_what_comes_by_import_is_not_entered(
    sign_in: Callable[..., FlaskClient], session: Session, kind: str
) -> None:
    build_city(session)

    assert sign_in("steward", area="339901").get(f"/registers/{kind}/new").status_code == 404


@pytest.mark.usefixtures("city")
def test_an_entry_is_ended_with_a_reason_and_stands_again(
    sign_in: Callable[..., FlaskClient], session: Session
) -> None:
    who = sign_in("steward", area="339901")
    path = _send(who, "enterprise", **SHOP).location.partition("?")[0]
    shop = _send(who, "premises", name="门店", kind="shop", enterprise_uscc=GOOD_CODE)

    standing = _decide(who, path, "end", "查无此企业")
    _decide(who, shop.location.partition("?")[0], "end", "已搬走")
    silent = _decide(who, path, "end", " ")
    done = _decide(who, path, "end", "查无此企业")
    twice = _decide(who, path, "end", "查无此企业")
    listed = who.get("/registers/enterprise").get_data(as_text=True)
    told = who.get(path).get_data(as_text=True)
    back = _decide(who, path, "revive", "是另一家")

    statuses = [one.status_code for one in (standing, silent, done, twice, back)]
    reasons = session.scalars(text(
        "SELECT reason FROM register_change WHERE register = 'enterprise' ORDER BY id"
    )).all()  # fmt: skip
    assert statuses == [409, 422, 303, 409, 303]
    assert "还有 1 项" in standing.get_data(as_text=True)
    assert "示例百货店" not in listed
    assert "查无此企业" in told
    assert "注销日期" in told
    assert reasons == ["查无此企业", "是另一家"]
    assert "示例百货店" in who.get("/registers/enterprise").get_data(as_text=True)


@pytest.mark.usefixtures("city")
@pytest.mark.parametrize(("field", "value"), [("kind", "nonsense"), ("industry", "?")])
def test_a_correction_takes_words_of_the_list_only(
    sign_in: Callable[..., FlaskClient], session: Session, field: str, value: str
) -> None:
    who = sign_in("steward", area="339901")
    path = _send(who, "enterprise", **SHOP).location.partition("?")[0]

    answer = who.post(path, data={"csrf_token": _token(who, path), field: value, "reason": "核对"})

    assert answer.status_code == 422
    assert session.scalar(text(f"SELECT {field} FROM enterprise")) == SHOP[field]


@pytest.mark.usefixtures("city")
def test_a_worker_enters_on_the_spot_in_the_own_grid_alone(
    sign_in: Callable[..., FlaskClient], session: Session
) -> None:
    who = sign_in("worker", area="339901001001001")
    form = {"csrf_token": _token(who, "/worker/new"), "register": "premises", "name": "小吃店",
            "kind": "restaurant", "how": "gnss", "accuracy": "7.4"}  # fmt: skip

    def sent(at: Any, **more: str) -> Any:
        return who.post("/worker/new", data={**form, "id": str(uuid4()), "lon": str(at[0]),
                                             "lat": str(at[1]), **more})  # fmt: skip

    own, elsewhere, again = sent(WEST), sent(EAST), sent(WEST)
    wrong = sent(WEST, kind="nonsense", sure="yes")

    row = session.execute(text("SELECT name, coord_source, accuracy_m FROM premises")).one()
    key = session.scalar(text("SELECT id FROM premises"))
    assert [one.status_code for one in (own, elsewhere, again, wrong)] == [303, 422, 409, 422]
    assert tuple(row) == ("小吃店", "gnss", 7.4)
    assert own.location.endswith(f"/worker/new?register=premises&done={key}")
    assert "不在您负责的区域内" in elsewhere.get_data(as_text=True)
    assert f"/worker/visits/premises/{key}" in again.get_data(as_text=True)
    assert who.get("/registers/premises/new").status_code == 403
