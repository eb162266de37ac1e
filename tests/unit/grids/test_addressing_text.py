"""Reading addresses: normal values, places in the original, and any text at all."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grids.addressing.levels import LEVELS, Level
from grids.addressing.normal import normalise, numeral
from grids.addressing.parser import normal_form, parse
from grids.addressing.regions import regions
from tests.support.address_city import library

WORDS = library().vocabulary
SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data"
GOLDEN = [
    line.split("\t")
    for line in (Path(__file__).parent / "addresses.tsv").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
#: Letters that addresses are made of, so that random texts come near to them.
_SIGNS = (
    "示例市安澜街道九源社区康岭金色花园凤楼村路巷弄号幢栋座单元室楼层附之第零一二十百廿"
    "0123456789０１AB-－—#＃()（）【】，、 \u3000|号北京海淀"
)
LIKELY = st.text(st.sampled_from(_SIGNS) | st.characters(), max_size=40)


@pytest.mark.parametrize("row", GOLDEN, ids=[row[0] for row in GOLDEN])
def test_what_says_the_same_has_one_normal_form(row):
    said, normal, *rest = row

    assert parse(said, WORDS).joined == normal
    assert normal_form(normal, WORDS) == normal_form(said, WORDS)
    assert parse(said, WORDS).is_outside is bool(rest)


@pytest.mark.parametrize(
    ("words", "value"),
    [("一百零八", "108"), ("二十三", "23"), ("一〇二", "102"), ("廿三", "23"), ("卅", "30"),
     ("两百", "200"), ("一千零一", "1001"), ("十十", None), ("百千", None)],
)  # fmt: skip
def test_numerals_are_read_by_places_and_by_digits(words, value):
    assert numeral(words) == value


def test_a_part_knows_its_place_in_the_original():
    said = "示例市　安澜街道，康岭街一百零八弄２３號（近桥）"
    parts = {part.level: said[part.start : part.end] for part in parse(said, WORDS).parts}

    assert parts[Level.COUNTY] == "示例市"
    assert parts[Level.TOWN] == "安澜街道"
    assert parts[Level.STREET] == "康岭街"
    assert parts[Level.NUMBER] == "一百零八弄２３號"
    assert parts[Level.NOTE] == "（近桥）"


def test_a_street_that_is_named_like_a_city_stays_a_street():
    for said in ("长春路4号", "北京路8号", "南京东路100号", "上海街3号"):
        values = parse(said).values
        assert Level.CITY not in values
        assert Level.PROVINCE not in values


def test_what_ends_like_a_county_is_none():
    for said in ("高新区研发园", "金色小区5幢", "工业园区3号", "开发区兴业路2号", "九源社区"):
        assert Level.COUNTY not in parse(said).values


@given(LIKELY)
@settings(max_examples=120, deadline=None)
def test_any_text_is_read_and_no_two_parts_share_a_letter(said):
    parsed = parse(said, WORDS)

    last = 0
    for part in parsed.parts:
        assert last <= part.start < part.end <= len(said)
        assert part.value
        last = part.end


@given(LIKELY)
@settings(max_examples=120, deadline=None)
def test_the_normal_form_of_a_normal_form_is_itself(said):
    once = normal_form(said, WORDS)

    assert normal_form(once, WORDS) == once


@given(st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_every_letter_of_the_normal_form_stood_somewhere(said):
    normal = normalise(said)

    assert len(normal.text) == len(normal.begins) == len(normal.ends)
    assert all(0 <= a < b <= len(said) for a, b in zip(normal.begins, normal.ends, strict=True))
    assert list(normal.begins) == sorted(normal.begins)


def _real(name: str, reader) -> list[str]:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is no part of the project")
    return reader(path)


def _lines(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        return file.read().splitlines()[1:]


def _column(path: Path) -> list[str]:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path, columns=["address"])
    return [text for text in table["address"].to_pylist() if text]


@pytest.mark.parametrize(
    ("name", "reader", "step", "share"),
    [("cn_addresses/enterprise_addresses_a.csv.gz", _lines, 4, 0.97),
     ("cn_poi_shanghai/poi.parquet", _column, 15, 0.94)],
)  # fmt: skip
def test_real_texts_are_read_and_no_county_is_invented(name, reader, step, share):
    texts = _real(name, reader)[::step]
    counties = {one.name for ones in regions().values() for one in ones}
    read = 0
    for said in texts:
        parsed = parse(said, WORDS)
        for part in parsed.parts:
            if part.level in (Level.PROVINCE, Level.CITY, Level.COUNTY):
                assert part.value in counties | {"示例市"}
                assert normalise(said[part.start : part.end]).text[:2] in part.value
        assert parsed.values.get(Level.COUNTY) != "示例市"
        read += any(level in parsed.values for level in LEVELS)
    assert read / len(texts) >= share
