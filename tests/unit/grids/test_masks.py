"""What is shown of a personal value: never enough to know it (domain.md 9.4)."""

from datetime import UTC, datetime

import pytest

from grids import masks
from grids.people.finding import is_child
from grids.people.subject_requests import age_band


@pytest.mark.parametrize(
    ("name", "shown"),
    [("张三", "张*"), ("张三丰", "张**"), ("欧阳修远", "欧**"), ("李", "*"), ("", "")],
)
def test_a_name_keeps_its_first_character(name, shown):
    assert masks.mask_name(name) == shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("样城和平路12号3幢1单元302室", "样城和平路12号3幢"),
        ("样城和平路12号3栋302", "样城和平路12号3栋"),
        ("和平花园5号楼2单元501", "和平花园5号楼"),
        ("和平路12号302室", "和平路12号"),
        ("和平路 12 号 302", "和平路 12 号"),
        ("东山村 3层 301室", "东山村"),
        ("东山村", "东山村"),
    ],
)
def test_an_address_is_cut_at_the_building(address, shown):
    assert masks.mask_address(address) == shown
    assert "302" not in shown
    assert "501" not in shown


@pytest.mark.parametrize("text", ["", "1", "12", "1234", "12345"])
def test_a_short_value_is_hidden_whole(text):
    assert set(masks.mask_id_number(text)) <= {"*"}
    assert len(masks.mask_id_number(text)) == len(text)


@pytest.mark.parametrize(
    ("mask", "value", "kept"),
    [
        (masks.mask_id_number, "339901199001010017", 5),
        (masks.mask_phone, "13800138000", 7),
        (masks.mask_phone, "87654321", 2),
        (masks.mask_plate, "浙A12345", 4),
    ],
)
def test_a_mask_keeps_the_length_and_a_few_characters(mask, value, kept):
    shown = mask(value)

    assert len(shown) == len(value)
    assert sum(a == b for a, b in zip(shown, value, strict=True)) == kept


@pytest.mark.parametrize(
    ("birth", "child"),
    [("2012-03-04", False), ("2012-03-05", True), ("2026-01-01", True), ("1990-01-01", False),
     ("2012-02-29", False), ("", False)],
)  # fmt: skip
def test_a_child_is_one_until_the_fourteenth_birthday(birth, child):
    assert is_child(birth, datetime(2026, 3, 4, tzinfo=UTC)) is child


@pytest.mark.parametrize(
    ("birth", "band"),
    [("2020-03-05", "0-5"), ("2020-03-04", "6-14"), ("2011-03-04", "15-59"),
     ("1966-03-05", "15-59"), ("1966-03-04", "60-79"), ("1946-03-04", "80+")],
)  # fmt: skip
def test_an_age_band_changes_on_the_birthday(birth, band):
    now = datetime(2026, 3, 4, tzinfo=UTC).date()

    assert age_band(datetime.fromisoformat(birth).date(), now) == band
