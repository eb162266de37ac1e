"""Cases of other systems through the door: once each, every fault named, told how far they are."""

from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text

from grids.channels import systems
from grids.channels.models import SystemCase
from grids.channels.systems import NewSystem
from grids.incidents import service
from grids.incidents.models import Incident
from grids.incidents.requests import MoveRequest
from tests.support.cases import WEST, build_city, make_staff, photo_bytes

CASES = "/api/channels/12345/cases"


def now():
    return datetime.now(UTC)


def add_system(session, code, **more):
    wanted = NewSystem(code, "市民热线", "Citizens' line", **{"category": "03001", **more})
    return systems.register(session, wanted, now=now())


@pytest.fixture
def token(session):
    build_city(session)
    return add_system(session, "12345", kind="transfer")


@pytest.fixture
def send(app, token):
    def ask(body, *, key=token, path=CASES, lang="zh", method="POST"):
        headers = {"Authorization": f"Bearer {key}", "Accept-Language": lang}
        return app.test_client().open(path, method=method, json=body, headers=headers)

    return ask


def body(**more):
    fields = {"id": "A-2030/7", "text": "垃圾满溢", "lon": WEST[0], "lat": WEST[1]}
    return {**fields, **more}


def test_a_case_is_taken_once_and_the_receipt_is_the_same_whenever_it_is_sent(session, send):
    first = send(body(contact={"name": "来电人", "phone": "13800000001"}))
    again = send(body(contact={"name": "来电人", "phone": "13800000001"}, urgency=None))

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json
    assert {"number", "public_number", "receipt", "acknowledge_until"} <= first.json.keys()
    case = session.get_one(Incident, first.json["id"])
    assert (case.channel, case.status, case.number) == (
        "system", "pending_accept", first.json["number"],
    )  # fmt: skip
    assert session.scalar(select(func.count()).select_from(SystemCase)) == 1
    sealed = session.execute(text("SELECT phone_sealed FROM incident_reporter")).scalars().all()
    assert len(sealed) == 1


def test_the_number_again_with_another_body_is_a_conflict_with_our_copy(session, send):
    first = send(body())
    other = send(body(text="路灯不亮"))

    assert (other.status_code, other.json["code"]) == (409, "incident.other_body")
    assert other.json["server"]["number"] == first.json["number"]
    assert session.get_one(Incident, first.json["id"]).text == "垃圾满溢"


def test_a_case_that_was_voided_is_gone(session, send):
    made = send(body())
    session.execute(text("UPDATE incident SET status = 'void'"))

    assert send(body()).status_code == 410
    assert made.status_code == 201


def test_every_fault_is_named_at_its_field_in_both_languages(session, send):
    answer = send(
        {
            "text": 5, "lon": "east", "urgency": "Z", "reported_at": "yesterday", "colour": "red",
            "photos": ["x"], "contact": {"mail": "a"}, "address": "路" * 201,
        },
        lang="en",
    )  # fmt: skip

    assert (answer.status_code, answer.json["code"]) == (422, "channel.bad_case")
    found = {one["field"]: one for one in answer.json["errors"]}
    assert found.keys() == {
        "id", "text", "lon", "lat", "urgency", "reported_at", "colour", "photos", "contact",
        "address",
    }  # fmt: skip
    assert found["id"]["messages"] == {"zh": "此项必填。", "en": "This is needed."}
    assert found["urgency"]["message"] == "This has to be one of: A, B, C, D."
    assert session.scalar(select(func.count()).select_from(Incident)) == 0


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"lon": WEST[1], "lat": WEST[0]}, "lon", "gis.swapped"),
        ({"lon": 10.0, "lat": 50.0}, "lon", "gis.out_of_range"),
        ({"lon": 120.05, "lat": 29.38}, "lon", "incident.outside_city"),
        ({"lon": None, "lat": None, "address": "无此路 1 号"}, "address", "channel.unknown_place"),
        ({"lon": None, "lat": None}, "address", "channel.no_place"),
        ({"category": "99999"}, "category", "incident.unknown_category"),
        ({"photos": ["0" * 64]}, "photos", "incident.unknown_photo"),
        ({"reported_at": "2999-01-01T00:00:00+08:00"}, "reported_at", "channel.ahead"),
        ({"text": "\0"}, "text", "channel.not_text"),
    ],
)
def test_what_the_domain_refuses_is_named_at_the_sender_s_field(send, change, field, code):
    answer = send(body(**change))

    assert answer.status_code == 422
    assert [(one["field"], one["code"]) for one in answer.json["errors"]] == [(field, code)]
    assert all(answer.json["errors"][0]["messages"].values())


def test_a_system_s_word_for_a_category_is_ours(session, send):
    systems.map_categories(
        session, "12345", {"环卫/垃圾": "matter:03002", "井盖": "component:01001"}
    )

    made = send(body(category="井盖"))

    case = session.get_one(Incident, made.json["id"])
    kind = session.execute(
        text("SELECT kind FROM category WHERE id = :id"), {"id": case.category_id}
    ).scalar_one()
    assert (case.category_code, kind) == ("01001", "component")
    with pytest.raises(systems.BadMapping):
        systems.map_categories(session, "12345", {"x": "matter:99999"})


def test_a_place_by_its_words(session, send):
    made = send(body(lon=None, lat=None, address="1社区门口"))

    case = session.get_one(Incident, made.json["id"])
    assert (made.status_code, case.coord_source, case.area_code[:12]) == (
        201, "derived", "339901001001",
    )  # fmt: skip


def test_a_photo_is_stored_first_and_named_then(app, session, send, token):
    data = photo_bytes()
    name = sha256(data).hexdigest()
    stored = app.test_client().put(
        f"/api/channels/12345/blobs/{name}", data=data, headers={"Authorization": f"Bearer {token}"}
    )
    made = send(body(text="", photos=[name]))

    assert (stored.status_code, made.status_code) == (201, 201)
    kept = session.execute(text("SELECT sha256, part FROM attachment")).all()
    assert [tuple(row) for row in kept] == [(name, "before")]


def test_how_far_a_case_is_is_told_under_the_sender_s_number(session, send):
    made = send(body())
    before = send(None, path=f"{CASES}/A-2030/7", method="GET").json
    intake = make_staff(session)["intake"]
    wanted = MoveRequest(id=uuid4(), action="accept")
    service.move(session, UUID(made.json["id"]), wanted, intake, now=now())
    after = send(None, path=f"{CASES}/A-2030/7", method="GET").json

    assert (before["state"], before["acknowledgement"]) == ("received", "waiting")
    assert (after["acknowledgement"], bool(after["acknowledged_at"])) == ("acknowledged", True)
    assert after["receipt"] == made.json["receipt"]
    assert send(None, path=f"{CASES}/B", method="GET").json["code"] == "channel.no_case"


def test_a_token_speaks_for_one_system_only(app, session, send, token, sign_in):
    other = add_system(session, "urban")
    made = send(body())

    assert send(body(), key=other).status_code == 404
    assert send(None, key=other, path=f"{CASES}/A-2030/7", method="GET").status_code == 404
    assert send(body(), key=other, path="/api/channels/urban/cases").status_code == 201
    ask = app.test_client().get("/api/incidents", headers={"Authorization": f"Bearer {token}"})
    assert (made.status_code, ask.status_code) == (201, 403)
    assert sign_in("intake").post(CASES, json=body()).status_code == 403


def test_a_new_token_ends_the_one_before_and_a_system_that_is_off_is_not_heard(session, send):
    newer = add_system(session, "12345", kind="transfer")

    assert send(body()).status_code == 401
    assert send(body(), key=newer).status_code == 201
    systems.switch_off(session, "12345", now=now())
    assert send(body(id="B"), key=newer).status_code == 401


@pytest.mark.parametrize("wrong", [{"code": "a b"}, {"name_en": ""}, {"kind": "x"}, {"ack_s": 1}])
def test_a_system_that_is_not_said_whole_is_refused(session, token, wrong):
    fields = {"code": "x", "name_zh": "某", "name_en": "X", **wrong}
    with pytest.raises(systems.BadSystem):
        systems.register(session, NewSystem(**fields), now=now())


@pytest.mark.parametrize("raw", [b"", b"[]", b"nul", b'{"id": NaN}', b"[" * 100_000])
def test_a_body_that_is_no_object_is_refused(app, token, raw):
    answer = app.test_client().post(CASES, data=raw, headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 422
