"""The designer of forms: a draft, its cost, a second person, and what a visit then asks."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from grids.ledgers import forms
from tests.support.cases import WEST_GRID, build_city, today
from tests.support.flows import make_actor
from tests.support.ledgers import Round, make_restaurant

DRAFT = {
    "subject": "premises", "form": "lift_check", "line": "fire", "zh": "电梯安全检查",
    "en": "Check of lifts", "visit_days": "30", "kind": ["restaurant"],
    "add": ["premises.floor_area", "premises.gas"],
}  # fmt: skip
QUESTION = {
    "subject": "premises", "key": "premises.lift", "type": "choice", "zh": "有没有电梯",
    "en": "Is there a lift?", "valid_days": "180", "level": "L2",
    "options": "yes=有/Yes\nno=没有/No",
}  # fmt: skip


@pytest.fixture
def city(session):
    build_city(session)
    return make_restaurant(session)


@pytest.fixture
def steward(city, sign_in):
    return sign_in("steward")


@pytest.fixture
def commander(city, sign_in):
    return sign_in("commander")


def post(client, path, **fields):
    return client.post(path, data={"csrf_token": client.csrf_token, **fields})


def draft(steward, **more):
    answer = post(steward, "/data/forms/new", **{**DRAFT, **more})
    assert answer.status_code == 303, answer.text
    return int(answer.location.rpartition("/")[2])


def approved(steward, commander, **more):
    """Bring a draft through both people."""
    key = draft(steward, **more)
    post(steward, f"/data/forms/{key}/submit", live_from=today().isoformat())
    post(commander, f"/data/forms/{key}/decide", answer="approve")
    return key


def error_of(answer):
    assert answer.status_code == 422
    return re.search(r'class="form-error" role="alert">(.*?)</p>', answer.text).group(1)


def test_lines_and_forms_are_listed_with_what_is_in_force(steward):
    page = steward.get("/data/forms").text

    assert "九小场所消防检查" in page
    assert "现行" in page
    assert "/data/forms/new" in page


def test_a_draft_becomes_a_form_that_the_next_visit_asks(steward, commander, city, sign_in):
    key = approved(steward, commander)
    worker = sign_in("worker", area=WEST_GRID)

    sheet = worker.get(f"/api/visits/subjects/premises/{city}").json

    assert "电梯安全检查" in [form["name"] for form in sheet["forms"]]
    assert "现行" in steward.get(f"/data/forms/{key}").text


def test_the_cost_stands_beside_a_draft_and_is_kept_when_it_is_sent_on(steward, commander, session):
    key = draft(steward, add=["premises.floor_area", "premises.sign"], visit_days="7")

    page = commander.get(f"/data/forms/{key}").text
    post(steward, f"/data/forms/{key}/submit", live_from=today().isoformat())

    kept = session.scalar(text("SELECT cost FROM form_version WHERE id = :k"), {"k": key})
    assert kept["hours"] > 0
    (town,) = kept["towns"]
    assert f"每月多 {town[5]:,.2f} 工时" in page
    assert town[1] == 1  # the one restaurant
    # Other forms ask for the area already: its answer is no more work.
    assert "沿街商户市容巡查" in page.partition("premises.sign")[2].partition("</tr>")[0]


def test_a_question_that_is_asked_already_costs_less_than_a_new_one(steward, commander, session):
    post(steward, "/data/questions/edit", **QUESTION)
    known = draft(steward, form="known_one", add=["premises.gas"], visit_days="90")
    fresh = draft(steward, form="fresh_one", add=["premises.lift"], visit_days="90")

    def hours(key):
        post(steward, f"/data/forms/{key}/submit", live_from=today().isoformat())
        return session.scalar(
            text("SELECT (cost->>'hours')::float + (cost->'towns'->0->>3)::float"
                 " FROM form_version WHERE id = :k"), {"k": key},
        )  # fmt: skip

    assert hours(known) < hours(fresh)


def test_who_wrote_a_form_does_not_approve_it(city, sign_in, session):
    both = sign_in("steward")
    key = draft(both)
    post(both, f"/data/forms/{key}/submit", live_from=today().isoformat())
    assert post(both, f"/data/forms/{key}/decide", answer="approve").status_code == 403
    second = sign_in("commander")
    session.execute(
        text("UPDATE form_version SET made_by = :a WHERE id = :k"),
        {"a": second.account_id, "k": key},
    )

    answer = post(second, f"/data/forms/{key}/decide", answer="approve")

    assert answer.status_code == 403
    assert (
        session.scalar(text("SELECT status FROM form_version WHERE id = :k"), {"k": key})
        == "waiting"
    )


def test_a_waiting_form_is_counted_for_who_approves(steward, commander):
    key = draft(steward)
    post(steward, f"/data/forms/{key}/submit", live_from=today().isoformat())

    counts = {one["href"]: one["count"] for one in commander.get("/api/waiting").json["items"]}

    assert counts["/data/forms"] == 1
    assert f'action="/data/forms/{key}/decide"' in commander.get(f"/data/forms/{key}").text
    assert f'action="/data/forms/{key}/decide"' not in steward.get(f"/data/forms/{key}").text


def test_a_form_sent_back_is_a_draft_again_and_one_taken_back_too(steward, commander):
    key = draft(steward)
    for act, who, fields in (("decide", commander, {"answer": "back"}), ("withdraw", steward, {})):
        post(steward, f"/data/forms/{key}/submit", live_from=today().isoformat())
        post(who, f"/data/forms/{key}/{act}", **fields)
        assert f'href="/data/forms/{key}/edit"' in steward.get(f"/data/forms/{key}").text
    post(steward, f"/data/forms/{key}/withdraw")

    assert "已收起" in steward.get(f"/data/forms/{key}").text
    assert post(steward, f"/data/forms/{key}/withdraw").status_code == 409


def test_the_version_before_is_in_force_again_and_late_visits_stay_good(
    steward, commander, city, session
):
    first = approved(steward, commander)
    copied = post(steward, f"/data/forms/{first}/copy").location
    second = int(re.search(r"/(\d+)/", copied).group(1))
    post(steward, f"/data/forms/{second}/submit", live_from=today().isoformat())
    post(commander, f"/data/forms/{second}/decide", answer="approve")
    walk = Round(session, make_actor(session, "worker"), now=datetime.now(UTC))
    (served,) = walk.forms("lift_check")
    assert served.version_id == second

    assert post(steward, f"/data/forms/{second}/withdraw").status_code == 403
    assert post(commander, f"/data/forms/{second}/withdraw").status_code == 303

    assert [form.version_id for form in walk.forms("lift_check")] == [first]
    walk.forms = lambda *_names: [served]  # the phone was in a tunnel all the while
    assert walk.visit("premises", city, "lift_check").is_new


def test_the_next_version_says_what_it_changes(steward, commander):
    first = approved(steward, commander)
    second = int(
        re.search(r"/(\d+)/", post(steward, f"/data/forms/{first}/copy").location).group(1)
    )
    fields = {**DRAFT, "add": ["premises.sign"], "remove": ["premises.gas"],
              "at.premises.floor_area": "1"}  # fmt: skip

    assert post(steward, f"/data/forms/{second}/edit", **fields).status_code == 303
    page = steward.get(f"/data/forms/{second}").text.partition("与现行版相比")[2]

    assert re.findall(r'badge[^"]*">(新增|去掉|改动|换位置)<', page) == ["新增", "去掉"]


def test_conditions_and_order_are_kept(steward, session):
    key = draft(steward, add=["premises.gas", "premises.gas_alarm", "premises.sign"])
    fields = {**DRAFT, "add": [], "at.premises.gas": "2", "at.premises.gas_alarm": "3",
              "at.premises.sign": "1",
              "when.premises.gas_alarm": ["premises.gas=bottled", "premises.gas=piped"]}  # fmt: skip

    assert post(steward, f"/data/forms/{key}/edit", **fields).status_code == 303

    row = forms.version(session, key)
    session.refresh(row)
    assert [item["key"] for item in row.items] == [
        "premises.sign", "premises.gas", "premises.gas_alarm"
    ]  # fmt: skip
    assert row.items[2]["when"] == ["premises.gas", ["bottled", "piped"]]
    assert "仅当" in steward.get(f"/data/forms/{key}").text


@pytest.mark.parametrize(
    ("change", "word"),
    [({"form": "Ä"}, "form"), ({"visit_days": "-1"}, "visit_days"), ({"add": []}, "items"),
     ({"zh": " "}, "name"), ({"line": "none"}, "line"), ({"form": "small_fire"}, "form")],
)  # fmt: skip
def test_a_bad_draft_names_its_field_and_keeps_what_was_typed(steward, session, change, word):
    before = session.scalar(text("SELECT count(*) FROM form_version"))

    answer = post(steward, "/data/forms/new", **{**DRAFT, **change})

    assert error_of(answer)
    assert "Check of lifts" in answer.text
    assert session.scalar(text("SELECT count(*) FROM form_version")) == before, word


def test_a_condition_on_two_questions_or_on_a_later_one_is_refused(steward):
    key = draft(steward, add=["premises.gas", "premises.chemicals", "premises.gas_alarm"])
    two = {**DRAFT, "add": [],
           "when.premises.gas_alarm": ["premises.gas=piped", "premises.chemicals=yes"]}  # fmt: skip
    late = {**DRAFT, "add": [], "when.premises.gas": ["premises.chemicals=yes"]}

    for fields in (two, late):
        assert error_of(post(steward, f"/data/forms/{key}/edit", **fields))


def test_a_question_is_written_and_reworded_under_its_key(steward, session):
    assert post(steward, "/data/questions/edit", **QUESTION).status_code == 303
    assert post(steward, "/data/questions/edit", **QUESTION).status_code == 303
    post(steward, "/data/questions/edit", **{**QUESTION, "zh": "是否装有电梯"})

    rows = session.execute(
        text("SELECT no, zh FROM form_question WHERE key = 'premises.lift' ORDER BY no")
    ).all()
    assert [tuple(row) for row in rows] == [(1, "有没有电梯"), (2, "是否装有电梯")]
    assert "是否装有电梯" in steward.get("/data/questions?subject=premises").text


@pytest.mark.parametrize(
    ("change", "word"),
    [({"zh": "户主的民族"}, "民族"), ({"options": "a=离异/A\nb=未婚/B"}, "婚姻"),
     ({"en": "ID card number"}, "证件号")],
)  # fmt: skip
def test_what_must_not_be_collected_is_refused_with_the_reason(steward, session, change, word):
    answer = post(steward, "/data/questions/edit", **{**QUESTION, **change})

    assert word in error_of(answer)
    assert session.scalar(
        text("SELECT count(*) FROM form_question WHERE key = 'premises.lift'")
    ) == 0  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [{"options": "one line"}, {"options": "a=甲/A\na=乙/B"}, {"valid_days": "0"},
     {"valid_days": "x"}, {"key": "lift"}, {"type": "colour"}],
)  # fmt: skip
def test_a_question_that_is_not_whole_is_refused(steward, change):
    assert error_of(post(steward, "/data/questions/edit", **{**QUESTION, **change}))


def test_a_number_question_has_its_limits(steward, session):
    wanted = {**QUESTION, "type": "number", "min": "1", "max": "80", "whole": "1", "options": ""}
    assert post(steward, "/data/questions/edit", **wanted).status_code == 303

    kept = session.scalar(text("SELECT checks FROM form_question WHERE key = 'premises.lift'"))

    assert kept == {"min": 1.0, "max": 80.0, "whole": True}
    assert error_of(post(steward, "/data/questions/edit", **{**wanted, "min": "viel"}))
    # The type of a key stays: a form field of another one is not even read.
    post(steward, "/data/questions/edit", **{**wanted, "type": "text", "zh": "电梯数"})
    assert session.scalar(
        text("SELECT type FROM form_question WHERE key = 'premises.lift' AND no = 2")
    ) == "number"  # fmt: skip


def test_the_preview_shows_the_questions_and_takes_nothing(steward):
    key = draft(steward)

    page = steward.get(f"/data/forms/{key}/preview").text

    assert "经营面积" in page
    assert "<form" not in page.partition("<main")[2]


def test_the_editor_shows_only_drafts(steward, commander):
    key = approved(steward, commander)

    assert steward.get(f"/data/forms/{key}/edit").status_code == 422
    assert commander.get(f"/data/forms/{key}/edit").status_code == 403
    assert steward.get("/data/forms/new?subject=component").status_code == 200
    assert steward.get("/data/questions/edit?key=premises.gas").status_code == 200


def test_the_burden_meter_tells_nothing_of_four_workers_and_something_of_five(
    commander, session, city
):
    shops = [city, *(make_restaurant(session, (120.0005 + k / 100_000, 29.3005)) for k in range(4))]

    def walk(shop):
        Round(session, make_actor(session, "worker"), now=datetime.now(UTC) - timedelta(hours=1)
              ).visit("premises", shop, "environment")  # fmt: skip

    for shop in shops[:4]:
        walk(shop)
    four = commander.get("/data/burden").text
    walk(shops[4])
    five = commander.get("/data/burden").text

    assert "不足5人，不显示" in four
    assert "不足5人，不显示" not in five
    assert ">5<" in five.replace(" ", "")
    assert "worker-" not in five


@pytest.mark.parametrize("path", ["/data/forms", "/data/questions", "/data/burden"])
def test_pages_are_for_who_may_see_ledgers(city, sign_in, path):
    assert sign_in("worker", area=WEST_GRID).get(path).status_code == 403
