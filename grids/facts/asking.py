"""What is worth a question to whoever is on the spot, and when it is asked.

`QUESTIONS` and `FINDINGS` are the rules. Sources that say otherwise, findings of the quality
rules and stewards make questions; so that nobody drowns, `PER_GRID` are open in a grid at a
time, the heaviest first, and the others wait.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from grids.facts.survivorship import PLACE
from grids.quality.rules import RULES, STANDS

#: So many questions are open in one grid at a time.
PER_GRID: Final = 10
#: Buttons on one card: more would be read by nobody.
OFFERED: Final = 4
#: Places nearer to each other than this mean the same (degrees, some 30 m).
APART_DEG: Final = 0.0003
#: Questions that one run makes of one finding.
_MOST: Final = 2_000


@dataclass(frozen=True)
class Question:
    """A field about which the spot can tell, and how much it matters."""

    register: str
    field: str
    weight: float


#: What is asked where sources disagree; a field that an office decides on paper is not.
QUESTIONS: Final = (
    Question("enterprise", "status", 5),
    Question("component", "state", 5),
    Question("enterprise", PLACE, 4),
    Question("premises", PLACE, 4),
    Question("component", PLACE, 3),
    Question("facility", PLACE, 3),
    Question("premises", "kind", 3),
    Question("facility", "kind", 3),
    Question("building", "levels", 3),
    Question("building", "kind", 2),
    Question("premises", "name", 2),
    Question("facility", "name", 2),
    Question("premises", "floor_area_m2", 1),
    Question("enterprise", "staff", 1),
)
#: Rule of quality -> the field that its finding asks about, and how much it matters.
FINDINGS: Final = (
    ("premises.floor_area_m2.impossible", "floor_area_m2", 2.0),
    ("building.height_m.other_than_levels", "levels", 1.5),
    ("premises.name.missing", "name", 1.0),
    ("facility.name.missing", "name", 1.0),
)

_CONFLICTS: Final = """
    INSERT INTO fact_check (register, entry_id, field, candidates, weight, why, area_code, grid_id,
                            asked_at)
    WITH said AS (
        SELECT entry_id, field, value, jsonb_agg(source ORDER BY source) AS sources,
               min(observed_at) AS since, count(*) AS n,
               max(observed_at) FILTER (WHERE source NOT IN ('desk', 'ground')) AS told,
               max(observed_at) FILTER (WHERE source IN ('desk', 'ground')) AS seen
        FROM fact WHERE register = '{table}' AND field = ANY (:fields) AND value <> ''
        GROUP BY entry_id, field, value
    ), apart AS (
        SELECT entry_id, field, max(told) AS told,
               (jsonb_agg(jsonb_build_object('value', value, 'sources', sources, 'since', since)
                          ORDER BY n DESC, since DESC, value))
                 AS candidates
        FROM said GROUP BY entry_id, field
        HAVING count(*) > 1 AND coalesce(max(seen) < max(told), max(told) IS NOT NULL)
           AND (field <> 'place' OR ST_MaxDistance(
                 ST_Collect(ST_PointOnSurface((CASE WHEN field = 'place' THEN value END)::geometry)),
                 ST_Collect(ST_PointOnSurface((CASE WHEN field = 'place' THEN value END)::geometry)))
               > {apart})
    )
    SELECT '{table}', a.entry_id, a.field,
           jsonb_path_query_array(a.candidates, '$[0 to 3]'),
           (CAST(:weights AS jsonb) ->> a.field)::real, 'conflict', {table}.area_code, {table}.grid_id, :now
    FROM apart AS a JOIN {table} ON {table}.id = a.entry_id AND {table}.grid_id IS NOT NULL
    WHERE {stands} AND NOT EXISTS (
        SELECT 1 FROM fact_check AS k WHERE k.register = '{table}' AND k.entry_id = a.entry_id
          AND k.field = a.field AND k.state IN ('answered', 'dropped') AND k.answered_at >= a.told)
    ON CONFLICT DO NOTHING
"""
_FINDING: Final = """
    INSERT INTO fact_check (register, entry_id, field, candidates, weight, why, area_code, grid_id,
                            asked_at)
    SELECT '{table}', {table}.id, '{field}',
           CASE WHEN {table}.{field} IS NULL THEN '[]' ELSE jsonb_build_array(jsonb_build_object(
             'value', {table}.{field}::text, 'sources', jsonb_build_array({table}.source),
             'since', {table}.valid_from)) END,
           {weight}, 'finding', {table}.area_code, {table}.grid_id, :now
    FROM {table}
    WHERE {stands} AND ({applies}) AND ({fails}) AND {table}.grid_id IS NOT NULL
      AND NOT EXISTS (
        SELECT 1 FROM fact_check AS k WHERE k.register = '{table}' AND k.entry_id = {table}.id
          AND k.field = '{field}' AND k.state IN ('answered', 'dropped'))
    ORDER BY {table}.id LIMIT {most}
    ON CONFLICT DO NOTHING
"""
_FOLLOW: Final = """
    UPDATE fact_check AS k SET area_code = t.area_code, grid_id = t.grid_id FROM {table} AS t
    WHERE k.register = '{table}' AND k.state IN ('waiting', 'open') AND t.id = k.entry_id
      AND t.grid_id IS NOT NULL AND (k.grid_id, k.area_code) IS DISTINCT FROM (t.grid_id, t.area_code)
"""
_GONE: Final = """
    UPDATE fact_check AS k SET state = 'dropped', answered_at = :now
    WHERE k.register = '{table}' AND k.state IN ('waiting', 'open')
      AND NOT EXISTS (SELECT 1 FROM {table} WHERE {table}.id = k.entry_id AND {stands})
"""
_OPEN: Final = text(
    """
    UPDATE fact_check AS k SET state = 'open'
    FROM (SELECT id, state, row_number() OVER (
                   PARTITION BY grid_id ORDER BY state = 'open' DESC, weight DESC, asked_at, id) AS place
          FROM fact_check WHERE state IN ('waiting', 'open') AND (CAST(:grid AS bigint) IS NULL OR grid_id = :grid)) AS w
    WHERE k.id = w.id AND w.state = 'waiting' AND w.place <= :most
    """
)
_COUNT: Final = "SELECT count(*) FROM fact_check WHERE state IN ('waiting', 'open')"


def ask_all(session: Session, *, now: datetime) -> int:
    """Make questions of everything that sources say otherwise and that rules have found.

    Questions follow their entries into other grids; those on entries that are gone are dropped.
    Returns how many wait or are open. Asking again makes nothing twice.
    """
    values: dict[str, Any] = {"now": now, "today": now.date()}
    for register in dict.fromkeys(one.register for one in QUESTIONS):
        wanted = [one for one in QUESTIONS if one.register == register]
        values["fields"] = [one.field for one in wanted]
        values["weights"] = json.dumps({one.field: one.weight for one in wanted})
        for statement in (_FOLLOW, _GONE, _CONFLICTS):
            filled = statement.format(table=register, stands=STANDS[register], apart=APART_DEG)
            session.execute(text(filled), values)
    for name, field, weight in FINDINGS:
        rule = RULES[name]
        filled = _FINDING.format(
            table=rule.register, field=field, weight=weight, stands=STANDS[rule.register],
            applies=rule.applies, fails=rule.fails, most=_MOST,
        )  # fmt: skip
        session.execute(text(filled), values)
    open_next(session)
    return int(session.scalar(text(_COUNT)) or 0)


def open_next(session: Session, grid_id: int | None = None) -> None:
    """Open what waits, the heaviest first, as far as a grid has room."""
    session.flush()
    session.execute(_OPEN, {"grid": grid_id, "most": PER_GRID})
