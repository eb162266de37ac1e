"""Rules about residents: judged where they lie, published as counts that single nobody out.

A row is asked whether something is filled, whether two rows fit, whether an index occurs twice;
nothing sealed is opened. What is found goes the way of every count of people (decision 8): the
failures of a rule in a community are one box, moved by chance, rounded and kept while little
changes; sums are told of communities, towns and counties and only from ten upwards. The share is
taken of counts that are published anyway (`people_count`), so that no rule is one more look at how
many people live somewhere. No row says which persons failed, and none is of a duty grid.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from random import Random, SystemRandom
from typing import Final

from sqlalchemy import Connection, text

from grids.bulk import copy_frame, driver, joined_by_hash
from grids.db import queries
from grids.people import counts_blur, counts_rule
from grids.people.counts import draw_leaves
from grids.people.counts_groups import DEEPEST
from grids.quality.rules import LIVING, RESIDENTS, RULES, Rule, rules_of

#: Counted anew on Sundays: two results a day apart would tell of one registration (S35).
SUNDAY: Final = 7
WEEK: Final = timedelta(days=7)
#: Where residents are from is the register of this platform.
SOURCE: Final = "local"
#: What nobody fails is in no box.
_CLEAN: Final = "0"

_HOMES: Final = f"""(
    SELECT {{key}} AS key, count(*) AS n,
           count(*) FILTER (WHERE person.relation = 'head') AS heads,
           count(*) FILTER (WHERE person.relation = 'head'
                            AND person.age_band IN ('0-5', '6-14')) AS child_heads
    FROM person{{joined}} WHERE {LIVING} GROUP BY 1) AS living"""
#: Register -> its rows with all that its rules look at: joins of whole tables, each by a hash.
_FROM: Final = {
    "dwelling": f"""dwelling JOIN building ON building.id = dwelling.building_id
        AND building.valid_to IS NULL
        LEFT JOIN {
        _HOMES.format(
            key="home.dwelling_id",
            joined=" JOIN household AS home ON home.id = person.household_id",
        )
    }
        ON living.key = dwelling.id""",
    "household": f"""household JOIN dwelling ON dwelling.id = household.dwelling_id
        JOIN building ON building.id = dwelling.building_id
        LEFT JOIN {_HOMES.format(key="person.household_id", joined="")}
        ON living.key = household.id""",
    "person": f"""person JOIN household ON household.id = person.household_id
        LEFT JOIN (SELECT id_number_index FROM person
                   WHERE {LIVING} AND id_number_index IS NOT NULL
                   GROUP BY 1 HAVING count(*) > 1) AS twice
        ON twice.id_number_index = person.id_number_index""",
}
_JUDGE: Final = """
    SELECT left({area}, {digits}) AS area, {failed} AS kind, count(*) AS n FROM {rows} GROUP BY 1, 2
"""
#: A dwelling lies where its building does.
_AREA: Final = {"dwelling": "building.area_code"}
#: What failures are a share of, by area, as far as it is published.
_PER: Final = text("""
    SELECT area_code, measure AS per, value AS n FROM people_count
    WHERE measure IN ('people', 'households', 'rentals') AND length(area_code) <= :deepest
    UNION ALL
    SELECT area, 'dwellings', sum(dwellings)
    FROM (SELECT left(area_code, digits) AS area, dwellings FROM building
          CROSS JOIN (VALUES (6), (9), (12)) AS level (digits)
          WHERE valid_to IS NULL AND length(area_code) >= digits) AS home
    GROUP BY 1
""")
_LAST: Final = text("SELECT max(day) FROM quality_result WHERE rule = ANY(:rules) AND day < :today")
_KEPT: Final = text("""
    INSERT INTO quality_result (day, area_code, rule, source, checked, failed)
    SELECT :today, area_code, rule, source, checked, failed FROM quality_result
    WHERE day = :last AND rule = ANY(:rules)
""")

#: Community -> which rules fail together -> how many rows: everybody once.
Judged = Mapping[str, Mapping[str, int]]


def run(
    connection: Connection, today: date, wanted: Collection[str], chance: Random | None = None
) -> int:
    """Write the results of the day; on other days than Sundays those of the day before stand.

    Needs a role that may read persons (worker or owner); commits nothing. Returns the rows.
    `chance` is for tests: nobody may be able to repeat it.
    """
    rules = [name for name, rule in RULES.items() if rule.is_counted and name in wanted]
    last = connection.scalar(_LAST, {"rules": rules, "today": today})
    if last is not None and today.isoweekday() != SUNDAY and today - last < WEEK:
        return connection.execute(_KEPT, {"today": today, "last": last, "rules": rules}).rowcount
    return _published(connection, today, [RULES[name] for name in rules], chance or SystemRandom())


def judged(connection: Connection, today: date, register: str) -> dict[str, dict[str, int]]:
    """Count the rows of a register by community and by the rules that they fail.

    These are true counts: they stay with the worker. A key is one digit for each rule of the
    register, `1` where it fails.
    """
    asked = rules_of(register)
    failed = " || ".join(
        f"CASE WHEN ({rule.applies}) AND ({rule.fails}) THEN '1' ELSE '0' END" for rule in asked
    )
    area = _AREA.get(register, f"{register}.area_code")
    counted = _JUDGE.format(area=area, digits=DEEPEST, failed=failed, rows=_FROM[register])
    with driver(connection).cursor() as run, joined_by_hash(run):
        rows = connection.execute(text(counted), {"today": today}).all()
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        if row.kind.strip(_CLEAN):
            found.setdefault(row.area, {})[row.kind] = row.n
    return found


def _published(connection: Connection, today: date, rules: Sequence[Rule], chance: Random) -> int:
    areas = connection.execute(queries("people")["areas_of_today"], {"today": today}).scalars()
    codes = sorted(code for code in areas if len(code) <= DEEPEST)
    if not codes:
        return 0
    per = _denominators(connection)
    rows: list[tuple[str, str, int, int]] = []
    for register in RESIDENTS:
        told = _told(connection, register, codes, today=today, chance=chance)
        rows += _shares(told, [rule for rule in rules if rule.register == register], per)
    return copy_frame(
        connection,
        "quality_result",
        {
            "day": [today] * len(rows),
            "area_code": [area for area, *_ in rows],
            "rule": [name for _, name, *_ in rows],
            "source": [SOURCE] * len(rows),
            "checked": [checked for *_, checked, _ in rows],
            "failed": [failed for *_, failed in rows],
        },
    )


def _told(
    connection: Connection, register: str, codes: Sequence[str], *, today: date, chance: Random
) -> dict[str, dict[str, int]]:
    """Draw the boxes of a register; return by rule what may be told of which areas."""
    names = [rule.name for rule in rules_of(register)]
    counted: dict[str, tuple[Mapping[str, int], Mapping[str, int]]] = {}
    for code, kinds in _known(judged(connection, today, register), codes).items():
        counted[code] = (
            kinds,
            {
                name: sum(n for kind, n in kinds.items() if kind[no] == "1")
                for no, name in enumerate(names)
            },
        )
    tree, drawn = draw_leaves(
        connection, f"quality {register}", codes, counted,
        measures=names, on=today, chance=chance, blur=counts_blur.FINE,
    )  # fmt: skip
    return counts_rule.publishable(
        tree,
        {name: {leaf: one.values[name] for leaf, one in drawn.items()} for name in names},
        counts_blur.FINE,
    )


def _known(found: Judged, codes: Sequence[str]) -> dict[str, dict[str, int]]:
    """Put what lies in an area that is no longer known into the one around it."""
    known = set(codes)
    here: dict[str, dict[str, int]] = {}
    for area, kinds in found.items():
        code = counts_rule.deepest(area, known)
        if code is not None:
            mine = here.setdefault(code, {})
            for kind, n in kinds.items():
                mine[kind] = mine.get(kind, 0) + n
    return here


def _denominators(connection: Connection) -> dict[tuple[str, str], int]:
    rows = connection.execute(_PER, {"deepest": DEEPEST})
    return {(row.area_code, row.per): row.n for row in rows if row.n is not None}


def _shares(
    told: Mapping[str, Mapping[str, int]], rules: Iterable[Rule], per: Mapping[tuple[str, str], int]
) -> Iterator[tuple[str, str, int, int]]:
    """Yield area, rule, of how many, how many fail: where all do, all but ten."""
    for rule in rules:
        for area, failed in told[rule.name].items():
            checked = per.get((area, rule.per), 0)
            most = min(failed, checked - counts_blur.SMALLEST)
            if most >= counts_blur.SMALLEST:
                yield area, rule.name, checked, most
