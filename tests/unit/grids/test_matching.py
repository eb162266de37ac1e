"""Pairs of enterprises that are one: planted doubles found, strangers next door let be."""

import csv
import io
from typing import Any

import numpy as np
import pandas as pd
import pytest

from grids.matching import finding
from grids.matching.linkage import SURE, find_pairs
from grids.matching.records import common_ends, core, shape, split
from grids.synth.business import TRADES, credit_codes
from grids.synth.doubles import plant
from grids.synth.names import FIRM_WORDS

COUNT = 4000
COUNTY = "示例市"


@pytest.fixture(scope="module")
def planted() -> tuple[pd.DataFrame, set[tuple[int, int]]]:
    """Return a town's enterprises with doubles and strangers, and which pairs are one."""
    rng = np.random.default_rng(12)
    trades = [TRADES[name] for name in TRADES]
    chosen = [trades[k] for k in rng.choice(len(trades), COUNT, p=_shares(trades)).tolist()]
    ends = [trade[0][int(rng.integers(len(trade[0])))] for trade in chosen]
    kinds = ["company" if end.endswith("公司") else "individual" for end in ends]
    signs = ["".join(rng.choice(FIRM_WORDS, int(rng.integers(2, 4)))) for _ in range(COUNT)]
    houses = rng.uniform(0, 3000, (COUNT // 6, 2))
    house = rng.integers(len(houses), size=COUNT)
    places = houses[house] + rng.normal(0, 5, (COUNT, 2))
    entries = pd.DataFrame({
        "unique_id": np.arange(1, COUNT + 1), "uscc": credit_codes(kinds, rng),
        "name": [(COUNTY if kind == "company" else "") + sign + end
                 for kind, sign, end in zip(kinds, signs, ends, strict=True)],
        "industry": [trade[1] for trade in chosen], "address_id": house + 1,
        "area_code": "339901001001001", "x": places[:, 0], "y": places[:, 1],
    })  # fmt: skip
    return plant(entries, rng, COUNTY)


def _shares(trades: list[Any]) -> list[float]:
    total = sum(trade[4] for trade in trades)
    return [trade[4] / total for trade in trades]


def test_doubles_are_found_and_strangers_are_not(
    planted: tuple[pd.DataFrame, set[tuple[int, int]]],
) -> None:
    entries, truth = planted

    found = find_pairs(entries, common=(COUNTY,))

    sure = found[found["score"] >= SURE]
    got = set(zip(sure["a"].tolist(), sure["b"].tolist(), strict=True))
    assert len(truth) == 120
    assert len(got & truth) / len(got) >= 0.98
    assert len(got & truth) / len(truth) >= 0.95
    assert found["score"].is_monotonic_decreasing


def test_the_same_entries_give_the_same_pairs(
    planted: tuple[pd.DataFrame, set[tuple[int, int]]],
) -> None:
    entries = planted[0].tail(600)
    shuffled = entries.sample(frac=1, random_state=3)

    first, again = (find_pairs(one, common=(COUNTY,)) for one in (entries, entries))
    other = find_pairs(shuffled, common=(COUNTY,))

    pd.testing.assert_frame_equal(first, again)
    assert set(zip(first["a"], first["b"], strict=True)) == set(
        zip(other["a"], other["b"], strict=True)
    )


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("示例市信宝贸易有限公司", "信宝贸易有限责任公司"),
        ("信宝贸易有限公司", "信 宝 贸 易 有 限 公 司"),
        ("信宝贸易有限公司", "（示例市）信宝贸易有限公司"),
        ("信宝贸易有限公司", "信宝贸易有公司"),
        ("信宝ABC贸易", "信宝ＡＢＣ贸易（个体工商户）"),
    ],
)
def test_names_of_one_body_have_one_core(name: str, same: str) -> None:
    assert core(name, (COUNTY,)) == core(same, (COUNTY,))


def test_branches_of_a_chain_are_told_apart() -> None:
    assert core("信宝超市（城北店）", ()) != core("信宝超市（城南店）", ())


def test_what_many_names_end_with_is_a_trade() -> None:
    cores = [f"{sign}水果店" for sign in ("隆美", "天丰", "银诚", "海创")] + ["隆美水电站"]
    ends = common_ends(cores)

    assert split("隆美水果店", ends) == ("隆美", "水果店")
    assert split("隆美水电站", ends) == ("隆美水电站", "")
    assert shape("未来") == shape("末来") != shape("从来")


def test_a_table_of_pairs_runs_nothing_in_a_spreadsheet() -> None:
    out = io.StringIO()

    count = finding.write(out, [(0.99, 1, 2, "=1+1", "甲", "", "", "F", "F", "3", "3", 4.0)])

    rows = list(csv.reader(io.StringIO(out.getvalue().removeprefix("\ufeff"))))
    assert (count, rows[0]) == (1, list(finding.COLUMNS))
    assert not rows[1][3].startswith("=")
