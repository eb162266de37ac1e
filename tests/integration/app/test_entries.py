"""Lists and pages of the registers: scope, what is known, correction by hand, any day before."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from grids.registers import changes
from grids.registers.kinds import KINDS
from tests.support.cases import EAST, WEST, build_city

GOOD_CODE = "91339901MA00000154"  # of a county that does not exist (domain 10.2)


@pytest.fixture
def shop(session: Session) -> dict[str, int]:
    """Store an enterprise with address, building and premises in the west, one in the east."""
    build_city(session)

    def put(statement: str, **values: Any) -> int:
        return int(session.execute(text(f"{statement} RETURNING id"), values).scalar_one())

    def at(lonlat: tuple[float, float]) -> str:
        return f"ST_SetSRID(ST_MakePoint({lonlat[0]}, {lonlat[1]}), 4490)"

    address = put(
        f"INSERT INTO address (text, street, geom) VALUES ('江滨路8号', '江滨路', {at(WEST)})"
    )
    building = put(
        "INSERT INTO building (name, kind, dwellings, area_m2, address_id, geom) VALUES"
        f" ('一幢', 'apartments', 2, 400, :address, ST_Multi(ST_Buffer({at(WEST)}, 0.0001)))",
        address=address,
    )
    session.execute(
        text("INSERT INTO dwelling (building_id, use) VALUES (:b, 'owner'), (:b, 'rental')"),
        {"b": building},
    )
    made = (
        "INSERT INTO enterprise (name, uscc, kind, industry, staff, address_id, geom) VALUES"
        " (:name, :uscc, 'company', 'F', 5, :address, {})"
    )
    west = put(made.format(at(WEST)), name="示例百货店", uscc=GOOD_CODE, address=address)
    east = put(made.format(at(EAST)), name="东边杂货铺", uscc=None, address=None)
    premises = put(
        "INSERT INTO premises (kind, name, enterprise_id, building_id, geom) VALUES"
        f" ('shop', '门店', :enterprise, :building, {at(WEST)})",
        enterprise=west, building=building,
    )  # fmt: skip
    session.flush()
    return {"address": address, "building": building, "west": west, "east": east,
            "premises": premises}  # fmt: skip


def _token(client: FlaskClient, path: str) -> str:
    body = client.get(path).get_data(as_text=True)
    return body.partition('name="csrf_token" value="')[2].partition('"')[0]


def test_an_enterprise_shows_what_is_known_of_it(
    shop: dict[str, int], sign_in: Callable[..., FlaskClient]
) -> None:
    who = sign_in("commander", area="339901")

    body = who.get(f"/registers/enterprise/{shop['west']}").get_data(as_text=True)

    assert "示例百货店" in body
    assert GOOD_CODE in body
    assert f"/registers/address/{shop['address']}" in body
    assert f"/registers/premises/{shop['premises']}" in body
    assert "批发和零售" in body
    assert 'name="reason"' not in body  # only who may decide corrects


def test_a_building_counts_its_homes_and_names_nobody(
    shop: dict[str, int], sign_in: Callable[..., FlaskClient]
) -> None:
    who = sign_in("commander", area="339901")

    body = who.get(f"/registers/building/{shop['building']}").get_data(as_text=True)

    assert "<dt>出租户室</dt><dd>1</dd>" in body
    assert f"/registers/premises/{shop['premises']}" in body


def test_lists_and_pages_end_at_the_own_area(
    shop: dict[str, int], sign_in: Callable[..., FlaskClient]
) -> None:
    who = sign_in("town_seat", area="339901001")

    body = who.get("/registers/enterprise").get_data(as_text=True)
    other = who.get(f"/registers/enterprise/{shop['east']}")

    assert "示例百货店" in body
    assert "东边杂货铺" not in body
    assert other.status_code == 404


@pytest.mark.parametrize("path", ["/registers/enterprise", "/registers/enterprise/{west}"])
def test_who_may_not_see_enterprises_finds_none(
    shop: dict[str, int], sign_in: Callable[..., FlaskClient], path: str
) -> None:
    who = sign_in("mediator", area="339901001")

    assert who.get(path.format(**shop)).status_code == 404
    assert who.get(f"/registers/building/{shop['building']}").status_code == 200


def test_a_list_names_the_grid_of_an_entry(
    shop: dict[str, int], sign_in: Callable[..., FlaskClient], session: Session
) -> None:
    found = text("SELECT g.code, g.name FROM enterprise AS e JOIN grid AS g ON g.id = e.grid_id"
                 " WHERE e.id = :id")  # fmt: skip
    grid = session.execute(found, {"id": shop["west"]}).one()

    body = sign_in("steward", area="339901").get("/registers/enterprise").get_data(as_text=True)

    assert f'<span title="{grid.code}">{grid.name}</span>' in body


@pytest.mark.parametrize("words", ["百货", GOOD_CODE, GOOD_CODE.lower()])
def test_an_entry_is_found_by_words_and_by_its_number(
    shop: dict[str, int], sign_in: Callable[..., FlaskClient], words: str
) -> None:
    who = sign_in("steward", area="339901")

    body = who.get(f"/registers/enterprise?q={words}").get_data(as_text=True)

    assert "示例百货店" in body
    assert "东边杂货铺" not in body


def test_a_correction_keeps_what_stood_before(
    shop: dict[str, int], sign_in: Callable[..., FlaskClient], session: Session
) -> None:
    who = sign_in("steward", area="339901")
    path = f"/registers/enterprise/{shop['west']}"
    form = {
        "csrf_token": _token(who, path),
        "name": "示例百货商店",
        "staff": "7",
        "reason": "现场核实",
    }

    answer = who.post(path, data=form)
    body = who.get(answer.headers["Location"]).get_data(as_text=True)

    assert answer.status_code == 303
    assert "<del>示例百货店</del> → <ins>示例百货商店</ins>" in body
    assert "现场核实" in body
    assert session.execute(text("SELECT count(*) FROM register_change")).scalar_one() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("uscc", GOOD_CODE[:-1] + "5"), ("staff", "many"), ("status", "burnt"), ("name", ""),
     ("registered_on", "2026-02-30"), ("reason", "")],
)  # fmt: skip
def test_a_wrong_value_is_told_at_its_field_and_changes_nothing(
    shop: dict[str, int], sign_in: Callable[..., FlaskClient], session: Session,
    field: str, value: str,
) -> None:  # fmt: skip
    who = sign_in("steward", area="339901")
    path = f"/registers/enterprise/{shop['west']}"
    form = {"csrf_token": _token(who, path), "staff": "9", "reason": "电话核实", field: value}

    answer = who.post(path, data=form)

    body = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in body or field == "status"
    kept = session.execute(
        text("SELECT staff FROM enterprise WHERE id = :id"), {"id": shop["west"]}
    ).scalar_one()
    assert kept == 5


def test_an_entry_is_shown_as_it_was_on_a_day(shop: dict[str, int], session: Session) -> None:
    kind = KINDS["enterprise"]
    now = datetime.now(UTC)
    for days, old in ((1, {"staff": 4}), (10, {"staff": 3, "name": "旧名"})):
        session.add(
            changes.RegisterChange(
                register="enterprise", entry_id=shop["west"],
                changed_at=now - timedelta(days=days), old=old,
            )
        )  # fmt: skip
    session.execute(text("UPDATE enterprise SET valid_from = '2020-01-01'"))
    session.flush()
    entry = session.get(kind.model, shop["west"])

    def at(days: int) -> dict[str, Any]:
        return changes.as_of(session, kind, entry, now - timedelta(days=days))

    assert (at(0)["staff"], at(0)["name"]) == (5, "示例百货店")
    assert (at(5)["staff"], at(5)["name"]) == (4, "示例百货店")
    assert (at(20)["staff"], at(20)["name"]) == (3, "旧名")
    assert at(5_000) == {}


def test_linking_anew_makes_no_history(shop: dict[str, int], session: Session) -> None:
    session.execute(text("UPDATE enterprise SET grid_id = NULL, area_code = '339901'"))
    session.execute(text("UPDATE building SET levels = levels"))

    assert session.execute(text("SELECT count(*) FROM register_change")).scalar_one() == 0


def test_a_correction_by_hand_is_withdrawn_on_the_page_with_a_reason(
    shop: dict[str, int], sign_in: Callable[..., FlaskClient]
) -> None:
    who, path = sign_in("steward", area="339901"), f"/registers/enterprise/{shop['west']}"

    def send(where: str, **form: str) -> Any:
        return who.post(path + where, data={"csrf_token": _token(who, path), **form})

    assert 'id="withdraw"' not in who.get(path).get_data(as_text=True)
    assert send("", staff="77", reason="电话核实").status_code == 303
    assert 'id="withdraw"' in who.get(path).get_data(as_text=True)

    refused = send("/withdraw", field="staff", reason="")
    assert refused.status_code == 422
    assert 'id="withdraw" open' in refused.get_data(as_text=True)
    done = send("/withdraw", field="staff", reason="问错了人")
    assert done.headers["Location"].endswith("done=withdrawn")
    body = who.get(done.headers["Location"]).get_data(as_text=True)
    assert "已撤回更正" in body
    assert "问错了人" in body
    assert 'id="withdraw"' not in body
    assert send("/withdraw", field="staff", reason="再来一次").status_code == 409
    east = sign_in("steward", area="339901002")
    form = {"csrf_token": _token(east, "/data"), "field": "staff", "reason": "别处"}
    assert east.post(f"{path}/withdraw", data=form).status_code == 404
