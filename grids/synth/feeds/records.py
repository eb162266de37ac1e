"""The records of one department on one day: as they were, changed, new or gone, before any fault."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import shapely

from grids.synth.business import ALPHABET, PREFIX, TRADES, org_check, uscc_check
from grids.synth.dirty import Clean
from grids.synth.feeds.departments import Department
from grids.synth.feeds.registers import NEW, Entry, Ints, Registers
from grids.synth.names import FIRM_WORDS
from grids.synth.plan import COUNTY

#: A department knows so many times the entries of which it speaks on one day.
KNOWN: Final = 3
#: A metre, in degrees of latitude and, at the city's, of longitude.
METRE: Final = (1 / 96_900, 1 / 111_200)


@dataclass(frozen=True, slots=True)
class Planted:
    """One fault: its kind, the field, and what would be true."""

    kind: str
    field: str
    truth: Any


@dataclass(slots=True)
class Record:
    """One row: facts in the words of the register, and what is written instead of some of them."""

    own_id: str
    state: str  #: same, changed, new, gone, double
    entry: int | None  #: key of the entry that it means; None for a body that is new
    facts: Entry
    raw: dict[str, str] = field(default_factory=dict)
    planted: list[Planted] = field(default_factory=list)
    is_swapped: bool = False


def stream(seed: int, *parts: object) -> np.random.Generator:
    """Return the random numbers of one part of a day's feeds."""
    return np.random.default_rng([seed, zlib.crc32("/".join(map(str, parts)).encode())])


def own_id(department: Department, key: int) -> str:
    """Return what a department calls an entry: always the same, and nobody else's number."""
    mixed = ((key & 0xFFFFFFFF) * 2_654_435_761 + zlib.crc32(department.code.encode())) % 2**32
    return f"{department.own_id}{mixed:010d}"


def known(registers: Registers, department: Department, seed: int, rows: int) -> Ints:
    """Return the keys of the entries that a department has spoken of before, in order."""
    keys = registers.keys(department)
    if len(keys) <= KNOWN * rows:
        return keys
    salt = np.uint64(zlib.crc32(f"{seed}/{department.code}".encode()))
    mixed = (keys.astype(np.uint64) + salt) * np.uint64(0x9E3779B97F4A7C15)
    return keys[np.sort(np.argsort(mixed, kind="stable")[: KNOWN * rows])]


def newcomers(registers: Registers, seed: int, day: int, count: int) -> list[Entry]:
    """Make the enterprises that opened since the day before, with valid codes that nobody has."""
    rng = stream(seed, "newcomers", day)
    every = registers.keys(_ANY)
    beside = registers.entries("enterprise", _some(rng, every, count))
    words, endings = list(FIRM_WORDS), [end for trade in TRADES.values() for end in trade[0]]
    section = {end: trade[1] for trade in TRADES.values() for end in trade[0]}
    made = []
    for n, one in enumerate(beside):
        end = endings[int(rng.integers(len(endings)))]
        kind = "company" if end.endswith("公司") else "individual"
        own = "".join(words[int(k)] for k in rng.integers(0, len(words), 3))
        made.append({
            **one, "id": None, "uscc": new_code(kind, day * 1_000_000 + n),
            "name": ("示例市" if kind == "company" else "") + own + end, "kind": kind,
            "industry": section[end], "status": "open", "staff": int(rng.integers(1, 40)),
            "lon": one["lon"] + float(rng.normal(0, 3)) * METRE[0],
            "lat": one["lat"] + float(rng.normal(0, 3)) * METRE[1],
        })  # fmt: skip
    return made


_ANY: Final = Department("any", "", "enterprise", 0, "csv-utf8", {}, "")


def new_code(kind: str, number: int) -> str:
    """Return a credit code that passes its check digits and that the simulated city does not have.

    >>> from stdnum.cn import uscc
    >>> uscc.is_valid(new_code("company", 7))
    True
    """
    digits = []
    for _ in range(6):
        number, rest = divmod(number, 31)
        digits.append(ALPHABET[rest])
    stem = "NB" + "".join(reversed(digits))
    body = PREFIX[kind] + COUNTY + stem + org_check(stem)
    return body + uscc_check(body)


def records(
    registers: Registers, department: Department, seed: int, day: int, rows: int,
    opened: Sequence[Entry],
) -> list[Record]:  # fmt: skip
    """Make the records of a department, in the order of its file."""
    rng = stream(seed, department.code, day)
    new = round(rows * department.new)
    chosen = _some(rng, known(registers, department, seed, rows), rows - new)
    out = [Record(own_id(department, int(entry["id"])), "same", int(entry["id"]), entry)
           for entry in registers.entries(department.target, chosen)]  # fmt: skip
    changed = round(rows * department.changed)
    gone = round(rows * department.gone) if _leaving(department) else 0
    picks = rng.permutation(len(out))
    for k in picks[:changed].tolist():
        _change(out[k], department, rng)
    for k in picks[changed : changed + gone].tolist():
        out[k].facts |= _leaving(department)
        out[k].state = "gone"
    count = rows - len(out)
    out += _new(registers, department, rng, day, count, opened)
    return [out[k] for k in rng.permutation(len(out)).tolist()]


def _some(rng: np.random.Generator, keys: Ints, count: int) -> Ints:
    return np.sort(rng.choice(keys, min(count, len(keys)), replace=False))


def _leaving(department: Department) -> dict[str, str]:
    """Say how a department writes that something is gone; it cannot where it has no such field."""
    if "status" in department.heads:
        return {"status": "closed"}
    return {"state": "removed"} if "state" in department.heads else {}


def _change(record: Record, department: Department, rng: np.random.Generator) -> None:
    """Let one fact of an entry be another since the day before."""
    facts, heads = record.facts, department.heads
    if "staff" in heads:
        facts["staff"] = (facts["staff"] or 1) + int(rng.integers(1, 9))
    elif "status" in heads:
        facts["status"] = "suspended" if facts["status"] == "open" else "open"
    elif "floor_area_m2" in heads:
        facts["floor_area_m2"] = round((facts["floor_area_m2"] or 40) * 1.1 + 1)
    elif "state" in heads:
        facts["state"] = "damaged" if facts["state"] == "intact" else "intact"
    elif "built_year" in heads:
        facts["built_year"] = (facts["built_year"] or 1999) - int(rng.integers(1, 3))
    elif department.target == "facility":
        facts["name"] = facts["name"].removesuffix("（新校区）") + "（新校区）"
    else:
        facts["estate"] = (facts["estate"] or "").removesuffix("北区") + "北区"
    record.state = "changed"


def _new(
    registers: Registers, department: Department, rng: np.random.Generator, day: int, count: int,
    opened: Sequence[Entry],
) -> list[Record]:  # fmt: skip
    """Make records of what the department speaks of for the first time."""
    if department.target == "enterprise":
        which = np.sort(rng.choice(len(opened), min(count, len(opened)), replace=False))
        facts = [dict(opened[k]) for k in which.tolist()]
    else:
        like = registers.entries(department.target, _some(rng, registers.keys(department), count))
        facts = [_beside(one, department, rng, n) for n, one in enumerate(like)]
    return [Record(f"{department.own_id}{NEW}{day:03d}{n:06d}", "new", None, one)
            for n, one in enumerate(facts)]  # fmt: skip


def _beside(one: Entry, department: Department, rng: np.random.Generator, n: int) -> Entry:
    """Make a thing that is new beside one that is there."""
    off = rng.choice([-1, 1], 2) * rng.uniform(12, 18, 2) * METRE
    made = {**one, "id": None}
    if department.target == "premises":
        # In the same house, under a name of its own; the enterprise may have several.
        own = "".join(FIRM_WORDS[int(k)] for k in rng.integers(0, len(FIRM_WORDS), 3))
        return {**made, "name": f"{own}{one['name'][-3:]}"}
    made |= {"lon": one["lon"] + float(off[0]), "lat": one["lat"] + float(off[1])}
    if "wkb" in one:
        shape = shapely.from_wkb(one["wkb"])
        made["wkb"] = shapely.to_wkb(shapely.transform(shape, lambda xy: xy + off))
    if department.target == "component":
        made["identifier"] = None
    elif department.target == "address":
        made |= {"number": f"{9000 + n}号", "building": None, "estate": None,
                 "street": one["street"] or "新开路"}  # fmt: skip
        made["text"] = f"{made['street']}{made['number']}"
    elif one.get("name"):
        made["name"] = f"{one['name']}{n + 2}部"
    return made


def clean(facts: Entry) -> Clean | None:
    """Return the standard address of an entry; None where it has none."""
    if facts.get("address_id") is None:
        return None
    return Clean(
        id=facts["address_id"], county=facts["county"] or "", town=facts["town"] or "",
        community=facts["community"] or "", street=facts["street"], number=facts["number"],
        estate=facts["estate"], building=facts["building"],
    )  # fmt: skip
