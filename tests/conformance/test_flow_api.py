"""The API of disputes and hazards: ids, conflicts, scope, and no party's name in any list."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.support.cases import WEST, WEST_GRID, build_city, photo_bytes
from tests.support.flows import EAST_TOWN, WEST_TOWN, make_premises

SignIn = Callable[..., Any]
NAMES = ("甲方某人", "乙方某人", "13800138000")
PURPOSE = "dispute.purpose_needed"
PARTIES = [
    {"side": "applicant", "name": NAMES[0], "phone": NAMES[2]},
    {"side": "respondent", "name": NAMES[1]},
]


@pytest.fixture(autouse=True)
def city(session: Session) -> None:
    build_city(session)


@pytest.fixture
def worker(sign_in: SignIn) -> Any:
    return sign_in("worker", area=WEST_GRID)


@pytest.fixture
def seat(sign_in: SignIn) -> Any:
    return sign_in("town_seat", area=WEST_TOWN)


@pytest.fixture
def mediator(sign_in: SignIn) -> Any:
    return sign_in("mediator", area=WEST_TOWN)


def dispute(**more: Any) -> dict[str, Any]:
    values = {"area": WEST_GRID, "kind": "02", "text": "楼道堆物", **more}
    return {"values": values, "parties": PARTIES}


def photo(client: Any) -> str:
    data = photo_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    assert client.put(f"/api/blobs/{sha256}", data=data).status_code == 201
    return sha256


def hazard(client: Any, **more: Any) -> dict[str, Any]:
    values = {"severity": "general", "text": "通道堵塞", **more}
    return {"values": values, "photos": [photo(client)], "lon": WEST[0], "lat": WEST[1]}


def step(client: Any, kind: str, key: object, action: str, **more: Any) -> Any:
    sent = {"id": str(uuid4()), "action": action, **more}
    return client.post(f"/api/{kind}/{key}/moves", json=sent)


def test_a_dispute_goes_through_its_steps_and_lists_name_nobody(
    worker: Any, mediator: Any, session: Session
) -> None:
    key = uuid4()
    made = worker.put(f"/api/disputes/{key}", json=dispute())
    taken = step(mediator, "disputes", key, "take")
    step(mediator, "disputes", key, "contact", values={"note": "已联系"})
    due = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    agreed = step(mediator, "disputes", key, "agree",
                  values={"agreement": "清理楼道", "terms": f"{due} 清理"})  # fmt: skip

    assert (made.status_code, made.json["id"]) == (201, str(key))
    assert taken.json["status"] == "assigned"
    assert (agreed.status_code, agreed.json["status"]) == (201, "agreed")
    shown = [mediator.get("/api/disputes").text, mediator.get(f"/api/disputes/{key}").text]
    assert not any(name in answer for name in (*NAMES, "清理") for answer in shown)
    (line,) = json.loads(shown[0])["items"]
    assert (line["party_count"], line["status"], line["kind"]) == (2, "agreed", "02")
    assert "text" not in line
    assert {one["action"] for one in json.loads(shown[1])["steps"]} >= {"perform", "revisit_ok"}


def test_parties_are_named_for_a_purpose_and_the_look_is_kept(
    worker: Any, mediator: Any, session: Session
) -> None:
    worker.put(f"/api/disputes/{(key := uuid4())}", json=dispute())
    path = f"/api/disputes/{key}/parties"

    shown = mediator.post(path, json={"purpose": "mediate"})
    nothing = mediator.post(path, json={"purpose": "curiosity"})

    assert [one["name"] for one in shown.json["items"]] == list(NAMES[:2])
    assert (nothing.status_code, nothing.json["code"]) == (403, PURPOSE)
    looks = "SELECT count(*) FROM audit_event WHERE action = 'dispute_parties_revealed'"
    assert session.scalar(text(looks)) == 1
    assert worker.post(path, json={"purpose": "mediate"}).status_code == 403


def test_the_same_id_is_the_same_record_and_other_content_a_conflict(
    worker: Any, seat: Any, session: Session
) -> None:
    first = worker.put(f"/api/disputes/{(key := uuid4())}", json=dispute())
    again = worker.put(f"/api/disputes/{key}", json=dispute())
    other = worker.put(f"/api/disputes/{key}", json=dispute(text="别的内容"))
    strange = seat.put(f"/api/disputes/{key}", json=dispute())
    body = hazard(worker)
    one = worker.put(f"/api/hazards/{(place := uuid4())}", json=body)
    two = worker.put(f"/api/hazards/{place}", json=body)

    assert (again.status_code, again.json) == (200, first.json)
    assert (other.status_code, other.json["code"]) == (409, "flow.other_content")
    assert other.json["server"]["number"] == first.json["number"]
    assert strange.status_code == 409
    assert "server" not in strange.json, "an id tells nothing of somebody else's record"
    assert (one.status_code, two.status_code, two.json) == (201, 200, one.json)
    assert session.scalar(text("SELECT count(*) FROM dispute")) == 1
    assert session.scalar(text("SELECT count(*) FROM hazard")) == 1


def test_a_step_that_is_not_possible_shows_what_holds(worker: Any, seat: Any) -> None:
    worker.put(f"/api/hazards/{(key := uuid4())}", json=hazard(worker))
    sent = {"id": str(uuid4()), "action": "order", "values": {"term": "7", "measures": "清理"}}
    first = seat.post(f"/api/hazards/{key}/moves", json=sent)
    again = seat.post(f"/api/hazards/{key}/moves", json=sent)
    late = step(seat, "hazards", key, "order", values={"term": "15", "measures": "清理"})

    assert (first.status_code, again.status_code, again.json) == (201, 200, first.json)
    assert (late.status_code, late.json["code"]) == (409, "flow.forbidden_step")
    assert (late.json["server"]["status"], late.json["server"]["seq"]) == ("ordered", 2)


def test_another_town_finds_nothing_and_changes_nothing(sign_in: SignIn, worker: Any) -> None:
    worker.put(f"/api/disputes/{(quarrel := uuid4())}", json=dispute())
    worker.put(f"/api/hazards/{(danger := uuid4())}", json=hazard(worker))
    east = sign_in("town_seat", area=EAST_TOWN)
    fire = sign_in("handler", area="339901", department="D09")

    for client in (east, fire):
        assert client.get("/api/hazards?show=").json["total"] == 0
        assert client.get(f"/api/hazards/{danger}").status_code == 404
    assert east.get("/api/disputes?show=").json["total"] == 0
    assert east.get(f"/api/disputes/{quarrel}").status_code == 404
    assert (
        step(east, "disputes", quarrel, "decline", values={"reason": "in_court"}).status_code == 404
    )
    assert fire.get("/api/disputes").status_code == 403


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("show=mine", 422),
        ("limit=x", 422),
        ("after=zzz", 422),
        ("show=done", 200),
        ("limit=0", 200),
    ],
)
def test_filters_of_a_list(seat: Any, query: str, status: int) -> None:
    assert seat.get(f"/api/disputes?{query}").status_code == status


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"parties": [{"side": "judge", "name": "某人"}]},
        {"parties": PARTIES, "values": {"kind": 2}},
        {"parties": PARTIES, "values": {"kind": "99", "area": WEST_GRID, "text": "x"}},
        {"parties": PARTIES, "more": 1},
    ],
)
def test_what_is_no_dispute_is_refused_and_stores_nothing(
    worker: Any, session: Session, body: dict[str, Any]
) -> None:
    answer = worker.put(f"/api/disputes/{uuid4()}", json=body)

    assert answer.status_code in (400, 422), answer.text
    assert session.scalar(text("SELECT count(*) FROM dispute")) == 0


def test_a_visit_scores_and_opens_hazards_once(worker: Any, session: Session) -> None:
    premises = str(make_premises(session, "market"))
    items = [one["code"] for one in worker.get("/api/checklists").json["market"]]
    body = {
        "premises": premises, "answers": {**dict.fromkeys(items, "ok"), items[1]: "failed"},
        "photos": {items[1]: photo(worker)},
    }  # fmt: skip

    first = worker.put(f"/api/inspections/{(key := uuid4())}", json=body)
    again = worker.put(f"/api/inspections/{key}", json=body)

    assert (first.status_code, again.status_code, again.json) == (201, 200, first.json)
    assert (first.json["score"], first.json["level"]) == (80, "yellow")
    (hazard_id,) = first.json["hazards"]
    assert worker.get(f"/api/hazards/{hazard_id}").json["item"] == items[1]
    assert date.fromisoformat(worker.get(f"/api/hazards/{hazard_id}").json["opened_at"][:10])


def test_the_description_knows_the_bodies(worker: Any) -> None:
    told = worker.get("/api/openapi.json").json

    put = told["paths"]["/api/disputes/{dispute_id}"]["put"]
    assert put["x-permission"] == "dispute:register"
    schema = put["requestBody"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/RegisterBody"}
    assert told["paths"]["/api/disputes/{dispute_id}/parties"]["post"]["x-step-up"] is True
    assert {"show", "risk", "q", "after", "limit"} <= {
        one["name"] for one in told["paths"]["/api/hazards"]["get"]["parameters"]
    }
