"""Visits on the phone: the round, one sheet for all lines, the package, and what was made."""

import io
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from tests.support.cases import EAST, WEST_GRID, build_city, photo_bytes
from tests.support.flows import make_actor
from tests.support.ledgers import Round, make_restaurant

HASH = "e" * 64


@pytest.fixture
def shop(session):
    build_city(session)
    key = make_restaurant(session)
    session.execute(text("UPDATE premises SET name = '老街面馆' WHERE id = :k"), {"k": key})
    return key


@pytest.fixture
def worker(shop, sign_in):
    return sign_in("worker", area=WEST_GRID)


def answers_of(sheet):
    """Answer whatever the sheet asks and needs, with the first choice or something usual."""
    given = {}
    for item in sheet["items"]:
        if item["known"] or item["optional"] or item["conditions"] or item["type"] == "photo":
            continue
        code = item["options"][0]["code"] if item["options"] else 12
        given[item["key"]] = [code] if item["type"] == "many" else code
    return given


def body_of(sheet, **more):
    return {
        "subject": sheet["subject"], "subject_id": sheet["id"],
        "versions": [one["version"] for one in sheet["forms"]], "answers": answers_of(sheet), **more,
    }  # fmt: skip


def sheet_of(client, shop):
    return client.get(f"/api/visits/subjects/premises/{shop}").json


def put(client, body, visit_id=None):
    return client.put(
        f"/api/visits/{visit_id or uuid4()}", json=body,
        headers={"X-CSRF-Token": client.csrf_token},
    )  # fmt: skip


def test_the_round_lists_what_is_due_in_the_own_grid_the_nearest_first(worker, shop, session):
    there = make_restaurant(session, EAST)

    answer = worker.get("/api/visits/due?lon=120.0&lat=29.3").json

    keys = [one["id"] for one in answer["items"] if one["subject"] == "premises"]
    assert shop in keys
    assert there not in keys
    far = [one["distance_m"] for one in answer["items"]]
    assert far == sorted(far)


def test_a_sheet_asks_a_question_of_several_lines_once_and_says_what_it_saves(worker, shop):
    sheet = sheet_of(worker, shop)

    keys = [item["key"] for item in sheet["items"]]
    assert len(keys) == len(set(keys))
    assert sheet["apart"] > sheet["asked"] > 0
    assert max(len(item["forms"]) for item in sheet["items"]) >= 3


def test_the_package_has_the_same_sheets(worker, shop):
    package = worker.get("/api/visits/package").json

    one = next(s for s in package["sheets"] if (s["subject"], s["id"]) == ("premises", shop))
    one["items"] = [
        {**package["questions"][f"{item['key']}.{item['no']}"], **item} for item in one["items"]
    ]
    assert one == sheet_of(worker, shop)


def test_the_package_asks_the_database_no_more_for_more_shops(worker, session, count_queries):
    worker.get("/api/visits/package")
    count_queries()
    worker.get("/api/visits/package")
    few = count_queries()
    for step in range(5):
        make_restaurant(session, (120.0005 + step / 10_000, 29.3005))
    count_queries()
    worker.get("/api/visits/package")

    assert count_queries() == few


def test_a_visit_is_kept_once_and_another_body_under_its_id_is_refused(worker, shop):
    body = body_of(sheet_of(worker, shop))
    visit_id = uuid4()

    first, again = put(worker, body, visit_id), put(worker, body, visit_id)
    other = put(
        worker, {**body, "answers": {**body["answers"], "premises.floor_area": 99}}, visit_id
    )

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json
    assert (other.status_code, other.json["code"]) == (409, "flow.other_content")


def test_what_still_holds_is_shown_with_day_and_name_and_not_asked(worker, shop):
    assert put(worker, body_of(sheet_of(worker, shop))).status_code == 201

    sheet = worker.get(f"/api/visits/subjects/premises/{shop}?all=1").json

    area = next(item for item in sheet["items"] if item["key"] == "premises.floor_area")
    assert area["known"]["value"] == 12
    assert area["known"]["by"]
    assert sheet["asked"] < sheet["reused"]


def test_a_missing_answer_names_its_question(worker, shop):
    body = body_of(sheet_of(worker, shop))
    del body["answers"]["premises.floor_area"]

    answer = put(worker, body)

    assert (answer.status_code, answer.json["code"]) == (422, "ledger.missing")
    assert [one["field"] for one in answer.json["errors"]] == ["premises.floor_area"]


def test_a_body_with_unknown_fields_or_a_naive_time_is_refused(worker, shop):
    body = body_of(sheet_of(worker, shop))

    assert put(worker, {**body, "worker_id": 1}).status_code == 422
    assert put(worker, {**body, "done_at": "2026-01-01T10:00:00"}).status_code == 422


def test_a_visit_outside_the_own_grid_does_not_exist(worker, session):
    there = make_restaurant(session, EAST)

    assert worker.get(f"/worker/visits/premises/{there}").status_code == 404
    assert (
        put(worker, {"subject": "premises", "subject_id": there, "versions": [1]}).status_code
        == 404
    )


def test_a_shop_is_found_by_its_name(worker, shop):
    assert [one["id"] for one in worker.get("/api/visits/find?q=老街").json["items"]] == [shop]
    assert f"/worker/visits/premises/{shop}" in worker.get("/worker/visits?q=老街").text
    assert worker.get("/api/visits/find?q=老").json["items"] == []


def test_the_list_leads_to_the_sheet(worker, shop):
    assert f"/worker/visits/premises/{shop}" in worker.get("/worker/visits").text
    assert "/worker/visits" in worker.get("/worker/").text


def test_a_visit_is_made_without_script(worker, shop, session):
    page = worker.get(f"/worker/visits/premises/{shop}").text
    sheet = sheet_of(worker, shop)
    versions = re.findall(r'name="version" value="(\d+)"', page)
    fields = {f"a.{key}": value for key, value in answers_of(sheet).items()}

    answer = worker.post(
        f"/worker/visits/premises/{shop}",
        data={"csrf_token": worker.csrf_token, "id": str(uuid4()), "version": versions, **fields,
              "p.premises.photo": (io.BytesIO(photo_bytes()), "front.jpg")},
        content_type="multipart/form-data",
    )  # fmt: skip

    assert answer.status_code == 303, answer.text
    seen = session.execute(text("SELECT question, photo FROM observation")).all()
    assert {row.question for row in seen} >= set(answers_of(sheet))
    assert [row.photo is not None for row in seen if row.question == "premises.photo"] == [True]
    assert "老街面馆" in worker.get("/worker/visits/mine").text


def test_a_sheet_without_script_comes_back_with_the_note_and_what_was_typed(worker, shop):
    sheet = sheet_of(worker, shop)
    fields = {f"a.{key}": value for key, value in answers_of(sheet).items()}
    fields["a.premises.floor_area"] = "八十六"

    answer = worker.post(
        f"/worker/visits/premises/{shop}",
        data={"csrf_token": worker.csrf_token, "id": str(uuid4()),
              "version": [str(one["version"]) for one in sheet["forms"]], **fields},
    )  # fmt: skip

    assert answer.status_code == 422
    box = answer.text.partition('data-field="premises.floor_area"')[2].partition("</fieldset>")[0]
    assert 'role="alert"' in box
    assert "八十六" in box


def test_only_the_worker_sees_which_answers_were_found_otherwise(worker, shop, session, sign_in):
    sheet = sheet_of(worker, shop)
    done_at = (datetime.now(UTC) - timedelta(days=2)).isoformat()
    body = body_of(sheet, done_at=done_at)
    assert put(worker, body).status_code == 201
    later = Round(session, make_actor(session, "worker"), now=datetime.now(UTC))
    later.visit("premises", shop, "work_safety", premises__floor_area=99)

    own = worker.get("/api/visits/own").json
    page = worker.get("/worker/visits/mine").text

    (found,) = [one for one in own["corrections"] if one["found"].startswith("99")]
    assert found["given"].startswith("12")
    assert own["looked_at"] > own["stood"]
    assert found["question"] in page
    assert sign_in("worker", area=WEST_GRID).get("/api/visits/own").json["corrections"] == []


def test_the_kept_page_holds_nobodys_data_and_the_service_worker_answers_for_its_folder(
    client, worker
):
    shell = client.get("/worker/offline")
    script = client.get("/worker/sw.js")

    assert shell.status_code == 200
    assert 'content=""' in shell.text.partition('name="csrf-token"')[2][:20]
    assert script.mimetype == "text/javascript"
    assert "/worker/offline" in script.text
    assert worker.get("/worker/api/session").json["account"] > 0


@pytest.mark.parametrize("path", ["/worker/visits", "/api/visits/due", "/api/visits/own"])
def test_visits_are_for_workers(shop, sign_in, path):
    assert sign_in("planner").get(path).status_code == 403
