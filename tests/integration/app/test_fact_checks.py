"""Cards of the worker and the page of an entry, over HTTP: asked, answered, shown with the source."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.support.cases import WEST, build_city

SignIn = Callable[..., FlaskClient]
GRID = "339901001001001"


@pytest.fixture
def entry(session: Session) -> int:
    """A shop whose floor area two sources tell otherwise, with the question of it."""
    build_city(session)
    key = session.scalar(text(
        "INSERT INTO premises (kind, name, floor_area_m2, source, geom) VALUES ('shop', '老街小店', 40,"
        " 'import:market', ST_SetSRID(ST_MakePoint(:x, :y), 4490)) RETURNING id"
    ), {"x": WEST[0], "y": WEST[1]})  # fmt: skip
    session.execute(text(
        "INSERT INTO import_source (code, name, target, area_code, settings)"
        " VALUES ('market', '市场监管局场所表', 'premises', '339901', '{}')"))  # fmt: skip
    for source, value, day in (
        ("import:market", "40", "2026-03-01"),
        ("import:fire", "400", "2026-02-01"),
    ):
        session.execute(text(
            "INSERT INTO fact (register, entry_id, field, source, value, observed_at, confidence, batch_id)"
            " VALUES ('premises', :key, 'floor_area_m2', :source, :value, :day, 0.8, 1)"
        ), {"key": key, "source": source, "value": value, "day": day})  # fmt: skip
    session.flush()
    return int(key or 0)


def token(client: FlaskClient, path: str) -> str:
    return client.get(path).get_data(as_text=True).partition('name="csrf_token" value="')[2].partition('"')[0]  # fmt: skip


def asked(sign_in: SignIn, entry: int) -> FlaskClient:
    """Let a steward ask; return the worker of the grid."""
    steward, page = sign_in("steward", area="339901"), f"/registers/premises/{entry}"
    answer = steward.post(f"{page}/ask", data={
        "csrf_token": token(steward, page), "field": "floor_area_m2"})  # fmt: skip
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return sign_in("worker", area=GRID)


def test_an_entry_tells_who_says_what(entry: int, sign_in: SignIn) -> None:
    body = sign_in("steward", area="339901").get(f"/registers/premises/{entry}").get_data(as_text=True)  # fmt: skip

    assert "市场监管局场所表" in body
    assert "其他说法 1" in body
    assert re.search(r"<b>400 .+</b>", body)


def test_a_worker_answers_with_one_tap(entry: int, sign_in: SignIn, session: Session) -> None:
    worker = asked(sign_in, entry)
    assert "核实一下 1" in worker.get("/worker/").get_data(as_text=True)
    body = worker.get("/worker/checks").get_data(as_text=True)
    assert "老街小店" in body
    assert "市场监管局场所表" in body
    check = int(re.search(r"/worker/checks/(\d+)", body)[1])  # type: ignore[index]

    answer = worker.post(f"/worker/checks/{check}", data={
        "csrf_token": token(worker, "/worker/checks"), "id": str(uuid4()), "answer": "other", "value": "48"})  # fmt: skip

    assert answer.status_code == 303
    assert session.scalar(text("SELECT floor_area_m2 FROM premises")) == 48
    told = sign_in("steward", area="339901").get(f"/registers/premises/{entry}").get_data(as_text=True)  # fmt: skip
    assert "现场核实" in told
    assert "其他说法 2" in told


def test_a_wrong_answer_is_told_on_its_card(entry: int, sign_in: SignIn, session: Session) -> None:
    worker = asked(sign_in, entry)
    body = worker.get("/worker/checks").get_data(as_text=True)
    check = int(re.search(r"/worker/checks/(\d+)", body)[1])  # type: ignore[index]

    answer = worker.post(f"/worker/checks/{check}", data={
        "csrf_token": token(worker, "/worker/checks"), "id": str(uuid4()), "answer": "other", "value": "viel"})  # fmt: skip

    assert answer.status_code == 422
    assert "这个答案填得不对" in answer.get_data(as_text=True)
    assert session.scalar(text("SELECT floor_area_m2 FROM premises")) == 40


def test_a_phone_sends_an_answer_twice_and_takes_the_cards_along(
    entry: int, sign_in: SignIn, session: Session
) -> None:
    worker = asked(sign_in, entry)
    (card,) = worker.get("/api/visits/package").get_json()["checks"]
    assert {one["value"] for one in card["candidates"]} == {"40", "400"}
    headers = {"X-CSRF-Token": worker.get("/worker/api/session").get_json()["csrf_token"]}
    path, body = f"/api/checks/{uuid4()}", {"check": card["id"], "answer": "value", "value": "400"}

    first = worker.put(path, json=body, headers=headers)
    again = worker.put(path, json=body, headers=headers)
    other = worker.put(path, json={**body, "value": "40"}, headers=headers)

    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 409)
    assert first.get_json() == again.get_json()
    assert session.scalar(text("SELECT floor_area_m2 FROM premises")) == 400


def test_a_worker_of_another_grid_sees_no_card(entry: int, sign_in: SignIn) -> None:
    asked(sign_in, entry)

    body = sign_in("worker", area="339901002001001").get("/worker/checks").get_data(as_text=True)

    assert "老街小店" not in body


def test_corrections_are_made_taken_and_answered_on_their_pages(
    entry: int, sign_in: SignIn, session: Session
) -> None:
    source = session.scalar(text(
        "INSERT INTO import_source (code, name, target, area_code, settings)"
        " VALUES ('fire', '消防场所表', 'premises', '339901', '{}') RETURNING id"))  # fmt: skip
    session.execute(text(
        "INSERT INTO import_batch (id, source_id, area_code, areas, file_sha256, file_name, file_size, settings)"
        " VALUES (77, :source, '339901', '{339901}', '', '', 1, '{}')"), {"source": source})  # fmt: skip
    session.execute(text(
        "INSERT INTO import_key (source_id, own_id, target, entry_id, batch_id)"
        " VALUES (:source, 'XF-9', 'premises', :key, 77)"), {"source": source, "key": entry})  # fmt: skip
    steward, path = sign_in("steward", area="339901"), "/data/corrections"
    asked = {"source": str(source), "reason": "planning"}

    bare = steward.post(path, data={**asked, "csrf_token": token(steward, path), "note": ""})
    made = steward.post(path, data={**asked, "csrf_token": token(steward, path), "note": "每月交回来源部门更正"})  # fmt: skip

    assert (bare.status_code, made.status_code) == (422, 303)
    page = made.headers["Location"]
    body = steward.get(page).get_data(as_text=True)
    assert "XF-9" in body
    assert "400 平方米" in body
    assert "市场监管局场所表" in body
    file = steward.get(f"{page}.csv").get_data(as_text=True).splitlines()
    assert file[0].lstrip("\ufeff").startswith("行号,来源编号,字段")
    assert file[1].split(",")[1:5] == ["XF-9", "经营面积", "400", "40"]
    wrong = steward.post(f"{page}/receipt", data={
        "csrf_token": token(steward, page), "by": "消防救援大队", "refused": "第一行 不对"})  # fmt: skip
    right = steward.post(f"{page}/receipt", data={
        "csrf_token": token(steward, page), "by": "消防救援大队", "refused": ""})  # fmt: skip
    assert (wrong.status_code, right.status_code) == (422, 303)
    assert "消防救援大队" in steward.get(page).get_data(as_text=True)
    assert session.scalar(text("SELECT state FROM correction")) == "taken"
    assert sign_in("steward", area="339901002").get(page).status_code == 404
