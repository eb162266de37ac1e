"""What sources say of entries: kept, weighed alike in any order, shown, taken back."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grids.enterprises import Enterprise
from grids.facts import statements, survivorship
from grids.facts.models import Fact
from grids.importing.batches.models import ImportBatch
from grids.registers import changes
from grids.registers.kinds import KINDS
from grids.synth.business import credit_codes
from tests.support import import_desk as desks
from tests.support.import_desk import NOW, Desk, empty

MARKET, POLICE, HOUSING = "D12", "D13", "D06"
DAY = timedelta(days=1)


HEAD = ("企业名称", "统一社会信用代码", "企业类型", "行业", "员工人数", "成立日期", "经度", "纬度")


@pytest.fixture
def desk(import_desk: Desk) -> Desk:
    """The desk under the name that fits here."""
    return import_desk


@pytest.fixture(scope="module")
def codes() -> list[str]:
    return credit_codes(["company"] * 12, np.random.default_rng(7))


def firm(code: str, **more: object) -> tuple[object, ...]:
    row: dict[str, object] = {
        "企业名称": f"义乌{code[-4:]}有限公司", "统一社会信用代码": code, "企业类型": "公司", "行业": "批发业",
        "员工人数": "1200", "成立日期": "2019-03-05", "经度": 120.05, "纬度": 29.3,
    }  # fmt: skip
    return tuple((row | more)[name] for name in HEAD)


def table(rows: Sequence[tuple[object, ...]]) -> bytes:
    return desks.table(rows, HEAD)


def sent(
    desk: Desk, rows: Sequence[tuple[object, ...]], source: str, department: str | None = None,
    day: int = 0,
) -> ImportBatch:  # fmt: skip
    return desk.whole(table(rows), source=source, department=department, at=NOW + day * DAY)


def facts(desk: Desk, field: str) -> dict[str, str]:
    """Source -> what it says of a field of the only entry."""
    with Session(desk.owner) as session:
        rows = session.scalars(select(Fact).where(Fact.field == field))
        return {row.source: row.value for row in rows}


def shown(desk: Desk) -> dict[str, dict[str, str]]:
    """Credit code -> what the register shows of each field that statements are about."""
    columns = ("name", "kind", "industry", "status", "staff", "registered_on")
    with Session(desk.owner) as session:
        rows = session.execute(select(Enterprise, Enterprise.geom.ST_AsText()))
        return {str(one.uscc): {**{name: str(getattr(one, name)) for name in columns}, "place": place}
                for one, place in rows}  # fmt: skip


def test_a_weaker_source_is_kept_but_not_shown(desk: Desk, codes: list[str]) -> None:
    sent(desk, [firm(codes[0], 企业名称="真名有限公司", 员工人数="10")], "market", MARKET)

    weak = sent(desk, [firm(codes[0], 企业名称="别名有限公司", 员工人数="10")], "police", POLICE, 1)

    assert (weak.rows_total, weak.rows_same, weak.rows_changed, weak.rows_stated) == (1, 1, 0, 1)
    assert desk.firms()[codes[0]].name == "真名有限公司"
    assert facts(desk, "name") == {
        "import:market": "真名有限公司", "import:police": "别名有限公司",
    }  # fmt: skip


def test_a_row_counts_as_changed_where_one_of_its_values_holds(
    desk: Desk, codes: list[str]
) -> None:
    sent(desk, [firm(codes[0], 员工人数="10"), firm(codes[1])], "market", MARKET)

    mixed = sent(
        desk, [firm(codes[0], 企业名称="别名", 员工人数="20"), firm(codes[1])], "police", POLICE, 1
    )

    assert (mixed.rows_changed, mixed.rows_same, mixed.rows_stated) == (1, 1, 1)
    told = shown(desk)[codes[0]]
    assert (told["name"], told["staff"]) == (f"义乌{codes[0][-4:]}有限公司", "20")
    assert mixed.rows_total == sum(
        getattr(mixed, f"rows_{name}") for name in ("new", "changed", "same", "rejected", "held")
    )


def test_saying_the_same_again_writes_nothing(desk: Desk, codes: list[str]) -> None:
    rows = [firm(code, 企业名称="别名") for code in codes[:3]]
    sent(desk, [firm(code) for code in codes[:3]], "market", MARKET)
    sent(desk, rows, "police", POLICE, 1)
    versions = "SELECT register, entry_id, field, source, xmin::text FROM fact ORDER BY 1, 2, 3, 4"
    with desk.owner.connect() as connection:
        before = connection.execute(text(versions)).all()

    batch_id = desk.send(table(rows), source="police", at=NOW + 2 * DAY)
    checked = desk.check(batch_id)
    again = desk.commit(batch_id)

    assert (checked.rows_same, again.rows_same, again.rows_stated) == (3, 3, 3)
    with desk.owner.connect() as connection:
        assert connection.execute(text(versions)).all() == before


def some_feeds(codes: Sequence[str], seed: int) -> list[dict[str, Any]]:
    """Four sources that say something else of the same firms, each as of a day of its own."""
    drawn = random.Random(seed)
    days = drawn.sample(range(9), 4)
    feeds = []
    for k, (source, department) in enumerate(
        [("market", MARKET), ("police", POLICE), ("housing", HOUSING), ("club", None)]
    ):
        rows = [
            firm(
                code, 企业名称=drawn.choice(["甲", "乙", "丙"]) + code[-3:], 经度=drawn.choice([120.05, 120.15]),
                企业类型=drawn.choice(["公司", "个体工商户"]), 员工人数=drawn.choice(["", "5", "60"]),
                成立日期=drawn.choice(["", "2019-03-05", "2020-01-01"]),
            )
            for code in codes if drawn.random() < 0.8
        ]  # fmt: skip
        feeds.append({"rows": rows or [firm(codes[0])], "source": source,
                      "department": department, "day": days[k]})  # fmt: skip
    return feeds


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_arrival_decides_nothing(desk: Desk, codes: list[str], seed: int) -> None:
    feeds = some_feeds(codes[:4], seed)
    seen = []
    for order in range(3):
        random.Random(order).shuffle(feeds)
        empty(desk.owner)
        for feed in feeds:
            sent(desk, **feed)
        seen.append(shown(desk))

    assert seen[0] == seen[1] == seen[2]
    assert_shows_what_holds(desk)


def assert_shows_what_holds(desk: Desk) -> None:
    """Hold what the statements of a batch have written against the rule in Python."""
    with Session(desk.owner) as session:
        for firm_shown in session.scalars(select(Enterprise)):
            found = statements.of_entry(session, "enterprise", firm_shown.id)
            assert set(found) >= {"name", "kind", "place"}
            for field, said in found.items():
                column = "geom" if field == survivorship.PLACE else field
                value = session.scalar(
                    text(f"SELECT {column}::text FROM enterprise WHERE id = :id"),
                    {"id": firm_shown.id},
                )
                assert value == said[0].fact.value, (field, [one.fact.source for one in said])


def test_an_older_file_that_comes_late_changes_nothing(desk: Desk, codes: list[str]) -> None:
    sent(desk, [firm(codes[0], 员工人数="20")], "market", MARKET, day=5)

    late = sent(desk, [firm(codes[0], 员工人数="10")], "market", day=1)

    assert (late.rows_same, late.rows_stated) == (1, 1)
    assert shown(desk)[codes[0]]["staff"] == "20"


def test_taking_a_batch_back_shows_what_holds_of_the_rest(desk: Desk, codes: list[str]) -> None:
    sent(desk, [firm(codes[0], 员工人数="10")], "police", POLICE)
    strong = sent(desk, [firm(codes[0], 企业名称="真名", 员工人数="10")], "market", MARKET, 1)
    sent(desk, [firm(codes[0], 企业名称="改名", 员工人数="10")], "police", day=2)
    assert shown(desk)[codes[0]]["name"] == "真名"

    back = desk.undo(strong.id)

    assert (back.rows_undone, back.rows_kept) == (1, 0)
    assert facts(desk, "name") == {"import:police": "改名"}
    assert shown(desk)[codes[0]]["name"] == "改名"
    assert_shows_what_holds(desk)


def test_taking_a_batch_back_lets_its_source_say_what_it_said_before(
    desk: Desk, codes: list[str]
) -> None:
    sent(desk, [firm(codes[0], 员工人数="10", 经度=120.05)], "market", MARKET)
    second = sent(desk, [firm(codes[0], 员工人数="20", 经度=120.15)], "market", day=1)
    held = sent(desk, [firm(codes[0], 企业名称="别名")], "police", POLICE, 2)

    desk.undo(held.id)
    desk.undo(second.id)

    told = shown(desk)[codes[0]]
    assert (told["staff"], told["place"]) == ("10", "POINT(120.05 29.3)")
    assert facts(desk, "staff") == {"import:market": "10"}
    assert desk.firms()[codes[0]].area_code == "339901001001001"


def test_entries_that_go_with_their_batch_take_their_statements_along(
    desk: Desk, codes: list[str]
) -> None:
    done = sent(desk, [firm(code) for code in codes[:2]], "market", MARKET)

    desk.undo(done.id)

    assert desk.firms() == {}
    assert facts(desk, "name") == {}


def test_what_stood_before_statements_were_kept_is_one(desk: Desk, codes: list[str]) -> None:
    sent(desk, [firm(codes[0], 企业名称="旧名")], "market", MARKET)
    with desk.owner.begin() as connection:
        connection.execute(text("DELETE FROM fact"))
        connection.execute(text("UPDATE enterprise SET source = 'osm:node'"))

    sent(desk, [firm(codes[0], 企业名称="新名")], "police", POLICE, 1)

    assert facts(desk, "name") == {"osm:node": "旧名", "import:police": "新名"}
    assert shown(desk)[codes[0]]["name"] == "新名"


def test_a_correction_by_hand_holds_against_the_next_file(desk: Desk, codes: list[str]) -> None:
    sent(desk, [firm(codes[0], 企业名称="错名", 员工人数="9")], "market", MARKET)
    kind = KINDS["enterprise"]
    with Session(desk.owner) as session, session.begin():
        entry = session.scalars(select(Enterprise)).one()
        changes.correct(
            session, kind, entry, {"name": "真名", "staff": ""}, "营业执照", desk.actor,
            source_ip="127.0.0.1", now=datetime.now(UTC),
        )  # fmt: skip

    sent(desk, [firm(codes[0], 企业名称="又错名", 员工人数="9")], "market", day=1)

    told = shown(desk)[codes[0]]
    assert (told["name"], told["staff"]) == ("真名", "None")
    assert facts(desk, "name") == {"import:market": "又错名", "desk": "真名"}
    with Session(desk.owner) as session:
        fact = session.scalars(
            select(Fact).where(Fact.source == "desk", Fact.field == "name")
        ).one()
        assert fact.said_by == desk.actor.account_id
