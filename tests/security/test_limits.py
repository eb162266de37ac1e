"""Nobody takes the whole server: lanes, purses and hourly limits (S52, S55, S56)."""

import io
import threading
import time
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import Connection, text

from app import budget, report_form
from app.budget import FREE, PURSE_S, RATES, REFILL, Lanes, Rate, TooCostly
from app.roles import ROLE_LIMITS
from grids.limits import source_of
from tests.support import cases
from tests.support.cases import WEST, photo_bytes


def crowd(lanes: Lanes, name: str, number: int, *, work: threading.Event) -> list[str]:
    """Send requests of one caller at once, each holding its place until the work is done."""
    ends: list[str] = []

    def ask() -> None:
        try:
            caller = lanes.enter(name)
        except TooCostly:
            ends.append("refused")
            return
        ends.append("running")
        work.wait(10)
        lanes.leave(caller, 0.0)
        ends.append("done")

    for _ in range(number):
        threading.Thread(target=ask, daemon=True).start()
    return ends


def until(true) -> None:
    """Wait for something that other threads bring about."""
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_fifty_requests_of_one_caller_leave_room_for_the_others() -> None:
    lanes, work = Lanes(threads=16), threading.Event()
    ends = crowd(lanes, "greedy", 50, work=work)
    until(lambda: ends.count("refused") == 50 - lanes.most_running - 10)

    mine = lanes.enter("modest")
    lanes.leave(mine, 0.0)

    assert ends.count("running") == lanes.most_running == 4
    work.set()
    until(lambda: ends.count("done") == 14)
    assert ends.count("refused") == 36


def test_many_greedy_callers_together_leave_threads_free() -> None:
    lanes, work = Lanes(threads=8), threading.Event()
    ends = [crowd(lanes, f"greedy-{n}", 20, work=work) for n in range(4)]
    until(lambda: sum(one.count("refused") for one in ends) == 80 - 4 * lanes.most_running - 6)

    lanes.leave(lanes.enter("modest"), 0.0)

    work.set()


def test_a_purse_that_is_empty_fills_again(monkeypatch) -> None:
    now = [100.0]
    monkeypatch.setattr(budget.time, "monotonic", lambda: now[0])
    lanes = Lanes(threads=8)
    lanes.leave(lanes.enter("a"), PURSE_S + 5)

    with pytest.raises(TooCostly) as refused:
        lanes.enter("a")
    lanes.leave(lanes.enter("b"), 0.0)
    now[0] += 5 / REFILL + 0.1
    lanes.leave(lanes.enter("a"), 0.0)

    assert int(refused.value.params["wait_s"]) >= 1


def test_who_asks_one_thing_after_the_other_is_never_refused(monkeypatch) -> None:
    now = [100.0]
    monkeypatch.setattr(budget.time, "monotonic", lambda: now[0])
    lanes = Lanes(threads=8)

    for _ in range(1_000):
        caller = lanes.enter("slow but alone")
        now[0] += 5.0
        lanes.leave(caller, 5.0)


def test_callers_are_forgotten_not_collected(monkeypatch) -> None:
    monkeypatch.setattr(budget, "MOST_CALLERS", 10)
    lanes = Lanes(threads=8)

    for number in range(100):
        lanes.leave(lanes.enter(f"s{number}"), 0.0)

    assert len(lanes._callers) == 10


def test_every_limited_endpoint_exists(app: Flask) -> None:
    known = {rule.endpoint for rule in app.url_map.iter_rules()}

    asked = {name for name in RATES if name.partition(".")[0] in app.blueprints} | FREE

    assert asked <= known, "a limit that is misspelt limits nothing"
    assert len(asked) > 10


@pytest.mark.parametrize("endpoint", ["command.find", "portal.follow"])
def test_an_hourly_limit_is_kept_in_the_database(
    app: Flask, sign_in, session, monkeypatch, endpoint: str
) -> None:
    cases.build_city(session)
    monkeypatch.setitem(RATES, endpoint, Rate(account=3, source=100))  # type: ignore[misc]
    path = {"command.find": "/api/search?q=x", "portal.follow": "/track"}[endpoint]
    one, other = sign_in("commander"), sign_in("commander")

    answers = [one.get(path).status_code for _ in range(5)]

    assert answers[:3] == [200] * 3
    assert answers[3:] == [429] * 2
    assert other.get(path).status_code == 200
    refused = one.get(path)
    assert int(refused.headers["Retry-After"]) > 0
    counted = session.scalar(text("SELECT max(count) FROM rate_count"))
    assert counted >= 3


def test_a_source_is_limited_whoever_asks(app: Flask, sign_in, session, monkeypatch) -> None:
    cases.build_city(session)
    monkeypatch.setitem(RATES, "portal.follow", Rate(account=100, source=2))  # type: ignore[misc]

    answers = [sign_in("commander").get("/track").status_code for _ in range(3)]

    assert answers == [200, 200, 429]


def test_a_place_in_the_lane_is_given_back_whatever_happens(app: Flask, client) -> None:
    lanes: Lanes = app.extensions["lanes"]

    for path in ("/", "/no-such", "/api/search?q=x", "/tiles/x/1/1/1.mvt", "/track/x", "/sign-in"):
        client.get(path)
        client.post(path, headers={"Origin": "https://evil.example"})

    assert {caller.running for caller in lanes._callers.values()} == {0}


@pytest.mark.parametrize(
    ("address", "source"),
    [("10.1.2.3", "10.1.2.3"), ("::ffff:10.1.2.3", "10.1.2.3"), ("", ""),
     ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64")],
)  # fmt: skip
def test_a_customer_of_ipv6_is_one_source(address: str, source: str) -> None:
    assert source_of(address) == source


# --- The public report ----------------------------------------------------------------------


@pytest.fixture
def city(session) -> None:
    cases.build_city(session)


def report(client, language: str = "zh", **more: str):
    fields = {
        "id": str(uuid4()), "category": "01002", "text": "井盖松动", "lon": str(WEST[0]),
        "lat": str(WEST[1]), "photos": [(io.BytesIO(photo_bytes()), "photo.jpg")],
    }  # fmt: skip
    return client.post(
        "/", data={**fields, **more}, content_type="multipart/form-data",
        headers={"Accept-Language": language},
    )  # fmt: skip


def test_after_many_reports_a_question_is_asked_in_words(city, client, app, monkeypatch) -> None:
    monkeypatch.setattr(report_form, "FREE_PER_HOUR", 1)
    first, report_id = report(client), str(uuid4())

    asked = report(client, id=report_id)
    wrong = report(client, id=report_id, answer="1")
    with app.test_request_context():
        right = str(sum(report_form._numbers(report_id)))
    done = report(client, id=report_id, answer=f" {right}。")
    other = report(client, answer=right if len(right) == 3 else "1")

    assert first.status_code == done.status_code == 303
    assert [asked.status_code, wrong.status_code, other.status_code] == [422] * 3
    assert "等于几" in asked.text
    assert 'id="question" hidden' not in asked.text.replace("  ", " ")
    assert "<img" not in asked.text.partition('id="question"')[2].partition("</section>")[0]


@pytest.mark.parametrize("answer", ["12", "１２", "十二", "12.", "=12"])
def test_an_answer_is_taken_in_whatever_digits(app: Flask, monkeypatch, answer: str) -> None:
    monkeypatch.setattr(report_form, "_numbers", lambda _id: (5, 7))

    assert report_form.is_answered(report_form.Form(id="x", answer=answer))


@pytest.mark.parametrize("answer", ["", "11", "一二", "1 2", "99999", "²", "12\u0660"])
def test_other_answers_are_not(app: Flask, monkeypatch, answer: str) -> None:
    monkeypatch.setattr(report_form, "_numbers", lambda _id: (5, 7))

    assert not report_form.is_answered(report_form.Form(id="x", answer=answer))


def test_an_honest_citizen_sees_no_question(city, client) -> None:
    page = client.get("/").text

    assert 'id="question" hidden' in page.replace('"  hidden', '" hidden')


# --- What a request and a statement may cost ------------------------------------------------


def test_bodies_have_an_end(app: Flask, client, city) -> None:
    large = client.post("/", data=b"x" * (21 * 1024 * 1024), content_type="application/json")
    large.request.environ["wsgi.input"].close()  # the test client keeps it in a file
    fields = client.post("/sign-in", data={f"f{n}": "x" for n in range(2_000)},
                         content_type="multipart/form-data")  # fmt: skip
    memory = client.post("/sign-in", data={"login": "x" * 600_000, "password": "x"},
                         content_type="multipart/form-data")  # fmt: skip

    memory.request.environ["wsgi.input"].close()

    assert [large.status_code, fields.status_code, memory.status_code] == [422, 413, 413]


def test_roles_that_serve_have_an_end_to_their_statements(connection: Connection) -> None:
    rows = connection.execute(
        text("SELECT rolname, rolconfig FROM pg_roles WHERE rolname LIKE 'wangge%'")
    )
    found = {row.rolname: dict(one.split("=", 1) for one in row.rolconfig or []) for row in rows}

    for role, limits in ROLE_LIMITS.items():
        assert limits.items() <= found[role].items()
        assert {
            "statement_timeout",
            "idle_in_transaction_session_timeout",
            "temp_file_limit",
        } <= set(limits)
    assert found["wangge_tiles"]["statement_timeout"] == "5s"
