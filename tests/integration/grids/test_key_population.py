"""Counts of key population: taken whole or refused whole, and told by the one rule."""

import io
import logging
import random
import zipfile
from datetime import UTC, date, datetime

import openpyxl
import pytest
from sqlalchemy import func, select, text

from gis.errors import UnsafeArchive
from grids.key_population import demo, loading, overview
from grids.key_population.models import PopulationCount, PopulationTold
from grids.key_population.publishing import publish_waiting
from grids.key_population.tables import MOST_BYTES, Refused
from grids.people.counts_blur import SMALL
from tests.support.cases import COUNTY, NOON, make_actor

TODAY = date(2026, 3, 4)
TOWN, OTHER = "339901001", "339901002"
HEAD = "区域代码,类别,月份,人数\n"


def actor_of(session, area: str = COUNTY):
    return make_actor(session, "commander", area)


def reasons_of(session, data: bytes, area: str = COUNTY) -> set[tuple[int, str]]:
    with pytest.raises(Refused) as refused:
        loading.check(session, actor_of(session, area), data, today=TODAY)
    return {(one.row, one.reason) for one in refused.value.refusals}


def csv(*rows: str, encoding: str = "utf-8") -> bytes:
    return (HEAD + "\n".join(rows) + "\n").encode(encoding)


def workbook(*rows: tuple[object, ...]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_table_is_taken_in_the_encodings_of_offices(mapped, encoding) -> None:
    data = csv(f"{TOWN},安置帮教人员,2026年2月,120", f"{OTHER},KP01,2026-02,<10", encoding=encoding)

    rows = loading.check(mapped, actor_of(mapped), data, today=TODAY)

    assert [(r.area, r.category, r.period, r.count) for r in rows] == [
        (TOWN, "KP01", date(2026, 2, 1), 120),
        (OTHER, "KP01", date(2026, 2, 1), None),
    ]


def test_a_workbook_is_taken(mapped) -> None:
    data = workbook(
        ("网格编码", "人员类别", "期间", "数量"),
        (f"{TOWN}001001", "残疾人", date(2026, 2, 1), 36),
        (int(OTHER), "KP08", "202602", 0),
    )

    rows = loading.check(mapped, actor_of(mapped), data, today=TODAY)

    assert [(r.area, r.count) for r in rows] == [(f"{TOWN}001001", 36), (OTHER, None)]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("339901190001010017,KP01,2026-02,12", "resident_number"),
        (f"{TOWN},KP01,2026-02,339901190001010017", "resident_number"),
        (f"{TOWN},339901 19000101 0025,2026-02,12", "resident_number"),
        (f"{TOWN},KP01,2026-02,339901000101001", "resident_number"),
        (f"{TOWN},KP01,2026-02,13800138000", "phone"),
        (f"{TOWN},KP01,2026-02,138-0013-8000", "phone"),
        (f"{TOWN},KP01,2026-02,+86 13800138000", "phone"),
        (f"{TOWN},KP01,１３８００１３８０００,12", "phone"),
        (f"{TOWN},王小明,2026-02,12", "name"),
        (f"{TOWN},KP01,2026-02,欧阳小红", "name"),
        (f"{TOWN},KP01,2026-02,江滨路12号", "address"),
        (f"{TOWN},KP01,2026-02,9", "too_small"),
        (f"{TOWN},KP01,2026-02,1", "too_small"),
        (f"{TOWN},KP01,2026-02,-5", "bad_count"),
        (f"{TOWN},KP01,2026-02,12.5", "bad_count"),
        (f"{TOWN},KP01,2026-02,=1+11", "bad_count"),
        (f"{TOWN},KP01,2027-02,12", "future"),
        (f"{TOWN},KP01,二月,12", "bad_period"),
        (f"{TOWN},KP99,2026-02,12", "bad_category"),
        ("33990100,KP01,2026-02,12", "bad_area"),
        ("339902001,KP01,2026-02,12", "unknown_area"),
        (f"{TOWN},KP01,2026-02,12,附注", "unknown_column"),
    ],
)
def test_a_row_that_is_no_count_is_refused_with_its_reason(mapped, cells, reason) -> None:
    assert (3, reason) in reasons_of(mapped, csv(f"{OTHER},KP02,2026-02,40", cells))


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("姓名,区域代码,类别,月份,人数", "head_of_persons"),
        ("区域代码,类别,月份,人数,身份证号码", "head_of_persons"),
        ("区域代码,类别,月份,人数,联系电话", "head_of_persons"),
        ("区域代码,类别,月份,人数,Phone No.", "head_of_persons"),
        ("区域代码,类别,月份,人数,甲", "unknown_column"),
        ("区域代码,类别,月份,人数,13800138000", "phone"),
        ("区域代码,类别,月份", "no_count"),
        ("区域代码,类别,月份,人数,数量", "column_twice"),
    ],
)
def test_a_head_that_announces_more_than_counts_is_refused(mapped, head, reason) -> None:
    assert (1, reason) in reasons_of(mapped, (head + "\n").encode())


def test_a_second_row_of_the_same_area_kind_and_month_is_a_list_of_persons(mapped) -> None:
    data = csv(f"{TOWN},KP01,2026-02,20", f"{TOWN},KP01,2026-02,20")

    assert reasons_of(mapped, data) == {(3, "twice")}


def test_an_area_cannot_have_fewer_than_its_parts(mapped) -> None:
    data = csv(f"{TOWN},KP01,2026-02,20", f"{TOWN}001,KP01,2026-02,30")

    assert reasons_of(mapped, data) == {(2, "less_than_parts")}


def test_areas_of_another_town_do_not_exist_for_a_registrar_of_this_one(mapped) -> None:
    data = csv(f"{TOWN},KP01,2026-02,20", f"{OTHER},KP01,2026-02,20")

    assert reasons_of(mapped, data, area=TOWN) == {(3, "unknown_area")}


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\x00\x01\x02", HEAD.encode()])
def test_what_is_no_table_is_refused(mapped, data) -> None:
    assert reasons_of(mapped, data)


def test_limits_hold_before_anything_is_read(mapped) -> None:
    assert reasons_of(mapped, b"x" * (MOST_BYTES + 1)) == {(0, "too_large")}
    many = HEAD.encode() + b"1,2,3,4\n" * 20_001
    assert (20_002, "too_many_rows") in reasons_of(mapped, many)

    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<a/>")
        archive.writestr("xl/workbook.xml", "<a/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 60_000_000)
    with pytest.raises(UnsafeArchive):
        loading.check(mapped, actor_of(mapped), bomb.getvalue(), today=TODAY)


def test_nothing_of_a_refused_table_stays(mapped, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    marks = ("339901190001010033", "13912345678", "王小明")
    data = csv(f"{OTHER},KP02,2026-02,40", f"{TOWN},{marks[2]},{marks[1]},{marks[0]}")
    actor = actor_of(mapped)

    with pytest.raises(Refused) as refused:
        loading.load(mapped, actor, data, now=NOON, today=TODAY)
    loading.note_refusal(mapped, actor, refused.value)
    mapped.flush()

    said = caplog.text + repr(refused.value) + repr(refused.value.refusals)
    noted = mapped.execute(text("SELECT detail::text FROM audit_event")).scalars().all()
    assert not any(mark in said + "".join(noted) for mark in marks)
    assert mapped.scalar(select(func.count()).select_from(PopulationCount)) == 0
    assert mapped.scalar(text("SELECT count(*) FROM population_batch")) == 0


def load(session, *rows: str, now: datetime = NOON) -> None:
    loading.load(session, actor_of(session), csv(*rows), now=now, today=TODAY)
    session.flush()
    # With the rights that it has in an installation.
    session.execute(text("SET ROLE wangge_worker"))
    publish_waiting(session.connection(), now, random.Random(3))
    session.execute(text("RESET ROLE"))


def told(session, period: date = date(2026, 2, 1)) -> dict[str, int | None]:
    rows = session.execute(
        select(PopulationTold.area_code, PopulationTold.value).where(
            PopulationTold.period == period
        )
    )
    return {row.area_code: row.value for row in rows}


def test_what_was_loaded_is_told_near_the_truth_and_its_sum_is_the_sum(mapped) -> None:
    load(mapped, f"{TOWN},KP01,2026-02,120", f"{OTHER},KP01,2026-02,80")

    found = told(mapped)

    assert found[COUNTY] == found[TOWN] + found[OTHER]
    assert abs(found[TOWN] - 120) <= SMALL.reach
    assert abs(found[OTHER] - 80) <= SMALL.reach


def test_fewer_than_ten_are_withheld_and_take_their_neighbour_along(mapped) -> None:
    load(
        mapped,
        f"{COUNTY},KP01,2026-02,125",
        f"{TOWN},KP01,2026-02,120",
        f"{OTHER},KP01,2026-02,<10",
    )

    found = told(mapped)

    assert found[OTHER] is None
    assert found[TOWN] is None


def test_a_month_with_little_change_tells_the_same_numbers(mapped) -> None:
    load(mapped, f"{TOWN},KP01,2026-01,120", f"{OTHER},KP01,2026-01,80")
    load(mapped, f"{TOWN},KP01,2026-02,121", f"{OTHER},KP01,2026-02,80",
         now=NOON.replace(day=5))  # fmt: skip

    assert told(mapped) == told(mapped, date(2026, 1, 1))


def test_a_later_table_corrects_and_an_earlier_one_is_not_told_again(mapped) -> None:
    load(mapped, f"{TOWN},KP01,2026-02,120", f"{OTHER},KP01,2026-02,80")
    load(mapped, f"{TOWN},KP01,2026-02,420", now=NOON.replace(day=5))

    assert abs(told(mapped)[TOWN] - 420) <= SMALL.reach
    assert publish_waiting(mapped.connection(), NOON.replace(day=6)) == 0


def test_the_web_role_cannot_read_what_departments_gave(mapped) -> None:
    mapped.execute(text("SET ROLE wangge_app"))
    try:
        rights = {
            table: mapped.scalar(text("SELECT has_table_privilege(:t, 'SELECT')"), {"t": table})
            for table in ("population_count", "people_draw", "population_told", "people_count")
        }
    finally:
        mapped.execute(text("RESET ROLE"))

    assert rights == {"population_count": False, "people_draw": False,
                      "population_told": True, "people_count": True}  # fmt: skip


def test_the_overview_sets_counts_beside_forces_and_services(mapped) -> None:
    load(mapped, f"{TOWN},KP01,2026-02,120", f"{OTHER},KP01,2026-02,80")
    actor = actor_of(mapped)
    nodes = overview.children_of(mapped, actor, COUNTY)

    rows = overview.key_population(
        mapped, actor, nodes, category="KP01", period=date(2026, 2, 1), now=datetime.now(UTC)
    )

    assert [row.area.code for row in rows] == [TOWN, OTHER]
    assert [row.count for row in rows] == [told(mapped)[TOWN], told(mapped)[OTHER]]
    assert sum(row.services for row in rows) == 40
    assert rows[0].before == overview.NOT_GIVEN


def test_a_town_sees_its_own_and_no_other(mapped) -> None:
    load(mapped, f"{TOWN},KP01,2026-02,120", f"{OTHER},KP01,2026-02,80")
    actor = make_actor(mapped, "town_seat", TOWN)

    nodes = overview.children_of(mapped, actor, COUNTY)
    rows = overview.key_population(
        mapped, actor, nodes, category="KP01", period=date(2026, 2, 1), now=NOON
    )

    assert [row.area.code for row in rows] == [TOWN]
    assert overview.history(mapped, actor, OTHER, "KP01") == ()


def test_a_demonstration_has_a_year_of_tables(mapped) -> None:
    registrar = make_actor(mapped, "commander")
    mapped.execute(
        text("UPDATE assignment SET role = 'registrar' WHERE account_id = :a"),
        {"a": registrar.account_id},
    )
    mapped.execute(
        text(
            "INSERT INTO people_count (area_code, measure, published_at, value)"
            " VALUES (:t, 'people', now(), 15000), (:o, 'people', now(), 12000)"
        ),
        {"t": TOWN, "o": OTHER},
    )

    first, again = demo.fill(mapped, NOON), demo.fill(mapped, NOON)

    assert (first, again) == (2 * 5 * 12, 0)
    assert len(overview.periods(mapped, actor_of(mapped))) == 12
