"""Entries of a register that were entered twice: the second as another department writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd

from grids.addressing.lookalikes import GROUPS
from grids.synth.names import FIRST, SECOND

Row = dict[str, Any]

ALIKE: Final = {sign: group for group in GROUPS for sign in group}
#: Ways to write the form of a body; the first that stands at the end is replaced by another.
FORMS: Final = (
    ("有限责任公司", "有限公司"), ("有限公司", "有限责任公司"), ("有限公司", "公司"),
    ("专业合作社", "合作社"), ("便利店", "小超市"), ("饭店", "餐馆"), ("厂", "加工厂"),
)  # fmt: skip
CODE_SIGNS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
#: So far from the first the second is put, in metres: half of them nearer than this.
USUALLY_OFF_M: Final = 15.0


class Doubler:
    """Writes an entry a second time; everything draws from one stream of random numbers."""

    def __init__(self, rng: np.random.Generator, county: str) -> None:
        self.rng = rng
        self.county = county
        self.ways: tuple[Callable[[str], str], ...] = (
            self._same, self._other_form, self._with_county, self._alike, self._left_out,
            self._branch_in_brackets, self._wide,
        )  # fmt: skip

    def double(self, row: Row) -> Row:
        """Return the second entry of `row`: name, code, place and trade as somebody else has them."""
        way = self.ways[int(self.rng.integers(len(self.ways)))]
        off = self.rng.normal(0, USUALLY_OFF_M, 2)
        code = row["uscc"]
        draw = self.rng.random()
        if draw < 0.55:
            code = None
        elif draw < 0.75 and code:
            code = self._mistyped(code)
        return {
            **row, "name": way(row["name"]), "uscc": code,
            "x": row["x"] + off[0], "y": row["y"] + off[1],
            "address_id": row["address_id"] if self.rng.random() < 0.7 else None,
        }  # fmt: skip

    def near_stranger(self, row: Row) -> Row:
        """Return another body that looks like `row`: same trade, next door, another name and code."""
        core = row["name"].removeprefix(self.county)
        signs = FIRST + SECOND
        place = int(self.rng.integers(min(3, len(core))))
        other = next(
            one for one in self.rng.permutation(list(signs)).tolist() if one != core[place]
        )
        prefix = self.county if row["name"].startswith(self.county) else ""
        return {
            **row, "name": prefix + core[:place] + other + core[place + 1 :],
            "uscc": row["uscc"][:9] + "".join(self.rng.choice(list(CODE_SIGNS), 9).tolist()),
            "x": row["x"] + float(self.rng.normal(0, 60)),
            "y": row["y"] + float(self.rng.normal(0, 60)), "address_id": None,
        }  # fmt: skip

    def _same(self, name: str) -> str:
        return name

    def _other_form(self, name: str) -> str:
        for form, other in FORMS:
            if name.endswith(form):
                return name.removesuffix(form) + other
        return name

    def _with_county(self, name: str) -> str:
        if name.startswith(self.county):
            return name.removeprefix(self.county)
        return self.county + name

    def _alike(self, name: str) -> str:
        places = [k for k, sign in enumerate(name) if sign in ALIKE]
        if not places:
            return name
        at = places[int(self.rng.integers(len(places)))]
        group = [one for one in ALIKE[name[at]] if one != name[at]]
        return name[:at] + group[int(self.rng.integers(len(group)))] + name[at + 1 :]

    def _left_out(self, name: str) -> str:
        core = name.removeprefix(self.county)
        at = len(name) - len(core) + int(self.rng.integers(2, max(3, len(core) - 1)))
        return name[:at] + name[at + 1 :]

    def _branch_in_brackets(self, name: str) -> str:
        return f"{name}（个体工商户）" if self.rng.random() < 0.5 else f"（{self.county}）{name}"

    def _wide(self, name: str) -> str:
        return " ".join(name) if self.rng.random() < 0.3 else f"{name} "

    def _mistyped(self, code: str) -> str:
        at = int(self.rng.integers(8, 17))
        return code[:at] + "0123456789"[int(self.rng.integers(10))] + code[at + 1 :]


#: Of a hundred entries so many are entered twice, and so many have a stranger that looks alike.
DOUBLED, STRANGERS = 3, 2


def plant(
    entries: pd.DataFrame, rng: np.random.Generator, county: str
) -> tuple[pd.DataFrame, set[tuple[int, int]]]:
    """Return entries with doubles and strangers added, and the pairs of keys that are one."""
    doubler = Doubler(rng, county)
    rows: list[Any] = entries.to_dict("records")
    count = len(rows)
    chosen = rng.choice(count, count * (DOUBLED + STRANGERS) // 100, replace=False).tolist()
    doubled = count * DOUBLED // 100
    first = int(entries["unique_id"].max()) + 1
    added = [
        {**(doubler.double if k < doubled else doubler.near_stranger)(rows[which]),
         "unique_id": first + k}
        for k, which in enumerate(chosen)
    ]  # fmt: skip
    truth = {(rows[which]["unique_id"], first + k) for k, which in enumerate(chosen[:doubled])}
    return pd.concat([entries, pd.DataFrame(added)], ignore_index=True), truth


def rows_of_a_file(
    entries: pd.DataFrame, rng: np.random.Generator, county: str
) -> tuple[pd.DataFrame, set[tuple[int, int]]]:
    """Return as many rows as there are entries, which another department writes, and what they mean.

    Four of five mean an entry, the others are strangers that look alike; half of the former have no
    code, a fifth a mistyped one. The pairs are a row's number and the key of its entry.
    """
    doubler = Doubler(rng, county)
    rows: list[Any] = entries.to_dict("records")
    made = [
        {**(doubler.near_stranger if k % 5 == 4 else doubler.double)(row), "unique_id": k + 1}
        for k, row in enumerate(rows)
    ]
    truth = {(k + 1, row["unique_id"]) for k, row in enumerate(rows) if k % 5 != 4}
    return pd.DataFrame(made), truth
