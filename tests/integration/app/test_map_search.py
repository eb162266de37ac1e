"""One box over everything that has a place: areas, grids, things, cases, categories."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from tests.support.maps import TOWNS


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("江滨路3", "address"),
        ("jbl3", "address"),
        ("公司", "enterprise"),
        ("339901010010", "component"),
        ("339901001001001", "grid"),
        ("yangcheng", "area"),
        ("yc", "area"),
        ("bllj", "category"),
        (f"{datetime.now(UTC):%Y}", "none"),
    ],
)
def test_one_box_finds_everything_that_has_a_place(map_app, sign_in, words, kind) -> None:
    items = sign_in("commander").get("/api/search", query_string={"q": words}).json["items"]

    kinds = {item["kind"] for item in items}
    assert kind == "none" or kind in kinds
    assert "person" not in kinds


def test_a_case_is_found_by_its_number_in_ones_own_area_only(map_app, sign_in, mapped) -> None:
    number = mapped.scalar(text("SELECT number FROM incident WHERE area_code LIKE '339901002%'"))

    def kinds(client) -> set[str]:
        found = client.get("/api/search", query_string={"q": number}).json["items"]
        return {item["kind"] for item in found}

    assert "incident" in kinds(sign_in("commander"))
    assert "incident" not in kinds(sign_in("town_seat", area=TOWNS[0]))


def test_categories_are_found_by_pinyin_and_the_best_comes_first(map_app, client) -> None:
    found = client.get("/api/categories?kind=matter&q=baolu").json

    assert found[0]["name"] == "暴露垃圾"
    assert {one["kind"] for one in found} == {"matter"}


def test_the_summary_counts_open_cases(map_app, sign_in) -> None:
    summary = sign_in("commander").get("/api/summary").json

    assert summary["open"] == 4
    assert set(summary) == {
        "open", "late", "reported_today", "on_time_month", "on_duty", "as_of",
    }  # fmt: skip
