"""Enterprises that were entered twice: how many are found, how many found are wrong, how fast.

The city's own enterprises, 3 of 100 entered a second time as another department writes them, and
2 of 100 strangers that look alike next door (`grids/synth/doubles.py`). The baseline is what a
database does by itself: the same name in the same town.
"""

from __future__ import annotations

import resource
import time
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from app.config import as_role
from bench import Result
from bench.city import bench_city
from grids.db import engine
from grids.matching.finding import common_words, enterprises
from grids.matching.linkage import CERTAIN, SURE, find_matches, find_pairs
from grids.synth.doubles import plant, rows_of_a_file

SEED = 5
PRECISION, RECALL = 0.98, 0.95
#: Of a day's quarter of an hour, what finding pairs in the whole register may take.
ALLOWED_S = 300.0
#: A file as long as the register, against it.
LINK_S, LINK_GIB = 240.0, 2.0


def run(scale: float) -> list[Result]:
    """Measure at a scale of the customer's city."""
    with (
        bench_city(scale) as made,
        Session(engine(as_role(made.url, "wangge_owner", "none"))) as db,
    ):
        clean, common = enterprises(db), common_words(db)
    entries, truth = plant(clean, np.random.default_rng(SEED), common[-1])
    started = time.perf_counter()
    found = find_pairs(entries, common=common)
    took = time.perf_counter() - started
    sure = _pairs(found[found["score"] >= SURE])
    same = _same_name(entries)
    print(
        f"  {len(entries):,} entries, {len(truth):,} entered twice, {len(found):,} pairs in"
        f" {took:.1f} s, peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB"
    )
    for name, got in (("splink", sure), ("same name", same)):
        right = len(got & truth)
        print(
            f"  {name:10} precision {right / max(1, len(got)):.4f}  recall {right / len(truth):.4f}"
        )
    right = len(sure & truth)
    return [
        *_link(scale, clean, common),
        Result("precision of what is sure", scale, right / max(1, len(sure)), 1.0, "share", PRECISION),
        Result("recall", scale, right / len(truth), 1.0, "share", RECALL),
        Result("recall beside the same name", scale, right / len(truth),
               len(same & truth) / len(truth), "share", 1.5),
        Result("pairs of the register", scale, took, ALLOWED_S, "s", 1.0, "lower"),
    ]  # fmt: skip


def _link(scale: float, clean: pd.DataFrame, common: tuple[str, ...]) -> list[Result]:
    """Lead a file of as many rows as the register has to their entries, without code or key."""
    rows, truth = rows_of_a_file(clean, np.random.default_rng(SEED), common[-1])
    started = time.perf_counter()
    found = find_matches(rows, clean, common=common)
    took = time.perf_counter() - started
    found = found[found["score"] >= SURE]
    alone = (found.groupby("a")["b"].transform("size") == 1) & (
        found.groupby("b")["a"].transform("size") == 1
    )
    taken, shown = _pairs(found[alone & (found["score"] >= CERTAIN)]), _pairs(found)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"  {len(rows):,} rows of a file, {len(truth):,} of them of the register, in {took:.1f} s,"
        f" peak {peak:.2f} GiB: {len(taken):,} taken, {len(shown) - len(taken):,} pairs for people"
    )
    return [
        Result("precision of rows taken", scale, len(taken & truth) / max(1, len(taken)), 1.0, "share", PRECISION),
        Result("recall of rows taken or shown", scale, len(shown & truth) / len(truth), 1.0, "share", RECALL),
        Result("rows against the register", scale, took, LINK_S, "s", 1.0, "lower"),
        Result("peak memory", scale, peak, LINK_GIB, "GiB", 1.0, "lower"),
    ]  # fmt: skip


def _pairs(found: pd.DataFrame) -> set[tuple[int, int]]:
    return set(zip(found["a"].tolist(), found["b"].tolist(), strict=True))


def _same_name(entries: pd.DataFrame) -> set[tuple[int, int]]:
    groups: Any = entries.groupby([entries["area_code"].str[:9], "name"])["unique_id"]
    return {
        (keys[i], keys[j])
        for keys in groups.apply(sorted)
        for i in range(len(keys)) for j in range(i + 1, len(keys))
    }  # fmt: skip
