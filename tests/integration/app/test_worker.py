"""The grid worker's pages without script, and what their scripts ask for."""

import io
import json
import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from grids.accounts import Shift
from grids.incidents.models import Incident, IncidentEvent
from tests.support import cases
from tests.support.cases import EAST, WEST, WEST_GRID, photo_bytes

MANHOLE = "01002"


@pytest.fixture
def desk(session):
    """Everybody who works on cases of a small city."""
    cases.build_city(session)
    return cases.Desk(session, cases.make_staff(session), now=datetime.now(UTC))


@pytest.fixture
def worker(desk, sign_in):
    """A worker of the western grid with the pages open."""
    return sign_in("worker", area=WEST_GRID)


def upload(client, path, **fields):
    """Post a form with a photo as a browser without script does."""
    photos = [(io.BytesIO(data), "photo.jpg") for data in fields.pop("photos", ())]
    return client.post(
        path,
        data={"csrf_token": client.csrf_token, "photos": photos, **fields},
        content_type="multipart/form-data",
    )


def test_today_lists_what_waits_in_the_own_grid_only(desk, worker):
    mine = desk.submit(channel="public")
    other = desk.submit(channel="public", lon=EAST[0], lat=EAST[1])
    for incident_id in (mine, other):
        desk.move(incident_id, "accept", "intake")

    page = worker.get("/worker/").text

    assert f"/worker/tasks/{mine}" in page
    assert f"/worker/tasks/{other}" not in page
    assert "今天 · 1 件" in page


def test_the_api_of_tasks_says_the_same(desk, worker):
    incident_id = desk.submit(channel="public")
    desk.move(incident_id, "accept", "intake")

    answer = worker.get("/worker/api/tasks").json

    assert [item["id"] for item in answer["items"]] == [str(incident_id)]


def test_a_task_of_another_grid_is_not_there(desk, worker):
    incident_id = desk.submit(channel="public", lon=EAST[0], lat=EAST[1])

    assert worker.get(f"/worker/tasks/{incident_id}").status_code == 404


def test_a_task_says_when_its_category_is_filed_and_closed(desk, worker):
    incident_id = desk.submit(channel="public", category="06010")
    desk.move(incident_id, "accept", "intake")

    page = worker.get(f"/worker/tasks/{incident_id}").text

    assert "主次干道、公共场所有垃圾堆，或垃圾散落在容器外。" in page
    assert "已清运，地面干净。" in page


def test_a_task_is_verified_with_a_photo_by_the_plain_form(desk, worker, session):
    incident_id = desk.submit(channel="public")
    desk.move(incident_id, "accept", "intake")
    page = worker.get(f"/worker/tasks/{incident_id}").text
    move_id = re.search(r'name="id" value="([0-9a-f-]{36})"', page)[1]

    answer = upload(
        worker, f"/worker/tasks/{incident_id}/moves", id=move_id, action="verify",
        photos=[photo_bytes()],
    )  # fmt: skip

    assert answer.status_code == 303
    assert "已提交" in worker.get(answer.location).text
    assert session.scalar(select(Incident.status)) == "pending_file"


def test_a_check_without_a_photo_is_told_beside_the_photo(desk, worker, session):
    incident_id = desk.submit(channel="public")
    desk.move(incident_id, "accept", "intake")

    answer = upload(worker, f"/worker/tasks/{incident_id}/moves", id=str(uuid4()), action="verify")

    assert answer.status_code == 422
    assert re.search(r'id="verify-photos-error">[^<]+<', answer.text)
    assert session.scalar(select(func.count()).select_from(IncidentEvent)) == 2


def test_the_step_of_a_form_sent_twice_is_one_step(desk, worker, session):
    incident_id = desk.submit(channel="public")
    desk.move(incident_id, "accept", "intake")
    fields = {"id": str(uuid4()), "action": "verify"}
    path = f"/worker/tasks/{incident_id}/moves"

    answers = [upload(worker, path, photos=[photo_bytes()], **fields) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert session.scalar(select(func.count()).select_from(IncidentEvent)) == 3


def test_a_report_without_script_is_taken(desk, worker, session):
    answer = upload(
        worker, "/worker/report", id=str(uuid4()), category=MANHOLE, lon=str(WEST[0]),
        lat=str(WEST[1]), text="井盖松动", photos=[photo_bytes()],
    )  # fmt: skip

    assert answer.status_code == 303
    row = session.scalars(select(Incident)).one()
    assert (row.channel, row.status) == ("worker", "pending_accept")
    assert row.number in worker.get("/worker/mine").text


def test_r50_a_place_outside_of_the_own_grid_is_taken_when_it_is_meant(desk, worker, session):
    sent = {"id": str(uuid4()), "category": MANHOLE, "lon": str(EAST[0]), "lat": str(EAST[1])}
    asked = upload(worker, "/worker/report", **sent, photos=[photo_bytes()])

    assert asked.status_code == 422
    assert 'name="outside_own" value="1"' in asked.text
    assert session.scalar(select(func.count()).select_from(Incident)) == 0
    assert (
        worker.get("/worker/api/place", query_string={"lon": EAST[0], "lat": EAST[1]}).json["own"]
        is False
    )
    assert (
        worker.get("/worker/api/place", query_string={"lon": WEST[0], "lat": WEST[1]}).json["own"]
        is True
    )

    meant = upload(worker, "/worker/report", **sent, outside_own="1", photos=[photo_bytes()])

    assert meant.status_code == 303
    assert session.scalars(select(Incident)).one().flags == {"outside_own": True}


@pytest.mark.parametrize(
    ("place", "said"),
    [
        # 400 m off the door that is meant, still in the own grid; rough; made up; elsewhere.
        ((WEST[0] + 0.0041, WEST[1]), {"accuracy_m": 400.0}),
        (WEST, {"accuracy_m": 2000.0}),
        (WEST, {"accuracy_m": 5.0, "mock_place": True}),
        (EAST, {"accuracy_m": 2000.0, "mock_place": True, "outside_own": True}),
        (EAST, {"accuracy_m": 30.0}),
    ],
)
def test_r50_a_doubtful_position_is_kept_with_what_is_known_of_it_never_dropped(
    desk, worker, session, sign_in, place, said
):
    photo = cases.make_photo(session)
    body = {"category": MANHOLE, "lon": place[0], "lat": place[1], "photos": [photo], **said}

    answer = worker.put(f"/api/incidents/{uuid4()}", json=body)

    assert answer.status_code == 201, answer.text
    row = session.scalars(select(Incident)).one()
    assert row.accuracy_m == said["accuracy_m"]
    flags = {name for name in ("mock_place", "outside_own") if said.get(name)}
    assert set(row.flags) == flags
    page = sign_in("town_seat", "339901").get(f"/desk/cases/{row.id}")
    assert page.status_code == 200
    assert f"±{said['accuracy_m']:,.0f} 米" in page.text
    shown = json.loads(re.search(r'id="page-data">(.*?)</script>', page.text)[1])["case"]
    assert shown["accuracy_m"] == said["accuracy_m"]
    assert ("模拟位置" in page.text) == ("mock_place" in flags)
    assert ("网格之外" in page.text) == ("outside_own" in flags)


def test_an_empty_report_is_told_field_by_field(desk, worker, session):
    answer = upload(worker, "/worker/report", id=str(uuid4()))

    assert answer.status_code == 422
    for field in ("photos", "category", "place"):
        assert f'id="{field}-error" role="alert"' in answer.text
    assert session.scalar(select(func.count()).select_from(Incident)) == 0


def test_a_shift_starts_and_ends(desk, worker, session):
    worker.post("/worker/duty", data={"action": "start", "hours": "4", "next": "/worker/me"})
    started = session.scalars(select(Shift)).one()
    span_h = (started.ends_at - started.starts_at).total_seconds() / 3600
    on_duty = worker.get("/worker/").text
    worker.post("/worker/duty", data={"action": "stop"})
    session.expire_all()

    assert span_h == 4
    assert "在岗 <b" in on_duty
    assert started.ends_at <= datetime.now(UTC)
    assert "开始上岗" in worker.get("/worker/").text


def test_a_shift_of_a_week_is_refused(desk, worker, session):
    answer = worker.post("/worker/duty", data={"action": "start", "hours": "168"})

    assert answer.status_code == 422
    assert session.scalar(select(func.count()).select_from(Shift)) == 0


def test_a_place_is_named_with_its_grid_and_what_was_reported_there(desk, worker):
    incident_id = desk.submit(category=MANHOLE)
    ask = {"lon": WEST[0], "lat": WEST[1], "category": MANHOLE}

    found = worker.get("/worker/api/place", query_string=ask).json

    assert found["inside"] is True
    assert found["grid"] == WEST_GRID
    assert [near["id"] for near in found["near"]] == [str(incident_id)]


def test_likely_categories_are_those_reported_here(desk, worker):
    for _ in range(3):
        desk.submit(category="06017")

    page = worker.get("/worker/report").text

    chips = re.findall(r'type="radio" name="category" value="(\d+)"', page)
    assert chips[0] == "06017"


def test_the_application_can_be_installed(worker):
    answer = worker.get("/worker/manifest.webmanifest")

    assert answer.mimetype == "application/manifest+json"
    assert answer.json["start_url"].startswith(answer.json["scope"])
    assert worker.get(answer.json["icons"][0]["src"]).status_code == 200


@pytest.mark.parametrize("path", ["/worker/", "/worker/map", "/worker/report", "/worker/me"])
def test_pages_are_for_workers(desk, client, sign_in, path):
    assert client.get(path).status_code == 302
    assert sign_in("planner").get(path).status_code == 403
