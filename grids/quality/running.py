"""One run of the rules over all registers: one pass each, summed up by area and source."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Connection, text

from grids.divisions import AREAS_OF_CODE
from grids.quality import residents
from grids.quality.rules import RULES, STANDS, Rule, rules_of

#: Every day of this time is kept, then the first day of each month.
KEPT_DAYS: Final = 62

#: A set that does not fit into this is gone through for each row: hours, where it takes seconds.
_ROOM: Final = text("SET LOCAL work_mem = '256MB'")
_CLEAR: Final = text("DELETE FROM quality_result WHERE day = :today")
_THIN: Final = text("DELETE FROM quality_result WHERE day < :before AND extract(day FROM day) <> 1")
#: A group of areas is told by the bits of GROUPING: the one that is not rolled up.
_INTO: Final = """
    INSERT INTO quality_result (day, area_code, rule, source, checked, failed)
    SELECT :today, summed.area, told.rule, summed.source, told.checked, told.failed
    FROM (
      SELECT coalesce(grid, community, town, county) AS area, source, {sums}
      FROM (SELECT {levels},
                   split_part({register}.source, ':', 1) AS source, {judged}
            FROM {register} WHERE {stands}) AS judged
      GROUP BY GROUPING SETS ((county, source), (town, source), (community, source), (grid, source))
    ) AS summed
    CROSS JOIN LATERAL (VALUES {told}) AS told (rule, checked, failed)
    WHERE summed.area IS NOT NULL AND told.checked > 0
"""


def run(connection: Connection, today: date, rules: Iterable[Rule] = RULES.values()) -> int:
    """Judge every entry that stands, replace the results of the day; return how many rows.

    `today` is the day in the city. Needs a role that may write the results; commits nothing.
    """
    wanted = {rule.name for rule in rules}
    connection.execute(_ROOM)
    connection.execute(_CLEAR, {"today": today})
    written = 0
    for register in STANDS:
        asked = [rule for rule in rules_of(register) if rule.name in wanted]
        if asked:
            written += connection.execute(_statement(register, asked), {"today": today}).rowcount
    written += residents.run(connection, today, wanted)
    connection.execute(_THIN, {"before": today - timedelta(days=KEPT_DAYS)})
    return written


def _judged(rules: Sequence[Rule]) -> str:
    """Write the columns that judge an entry: a rule is asked (`a`), and it fails (`f`)."""
    return ", ".join(
        f"({rule.applies}) AS a{no}, ({rule.applies}) AND ({rule.fails}) AS f{no}"
        for no, rule in enumerate(rules)
    )


def _sums(rules: Sequence[Rule]) -> str:
    """Write the sums over judged entries: how many were asked, how many failed."""
    return ", ".join(
        f"count(*) FILTER (WHERE a{no}) AS n{no}, count(*) FILTER (WHERE f{no}) AS b{no}"
        for no in range(len(rules))
    )


def _statement(register: str, rules: Sequence[Rule]) -> Any:
    told = ", ".join(f"('{rule.name}', n{no}, b{no})" for no, rule in enumerate(rules))
    return text(
        _INTO.format(
            levels=AREAS_OF_CODE, register=register, stands=STANDS[register], judged=_judged(rules), sums=_sums(rules),
            told=told,
        )
    )  # fmt: skip
