"""Departments' ledgers at the desk: as of any day, narrowed, traced to the answer, taken away."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from grids.exports.marks import instant_fits
from tests.support.cases import COUNTY, EAST, EAST_GRID, WEST_GRID, build_city
from tests.support.flows import make_actor
from tests.support.ledgers import Round, make_restaurant

FIRE_OFFICE = "D09"
LINES = ("small_fire", "work_safety", "environment")


@pytest.fixture
def walk(session):
    build_city(session)
    return Round(session, make_actor(session, "worker"), now=datetime.now(UTC) - timedelta(days=1))


@pytest.fixture
def shop(walk, session):
    key = make_restaurant(session)
    session.execute(text("UPDATE premises SET name = '=老街面馆' WHERE id = :k"), {"k": key})
    walk.visit("premises", key, *LINES, premises__floor_area=86, premises__gas="bottled")
    return key


@pytest.fixture
def fire(shop, sign_in):
    return sign_in("handler", area=COUNTY, department=FIRE_OFFICE)


def values(client, code, **query):
    found = client.get(f"/api/ledgers/{code}", query_string=query).json
    heads = [one["from"] for one in found["columns"]]
    return [dict(zip(heads, row["values"], strict=True)) for row in found["items"]]


def take(client, code, **fields):
    return client.post(
        f"/desk/ledgers/{code}/file", data={"csrf_token": client.csrf_token, **fields}
    )


def test_a_department_sees_its_own_ledgers_and_the_county_all(fire, sign_in):
    own = [one["code"] for one in fire.get("/api/ledgers").json["items"]]
    everything = [one["code"] for one in sign_in("commander").get("/api/ledgers").json["items"]]

    assert own == ["fire"]
    assert len(everything) > 5
    assert "/desk/ledgers/environment" not in fire.get("/desk/ledgers").text
    assert fire.get("/desk/ledgers/environment").status_code == 404
    assert fire.get("/api/ledgers/environment").status_code == 404
    assert take(fire, "environment").status_code == 404


def test_one_visit_stands_in_the_ledgers_of_three_departments(shop, sign_in):
    county = sign_in("commander")

    rows = {code: values(county, code) for code in ("fire", "work_safety", "environment")}

    assert [len(found) for found in rows.values()] == [1, 1, 1]
    assert {found[0]["q:premises.floor_area"] for found in rows.values()} == {86}
    assert "86 m²" in county.get("/desk/ledgers/environment").text


def test_a_ledger_is_shown_as_it_was_on_a_day(fire, walk, shop):
    before = (walk.now - timedelta(days=3)).date().isoformat()

    assert values(fire, "fire", on=before) == []
    assert "老街面馆" not in fire.get(f"/desk/ledgers/fire?on={before}").text
    assert "老街面馆" in fire.get("/desk/ledgers/fire").text
    assert fire.get("/desk/ledgers/fire?on=gestern").status_code == 422


def test_a_ledger_is_narrowed_by_area_kind_words_and_answer(fire, shop):
    def count(**query):
        return len(values(fire, "fire", **query))

    assert count(area=WEST_GRID) == count(kind="restaurant") == count(q="老街") == 1
    assert count(area=EAST_GRID) == count(kind="shop") == count(q="新街") == 0
    assert count(answer="premises.gas=bottled") == 1
    assert count(answer="premises.gas=none") == 0
    assert fire.get("/desk/ledgers/fire?answer=premises.fume=on").status_code == 422


def test_an_answer_whose_condition_no_longer_holds_is_found_by_nobody(fire, walk, shop):
    (row,) = values(fire, "fire")
    alarm = row["q:premises.gas_alarm"]
    assert len(values(fire, "fire", answer=f"premises.gas_alarm={alarm}")) == 1
    walk.now += timedelta(hours=1)
    walk.visit("premises", shop, "work_safety", premises__gas="none")

    (row,) = values(fire, "fire")

    assert row["q:premises.gas_alarm"] is None
    assert values(fire, "fire", answer=f"premises.gas_alarm={alarm}") == []


def test_pages_go_on_behind_the_last_row(fire, walk, session):
    for step in range(51):
        key = make_restaurant(session, (120.0005 + step / 100_000, 29.3005))
        walk.visit("premises", key, "environment")
    county_rows = fire.get("/api/ledgers/fire").json

    assert len(county_rows["items"]) == 50
    rest = fire.get(f"/api/ledgers/fire?after={county_rows['next']}").json
    assert len(rest["items"]) == 2
    assert rest["next"] is None
    assert f"after={county_rows['next']}" in fire.get("/desk/ledgers/fire").text


def test_each_cell_says_which_visit_and_form_it_comes_from_and_no_name(fire, walk, shop):
    walk.now += timedelta(hours=1)
    walk.visit("premises", shop, "work_safety", premises__floor_area=99)

    page = fire.get(f"/desk/ledgers/fire/{shop}").text

    cell = page.partition("经营面积")[2].partition("</tr>")[0]
    assert "99 m²" in cell
    assert "86 m²" in cell
    assert "小微单位安全生产巡查" in cell
    assert "网格员" in cell
    assert walk.worker.name not in page


def test_a_row_that_the_ledger_does_not_hold_does_not_exist(fire, session):
    stranger = make_restaurant(session, EAST)

    assert fire.get(f"/desk/ledgers/fire/{stranger}").status_code == 404


def test_a_file_needs_a_reason_and_says_who_took_it(fire, shop, session):
    refused = take(fire, "fire", format="csv")
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text

    answer = take(fire, "fire", format="csv", reason="inspection", note="月度检查核对")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))

    assert answer.headers["X-Row-Count"] == "1"
    assert rows[0]["场所名称"] == "'=老街面馆"  # a spreadsheet must not run it
    assert rows[0]["燃气"].startswith("瓶装")
    number = answer.headers["X-Export-Number"]
    assert rows[0]["export_mark"].startswith(number)
    kept = session.execute(
        text("SELECT layer, level, state, rows, reason FROM export_request")
    ).one()
    assert tuple(kept) == ("ledger:fire", "L2", "direct", 1, "inspection")
    told = session.execute(
        text("SELECT subject, detail->>'export' FROM audit_event WHERE action = 'export'")
    ).one()
    assert tuple(told) == ("ledger fire", number)


def test_the_instants_of_a_file_name_its_recipient(fire, shop, session):
    answer = take(fire, "fire", format="csv", reason="inspection", note="月度检查核对")
    (row,) = csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig")))

    key, seen = session.execute(
        text("SELECT (SELECT mark_key FROM export_request), max(observed_at) FROM observation")
    ).one()
    told = datetime.fromisoformat(row["最近走访"])
    by_database = session.scalar(
        text("SELECT mark_instant(:at, :key)"), {"at": seen, "key": key}
    )  # fmt: skip

    assert told == by_database
    assert instant_fits(key, round(told.timestamp() * 1_000_000))


def test_a_workbook_has_the_same_rows_and_numbers_as_numbers(fire, shop):
    answer = take(fire, "fire", format="xlsx", reason="inspection", note="月度检查核对")

    book = load_workbook(io.BytesIO(answer.data))
    sheet = book.worksheets[0]
    heads, row = [cell.value for cell in sheet[1]], [cell.value for cell in sheet[2]]
    assert sheet.max_row == 2
    assert row[heads.index("经营面积（m²）")] == 86
    assert answer.headers["X-Export-Number"] in (sheet.oddHeader.center.text or "")
    assert (
        take(fire, "fire", format="exe", reason="inspection", note="月度检查核对").status_code
        == 422
    )


def test_who_made_a_file_sees_it_by_the_name_of_the_ledger(shop, sign_in, session):
    county = sign_in("commander")
    taken = take(county, "fire", format="csv", reason="inspection", note="月度检查核对")
    assert taken.status_code == 200
    planner = sign_in("planner")
    session.execute(
        text("UPDATE export_request SET account_id = :a"), {"a": planner.account_id}
    )  # fmt: skip

    assert "九小场所消防台账" in planner.get("/planner/exports").text


@pytest.mark.parametrize("path", ["/desk/ledgers", "/desk/ledgers/fire", "/api/ledgers"])
def test_ledgers_are_for_who_may_see_them(shop, sign_in, path):
    assert sign_in("planner").get(path).status_code == 403
