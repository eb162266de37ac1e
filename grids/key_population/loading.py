"""Take over a table of counts: checked against areas and kinds, all rows or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from grids import audit, jobs, scope
from grids.accounts import Actor
from grids.cells import TODAY, Grid, GridVersion
from grids.codes import PopulationCategory
from grids.divisions import Area
from grids.errors import GridsError
from grids.key_population.models import PopulationBatch, PopulationCount
from grids.key_population.tables import CountRow, Refusal, Refused, read_table


@dataclass(frozen=True)
class Summary:
    """What a table holds, for the one who sends it: never the counts of single areas."""

    rows: int
    areas: int
    categories: tuple[str, ...]
    periods: tuple[date, ...]
    few: int  #: rows that say fewer than ten


def check(session: Session, actor: Actor, data: bytes, *, today: date) -> tuple[CountRow, ...]:
    """Read a table and check every row against the areas that the caller answers for.

    Raises `Refused` with what is wrong, and `gis.errors.UnsafeArchive`.
    """
    rows = read_table(data, _ways_to_write(session), today=today)
    known = _areas(session, actor, {row.area for row in rows})
    strange = [Refusal(row.row, "", "unknown_area") for row in rows if row.area not in known]
    if strange:
        raise Refused(strange)
    return rows


def summary_of(rows: Sequence[CountRow]) -> Summary:
    """Sum up a table."""
    return Summary(
        rows=len(rows),
        areas=len({row.area for row in rows}),
        categories=tuple(sorted({row.category for row in rows})),
        periods=tuple(sorted({row.period for row in rows})),
        few=sum(row.count is None for row in rows),
    )


def load(
    session: Session, actor: Actor, data: bytes, *, now: datetime, today: date, source_ip: str = ""
) -> Summary:
    """Store a table of counts; the worker publishes it. Commits nothing.

    Raises as `check`. A later table replaces the rows that it names again.
    """
    rows = check(session, actor, data, today=today)
    batch = PopulationBatch(account_id=actor.account_id, uploaded_at=now, rows=len(rows))
    session.add(batch)
    session.flush()
    session.execute(
        insert(PopulationCount),
        [
            {
                "batch_id": batch.id,
                "category": row.category,
                "period": row.period,
                "area_code": row.area,
                "count": row.count,
            }
            for row in rows
        ],
    )
    jobs.defer(session, "publish_key_population", timestamp=0)
    found = summary_of(rows)
    audit.record(
        session,
        "key_population_loaded",
        actor_id=actor.account_id,
        subject=f"batch {batch.id}",
        source_ip=source_ip,
        detail={
            "rows": found.rows,
            "areas": found.areas,
            "categories": list(found.categories),
            "periods": [f"{period:%Y-%m}" for period in found.periods],
        },
    )
    return found


def note_refusal(
    session: Session, actor: Actor, error: GridsError | Exception, *, source_ip: str = ""
) -> None:
    """Note in the audit log that a table was refused, and for which reasons."""
    reasons: dict[str, int] = {}
    if isinstance(error, Refused):
        for one in error.refusals:
            reasons[one.reason] = reasons.get(one.reason, 0) + 1
    audit.record(
        session,
        "key_population_refused",
        actor_id=actor.account_id,
        subject="counts",
        is_success=False,
        source_ip=source_ip,
        detail={"reasons": reasons},
    )


def _ways_to_write(session: Session) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in session.scalars(select(PopulationCategory)):
        found |= dict.fromkeys((one.code.lower(), one.name_zh, one.name_en.lower()), one.code)
    return found


def _areas(session: Session, actor: Actor, codes: set[str]) -> set[str]:
    """Return which of the codes are areas or duty grids of today in the caller's scope."""
    wanted = sorted(codes)
    areas = select(Area.code).where(
        Area.code.in_(wanted), Area.valid_to.is_(None), scope.in_areas(Area.code, actor.areas)
    )
    grids = (
        select(Grid.code)
        .join(GridVersion, GridVersion.grid_id == Grid.id)
        .where(
            Grid.code.in_(wanted),
            GridVersion.valid.op("@>")(TODAY),
            scope.in_areas(Grid.code, actor.areas),
        )
    )
    return {*session.scalars(areas), *session.scalars(grids)}
