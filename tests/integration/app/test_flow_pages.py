"""The pages of disputes and hazards: plain forms, scope on every address, idempotency."""

import re
from datetime import UTC, datetime
from io import BytesIO
from uuid import uuid4

import pytest
from sqlalchemy import text
from werkzeug.datastructures import MultiDict

from tests.support.cases import WEST_GRID, build_city, photo_bytes
from tests.support.flows import EAST_TOWN, WEST_TOWN, make_premises

ITEMS = [f"S{n:02d}" for n in range(1, 29)]


AREAS = {
    "worker": WEST_GRID, "grid_leader": f"{WEST_TOWN}001", "town_seat": WEST_TOWN,
    "mediator": WEST_TOWN, "commander": "339901",
}  # fmt: skip


class People(dict):
    """Who is signed in, each when first asked for: a password takes its time."""

    def __init__(self, sign_in):
        self.sign_in = sign_in

    def __missing__(self, who):
        role, area = ("town_seat", EAST_TOWN) if who == "east" else (who, AREAS[who])
        self[who] = self.sign_in(role, area=area)
        return self[who]


@pytest.fixture
def people(session, sign_in):
    build_city(session)
    found = People(sign_in)
    assert found["mediator"]  # somebody has to be there to be named
    return found


def upload(client, path, photos=(), **fields):
    data = MultiDict({name: str(value) for name, value in fields.items()})
    for name, body in photos:
        data.add(name, (BytesIO(body), "photo.jpg"))
    return client.post(path, data=data, content_type="multipart/form-data")


def registered(people, **more):
    fields = {
        "id": uuid4(), "area": WEST_GRID, "kind": "02", "text": "楼道堆物",
        "side_1": "applicant", "name_1": "甲方某人", "phone_1": "13800138000",
        "side_2": "respondent", "name_2": "乙方某人", **more,
    }  # fmt: skip
    answer = upload(people["worker"], "/disputes", **fields)
    assert answer.status_code == 303, answer.text
    return answer.location.split("?")[0]


def test_a_dispute_is_registered_and_mediated_by_plain_forms(people, session) -> None:
    path = registered(people)
    seat = people["town_seat"].get(path).text
    (mediator,) = re.findall(r'name="mediator" value="(\d+)"', seat)
    moves = f"{path}/moves"

    answers = [
        upload(people["town_seat"], moves, id=uuid4(), action="assign", mediator=mediator),
        upload(people["mediator"], moves, id=uuid4(), action="contact", note="已联系双方"),
        upload(people["mediator"], moves, id=uuid4(), action="agree", agreement="清理楼道",
               terms=f"{datetime.now(UTC).year + 1}-01-15 清理完毕",
               photos=[("photos", photo_bytes())]),
    ]  # fmt: skip

    assert [answer.status_code for answer in answers] == [303] * 3
    page = people["mediator"].get(answers[-1].location).text
    assert "清理完毕" in page
    assert session.scalar(text("SELECT status FROM dispute")) == "agreed"
    assert people["mediator"].get(f"{path}/file").status_code == 200


def test_the_list_says_how_many_take_part_and_never_who(people) -> None:
    registered(people)

    pages = [people[who].get("/disputes?show=open").text for who in ("worker", "town_seat")]

    assert all("2 方当事人" in page for page in pages)
    assert [word for page in pages for word in ("甲方", "乙方", "138001") if word in page] == []


def test_parties_need_a_fresh_proof_and_are_told_for_a_purpose(people, session) -> None:
    path = registered(people)
    seat = people["town_seat"]

    shown = seat.post(f"{path}/parties", data={"purpose": "mediate"})
    session.execute(text("UPDATE sign_in_session SET confirmed_at = now() - interval '1 hour'"))
    stale = seat.post(f"{path}/parties", data={"purpose": "mediate"})

    assert "甲方某人" in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert stale.status_code in (303, 401)
    assert people["worker"].post(f"{path}/parties", data={"purpose": "x"}).status_code == 403


def test_nothing_of_a_dispute_reaches_another_town(people, session) -> None:
    path = registered(people, photos=[("photos", photo_bytes())])
    sha = session.scalar(text("SELECT public_sha256 FROM dispute_photo"))
    east = people["east"]

    codes = {
        address: east.get(address).status_code
        for address in (path, f"{path}/file", f"/disputes/photos/{sha}")
    }

    assert set(codes.values()) == {404}
    assert path not in east.get("/disputes?show=open").text
    assert (
        upload(east, f"{path}/moves", id=uuid4(), action="decline", reason="duplicate").status_code
        == 404
    )
    assert people["worker"].get(f"/disputes/photos/{sha}").status_code == 200
    assert east.get(f"/blobs/{sha}").status_code == 404


def test_a_registration_sent_twice_is_one_and_a_bad_one_keeps_what_was_typed(
    people, session
) -> None:
    key = uuid4()
    first, again = registered(people, id=key), registered(people, id=key)
    bad = upload(people["worker"], "/disputes", id=uuid4(), area=WEST_GRID, kind="02",
                 text="噪音", side_1="applicant", name_1="甲方某人")  # fmt: skip

    assert first == again
    assert session.scalar(text("SELECT count(*) FROM dispute")) == 1
    assert bad.status_code == 422
    assert re.search(r'id="new-parties-error" role="alert">[^<]+<', bad.text)
    assert "噪音" in bad.text


@pytest.mark.parametrize("path", ["/disputes", "/disputes/new", "/hazards", "/hazards/new"])
def test_strangers_sign_in_first(client, people, path) -> None:
    assert client.get(path).status_code == 302


def test_figures_are_for_those_who_may_count(people) -> None:
    assert people["commander"].get("/disputes/counts").status_code == 200
    assert people["commander"].get("/disputes").status_code == 403
    assert people["worker"].get("/disputes/counts").status_code == 403


# -- hazards


def reported(people, **more):
    fields = {"id": uuid4(), "severity": "general", "text": "通道堵塞", "lon": 120.05,
              "lat": 29.30, **more}  # fmt: skip
    answer = upload(people["worker"], "/hazards", photos=[("photos", photo_bytes())], **fields)
    assert answer.status_code == 303, answer.text
    return answer.location.split("?")[0]


def test_a_hazard_is_ordered_put_right_and_closed_by_plain_forms(people, session) -> None:
    path = reported(people)
    moves = f"{path}/moves"

    answers = [
        upload(people["town_seat"], moves, id=uuid4(), action="order", term="7", measures="清理"),
        upload(people["worker"], moves, id=uuid4(), action="rectify", note="已清理",
               photos=[("photos", photo_bytes("green"))]),
        upload(people["worker"], moves, id=uuid4(), action="recheck_ok",
               photos=[("photos", photo_bytes("blue"))]),
        upload(people["grid_leader"], moves, id=uuid4(), action="recheck_ok",
               photos=[("photos", photo_bytes("blue"))]),
    ]  # fmt: skip

    assert [answer.status_code for answer in answers] == [303, 303, 422, 303]
    assert session.scalar(text("SELECT status FROM hazard")) == "closed"
    number = session.scalar(text("SELECT notice_no FROM hazard"))
    assert number in people["worker"].get(f"{path}/notice").text


def test_nothing_of_a_hazard_reaches_another_town_or_department(people, session, sign_in) -> None:
    path = reported(people)
    sha = session.scalar(text("SELECT thumb_sha256 FROM hazard_photo"))
    fire, other = sign_in("handler", department="D09"), sign_in("handler", department="D01")
    upload(people["town_seat"], f"{path}/moves", id=uuid4(), action="order", term="7",
           measures="清理")  # fmt: skip
    before = fire.get(path).status_code
    upload(people["town_seat"], f"{path}/moves", id=uuid4(), action="escalate", reason="danger",
           department="D09")  # fmt: skip

    outside = [
        who.get(address).status_code
        for who in (people["east"], other)
        for address in (path, f"{path}/notice", f"/hazards/photos/{sha}")
    ]

    assert (before, fire.get(path).status_code) == (404, 200)
    assert set(outside) == {404}
    assert all(path not in who.get("/hazards?show=open").text for who in (people["east"], other))


def test_an_inspection_is_one_form_of_items_with_photos(people, session) -> None:
    premises = make_premises(session)
    page = people["worker"].get(f"/hazards/inspect?premises={premises}").text
    (key,) = re.findall(r'name="id" value="([^"]+)"', page)
    fields = {"id": key, "premises": premises, **{f"answer_{code}": "ok" for code in ITEMS},
              "answer_S12": "failed", "note_S12": "后门上锁"}  # fmt: skip

    without = upload(people["worker"], "/hazards/inspections", **fields)
    done = upload(people["worker"], "/hazards/inspections",
                  photos=[("photo_S12", photo_bytes())], **fields)  # fmt: skip

    assert (without.status_code, done.status_code) == (422, 303)
    assert 'id="item-S12" data-invalid' in without.text
    row = session.execute(text("SELECT item, severity, text FROM hazard")).one()
    assert (row.item, row.severity) == ("S12", "major")
    assert "后门上锁" in row.text
    assert people["worker"].get(done.location).status_code == 200


def test_the_number_of_statements_does_not_grow_with_the_rows(people, count_queries) -> None:
    for make, path in ((reported, "/hazards?show=open"), (registered, "/disputes?show=open")):
        make(people)
        people["town_seat"].get(path)
        count_queries()
        people["town_seat"].get(path)
        few = count_queries()
        for _ in range(4):
            make(people)
        count_queries()
        people["town_seat"].get(path)
        assert count_queries() == few
