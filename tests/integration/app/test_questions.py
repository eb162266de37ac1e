"""Questions and notices of a category on the forms that take a report, and what becomes of the answers."""

import io
import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from grids.codes import Category, CategoryRule
from grids.incidents.models import Incident, IncidentEvent
from tests.support import cases
from tests.support.cases import WEST, WEST_GRID, photo_bytes

LIGHT = "01037"  # asks for its extent and, by its class, for the defect
MANHOLE = "01002"  # warns of the open hole


@pytest.fixture
def city(session):
    cases.build_city(session)


def form(**more):
    fields = {
        "id": str(uuid4()), "category": LIGHT, "lon": str(WEST[0]), "lat": str(WEST[1]),
        "photos": [(io.BytesIO(photo_bytes()), "photo.jpg")], **more,
    }  # fmt: skip
    return {name: value for name, value in fields.items() if value is not None}


def post(client, path, fields, language="zh"):
    answer = client.post(path, data=fields, content_type="multipart/form-data",
                         headers={"Accept-Language": language})  # fmt: skip
    answer.request.environ["wsgi.input"].close()
    return answer


def answers_kept(session):
    case = session.scalar(select(Incident.id))
    opening = session.scalar(
        select(IncidentEvent).where(IncidentEvent.incident_id == case, IncidentEvent.seq == 1)
    )
    return opening.data.get("answers")


def make_required(session, name):
    rule = session.scalar(
        select(CategoryRule)
        .join(Category, Category.id == CategoryRule.category_id)
        .where(Category.code == LIGHT, Category.kind == "matter", CategoryRule.name == name)
    )
    session.execute(update(CategoryRule).where(CategoryRule.id == rule.id).values(is_required=True))
    session.flush()


def test_a_category_brings_its_questions_and_those_of_its_class(city, client):
    piece = client.get(f"/questions?category={LIGHT}").text

    assert "是一盏还是成片？" in piece
    assert "哪里有问题？" in piece
    assert re.search(r'name="q_extent" value="row"', piece)


def test_notices_are_told_when_the_category_is_chosen_in_both_languages(city, client):
    chinese = client.get(f"/questions?category={MANHOLE}", headers={"Accept-Language": "zh"}).text
    english = client.get(f"/questions?category={MANHOLE}", headers={"Accept-Language": "en"}).text

    assert "井口敞开很危险" in chinese
    assert "An open manhole is dangerous" in english


@pytest.mark.parametrize("category", ["", "99999", "x' OR 1=1", "01"])
def test_nothing_is_asked_about_what_no_list_has(city, client, category):
    answer = client.get("/questions", query_string={"category": category, "kind": "nothing"})

    assert answer.status_code == 200
    assert category == "01" or "<fieldset" not in answer.text


def test_answers_stand_in_the_first_event_of_the_case(city, client, session):
    answer = post(client, "/", form(q_extent="row", q_defect=""))

    assert answer.status_code == 303
    assert answers_kept(session) == {"extent": "row"}


def test_an_answer_that_nobody_offers_is_refused_beside_its_question(city, client, session):
    answer = post(client, "/", form(q_extent="galaxy"))

    assert answer.status_code == 422
    assert re.search(r'id="q_extent-error" role="alert">[^<]*没有这个选项', answer.text)
    assert session.scalar(select(Incident.id)) is None


def test_a_required_question_has_to_be_answered_and_the_rest_is_kept(city, client, session):
    make_required(session, "extent")

    answer = post(client, "/", form(text="三盏都不亮", q_defect="not_working"))

    assert answer.status_code == 422
    assert "请回答这个问题" in answer.text
    assert "三盏都不亮" in answer.text
    assert re.search(r'value="not_working" checked', answer.text)
    english = post(client, "/", form(), language="en").text
    assert "Answer this question." in english


def test_without_script_a_button_shows_the_questions_before_anything_is_sent(city, client, session):
    page = post(client, "/", form(ask="1", text="路口", photos=None))

    assert page.status_code == 200
    assert "是一盏还是成片？" in page.text
    assert "路口" in page.text
    assert session.scalar(select(Incident.id)) is None


def test_the_workers_form_keeps_answers_too(city, sign_in, session):
    cases.make_staff(session)
    client = sign_in("worker", area=WEST_GRID)

    page = client.post("/worker/report", data={**form(ask="1", photos=None),
                       "csrf_token": client.csrf_token})  # fmt: skip
    sent = client.post("/worker/report", content_type="multipart/form-data",
                       data={**form(q_extent="single"), "csrf_token": client.csrf_token})  # fmt: skip

    assert "是一盏还是成片？" in page.text
    assert sent.status_code == 303
    assert answers_kept(session) == {"extent": "single"}


def test_the_api_of_the_phone_takes_known_answers_only(city, sign_in, session):
    cases.make_staff(session)
    client = sign_in("worker", area=WEST_GRID)
    body = {"category": LIGHT, "lon": WEST[0], "lat": WEST[1], "text": "灯不亮",
            "device_at": datetime.now(UTC).isoformat()}  # fmt: skip

    wrong = client.put(f"/api/incidents/{uuid4()}", json={**body, "answers": {"extent": "moon"}})
    right = client.put(f"/api/incidents/{uuid4()}", json={**body, "answers": {"extent": "row"}})

    assert wrong.status_code == 422
    assert wrong.json["code"] == "codes.unknown_answer"
    assert wrong.json["errors"][0]["field"] == "q_extent"
    assert right.status_code == 201
    assert answers_kept(session) == {"extent": "row"}
