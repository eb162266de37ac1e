"""The desk's API: queue, counts, claims, duplicates, suggestions, bulk, kept things, search."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from grids.accounts import Shift
from grids.desk import bulk, claims, kept
from tests.support import cases
from tests.support.cases import EAST, MATTER, WEST

WEST_TOWN, EAST_TOWN = "339901001", "339901002"
SignIn = Callable[..., Any]


@pytest.fixture
def desk(session: Session) -> cases.Desk:
    """Everybody who works on cases of a small city, today."""
    cases.build_city(session)
    return cases.Desk(session, cases.make_staff(session), now=datetime.now(UTC))


def rows(client: FlaskClient, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"/api/desk/queue{query}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["items"]
    return found


def counts(client: FlaskClient, facet: str, query: str = "") -> dict[str, int]:
    body = client.get(f"/api/desk/facets{query}").get_json()
    return {one["value"]: one["count"] for one in body["facets"][facet]}


def submit(desk: cases.Desk, place: tuple[float, float] = WEST, **more: Any) -> UUID:
    return desk.submit(lon=place[0], lat=place[1], **more)


# The queue


def test_the_queue_holds_open_cases_and_says_who_works_on_them(
    desk: cases.Desk, sign_in: SignIn
) -> None:
    mine, free = submit(desk), submit(desk)
    over = submit(desk)
    desk.move(over, "reject", "intake", reason="outside_scope")
    dispatcher = sign_in("dispatcher")
    dispatcher.put(f"/api/desk/claims/{mine}")

    found = {row["id"]: row["claim"] for row in rows(dispatcher)}

    assert found.keys() == {str(mine), str(free)}
    assert found[str(mine)]["mine"] is True
    assert found[str(free)] is None


def test_pages_join_without_a_gap_in_both_orders(desk: cases.Desk, sign_in: SignIn) -> None:
    made = {str(submit(desk)) for _ in range(7)}
    dispatcher = sign_in("dispatcher")

    for sort in ("risk", "new"):
        seen: list[str] = []
        place = ""
        while place is not None:
            body = dispatcher.get(f"/api/desk/queue?limit=3&sort={sort}&after={place}").get_json()
            seen += [row["id"] for row in body["items"]]
            place = body["next"]
        assert sorted(seen) == sorted(made)


def test_a_place_of_one_order_is_refused_in_the_other(desk: cases.Desk, sign_in: SignIn) -> None:
    for _ in range(2):
        submit(desk)
    dispatcher = sign_in("dispatcher")
    place = dispatcher.get("/api/desk/queue?limit=1&sort=new").get_json()["next"]

    answer = dispatcher.get(f"/api/desk/queue?limit=1&sort=risk&after={place}")

    assert (answer.status_code, answer.get_json()["code"]) == (422, "incident.bad_cursor")


def test_a_facet_is_counted_without_its_own_choice(desk: cases.Desk, sign_in: SignIn) -> None:
    submit(desk, place=WEST)
    submit(desk, place=EAST)
    accepted = submit(desk, place=EAST)
    desk.move(accepted, "accept", "intake")
    dispatcher = sign_in("dispatcher")

    towns = counts(dispatcher, "town", f"?area={WEST_TOWN}")
    states = counts(dispatcher, "status", f"?area={EAST_TOWN}")
    total = dispatcher.get(f"/api/desk/facets?area={EAST_TOWN}&status=pending_file").get_json()

    assert towns == {WEST_TOWN: 1, EAST_TOWN: 2}
    assert states == {"pending_accept": 1, "pending_file": 1}
    assert (total["total"], total["is_exact"]) == (1, True)


def test_a_town_sees_and_counts_its_own_cases_only(desk: cases.Desk, sign_in: SignIn) -> None:
    west = submit(desk, place=WEST)
    submit(desk, place=EAST)
    town = sign_in("town_seat", area=WEST_TOWN)

    assert [row["id"] for row in rows(town)] == [str(west)]
    assert counts(town, "town") == {WEST_TOWN: 1}


def test_short_chinese_words_are_found_in_text_and_address(
    desk: cases.Desk, sign_in: SignIn
) -> None:
    found = submit(desk, text="滨江公园门口路灯不亮", address="江滨路88号")
    submit(desk, text="垃圾没有清运", address="灯塔路3号")
    dispatcher = sign_in("dispatcher")

    for words in ("路灯", "门口路灯", "江滨", "88"):
        assert [row["id"] for row in rows(dispatcher, f"?q={words}")] == [str(found)], words
    assert rows(dispatcher, "?q=灯路") == []


# Claims


def test_of_two_one_claims_and_the_other_is_told_who(desk: cases.Desk, sign_in: SignIn) -> None:
    case = submit(desk)
    first, second = sign_in("dispatcher"), sign_in("shift_leader")

    taken = first.put(f"/api/desk/claims/{case}")
    refused = second.put(f"/api/desk/claims/{case}")

    assert taken.get_json()["mine"] is True
    assert (refused.status_code, refused.get_json()["code"]) == (409, "desk.claimed")
    assert refused.get_json()["server"]["name"] == taken.get_json()["name"]


def test_a_claim_ends_by_itself_and_is_free_for_others(
    desk: cases.Desk, session: Session, sign_in: SignIn
) -> None:
    case = submit(desk)
    first, second = sign_in("dispatcher"), sign_in("shift_leader")
    first.put(f"/api/desk/claims/{case}")

    session.execute(text("UPDATE desk_claim SET ends_at = now() - interval '1 second'"))

    assert rows(second)[0]["claim"] is None
    assert second.put(f"/api/desk/claims/{case}").status_code == 200
    kept_ids = first.post("/api/desk/claims/renew", json={"ids": [str(case)]}).get_json()["ids"]
    assert kept_ids == []


def test_a_claim_is_let_go_by_its_holder_only(desk: cases.Desk, sign_in: SignIn) -> None:
    case = submit(desk)
    first, second = sign_in("dispatcher"), sign_in("shift_leader")
    first.put(f"/api/desk/claims/{case}")

    second.delete(f"/api/desk/claims/{case}")
    still = rows(second)[0]["claim"]
    first.delete(f"/api/desk/claims/{case}")

    assert still["mine"] is False
    assert rows(second)[0]["claim"] is None


def test_opening_a_case_claims_nothing(desk: cases.Desk, sign_in: SignIn) -> None:
    case = submit(desk)
    dispatcher = sign_in("dispatcher")

    dispatcher.get(f"/api/incidents/{case}")
    dispatcher.get(f"/api/desk/cases/{case}/duplicates")
    dispatcher.get(f"/api/desk/cases/{case}/suggestions")

    assert rows(dispatcher)[0]["claim"] is None


def test_another_towns_case_can_be_neither_claimed_nor_looked_at(
    desk: cases.Desk, sign_in: SignIn
) -> None:
    case = submit(desk, place=EAST)
    town = sign_in("town_seat", area=WEST_TOWN)

    answers = [
        town.put(f"/api/desk/claims/{case}"),
        town.get(f"/api/desk/cases/{case}/duplicates"),
        town.get(f"/api/desk/cases/{case}/suggestions"),
        town.put(f"/api/desk/drafts/{case}", json={"action": "reply", "fields": {}}),
    ]

    assert [answer.get_json()["code"] for answer in answers] == ["incident.none"] * 4


# Duplicates


def beside(place: tuple[float, float], east_m: float) -> tuple[float, float]:
    return place[0] + east_m / 97_100, place[1]  # metres of a degree at 29.3 north


def test_near_cases_are_proposed_and_wider_ones_possible(desk: cases.Desk, sign_in: SignIn) -> None:
    case = submit(desk, place=WEST)
    near = submit(desk, place=beside(WEST, 20))
    wide = submit(desk, place=beside(WEST, 80))
    submit(desk, place=beside(WEST, 150))
    other_class = submit(desk, place=WEST, category="01001")
    dispatcher = sign_in("dispatcher")

    items = dispatcher.get(f"/api/desk/cases/{case}/duplicates").get_json()["items"]

    assert [(one["id"], one["proposed"]) for one in items] == [
        (str(near), True),
        (str(wide), False),
    ]
    assert items[0]["distance_m"] == pytest.approx(20, abs=1)
    assert str(other_class) not in {one["id"] for one in items}


def test_the_same_component_is_proposed_wherever_it_was_drawn(
    desk: cases.Desk, session: Session, sign_in: SignIn
) -> None:
    case, other = submit(desk, place=WEST), submit(desk, place=beside(WEST, 400))
    component = session.scalar(
        text(
            "INSERT INTO component (identifier, code, geom, cell_id, area_code) VALUES"
            " ('33990101001000001', '01001', (SELECT geom FROM incident WHERE id = :id), 1,"
            " '339901001001001') RETURNING id"
        ),
        {"id": case},
    )
    session.execute(
        text("UPDATE incident SET component_id = :component WHERE id IN (:one, :two)"),
        {"component": component, "one": case, "two": other},
    )

    items = sign_in("dispatcher").get(f"/api/desk/cases/{case}/duplicates").get_json()["items"]

    assert [(one["id"], one["same_component"], one["proposed"]) for one in items] == [
        (str(other), True, True)
    ]


# Suggestions


def test_the_grids_worker_stands_first_and_every_reason_is_said(
    desk: cases.Desk, session: Session, sign_in: SignIn
) -> None:
    case = submit(desk, place=WEST)
    leader = desk.staff["grid_leader"].account_id
    now = datetime.now(UTC)
    session.add(Shift(account_id=leader, starts_at=now, ends_at=now + timedelta(hours=8)))
    session.flush()

    body = sign_in("dispatcher").get(f"/api/desk/cases/{case}/suggestions").get_json()

    found = {one["account"]: one for one in body["people"]}
    worker = desk.staff["worker"].account_id
    assert [one["account"] for one in body["people"]][:1] == [worker]
    assert found[worker]["is_grid_owner"] is True
    assert (found[worker]["on_duty"], found[leader]["on_duty"]) == (False, True)
    assert all(one["why"] and all(one["why"]) for one in body["people"])
    assert not any("why." in word for one in body["people"] for word in one["why"])


# Steps for many cases


def test_a_preview_says_what_would_go_and_changes_nothing(
    desk: cases.Desk, session: Session, sign_in: SignIn
) -> None:
    fine, wrong = submit(desk), submit(desk)
    desk.move(wrong, "accept", "intake")
    intake = sign_in("intake")

    body = intake.post(
        "/api/desk/bulk/preview",
        json={"ids": [str(fine), str(wrong), str(uuid4())], "action": "accept", "fields": {}},
    ).get_json()

    assert [one["ok"] for one in body["items"]] == [True, False, False]
    assert [one.get("code") for one in body["items"][1:]] == [
        "incident.forbidden_move", "incident.none",
    ]  # fmt: skip
    assert desk.row(fine).status == "pending_accept"
    assert desk.row(fine).event_count == 1


def test_a_step_for_many_is_taken_once_however_often_it_is_sent(
    desk: cases.Desk, sign_in: SignIn
) -> None:
    ids = [str(submit(desk)) for _ in range(3)]
    intake = sign_in("intake")
    body = {"id": str(uuid4()), "ids": ids, "action": "accept", "fields": {}}

    first = intake.post("/api/desk/bulk", json=body)
    again = intake.post("/api/desk/bulk", json=body)
    other = intake.post("/api/desk/bulk", json={**body, "ids": ids[:1]})

    assert [one["id"] for one in first.get_json()["done"]] == ids
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.get_json() == first.get_json()
    assert other.get_json()["code"] == "desk.used_id"
    assert {desk.row(UUID(one)).event_count for one in ids} == {2}


def test_more_than_two_hundred_at_once_are_refused(sign_in: SignIn, desk: cases.Desk) -> None:
    answer = sign_in("intake").post(
        "/api/desk/bulk/preview",
        json={"ids": [str(uuid4()) for _ in range(201)], "action": "accept", "fields": {}},
    )

    assert (answer.status_code, answer.get_json()["code"]) == (422, "desk.too_many_cases")


# Kept things


def test_a_kept_filter_is_its_makers_unless_shared_with_a_role_around(
    desk: cases.Desk, sign_in: SignIn
) -> None:
    maker, west = sign_in("town_seat", area=WEST_TOWN), sign_in("town_seat", area=WEST_TOWN)
    east, leader = sign_in("town_seat", area=EAST_TOWN), sign_in("shift_leader")
    own, shared = uuid4(), uuid4()
    maker.put(f"/api/desk/filters/{own}", json={"name": "我的", "query": {"risk": "late"}})
    maker.put(
        f"/api/desk/filters/{shared}",
        json={"name": "共享", "query": {"status": "open"}, "role": "town_seat"},
    )

    seen = {
        name: {one["id"] for one in client.get("/api/desk/filters").get_json()["items"]}
        for name, client in (("maker", maker), ("west", west), ("east", east), ("other", leader))
    }

    assert seen == {"maker": {str(own), str(shared)}, "west": {str(shared)}, "east": set(),
                    "other": set()}  # fmt: skip
    assert west.put(
        f"/api/desk/filters/{shared}", json={"name": "改", "query": {}}
    ).status_code in (403, 404)
    assert west.delete(f"/api/desk/filters/{shared}").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"name": "  ", "query": {}},
        {"name": "x", "query": {"after": "1"}},
        {"name": "x", "query": {}, "role": "commander"},
        {"name": "x", "query": {"q": "长" * 20_000}},
    ],
)
def test_a_filter_that_makes_no_sense_is_not_kept(
    desk: cases.Desk, sign_in: SignIn, body: dict[str, Any]
) -> None:
    answer = sign_in("dispatcher").put(f"/api/desk/filters/{uuid4()}", json=body)

    assert (answer.status_code, answer.get_json()["code"]) == (422, "desk.bad_kept")


def test_a_draft_is_its_writers_and_goes_with_the_step(desk: cases.Desk, sign_in: SignIn) -> None:
    case = submit(desk)
    writer, other = sign_in("intake"), sign_in("intake")
    typed = {"action": "accept", "fields": {"note": "电话里说在东门"}}
    writer.put(f"/api/desk/drafts/{case}", json=typed)

    before = writer.get(f"/api/desk/drafts/{case}").get_json()["draft"]
    others = other.get(f"/api/desk/drafts/{case}").get_json()["draft"]
    moved = writer.post(
        f"/api/incidents/{case}/moves", json={"id": str(uuid4()), "action": "accept"}
    )

    assert (before["action"], before["fields"]) == ("accept", typed["fields"])
    assert others is None
    assert moved.status_code == 201
    assert writer.get(f"/api/desk/drafts/{case}").get_json()["draft"] is None


def test_a_draft_is_forgotten_after_a_week(
    desk: cases.Desk, session: Session, sign_in: SignIn
) -> None:
    case = submit(desk)
    writer = sign_in("intake")
    writer.put(f"/api/desk/drafts/{case}", json={"action": "accept", "fields": {"note": "x"}})
    later = datetime.now(UTC) + kept.DRAFTS_LAST + timedelta(minutes=1)

    assert kept.forget_drafts(session, later) == 1
    assert claims.forget_ended(session, later) == 0
    assert writer.get(f"/api/desk/drafts/{case}").get_json()["draft"] is None


# One box


def kinds(client: FlaskClient, words: str) -> dict[str, list[dict[str, Any]]]:
    answer = client.get("/api/desk/search", query_string={"q": words})
    assert answer.status_code == 200, answer.text
    return {group["type"]: group["items"] for group in answer.get_json()}


def test_the_box_finds_numbers_words_areas_and_categories(
    desk: cases.Desk, session: Session, sign_in: SignIn
) -> None:
    case = submit(desk, text="滨江公园门口路灯不亮")
    number = desk.row(case).number
    dispatcher = sign_in("dispatcher")

    assert kinds(dispatcher, number)["case"][0]["id"] == str(case)
    assert kinds(dispatcher, number[-6:].lstrip("0"))["case"][0]["id"] == str(case)
    assert kinds(dispatcher, "路灯")["case"][0]["id"] == str(case)
    assert kinds(dispatcher, "1sq")["area"][0]["id"] == "339901001001"
    assert {one["id"] for one in kinds(dispatcher, MATTER)["category"]} >= {MATTER}


@pytest.mark.parametrize(
    "words", ["120.05,29.30", "29.30 120.05", "东经120°3′0″ 北纬29°18′0″", "E120.05, N29.30"]
)
def test_the_box_reads_coordinates_in_several_notations(
    desk: cases.Desk, sign_in: SignIn, words: str
) -> None:
    found = kinds(sign_in("dispatcher"), words)

    assert found["coordinate"][0]["lon"] == pytest.approx(120.05)
    assert found["coordinate"][0]["lat"] == pytest.approx(29.30)
    assert found.keys() == {"coordinate"}


def test_the_box_finds_no_other_towns_case(desk: cases.Desk, sign_in: SignIn) -> None:
    case = submit(desk, place=EAST, text="东边的井盖坏了")
    town = sign_in("town_seat", area=WEST_TOWN)

    assert kinds(town, desk.row(case).number) == {}
    assert "case" not in kinds(town, "井盖")


def test_the_box_finds_short_names_of_addresses_and_enterprises_and_components(
    desk: cases.Desk, session: Session, sign_in: SignIn
) -> None:
    for statement in (
        "INSERT INTO address (text, geom, cell_id, area_code) VALUES ('江滨路88号', {}, 1, {})",
        (
            "INSERT INTO enterprise (name, kind, industry, geom, cell_id, area_code)"
            " VALUES ('样城鸿运餐饮有限公司', 'company', 'H', {}, 1, {})"
        ),
        (
            "INSERT INTO component (identifier, code, geom, cell_id, area_code)"
            " VALUES ('33990102001000007', '02001', {}, 1, {})"
        ),
    ):
        point, area = "ST_SetSRID(ST_MakePoint(120.15, 29.3), 4490)", "'339901002001001'"
        session.execute(text(statement.format(point, area)))
    dispatcher, west = sign_in("dispatcher"), sign_in("town_seat", area=WEST_TOWN)

    assert kinds(dispatcher, "江滨")["address"][0]["name"] == "江滨路88号"
    assert kinds(dispatcher, "鸿运")["enterprise"][0]["name"] == "样城鸿运餐饮有限公司"
    assert kinds(dispatcher, "339901020")["component"][0]["id"] == "33990102001000007"
    for words in ("江滨", "鸿运", "339901020"):
        assert kinds(west, words) == {}


def test_a_step_for_many_goes_on_where_it_broke_off(
    desk: cases.Desk, session: Session, sign_in: SignIn
) -> None:
    ids = [submit(desk) for _ in range(3)]
    intake = sign_in("intake")
    request_id = uuid4()
    single = {"id": str(bulk.own_id(request_id, ids[0])), "action": "accept"}
    assert intake.post(f"/api/incidents/{ids[0]}/moves", json=single).status_code == 201

    answer = intake.post(
        "/api/desk/bulk",
        json={"id": str(request_id), "ids": [str(one) for one in ids], "action": "accept"},
    ).get_json()

    assert [one["id"] for one in answer["done"]] == [str(one) for one in ids]
    assert answer["refused"] == []
    assert [desk.row(one).event_count for one in ids] == [2, 2, 2]


@pytest.mark.parametrize("role", ["worker", "handler", "commander"])
def test_acts_of_the_desk_are_for_its_seats(desk: cases.Desk, sign_in: SignIn, role: str) -> None:
    case = submit(desk)
    other = sign_in(role, department="D03" if role == "handler" else None)
    body = {"ids": [str(case)], "action": "accept"}

    answers = [
        other.put(f"/api/desk/claims/{case}"),
        other.post("/api/desk/claims/renew", json={"ids": []}),
        other.post("/api/desk/bulk/preview", json=body),
        other.post("/api/desk/bulk", json={**body, "id": str(uuid4())}),
        other.post("/api/desk/undo", json={"id": str(uuid4()), "token": str(uuid4())}),
    ]

    assert {answer.status_code for answer in answers} == {403}
