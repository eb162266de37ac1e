"""Pairs of entries that are probably one thing: the model of Fellegi and Sunter, run by splink.

How often two entries of one thing agree (`m`) is written down here with its reason; how often two
strangers agree (`u`) is counted on random pairs of the register itself, so that a word that
everybody has in the name proves little. No labels, no training that drifts from run to run.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink import comparison_level_library as levels
from splink import comparison_library as comparisons
from stdnum.cn import uscc

from grids.matching.records import common_ends, core, shape, split

#: Pairs below this are nobody's work.
LEAST: Final = 0.2
#: From here on two entries are more likely one thing than not.
SURE: Final = 0.5
#: From here on nobody needs to look, where no second pair says the same of one of the two.
CERTAIN: Final = 0.95
#: A pair whose odds are so many times those of another speaks against it.
FAR: Final = 5.0
#: Of a hundred entries so many are expected to have a double, before anything is known of them.
EXPECTED: Final = 1.5
#: Of a hundred rows of a file that no code and no key leads to an entry, so many mean one.
EXPECTED_ROWS: Final = 10.0
#: Fewer entries than these tell nothing of how often strangers agree.
FEWEST: Final = 200
#: Neighbours are looked for in squares of this many metres, laid twice, half a square apart.
SQUARE_M: Final = 400.0
RANDOM_PAIRS: Final = 2e6


#: Comparison -> what its levels are called, from none upwards; one that lacks a side is unknown.
AGREEMENT: Final[Mapping[str, tuple[str, ...]]] = {
    "brand": ("other", "one_sign", "one_less", "begins", "alike", "same"),
    "trade": ("other", "near", "same"),
    "code": ("unlike", "two", "near", "same"),
    "place": ("far", "200", "60", "20"),
    "address": ("other", "same"),
    "industry": ("other", "same"),
}
_WANTED: Final = ("match_probability", "unique_id", "source_dataset", "gamma_")
#: What speaks for a pair most, the strongest first.
REASONS: Final = ("code", "code_near", "name", "alike")


def find_pairs(entries: pd.DataFrame, *, common: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return pairs of one register that are probably one thing, the likeliest first.

    Columns of `entries`: unique_id, name, uscc (or None), industry, address_id (or none), x and y
    in metres. `common` are words that many names begin with. Returns columns a, b (keys, a < b),
    score (0 to 1) and for each comparison of `AGREEMENT` how far both agree.
    """
    linker = _trained(_records(entries, common))
    found = _predicted(linker)
    left, right = found["unique_id_l"].to_numpy(), found["unique_id_r"].to_numpy()
    return _undominated(_told(found, np.minimum(left, right), np.maximum(left, right)))


def _undominated(pairs: pd.DataFrame) -> pd.DataFrame:
    """Leave out pairs of which one entry is far more likely another entry's double.

    An entry without a code that is like two neighbours is one of them, not both: where those two
    are no pair themselves, the far likelier pair speaks against the other.
    """
    score = pairs["score"].to_numpy()
    odds = score / np.maximum(1 - score, 1e-12)
    ends = list(zip(pairs["a"].tolist(), pairs["b"].tolist(), strict=True))
    known = set(ends)
    of: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for (a, b), one in zip(ends, odds.tolist(), strict=True):
        of[a].append((b, one))
        of[b].append((a, one))

    def is_dominated(entry: int, other: int, one: float) -> bool:
        return any(
            rival != other
            and far >= FAR * one
            and (min(rival, other), max(rival, other)) not in known
            for rival, far in of[entry]
        )

    stays = [
        not is_dominated(a, b, one) and not is_dominated(b, a, one)
        for (a, b), one in zip(ends, odds.tolist(), strict=True)
    ]
    return pairs[stays].reset_index(drop=True)


def find_matches(
    rows: pd.DataFrame, entries: pd.DataFrame, *, common: tuple[str, ...] = ()
) -> pd.DataFrame:
    """Return which rows of a file probably mean which entries of a register, the likeliest first.

    Both have the columns that `find_pairs` takes. How often strangers agree is counted in the
    register alone, so a file of three rows is judged as one of thousands. Returns its columns: a
    is a row, b an entry.
    """
    count = len(entries)
    both = _records(pd.concat([rows, entries], ignore_index=True), common)
    trained = _trained(both.iloc[len(rows) :])
    model = trained.misc.save_model_to_json(None)
    model["link_type"] = "link_only"
    model["probability_two_random_records_match"] = EXPECTED_ROWS / 100 / count
    api = DuckDBAPI()
    tables = (api.register(both.iloc[: len(rows)], dataset_display_name="a_row"),
              api.register(both.iloc[len(rows) :], dataset_display_name="b_entry"))  # fmt: skip
    found = _predicted(Linker(tables, model, log_level=logging.ERROR))
    is_row = (found["source_dataset_l"] == "a_row").to_numpy()
    left, right = found["unique_id_l"].to_numpy(), found["unique_id_r"].to_numpy()
    return _told(found, np.where(is_row, left, right), np.where(is_row, right, left))


def reason_of(evidence: Mapping[str, str]) -> str:
    """Return what speaks for a pair most, of `REASONS`."""
    if evidence["code"] in ("same", "near"):
        return "code" if evidence["code"] == "same" else "code_near"
    return "name" if evidence["brand"] == "same" else "alike"


def _trained(records: pd.DataFrame) -> Linker:
    """Return a linker of one register that has counted how often strangers agree."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    linker = Linker(DuckDBAPI().register(records), _settings(len(records)), log_level=logging.ERROR)
    linker.training.estimate_u_using_random_sampling(max_pairs=RANDOM_PAIRS, seed=1)
    return linker


def _predicted(linker: Linker) -> pd.DataFrame:
    found: Any = linker.inference.predict(threshold_match_probability=LEAST)
    told = found.as_duckdbpyrelation()
    pairs: pd.DataFrame = told.select(
        *(one for one in told.columns if one.startswith(_WANTED))
    ).df()
    return pairs


def _told(found: pd.DataFrame, a: Any, b: Any) -> pd.DataFrame:
    pairs = pd.DataFrame({"a": a, "b": b, "score": found["match_probability"].to_numpy()})
    for name, words in AGREEMENT.items():
        pairs[name] = np.array([*words, "unknown"])[found[f"gamma_{name}"].to_numpy()]
    return pairs.sort_values(["score", "a", "b"], ascending=[False, True, True], ignore_index=True)


def _records(entries: pd.DataFrame, common: tuple[str, ...]) -> pd.DataFrame:
    cores = [core(name, common) for name in entries["name"]]
    ends = common_ends(cores)
    brands, trades = zip(*(split(text, ends) for text in cores), strict=True)
    x, y = entries["x"].to_numpy(), entries["y"].to_numpy()
    codes = [code if isinstance(code, str) and code else None for code in entries["uscc"]]
    return pd.DataFrame({
        "unique_id": entries["unique_id"].to_numpy(),
        "whole": [shape(text) for text in cores], "brand": brands, "shape": [shape(text) for text in brands], "trade": trades,
        "begin": [shape(text[:1]) for text in brands],
        "end": [shape(text[-1:]) for text in brands],
        "uscc": codes,
        "is_code": [code is not None and uscc.is_valid(code) for code in codes],
        "industry": entries["industry"].to_numpy(),
        "address_id": entries["address_id"].astype("Int64"),
        "x": x, "y": y,
        "square": _square(x, y, 0.0), "shifted": _square(x, y, 0.5),
    })  # fmt: skip


def _square(x: Any, y: Any, shift: float) -> Any:
    column = np.floor(x / SQUARE_M + shift).astype(np.int64)
    row = np.floor(y / SQUARE_M + shift).astype(np.int64)
    return column * 10_000_000 + row


def _settings(count: int) -> SettingsCreator:
    """Return the model. Lengths of edits are bytes: a Chinese sign has three."""
    far = "sqrt(pow(x_l - x_r, 2) + pow(y_l - y_r, 2))"
    edits = "levenshtein(brand_l, brand_r)"
    near = "levenshtein(whole_l, whole_r) <= 3 AND left(whole_l, 2) = left(whole_r, 2)"
    begins = "(starts_with(shape_l, shape_r) OR starts_with(shape_r, shape_l))"
    return SettingsCreator(
        link_type="dedupe_only",
        probability_two_random_records_match=EXPECTED / 100 / (count / 2),
        blocking_rules_to_generate_predictions=[
            block_on("uscc"),
            block_on("shape", "trade"),
            block_on("address_id", "begin"),
            *(
                block_on(square, part)
                for square in ("square", "shifted")
                for part in ("begin", "end")
            ),
        ],
        comparisons=[
            comparisons.CustomComparison(
                output_column_name="brand",
                comparison_levels=[
                    levels.NullLevel("brand"),
                    levels.ExactMatchLevel("brand").configure(m_probability=0.70),
                    levels.ExactMatchLevel("shape").configure(m_probability=0.12),
                    # A word of a trade that is written wrongly is taken for a part of the own name.
                    _level(begins, "one begins with the other", 0.08),
                    _level(
                        f"{edits} <= 3 AND length(brand_l) <> length(brand_r)", "one less", 0.05
                    ),
                    _level(f"{edits} <= 3 AND length(brand_l) > 2", "one other", 0.02),
                    levels.ElseLevel().configure(m_probability=0.02),
                ],
            ),
            comparisons.CustomComparison(
                output_column_name="trade",
                comparison_levels=[
                    levels.NullLevel("trade"),
                    levels.ExactMatchLevel("trade").configure(m_probability=0.75),
                    _level(f"levenshtein(trade_l, trade_r) <= 6 OR {near}", "nearly", 0.17),
                    levels.ElseLevel().configure(m_probability=0.08),
                ],
            ),
            comparisons.CustomComparison(
                output_column_name="code",
                comparison_levels=[
                    levels.NullLevel("uscc"),
                    levels.ExactMatchLevel("uscc").configure(m_probability=0.70),
                    _level("damerau_levenshtein(uscc_l, uscc_r) <= 1", "mistyped", 0.279),
                    # Both pass their check digit, or nobody mistypes so much: two bodies.
                    _level(
                        "is_code_l AND is_code_r OR damerau_levenshtein(uscc_l, uscc_r) > 3",
                        "two codes",
                        0.0001,
                    ),
                    levels.ElseLevel().configure(m_probability=0.0209),
                ],
            ),
            comparisons.CustomComparison(
                output_column_name="place",
                comparison_levels=[
                    _level(f"{far} <= 20", "20 m", 0.55),
                    _level(f"{far} <= 60", "60 m", 0.33),
                    _level(f"{far} <= 200", "200 m", 0.10),
                    levels.ElseLevel().configure(m_probability=0.02),
                ],
            ),
            comparisons.CustomComparison(
                output_column_name="address",
                comparison_levels=[
                    levels.NullLevel("address_id"),
                    levels.ExactMatchLevel("address_id").configure(m_probability=0.95),
                    levels.ElseLevel().configure(m_probability=0.05),
                ],
            ),
            comparisons.CustomComparison(
                output_column_name="industry",
                comparison_levels=[
                    levels.NullLevel("industry"),
                    levels.ExactMatchLevel("industry").configure(m_probability=0.9),
                    levels.ElseLevel().configure(m_probability=0.1),
                ],
            ),
        ],
    )


def _level(condition: str, label: str, m: float) -> Any:
    return levels.CustomLevel(condition, label_for_charts=label).configure(m_probability=m)
