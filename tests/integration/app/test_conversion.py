"""Conversion of codes: shares by registrar, what is wrong, one pair entered by hand."""

from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from openpyxl import Workbook
from sqlalchemy import text
from sqlalchemy.orm import Session

from grids import conversion
from grids.conversion import registration_check
from grids.synth.business import credit_codes
from tests.support.cases import EAST, WEST, build_city, make_actor
from tests.support.maps import actor_in

COUNTY = "339901"
GOOD, OTHER = "91339901MA00000154", "91339901MA0000023X"
WRONG = GOOD[:-1] + "5"


def _old(n: int) -> str:
    body = f"{COUNTY}2{n:07d}"
    return body + registration_check(body)


@pytest.fixture
def pairs(session: Session) -> Session:
    """Store two pairs of the market in the west, one in the east, one of civil affairs."""
    build_city(session)
    for name, code, at in (("示例百货店", GOOD, WEST), ("东边杂货铺", None, EAST)):
        session.execute(
            text(
                "INSERT INTO enterprise (name, uscc, kind, industry, geom) VALUES (:name, :code,"
                " 'company', 'F', ST_SetSRID(ST_MakePoint(:lon, :lat), 4490))"
            ),
            {"name": name, "code": code, "lon": at[0], "lat": at[1]},
        )
    rows = (
        ("market", _old(1), "示例百货店", WRONG, "339901001001"),
        ("market", _old(2)[:-1] + "x", "旧号有误的店", None, "339901001001"),
        ("market", _old(3), "东边杂货铺", None, "339901002001"),
        ("civil", "社证字第1号", "示例协会", "51339901MJ0000001X", "339901001001"),
    )
    for registrar, old, name, code, area in rows:
        session.execute(
            text(
                "INSERT INTO code_conversion (registrar, old_number, name, uscc, converted_on,"
                " area_code, enterprise_id) VALUES (:registrar, :old, :name, :code, :day, :area,"
                " (SELECT id FROM enterprise WHERE name = :name))"
            ),
            {"registrar": registrar, "old": old, "name": name, "code": code, "area": area,
             "day": date(2016, 5, 4) if code else None},
        )  # fmt: skip
    session.flush()
    return session


def _key(session: Session, name: str) -> int:
    found = text("SELECT id FROM code_conversion WHERE name = :name")
    return int(session.scalar(found, {"name": name}) or 0)


def test_wrong_check_digits_are_listed_with_what_is_wrong(pairs: Session) -> None:
    found, after = conversion.listed(pairs, actor_in(), state="bad")

    assert {(one.row.name, one.row.problem) for one in found} >= {
        ("示例百货店", "new_check"), ("旧号有误的店", "old_check"),
    }  # fmt: skip
    assert after is None
    assert {one.row.name: one.register_code for one in found}["示例百货店"] == GOOD


def test_each_town_counts_its_own(pairs: Session) -> None:
    whole = {one.registrar: (one.stock, one.converted) for one in
             conversion.shares(pairs, actor_in())}  # fmt: skip
    east = conversion.shares(pairs, actor_in("339901002"))

    assert whole == {"market": (3, 1), "civil": (1, 1)}
    assert [(one.registrar, one.stock, one.converted, one.bad) for one in east] == [
        ("market", 1, 0, 0)
    ]
    assert [one.row.name for one in conversion.listed(pairs, actor_in("339901002"))[0]] == [
        "东边杂货铺"
    ]


def test_either_number_finds_its_pair(pairs: Session) -> None:
    for number in (_old(1), WRONG):
        found, _ = conversion.listed(pairs, actor_in(), number=number)
        assert [one.row.name for one in found] == ["示例百货店"]
    assert conversion.listed(pairs, actor_in(), number=_old(9)) == ((), None)


def test_the_database_judges_numbers_as_the_library_does(session: Session) -> None:
    good = [_old(n) for n in range(40)] + ["3399012000001"]
    bad = [one[:-1] + str((int(one[-1]) + 1) % 10) for one in good[:40]] + [
        "1234",
        "",
        "33990120000A",
    ]
    ask = text("SELECT is_registration_number(:given)")

    assert all(session.scalar(ask, {"given": one}) for one in good)
    assert not any(session.scalar(ask, {"given": one}) for one in bad)


@pytest.mark.parametrize(
    ("name", "code", "refused"),
    [
        ("东边杂货铺", "91339901MA00000155", conversion.BadCode),
        ("东边杂货铺", "51339901MJ0000001X", conversion.BadCode),
        ("东边杂货铺", GOOD, conversion.OtherCode),
        ("示例百货店", None, conversion.OtherCode),
    ],
)
def test_a_code_that_does_not_fit_is_refused_and_nothing_changes(
    pairs: Session, name: str, code: str | None, refused: type[Exception]
) -> None:
    given = code or credit_codes(["company"], np.random.default_rng(5))[0]
    before = pairs.execute(text("SELECT uscc, converted_on FROM code_conversion ORDER BY id")).all()

    with pytest.raises(refused):
        conversion.convert(
            pairs, actor_in(), _key(pairs, name), given, on=date(2026, 3, 4), source_ip=""
        )

    assert before == pairs.execute(
        text("SELECT uscc, converted_on FROM code_conversion ORDER BY id")
    ).all()  # fmt: skip


def test_who_answers_for_another_town_finds_no_pair(pairs: Session) -> None:
    with pytest.raises(conversion.NoConversion):
        conversion.convert(
            pairs, actor_in("339901002"), _key(pairs, "示例百货店"), GOOD,
            on=date(2026, 3, 4), source_ip="",
        )  # fmt: skip


def test_a_steward_puts_a_wrong_code_right_on_the_page(
    pairs: Session, sign_in: Callable[..., FlaskClient]
) -> None:
    client = sign_in("steward", area=COUNTY)
    body = client.get("/data/conversion?state=bad").get_data(as_text=True)
    token = body.partition('name="csrf_token" value="')[2].partition('"')[0]
    path = f"/data/conversion/{_key(pairs, '示例百货店')}"

    refused = client.post(path, data={"csrf_token": token, "uscc": WRONG})
    done = client.post(path, data={"csrf_token": token, "uscc": GOOD})

    assert "新代码校验位有误" in body
    assert refused.status_code == 422
    assert "校验位不对" in refused.get_data(as_text=True)
    assert done.status_code == 303
    row = pairs.execute(
        text("SELECT uscc, problem, converted_on FROM code_conversion WHERE name = '示例百货店'")
    ).one()
    assert tuple(row) == (GOOD, "", date(2016, 5, 4))
    acts = text("SELECT count(*) FROM audit_event WHERE action = 'code_converted'")
    assert pairs.scalar(acts) == 1


def test_the_page_speaks_english(pairs: Session, sign_in: Callable[..., FlaskClient]) -> None:
    client = sign_in("commander", area=COUNTY)

    body = client.get("/data/conversion", headers={"Accept-Language": "en"}).get_data(as_text=True)

    assert "Conversion of codes" in body
    assert "Civil affairs" in body
    assert 'name="uscc"' not in body  # only who may decide enters codes


HEAD = "旧码,统一社会信用代码,名称,转换日期\n"


def _load(
    pairs: Session, body: str, registrar: str = "market", encoding: str = "utf-8"
) -> conversion.Taken:
    return conversion.load(
        pairs, make_actor(pairs, "steward", COUNTY), body.encode(encoding), registrar, on=date(2026, 11, 23),
        source_ip="127.0.0.1",
    )  # fmt: skip


def _codes(pairs: Session) -> dict[str, tuple[str | None, date | None]]:
    rows = pairs.execute(text("SELECT name, uscc, converted_on FROM code_conversion"))
    return {row.name: (row.uscc, row.converted_on) for row in rows}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_list_of_a_registrar_is_taken_whole(pairs: Session, encoding: str) -> None:
    fresh = credit_codes(["company"], np.random.default_rng(3))[0]
    body = f"{HEAD}{_old(1)},{GOOD},示例百货店,\n\n{_old(3)},{fresh.lower()}, 东边杂货铺 ,2016年5月4日\n"

    assert _load(pairs, body, encoding=encoding) == conversion.Taken(1, 1, 0)
    found = _codes(pairs)
    assert found["示例百货店"] == (GOOD, date(2016, 5, 4))
    assert found["东边杂货铺"] == (fresh, date(2016, 5, 4))
    assert _load(pairs, body) == conversion.Taken(0, 0, 2)


def test_a_workbook_is_a_list_too(pairs: Session) -> None:
    book, out = Workbook(), BytesIO()
    book.active.append(["注册号", "企业名称", "信用代码", "备注"])
    book.active.append([_old(1), "示例百货店", GOOD, "换证"])
    book.save(out)

    taken = conversion.load(pairs, make_actor(pairs, "steward", COUNTY), out.getvalue(), "market",
                            on=date(2026, 11, 23), source_ip="127.0.0.1")  # fmt: skip
    assert taken == conversion.Taken(0, 1, 0)


def test_one_wrong_row_and_nothing_of_a_list_is_kept(pairs: Session) -> None:
    fresh = credit_codes(["company"] * 2, np.random.default_rng(3))
    rows = [
        f"{_old(1)},{GOOD},示例百货店,",  # 2: good
        f"{_old(3)},{GOOD},东边杂货铺,",  # 3: the code of row 2, another's
        f"9{_old(9)},{fresh[0]},,",  # 4: not in the stock
        f"{_old(3)},{WRONG},,",  # 5: check digit
        f"{_old(3)},51339901MJ0000001X,,",  # 6: of civil affairs
        f",{fresh[1]},,2031-01-01",  # 7: no number, a day to come
        f"{_old(2)[:-1]}x,{fresh[1]},别的店,",  # 8: another name
    ]
    before = _codes(pairs)

    with pytest.raises(conversion.RefusedList) as refused:
        _load(pairs, HEAD + "\n".join(rows))

    told = {(one.row, one.column, one.reason) for one in refused.value.refusals}
    assert told >= {
        (3, "uscc", "twice"), (3, "uscc", "anothers"), (4, "old_number", "unknown"), (5, "uscc", "bad_code"),
        (7, "old_number", "no_old_number"), (7, "converted_on", "bad_day"), (8, "name", "other_name"),
    }  # fmt: skip
    assert {row for row, _column, _reason in told} == {3, 4, 5, 6, 7, 8}
    assert _codes(pairs) == before


@pytest.mark.parametrize(
    ("body", "reason"),
    [("", "no_column"), ("旧码,名称\n1,2", "no_column"), (HEAD, "empty"), ("旧码,旧码,新码\n", "column_twice"),
     ("\0", "unreadable"), (HEAD + "1,2\n" * 20_001, "too_large")],
)  # fmt: skip
def test_what_is_no_list_is_refused_as_a_file(pairs: Session, body: str, reason: str) -> None:
    with pytest.raises(conversion.RefusedList) as refused:
        _load(pairs, body)
    assert {one.reason for one in refused.value.refusals} == {reason}


def test_a_steward_sends_a_list_on_the_page_and_reads_what_is_wrong(
    pairs: Session, sign_in: Callable[..., FlaskClient]
) -> None:
    who = sign_in("steward", area="339901002")  # the east: the west's pairs are not theirs

    def send(body: str) -> Any:
        page = who.get("/data/conversion").get_data(as_text=True)
        token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
        sent = (BytesIO(body.encode()), "list.csv")
        return who.post("/data/conversion/lists", data={"csrf_token": token, "registrar": "market", "list": sent})  # fmt: skip

    fresh = credit_codes(["company"], np.random.default_rng(3))[0]
    refused = send(f"{HEAD}{_old(1)},{GOOD},,\n")
    assert refused.status_code == 422
    assert "第 2 行" in refused.get_data(as_text=True)
    assert "存量中没有，或不在您的区域" in refused.get_data(as_text=True)

    taken = send(f"{HEAD}{_old(3)},{fresh},,\n")
    assert taken.status_code == 303
    body = who.get(taken.headers["Location"]).get_data(as_text=True)
    assert "新转换 1 条" in body
    assert sign_in("worker", area="339901001001001").post("/data/conversion/lists").status_code in (
        400,
        403,
    )
