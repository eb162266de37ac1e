"""Values as offices write them: read to one form, or refused by a rule that has a text."""

import doctest
import importlib
import pkgutil
import re
from datetime import date

import pytest

from app.config import ROOT
from grids import normal
from grids.importing.batches import settings, words
from grids.importing.batches.targets import TARGETS
from tests.house.test_texts import catalogue

DATA = ROOT / "app/translations/data"
MODULES = [
    *(found.name for found in pkgutil.walk_packages(normal.__path__, "grids.normal.")),
    "grids.importing.batches.words",
    "grids.importing.batches.service",
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2019-3-5", date(2019, 3, 5)),
        ("2019/03/05 00:00:00", date(2019, 3, 5)),
        ("2019年3月5日", date(2019, 3, 5)),
        ("20190305", date(2019, 3, 5)),
        ("43529", date(2019, 3, 5)),
        ("13.3.2019", date(2019, 3, 13)),
        ("03/13/2019", date(2019, 3, 13)),
    ],
)
def test_a_day_is_read(text: str, value: date) -> None:
    assert normal.day(text) == value


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("2019-02-30", "no_such_day"),
        ("05/04/2019", "day_ambiguous"),
        ("5.4.19", "day_year"),
        ("2019-03", "day_month_only"),
        ("昨天", "not_a_day"),
        ("9999", "not_a_day"),
        ("0001-01-01", "no_such_day"),
    ],
)
def test_a_day_that_is_none_or_two_is_refused(text: str, rule: str) -> None:
    with pytest.raises(normal.Unfit) as refused:
        normal.day(text)

    assert refused.value.rule == rule


@pytest.mark.parametrize("text", ["inf", "1e400", "nan", "一百", "1,20", ""])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(normal.Unfit):
        normal.figure(text)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("　Ａ座\u200b１０１　", "A座 101".replace(" ", "")),
        ("无", ""),
        ("N/A", ""),
        ("\ufeff甲", "甲"),
        ("甲\n乙", "甲 乙"),
    ],
)
def test_a_text_is_bared(text: str, plain: str) -> None:
    assert normal.bare(text) == plain


def test_every_rule_has_a_text_in_both_languages() -> None:
    found: set[str] = set()
    for folder in ("grids/normal", "grids/importing/batches", "gis/tables"):
        for path in (ROOT / folder).glob("*.py"):
            source = path.read_text()
            found |= set(re.findall(r"Unfit\(\s*\"(\w+)\"", source))
            found |= set(re.findall(r"'rule', '(\w+)'", source))
            found |= set(re.findall(r"\"rule\": \"(\w+)\"", source))
            found |= set(re.findall(r"problems?(?:\[[^]]*\])? = \"(\w+)\"", source))
    found |= {"cells_many", "twice", "code_twice", "outside_area", "entry_outside", "no_enterprise",
              "same_entry", "identifier_county", "identifier_class", "address_uncertain",
              "address_none", "address_outside"}  # fmt: skip
    found -= {""}
    assert len(found) > 40
    for language in ("zh", "en"):
        known = catalogue(DATA, language)
        assert {f"import.rule.{rule}" for rule in found} - set(known) == set()


def test_every_cause_of_an_unreadable_file_has_a_text() -> None:
    found: set[str] = set()
    for path in (ROOT / "gis/tables").glob("*.py"):
        source = path.read_text()
        found |= set(re.findall(r"unreadable\(\s*\"(\w+)\"", source))
        found |= set(re.findall(r"\(b\"[^\n]*\", \"(\w+)\"\),", source))
    assert len(found) > 15
    for language in ("zh", "en"):
        known = catalogue(DATA, language)
        assert {f"import.why.{why}" for why in found} - set(known) == set()


def test_no_head_names_two_fields_of_one_register() -> None:
    for target in TARGETS.values():
        heads = [head for field in target.fields for head in field.words]
        assert sorted({head for head in heads if heads.count(head) > 1}) == [], target.name


def test_columns_find_their_fields_by_whole_names_first() -> None:
    found = settings.suggested(
        TARGETS["enterprise"],
        ["企业名称（必填）", "单位电话", "注册地址", "X坐标", "Y坐标", "所属行业"],
    )

    assert {name: given.column for name, given in found.items()} == {
        "name": "企业名称（必填）", "address": "注册地址", "lon": "X坐标", "lat": "Y坐标",
        "industry": "所属行业",
    }  # fmt: skip


def test_lists_of_words_lead_each_word_to_one_value() -> None:
    for listed in (words.ENTERPRISE_KINDS, words.PREMISES_KINDS, words.BUILDING_KINDS,
                   words.FACILITY_KINDS, words.COMPONENT_STATES, words.INDUSTRIES):  # fmt: skip
        all_words = [words.plain(word) for many in listed.values() for word in many.split()]
        assert sorted({word for word in all_words if all_words.count(word) > 1}) == []
