"""Faults that are planted in the records of departments: one function for each kind.

A function changes a record and returns what it planted, or None where the record does not take
the fault. A record takes one fault beside a dirty address, so that each can be looked for alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from datetime import date
from typing import Any, Final

import numpy as np
import shapely

from grids.synth.business import ALPHABET
from grids.synth.dirty import ABSENT, KINDS, Clean, Writer
from grids.synth.doubles import Doubler
from grids.synth.feeds.departments import FAULTS, Department
from grids.synth.feeds.records import METRE, Planted, Record, clean
from grids.synth.feeds.registers import NEW
from grids.synth.plan import COUNTY, NAME_ZH

#: What is shifted lies so far off: in another grid, and nowhere near its address.
SHIFTED_M: Final = (400.0, 900.0)
_REQUIRED: Final = {
    "enterprise": ("name", "kind", "industry"), "premises": ("name", "kind"),
    "component": ("code",), "facility": ("name", "kind"), "building": ("kind",),
    "address": ("text",),
}  # fmt: skip
_CODES: Final = ("uscc", "enterprise_uscc")


class Faulter:
    """Plants the faults of one department on one day; all draws are of one stream."""

    def __init__(
        self, department: Department, rng: np.random.Generator, today: date, writer: Writer,
        told: Collection[int],
    ) -> None:  # fmt: skip
        self.department, self.rng, self.today, self.writer = department, rng, today, writer
        self.doubler = Doubler(rng, NAME_ZH)
        #: Entries of which another department says today what is true.
        self.told = told
        self.others = 0
        self.ways: dict[str, Callable[[Record], Planted | None]] = {
            "code_mistyped": self._code_mistyped, "code_old": self._code_old,
            "swapped": self._swapped, "shifted": self._shifted, "other_name": self._other_name,
            "day_impossible": self._day, "figure_impossible": self._figure,
            "missing": self._missing, "stale": self._stale, "contradiction": self._contradiction,
        }  # fmt: skip

    def plant(self, records: list[Record]) -> list[Record]:
        """Plant every kind in its share; return the records with those that are there twice."""
        order = iter(self.rng.permutation(len(records)).tolist())
        for kind in FAULTS:
            share = self.department.share(kind) * len(records)
            if kind == "twice":
                records = records + list(self._twice(records, order, round(share)))
                continue
            # Of a small city's records some kind would else be in no file at all.
            wanted = int(share + self.rng.random())
            if not wanted:
                continue
            self._spread(records, order, kind, wanted)
        for record in records if self.department.by_address else ():
            self._address(record)
        return records

    def _spread(self, records: list[Record], order: Iterator[int], kind: str, wanted: int) -> None:
        tries = 20 * wanted
        for k in order:
            record = records[k]
            found = self.ways[kind](record) if record.state != "gone" else None
            if found is not None:
                record.planted.append(found)
                wanted -= 1
            tries -= 1
            if not wanted or not tries:
                return

    def _twice(self, records: list[Record], order: Iterator[int], wanted: int) -> Iterator[Record]:
        """Write records again under ids that are new: a second clerk has entered them."""
        for k in order:
            if not wanted:
                return
            one = records[k]
            if one.state == "gone":
                continue
            again = Record(self._other_id(), "double", one.entry, dict(one.facts))
            truth = one.entry or one.facts.get("uscc") or one.own_id
            again.planted.append(Planted("twice", "entry", {"own_id": one.own_id, "is": truth}))
            wanted -= 1
            yield again

    def _other_id(self) -> str:
        self.others += 1
        return f"{self.department.own_id}{NEW}9{self.others:08d}"

    # --- Codes ------------------------------------------------------------------------------

    def _code_mistyped(self, record: Record) -> Planted | None:
        for name in _CODES:
            code = record.facts.get(name) if name in self.department.heads else None
            if code:
                at = int(self.rng.integers(8, 17))
                others = [sign for sign in ALPHABET[:10] if sign != code[at]]
                other = others[int(self.rng.integers(len(others)))]
                record.raw[name] = code[:at] + other + code[at + 1 :]
                return Planted("code_mistyped", name, code)
        code = record.facts.get("identifier") if "identifier" in self.department.heads else None
        if not code:
            return None
        at = int(self.rng.integers(6, 11))
        other = str((int(code[at]) + int(self.rng.integers(1, 10))) % 10)
        record.raw["identifier"] = code[:at] + other + code[at + 1 :]
        return Planted("code_mistyped", "identifier", code)

    def _code_old(self, record: Record) -> Planted | None:
        """Write the number that a body had before 2015, or an identifier of CJ/T 214."""
        for name in _CODES:
            if name in self.department.heads and record.facts.get(name):
                # Eight figures of sequence, one to check; no day of birth can be read in it.
                record.raw[name] = f"{COUNTY}6000{self.rng.integers(10**4, 10**5)}"
                return Planted("code_old", name, record.facts[name])
        code = record.facts.get("identifier") if "identifier" in self.department.heads else None
        if not code:
            return None
        record.raw["identifier"] = code[:8] + code[9:]
        return Planted("code_old", "identifier", code)

    # --- Places -----------------------------------------------------------------------------

    def _swapped(self, record: Record) -> Planted | None:
        if self.department.by_address:
            return None
        record.is_swapped = True
        return Planted("swapped", "place", [record.facts["lon"], record.facts["lat"]])

    def _shifted(self, record: Record) -> Planted | None:
        if self.department.by_address:
            return None
        turn, far = self.rng.uniform(0, 2 * math.pi), self.rng.uniform(*SHIFTED_M)
        off = [math.cos(turn) * far * METRE[0], math.sin(turn) * far * METRE[1]]
        facts = record.facts
        truth = [facts["lon"], facts["lat"]]
        facts |= {"lon": facts["lon"] + off[0], "lat": facts["lat"] + off[1]}
        if "wkb" in facts:
            shape = shapely.from_wkb(facts["wkb"])
            facts["wkb"] = shapely.to_wkb(shapely.transform(shape, lambda xy: xy + off))
        return Planted("shifted", "place", truth)

    def _address(self, record: Record) -> None:
        """Write the address as people do; where the file tells the place by it alone."""
        one = clean(record.facts)
        if one is None:
            return
        text = f"{one.county}{one.town}{_local(one)}"
        if self.rng.random() < self.department.dirt:
            kind = _KINDS[int(self.rng.choice(len(_KINDS), p=_WEIGHTS))]
            dirty = KINDS[kind][0](self.writer, one)
            if dirty is not None:
                text = dirty
                record.planted.append(Planted(f"address_{kind}", "address", one.id))
        record.raw["address"] = text

    # --- Bodies -----------------------------------------------------------------------------

    def _other_name(self, record: Record) -> Planted | None:
        """Report a body that another department has reported too: another name, no code."""
        if self.department.target != "enterprise" or not record.facts["uscc"]:
            return None
        facts = {**record.facts, "x": 0.0, "y": 0.0}
        made = self.doubler.double(facts)
        truth = {"entry": record.entry, "uscc": record.facts["uscc"]}
        facts |= {
            "name": made["name"], "lon": facts["lon"] + made["x"] * METRE[0],
            "lat": facts["lat"] + made["y"] * METRE[1],
        }  # fmt: skip
        record.facts, record.state, record.own_id = facts, "double", self._other_id()
        record.raw["uscc"] = ""
        return Planted("other_name", "entry", truth)

    # --- Values -----------------------------------------------------------------------------

    def _day(self, record: Record) -> Planted | None:
        truth = record.facts.get("registered_on")
        if "registered_on" not in self.department.heads or truth is None:
            return None
        if self.rng.random() < 0.5:
            record.raw["registered_on"] = f"{truth.year}-02-{30 + int(self.rng.integers(2))}"
        else:
            record.facts["registered_on"] = truth.replace(
                year=self.today.year + int(self.rng.integers(2, 60)), day=min(truth.day, 28)
            )
        return Planted("day_impossible", "registered_on", truth.isoformat())

    def _figure(self, record: Record) -> Planted | None:
        heads, facts = self.department.heads, record.facts
        for name, ways in _FIGURES.items():
            if name in heads and facts.get(name) is not None:
                record.raw[name] = ways[int(self.rng.integers(len(ways)))].format(
                    year=self.today.year + 3
                )
                return Planted("figure_impossible", name, facts[name])
        return None

    def _missing(self, record: Record) -> Planted | None:
        names = [name for name in _REQUIRED[self.department.target]
                 if name in self.department.heads and record.facts.get(name)]  # fmt: skip
        if not names:
            return None
        name = names[int(self.rng.integers(len(names)))]
        record.raw[name] = str(self.rng.choice(["", " ", "无", "暂无", "/"]))
        return Planted("missing", name, record.facts[name])

    def _stale(self, record: Record) -> Planted | None:
        """Send what was true once; everybody else knows better since."""
        if record.state != "same":
            return None
        for name in ("staff", "floor_area_m2", "built_year"):
            truth = record.facts.get(name)
            if name in self.department.heads and truth is not None:
                old = truth - 9 if name == "built_year" else max(3, round(truth * 0.6) + 1)
                if old == truth:
                    return None
                record.facts[name] = old
                return Planted("stale", name, truth)
        if "status" in self.department.heads:
            truth = record.facts["status"]
            record.facts["status"] = "suspended" if truth == "open" else "open"
            return Planted("stale", "status", truth)
        return None

    def _contradiction(self, record: Record) -> Planted | None:
        """Say of an enterprise what another department says otherwise on the same day."""
        if record.state != "same" or record.entry not in self.told:
            return None
        name, truth = "industry", record.facts["industry"]
        others = [one for one in "CFGHILOP" if one != truth]
        record.facts[name] = others[int(self.rng.integers(len(others)))]
        return Planted("contradiction", name, truth)


_FIGURES: Final[dict[str, tuple[str, ...]]] = {
    "staff": ("-12", "99999999", "若干"), "floor_area_m2": ("-35", "0.4", "800000"),
    "built_year": ("{year}", "21870", "998"), "height_m": ("-3", "4000"),
    "levels": ("0", "900"),
}  # fmt: skip
_KINDS: Final = [kind for kind in KINDS if kind not in (*ABSENT, "plain", "complete", "pinyin",
                                                        "phone")]  # fmt: skip
_WEIGHTS: Final = np.array([KINDS[kind][1] for kind in _KINDS], dtype=float) / sum(
    KINDS[kind][1] for kind in _KINDS
)


def _local(one: Clean) -> str:
    front = f"{one.street or ''}{one.number or ''}"
    return front + (f"{one.estate}{one.building}" if one.estate and one.building else "")


def values_of(planted: Planted) -> dict[str, Any]:
    """Return a fault as the manifest has it."""
    return {"kind": planted.kind, "field": planted.field, "truth": planted.truth}
