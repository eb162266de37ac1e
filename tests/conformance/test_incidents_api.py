"""The API of cases as pages and phones see it: answers, ids, refusals, photos."""

import hashlib
import io
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from PIL import ExifTags, Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grids.blobs import Store
from grids.incidents.models import Attachment, Blob, Incident, IncidentEvent
from tests.support.cases import DEPARTMENT, EAST, MATTER, WEST, WEST_GRID, build_city, photo_bytes

SignIn = Callable[..., Any]


@pytest.fixture(autouse=True)
def city(session: Session) -> None:
    build_city(session)


@pytest.fixture
def worker(sign_in: SignIn) -> Any:
    return sign_in("worker", area=WEST_GRID)


def body(**more: Any) -> dict[str, Any]:
    fields = {"category": MATTER, "lon": WEST[0], "lat": WEST[1], "text": "垃圾满溢"}
    return {**fields, **more}


def put(client: FlaskClient, incident_id: UUID | None = None, **more: Any) -> Any:
    return client.put(f"/api/incidents/{incident_id or uuid4()}", json=body(**more))


def act(client: FlaskClient, incident_id: object, action: str, **more: Any) -> Any:
    sent = {"id": str(uuid4()), "action": action, **more}
    return client.post(f"/api/incidents/{incident_id}/moves", json=sent)


def upload(client: FlaskClient, data: bytes) -> Any:
    return client.put(f"/api/blobs/{hashlib.sha256(data).hexdigest()}", data=data)


def counts(session: Session) -> tuple[int | None, ...]:
    return tuple(
        session.scalar(select(func.count()).select_from(model))
        for model in (Incident, IncidentEvent, Attachment)
    )


# --- Reports --------------------------------------------------------------------------------


def test_a_report_is_answered_with_its_number(worker: Any) -> None:
    answer = put(worker)

    assert answer.status_code == 201
    assert set(answer.json) == {"id", "number"}


def test_the_same_report_again_gets_the_same_answer_and_stays_one(
    worker: Any, session: Session
) -> None:
    first = put(worker, case := uuid4())

    again = put(worker, case)

    assert (again.status_code, again.json) == (200, first.json)
    assert counts(session)[:2] == (1, 1)


def test_an_id_used_for_other_content_is_409_with_the_servers_copy(worker: Any) -> None:
    first = put(worker, case := uuid4())

    other = put(worker, case, text="别的内容")

    assert other.status_code == 409
    assert other.json["code"] == "incident.other_body"
    assert other.json["server"] == first.json


def test_a_voided_report_sent_again_is_410(worker: Any, sign_in: SignIn) -> None:
    put(worker, case := uuid4())
    assert act(sign_in("shift_leader"), case, "ask_void", reason="test_entry").status_code == 201
    assert act(sign_in("dispatcher"), case, "void").status_code == 201

    again = put(worker, case)

    assert (again.status_code, again.json["code"]) == (410, "incident.withdrawn")


def test_a_device_clock_that_is_ahead_is_kept_as_claimed_and_moves_no_limit(
    worker: Any, session: Session
) -> None:
    put(worker, case := uuid4(), device_at="2031-01-01T00:00:00+08:00")

    row = session.get_one(Incident, case)

    assert row.reported_at.year == 2030  # in UTC
    assert row.received_at.year < 2030
    assert row.due_at is not None
    assert (row.due_at - row.received_at).total_seconds() == 1800


NESTED = '{"category":' + "[" * 20_000 + "]" * 20_000 + "}"
BAD_BODIES = {
    "nested": (NESTED, "gis.too_deep"),
    "nan": (json.dumps(body()).replace(str(WEST[0]), "NaN"), "gis.not_finite"),
    "infinite": (json.dumps(body()).replace(str(WEST[0]), "1e999"), "gis.not_finite"),
    "swapped": (json.dumps(body(lon=WEST[1], lat=WEST[0])), "gis.swapped"),
    "null island": (json.dumps(body(lon=0, lat=0)), "gis.null_island"),
    "other city": (json.dumps(body(lon=116.4, lat=39.9)), "gis.out_of_range"),
    "outside every town": (json.dumps(body(lat=29.38)), "incident.outside_city"),
    "gcj-02": (json.dumps(body(lon=120.2025, lat=29.3)), "gis.shifted"),
    "unknown category": (json.dumps(body(category="99999")), "incident.unknown_category"),
    "a class is no category": (json.dumps(body(category="03")), "incident.unknown_category"),
    "unknown photo": (json.dumps(body(photos=["0" * 64])), "incident.unknown_photo"),
    "no text, no photo": (json.dumps(body(text=" ")), "incident.missing_field"),
    "long text": (json.dumps(body(text="长" * 2001)), "incident.too_long"),
    "unknown field": (json.dumps(body(status="closed")), "body.invalid"),
    "text for a number": (json.dumps(body(lon="120")), "body.invalid"),
    "no json": ("category=1", "gis.not_json"),
    "naive channel": (json.dumps(body(channel="public")), "body.invalid"),
    "empty": ("", "gis.not_json"),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_bad_input_is_a_clear_message_and_stores_nothing(
    worker: Any, session: Session, name: str
) -> None:
    sent, code = BAD_BODIES[name]
    before = counts(session)
    for language in ("zh", "en"):
        worker.set_cookie("wangge_lang", language)

        answer = worker.put(
            f"/api/incidents/{uuid4()}", data=sent, headers={"Content-Type": "application/json"}
        )

        problem = json.loads(answer.data)
        assert (problem["code"], problem["status"]) == (code, 422)
        assert any("一" <= ch <= "鿿" for ch in problem["detail"]) == (language == "zh")
    assert counts(session) == before


def test_coordinates_declared_as_gcj02_are_unshifted(worker: Any, session: Session) -> None:
    put(worker, case := uuid4(), coord_source="gcj02")

    row = session.execute(
        select(func.ST_X(Incident.geom), Incident.coord_source).where(Incident.id == case)
    ).one()

    assert row[1] == "gcj02"
    assert 0.003 < abs(row[0] - WEST[0]) < 0.007


# --- Who may --------------------------------------------------------------------------------


def test_who_is_not_signed_in_gets_401(client: FlaskClient) -> None:
    answers = [client.get("/api/incidents"), put(client), act(client, uuid4(), "accept")]

    assert [answer.status_code for answer in answers] == [401, 401, 401]


def test_a_planner_sees_and_changes_no_case(sign_in: SignIn, worker: Any) -> None:
    put(worker, case := uuid4())
    planner = sign_in("planner")

    answers = [
        planner.get("/api/incidents"), planner.get(f"/api/incidents/{case}"),
        put(planner), act(planner, case, "accept"),
    ]  # fmt: skip

    assert [answer.status_code for answer in answers] == [403] * 4


def test_a_case_outside_the_area_is_404_and_in_no_list(sign_in: SignIn, worker: Any) -> None:
    put(worker, case := uuid4())
    stranger = sign_in("intake", area="339901002")

    assert stranger.get(f"/api/incidents/{case}").status_code == 404
    assert act(stranger, case, "accept").status_code == 404
    assert stranger.get("/api/incidents").json["total"] == 0


def test_a_handler_sees_only_what_was_dispatched_to_the_department(
    sign_in: SignIn, worker: Any
) -> None:
    put(worker, mine := uuid4())
    put(worker, other := uuid4())
    for case, department in ((mine, DEPARTMENT), (other, "D01")):
        act(sign_in("intake"), case, "accept")
        act(sign_in("shift_leader"), case, "file")
        act(sign_in("dispatcher"), case, "dispatch", department=department)
    handler = sign_in("handler", department=DEPARTMENT)

    listed = handler.get("/api/incidents").json["items"]

    assert [row["id"] for row in listed] == [str(mine)]
    assert handler.get(f"/api/incidents/{other}").status_code == 404
    assert act(handler, mine, "sign").status_code == 201


def test_the_wrong_role_gets_403_and_the_wrong_moment_409(sign_in: SignIn, worker: Any) -> None:
    put(worker, case := uuid4())

    wrong_role = act(worker, case, "accept")
    too_early = act(sign_in("shift_leader"), case, "close")

    assert (wrong_role.status_code, wrong_role.json["code"]) == (403, "incident.not_your_move")
    assert (too_early.status_code, too_early.json["code"]) == (409, "incident.forbidden_move")
    assert too_early.json["server"]["status"] == "pending_accept"


# --- One case and the queue -----------------------------------------------------------------


def test_a_case_names_its_moves_with_their_fields(sign_in: SignIn, worker: Any) -> None:
    put(worker, case := uuid4())
    leader = sign_in("shift_leader")
    act(sign_in("intake"), case, "accept")
    act(leader, case, "file")

    found = sign_in("dispatcher").get(f"/api/incidents/{case}").json

    actions = {action["action"]: action for action in found["actions"]}
    assert {"dispatch", "send_back", "merge", "ask_reporter"} <= set(actions)
    assert not {"accept", "file", "sign", "reply", "close", "void"} & set(actions)
    assert [name for name, action in actions.items() if action["primary"]] == ["dispatch"]
    assert actions["dispatch"]["primary"]
    fields = {field["name"]: field for field in actions["dispatch"]["requires"]}
    assert fields["department"]["one_of"] == ["department", "worker"]
    assert {option["value"] for option in fields["worker"]["options"]} == {str(worker.account_id)}
    reasons = actions["send_back"]["requires"][0]
    assert reasons["required"]
    assert {"value": "wrong_place", "label": "位置有误"} in reasons["options"]


def test_history_names_who_did_what_in_the_language_asked_for(sign_in: SignIn, worker: Any) -> None:
    put(worker, case := uuid4())
    intake = sign_in("intake")
    act(intake, case, "reject", reason="duplicate", note="见 12 号")
    intake.set_cookie("wangge_lang", "en")

    found = intake.get(f"/api/incidents/{case}").json

    assert [event["action_name"] for event in found["events"]] == ["Report", "Do not accept"]
    assert found["events"][1]["note"] == "Reported before · 见 12 号"
    assert found["events"][1]["role"] == "Intake"
    assert (found["status_name"], found["risk"], found["holder"]) == ("Not accepted", "done", None)


def test_the_queue_is_paged_without_losing_or_repeating_a_case(
    sign_in: SignIn, worker: Any
) -> None:
    sent = {str(case) for case in (uuid4() for _ in range(23)) if put(worker, case)}
    leader, intake = sign_in("shift_leader"), sign_in("intake")
    for case in sorted(sent)[:5]:
        act(intake, case, "reject", reason="duplicate")
    for case in sorted(sent)[5:9]:
        act(intake, case, "accept")
    seen, after = [], None
    while True:
        page = leader.get("/api/incidents", query_string={"limit": 4, "after": after}).json
        seen += [row["id"] for row in page["items"]]
        after = page["next"]
        if after is None:
            break

    assert len(seen) == len(set(seen)) == 23
    assert set(seen) == sent
    assert page["total"] == 23
    assert page["facets"]["status"] == {"pending_accept": 14, "not_accepted": 5, "pending_file": 4}
    assert page["facets"]["risk"]["done"] == 5


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 3),
        ({"status": "open"}, 2),
        ({"status": "done"}, 1),
        ({"status": "pending_accept,not_accepted"}, 2),
        ({"stage": "S3"}, 1),
        ({"risk": "done"}, 1),
        ({"area": "339901001"}, 2),
        ({"area": "339901002001"}, 1),
        ({"grid": WEST_GRID}, 2),
        ({"category": "03"}, 2),
        ({"q": "满溢"}, 3),
        ({"q": "100%_"}, 0),
        ({"from": "2000-01-01", "to": "2000-01-02"}, 0),
        ({"mine": "1"}, 1),
    ],
)
def test_filters_of_the_queue(
    sign_in: SignIn, worker: Any, query: dict[str, str], count: int
) -> None:
    intake = sign_in("intake")
    put(worker, uuid4())
    put(worker, rejected := uuid4(), category="02001")
    put(worker, accepted := uuid4(), lon=EAST[0], lat=EAST[1])
    act(intake, rejected, "reject", reason="duplicate")
    act(intake, accepted, "accept")

    page = intake.get("/api/incidents", query_string=query).json

    assert (len(page["items"]), page["total"]) == (count, count)


@pytest.mark.parametrize(
    "query", [{"after": "garbage"}, {"status": "nope"}, {"risk": "x"}, {"limit": "many"},
              {"from": "yesterday"}, {"after": "bnVsbA"}, {"stage": "S9"}]
)  # fmt: skip
def test_a_bad_filter_is_422(sign_in: SignIn, query: dict[str, str]) -> None:
    assert sign_in("intake").get("/api/incidents", query_string=query).status_code == 422


def test_the_number_of_statements_does_not_grow_with_the_page(
    worker: Any, sign_in: SignIn, count_queries: Callable[[], int]
) -> None:
    leader = sign_in("shift_leader")
    put(worker)
    count_queries()
    leader.get("/api/incidents")
    with_one = count_queries()
    for _ in range(10):
        put(worker)
    count_queries()

    leader.get("/api/incidents")

    assert count_queries() == with_one


def test_a_likely_duplicate_is_hinted_at_with_its_distance(worker: Any) -> None:
    put(worker, near := uuid4(), lon=WEST[0] + 0.0002)
    put(worker, uuid4(), lon=WEST[0] + 0.0008)
    put(worker, uuid4(), category="02001")

    found = worker.get(
        "/api/incidents/nearby",
        query_string={"lon": WEST[0], "lat": WEST[1], "category": MATTER},
    ).json["items"]

    assert [row["id"] for row in found] == [str(near)]
    assert found[0]["distance_m"] == pytest.approx(19.5, abs=0.5)


def test_daily_counts_end_today_and_name_empty_days(worker: Any) -> None:
    put(worker)

    days = worker.get("/api/incidents/daily", query_string={"days": 7}).json

    assert [day["count"] for day in days] == [0] * 6 + [1]


# --- Photos ---------------------------------------------------------------------------------


def camera_photo() -> bytes:
    """Draw a photo on its side with everything a phone writes into it."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "Secretphone"
    details = exif.get_ifd(ExifTags.IFD.Exif)
    details[ExifTags.Base.DateTimeOriginal] = "2026:03:04 12:00:00"
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = "N", (29.0, 18.0, 0.0)
    gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = "E", (120.0, 3.0, 0.0)
    out = io.BytesIO()
    picture = Image.new("RGB", (2000, 1000), "blue")
    picture.save(out, "JPEG", exif=exif, comment=b"private", xmp=b"<x:xmpmeta>private</x:xmpmeta>")
    return out.getvalue()


def test_copies_of_a_photo_carry_nothing_but_pixels(worker: Any, session: Session) -> None:
    data = camera_photo()
    sent = upload(worker, data)
    put(worker, case := uuid4(), photos=[sent.json["sha256"]])

    photo = worker.get(f"/api/incidents/{case}").json["photos"][0]

    assert (sent.status_code, sent.json["width"], sent.json["height"]) == (201, 1000, 2000)
    for url, size in ((photo["url"], (800, 1600)), (photo["thumb"], (160, 320))):
        answer = worker.get(url)
        copy = Image.open(io.BytesIO(answer.data))
        assert (answer.status_code, answer.mimetype, copy.size) == (200, "image/jpeg", size)
        assert not copy.getexif()
        assert set(copy.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density",
                                  "progressive", "progression"}  # fmt: skip
        assert b"private" not in answer.data
        assert b"Secretphone" not in answer.data
    row = session.get_one(Blob, sent.json["sha256"])
    assert row.taken_at is not None
    assert row.taken_at.isoformat() == "2026-03-04T04:00:00+00:00"
    assert session.scalar(select(func.ST_X(Blob.taken_geom))) == pytest.approx(120.05)


def test_a_photo_is_seen_only_where_its_case_is(worker: Any, sign_in: SignIn) -> None:
    sent = upload(worker, photo_bytes("teal"))
    put(worker, case := uuid4(), photos=[sent.json["sha256"]])
    url = worker.get(f"/api/incidents/{case}").json["photos"][0]["url"]

    assert sign_in("intake").get(url).status_code == 200
    assert sign_in("intake", area="339901002").get(url).status_code == 404
    assert sign_in("intake").get(f"/blobs/{sent.json['sha256']}").status_code == 404
    stranger = worker.application.test_client()
    assert stranger.get(url, headers={"Accept": "application/json"}).status_code == 401


def test_the_same_photo_twice_in_a_report_is_two_attachments_of_one_file(
    worker: Any, session: Session
) -> None:
    sha256 = upload(worker, photo_bytes("olive")).json["sha256"]
    upload(worker, photo_bytes("olive"))

    put(worker, case := uuid4(), photos=[sha256, sha256])
    put(worker, photos=[sha256])

    assert len(worker.get(f"/api/incidents/{case}").json["photos"]) == 2
    assert counts(session)[2] == 3


def bomb() -> bytes:
    out = io.BytesIO()
    Image.new("1", (15_000, 15_000)).save(out, "PNG")
    return out.getvalue()


BAD_PHOTOS: dict[str, tuple[Callable[[], bytes], int, str]] = {
    "30 MB": (lambda: b"\xff\xd8\xff" + bytes(30 * 1024 * 1024), 413, "blob.too_large"),
    "16 MB": (lambda: b"\xff\xd8\xff" + bytes(16 * 1024 * 1024), 413, "blob.too_large"),
    "too many pixels": (bomb, 422, "blob.too_large"),
    "cut off": (lambda: photo_bytes("red", (900, 900))[:2000], 422, "blob.not_a_photo"),
    "web page": (lambda: b"<script>alert(1)</script>", 422, "blob.not_a_photo"),
    "svg": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "blob.not_a_photo"),
    "gif": (lambda: b"GIF89a" + bytes(100), 422, "blob.not_a_photo"),
    "only the first bytes": (lambda: b"\xff\xd8\xff\xe0", 422, "blob.not_a_photo"),
    "empty": (lambda: b"", 422, "blob.not_a_photo"),
}


@pytest.mark.parametrize("name", BAD_PHOTOS)
def test_what_is_no_photo_is_refused_clearly(worker: Any, session: Session, name: str) -> None:
    make, status, code = BAD_PHOTOS[name]

    answer = upload(worker, make())

    problem = json.loads(answer.data)
    assert (answer.status_code, problem["code"]) == (status, code)
    assert "%(" not in problem["detail"]
    assert session.scalar(select(func.count()).select_from(Blob)) == 0


def test_a_photo_that_is_also_a_page_loses_the_page(worker: Any, session: Session) -> None:
    polyglot = photo_bytes("navy") + b"<html><script>alert(1)</script></html>"
    sha256 = upload(worker, polyglot).json["sha256"]

    public = session.get_one(Blob, sha256).public_sha256

    assert b"script" not in worker.get(f"/blobs/{public}").data


def test_a_photo_that_arrived_changed_is_refused(worker: Any) -> None:
    answer = worker.put("/api/blobs/" + "0" * 64, data=photo_bytes())

    assert (answer.status_code, json.loads(answer.data)["code"]) == (422, "blob.wrong_hash")


def test_the_original_is_kept_as_it_came(worker: Any, settings: Any) -> None:
    data = camera_photo()

    sha256 = upload(worker, data).json["sha256"]

    assert Store(settings.blob_dir).read("original", sha256) == data
