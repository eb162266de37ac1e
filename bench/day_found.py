"""What was planted in a day's feeds beside what was found: by the import, by rules, by matching."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from grids.matching.finding import common_words, enterprises
from grids.matching.linkage import SURE, find_pairs
from grids.quality.rules import RULES, STANDS
from grids.synth.feeds import MANIFEST
from grids.synth.feeds.departments import BY_CODE

Pairs = set[tuple[int, int]]
#: Kind of fault -> rules of the import that tell it, and rules of quality.
TOLD_BY: Final[dict[str, tuple[frozenset[str], tuple[str, ...]]]] = {
    "code_mistyped": (
        frozenset({"credit_check", "credit_letters", "credit_length", "identifier_class",
                   "identifier_county"}), (),
    ),
    "code_old": (frozenset({"credit_old", "identifier_old"}), ()),
    "swapped": (frozenset({"swapped"}), ()),
    "shifted": (
        frozenset({"outside", "outside_area"}),
        ("enterprise.place.far_from_address", "premises.place.far_from_building",
         *(f"{register}.place.no_grid" for register in STANDS),
         *(f"{register}.place.sources_apart" for register in STANDS)),
    ),
    "twice": (
        frozenset({"twice", "code_twice", "same_entry"}),
        ("component.place.twice", "address.text.twice", "enterprise.name.twice",
         "premises.name.twice", "building.place.twice", "facility.name.twice"),
    ),
    "day_impossible": (
        frozenset({"no_such_day", "not_a_day"}), ("enterprise.registered_on.impossible",),
    ),
    "figure_impossible": (
        frozenset({"out_of_bounds", "not_a_number", "not_whole"}),
        ("premises.floor_area_m2.impossible", "building.built_year.impossible",
         "building.height_m.other_than_levels"),
    ),
    "missing": (frozenset({"required"}), ()),
}  # fmt: skip
#: Kinds that pairs of entries tell.
DOUBLES: Final = frozenset({"other_name", "twice"})


@dataclass
class Found:
    """Counts by kind: planted, found, held back, and what was told without having been planted."""

    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    untrue: Counter[str] = field(default_factory=Counter)
    untrue_by_rule: Counter[str] = field(default_factory=Counter)
    overruled: Counter[str] = field(default_factory=Counter)
    pairs_right: int = 0
    led: int = 0  #: rows that the import took for an entry by their likeness
    led_right: int = 0
    pairs_told: int = 0
    pairs_planted: int = 0

    def precision(self) -> float:
        """Return which share of the pairs that were told is one body."""
        return self.pairs_right / max(1, self.pairs_told)

    def recall(self) -> float:
        """Return which share of the bodies that came in twice was told."""
        return self.pairs_right / max(1, self.pairs_planted)

    def recall_of_rules(self) -> float:
        """Return which share of the faults that rules can tell was told."""
        kinds = [*TOLD_BY, "contradiction"]
        wanted = sum(self.planted[k] - self.overruled[k] - self._out(k) for k in kinds)
        return sum(self.found[k] for k in kinds) / max(1, wanted)

    def _out(self, kind: str) -> int:
        """Return how many records of a kind are held back: nobody has decided on them yet."""
        return self.held[kind] if kind == "contradiction" else 0


def failing(connection: Connection, today: date) -> dict[str, set[int]]:
    """Return the keys of the entries that fail the rules of quality which tell a planted kind."""
    wanted = sorted({name for _, names in TOLD_BY.values() for name in names})
    out = {}
    for name in wanted:
        rule = RULES[name]
        where = f"({STANDS[rule.register]}) AND ({rule.applies}) AND ({rule.fails})"
        statement = f"SELECT id FROM {rule.register} WHERE {where}"  # noqa: S608 - the list of rules
        out[name] = set(connection.execute(text(statement), {"today": today}).scalars())
    return out


def duplicates(pool: Engine) -> Pairs:
    """Return the pairs of the whole register that are more likely one body than not."""
    with Session(pool) as session:
        entries, common = enterprises(session), common_words(session)
    pairs = find_pairs(entries, common=common)
    sure = pairs[pairs["score"] >= SURE]
    return set(zip(sure["a"].tolist(), sure["b"].tolist(), strict=True))


def score(
    connection: Connection, files: Path, batches: Mapping[str, int],
    before: Mapping[str, set[int]], after: Mapping[str, set[int]], pairs: Pairs,
) -> Found:  # fmt: skip
    """Compare the manifest with what the day's rows, the rules and the pairs tell."""
    told: dict[str, Any] = json.loads((files / MANIFEST).read_text(encoding="utf-8"))
    rows = {code: _rows(connection, batch_id, BY_CODE[code].target)
            for code, batch_id in batches.items()}  # fmt: skip
    fresh: dict[str, dict[str, set[int]]] = defaultdict(dict)
    for name, keys in after.items():
        fresh[name.partition(".")[0]][name] = keys - before[name]
    right_places = _at_their_address(connection, told["faults"], batches)
    disputed = _disputed(connection)
    out = Found()
    planted: dict[str, set[tuple[str, int]]] = defaultdict(set)
    bodies: dict[int, set[int]] = defaultdict(set)
    led: set[tuple[str, int]] = set()
    for fault in told["faults"]:
        at, kind = (fault["department"], fault["row"]), fault["kind"]
        planted[kind].add(at)
        row = rows[at[0]][at[1]]
        mine = fresh.get(row["target"], {})
        out.planted[kind] += 1
        if row["verdict"] == "held" and not kind.startswith("address_"):
            out.held[kind] += 1
        if kind in DOUBLES and fault["department"] in _OF_ENTERPRISES:
            pair = _pair(connection, fault, row, rows[at[0]])
            if pair is not None and row["is_led"]:
                # The import has led the row to an entry by its likeness: nothing stands twice.
                led.add(at)
                out.led_right += pair[0] == pair[1]
                out.found[kind] += pair[0] == pair[1]
                continue
            if pair is not None and pair[0] != pair[1]:
                double, first = pair
                bodies[first] |= {first, double}
                out.found[kind] += (min(pair), max(pair)) in pairs
                continue
        if kind in TOLD_BY:
            import_rules, quality_rules = TOLD_BY[kind]
            is_told = bool(import_rules & row["rules"]) or any(
                row["entry"] in mine.get(name, ()) for name in quality_rules
            )
            out.found[kind] += is_told
            if not is_told and kind in _SHOWN:
                out.overruled[kind] += _is_right(connection, row, fault)
        elif kind.startswith("address_"):
            out.found[kind] += at in right_places
            out.held[kind] += row["verdict"] == "held"
        elif kind == "contradiction":
            out.found[kind] += disputed.get(row["entry"]) == fault["truth"]
    _untrue(out, rows, planted, fresh)
    new = {row["entry"] for code in _OF_ENTERPRISES for row in rows.get(code, {}).values()
           if row["verdict"] == "new"}  # fmt: skip
    today = {pair for pair in pairs if pair[0] in new or pair[1] in new}
    # Two departments may have written one body anew: all of its entries are one.
    truth = {pair for one in bodies.values() for pair in combinations(sorted(one), 2)}
    every_led = {(code, number) for code, several in rows.items()
                 for number, row in several.items() if row["is_led"]}  # fmt: skip
    # Somebody who is no double and was led to an entry was led wrongly.
    out.pairs_planted = len(truth) + len(led)
    out.pairs_told = len(today) + len(every_led)
    out.pairs_right = len(today & truth) + out.led_right
    out.led = len(every_led)
    return out


#: Kinds whose value may be kept and yet not shown, since a source that stands before it knows better.
_SHOWN: Final = frozenset({"day_impossible", "figure_impossible"})


def _is_right(connection: Connection, row: Mapping[str, Any], fault: Mapping[str, Any]) -> bool:
    """Say whether the register shows what is true in spite of the fault."""
    shown = connection.execute(
        text("SELECT to_jsonb(e) -> :field FROM enterprise AS e WHERE e.id = :entry"),
        {"field": fault["field"], "entry": row["entry"]},
    ).scalar()
    return row["target"] == "enterprise" and str(shown) == str(fault["truth"])


_OF_ENTERPRISES: Final = ("market-supervision", "tax", "statistics", "human-resources")


def _rows(connection: Connection, batch_id: int, target: str) -> dict[int, dict[str, Any]]:
    found = connection.execute(
        text("SELECT number, own_id, verdict, entry_id, errors,"
             " coalesce(match ? 'score', false) AS is_led FROM import_row"
             " WHERE batch_id = :batch"),
        {"batch": batch_id},
    )  # fmt: skip
    return {
        row.number: {"own_id": row.own_id, "verdict": row.verdict, "entry": row.entry_id,
                     "rules": {one["rule"] for one in row.errors or ()}, "target": target,
                     "is_led": row.is_led}
        for row in found
    }  # fmt: skip


def _pair(
    connection: Connection, fault: Mapping[str, Any], row: Mapping[str, Any],
    others: Mapping[int, Mapping[str, Any]],
) -> tuple[int, int] | None:  # fmt: skip
    """Return the entry that the row came to and that of its body; None where it was not taken."""
    if row["entry"] is None or not (row["is_led"] or row["verdict"] == "new"):
        return None
    other: int | None
    if fault["kind"] == "other_name":
        other = (
            fault["truth"]["entry"]
            or connection.execute(
                text("SELECT id FROM enterprise WHERE uscc = :code"),
                {"code": fault["truth"]["uscc"]},
            ).scalar()
        )
    else:
        first = fault["truth"]["own_id"]
        other = next((one["entry"] for one in others.values() if one["own_id"] == first), None)
    if other is None:
        return None
    return row["entry"], other


def _at_their_address(
    connection: Connection, faults: Sequence[Mapping[str, Any]], batches: Mapping[str, int]
) -> set[tuple[str, int]]:
    """Return the rows with a dirty address that came to lie where the address is."""
    asked = [one for one in faults if one["kind"].startswith("address_")]
    codes = {batch_id: code for code, batch_id in batches.items()}
    found = connection.execute(
        text("SELECT r.batch_id, r.number"
             " FROM unnest(CAST(:batches AS bigint[]), CAST(:numbers AS int[]), CAST(:truths AS bigint[]))"
             "   AS t (batch, number, truth)"
             " JOIN import_row AS r ON r.batch_id = t.batch AND r.number = t.number"
             " JOIN address AS a ON a.id = t.truth"
             # An entry that is known stays where it is: then the address says it, or the distance.
             " WHERE (r.data ->> 'address_id')::bigint = t.truth"
             "    OR NOT r.data ? 'address_id' AND ST_DistanceSphere(r.geom, a.geom) < 200"),
        {"batches": [batches[one["department"]] for one in asked],
         "numbers": [one["row"] for one in asked], "truths": [one["truth"] for one in asked]},
    )  # fmt: skip
    return {(codes[row[0]], row[1]) for row in found}


def _disputed(connection: Connection) -> dict[int, str]:
    """Return the industry that is shown of every enterprise of which two departments differ."""
    found = connection.execute(
        text("""
        SELECT e.id, e.industry FROM enterprise AS e JOIN (
            SELECT entry_id FROM fact
            WHERE register = 'enterprise' AND field = 'industry' AND starts_with(source, 'import:')
            GROUP BY entry_id HAVING count(DISTINCT value) > 1) AS f ON f.entry_id = e.id
    """)
    )
    return {row[0]: row[1] for row in found}


def _untrue(
    out: Found, rows: Mapping[str, Mapping[int, Mapping[str, Any]]],
    planted: Mapping[str, set[tuple[str, int]]], fresh: Mapping[str, Mapping[str, set[int]]],
) -> None:  # fmt: skip
    """Count what was told of a fault and has none of this kind: rows refused, entries that fail.

    An entry may be told because of another row that speaks of it.
    """
    entries: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for code, several in rows.items():
        for number, row in several.items():
            for kind, (import_rules, _) in TOLD_BY.items():
                is_planted = (code, number) in planted[kind]
                if is_planted and row["entry"] is not None:
                    entries[kind][row["target"]].add(row["entry"])
                if import_rules & row["rules"] and not is_planted:
                    out.untrue[kind] += 1
    # What is there twice fails on both sides, and one of them was not planted.
    for kind, (_, quality_rules) in TOLD_BY.items():
        for name in quality_rules if kind not in DOUBLES else ():
            register = name.partition(".")[0]
            wrong = fresh[register][name] - entries[kind][register]
            out.untrue[kind] += len(wrong)
            out.untrue_by_rule[name] += len(wrong)


def show(found: Found) -> None:
    """Print the table of the kinds."""
    print(f"  {'kind':22} {'planted':>8} {'found':>8} {'recall':>8} {'held':>7} {'overruled':>10}"
          f" {'precision':>10}")  # fmt: skip
    for kind, count in sorted(found.planted.items()):
        right = found.found[kind]
        told = right + found.untrue[kind]
        exact = f"{right / told:10.4f}" if kind in TOLD_BY and told else f"{'-':>10}"
        print(f"  {kind:22} {count:8} {right:8} {right / count:8.4f} {found.held[kind]:7}"
              f" {found.overruled[kind]:10} {exact}")  # fmt: skip
    for name, count in sorted(found.untrue_by_rule.items()):
        if count:
            print(f"  {name}: {count} entries fail since, none of it planted as such")
    print(f"  pairs of enterprises: {found.pairs_planted} planted, {found.pairs_told} told,"
          f" {found.pairs_right} right; {found.led} of them led by the import, {found.led_right} rightly")  # fmt: skip
