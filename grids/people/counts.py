"""Counts of people that may be told: published on a schedule, at least ten, rounded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from grids.bulk import copy_frame
from grids.db import Base, code_column, queries
from grids.people_counts import publishable


class PeopleCount(Base):
    """A published count of people in a fixed area: at least 10, rounded, else withheld.

    `value` is null where the count is below the threshold or withheld so that it cannot be
    found by subtracting its neighbours from their total.
    """

    __tablename__ = "people_count"
    __table_args__ = (Index("people_count_area_code_idx", "area_code"),)
    __level__ = "L2"

    area_code: Mapped[str] = mapped_column(code_column(), primary_key=True)
    measure: Mapped[str] = mapped_column(
        primary_key=True
    )  #: people, migrants, households, rentals, aged_60, children
    published_at: Mapped[datetime]
    value: Mapped[int | None]


#: What is counted of every area; people are counted where they live now.
MEASURES: Final = ("people", "migrants", "aged_60", "children", "households", "rentals")
#: Counts are told on a schedule: two that are a day apart would tell of one registration (S35).
PUBLISHED_EVERY: Final = timedelta(days=7)


def publish_counts(connection: Connection, now: datetime) -> int:
    """Count people anew and publish what may be told of every area; return how many rows.

    The rule stands in `grids.people_counts`. Needs a role that may read persons (worker or
    owner); the web role reads only what is published here. Commits nothing.
    """
    found = connection.execute(queries("people")["areas_of_today"], {"today": now.date()})
    codes = sorted(found.scalars())
    if not codes:
        return 0
    roots = [code for code in codes if not any(code.startswith(other) for other in codes
                                               if len(other) < len(code))]  # fmt: skip
    counts = publishable(
        codes, roots[0] if len(roots) == 1 else "", _own_counts(connection, codes, now)
    )
    rows = [(code, measure, counts[measure][code]) for measure in MEASURES for code in codes]
    connection.execute(text("DELETE FROM people_count"))
    return copy_frame(
        connection,
        "people_count",
        {
            "area_code": [code for code, _, _ in rows],
            "measure": [measure for _, measure, _ in rows],
            "published_at": [now] * len(rows),
            "value": [value for _, _, value in rows],
        },
    )


def publish_if_due(connection: Connection, now: datetime) -> int:
    """Publish when the last counts are a week old; the worker asks every night."""
    last = connection.scalar(text("SELECT max(published_at) FROM people_count"))
    return publish_counts(connection, now) if last is None or now - last >= PUBLISHED_EVERY else 0


def _own_counts(
    connection: Connection, codes: list[str], now: datetime
) -> dict[str, Mapping[str, int]]:
    """Count everybody once, at the deepest area of today that holds them."""
    known = set(codes)
    own: dict[str, dict[str, int]] = {measure: {} for measure in MEASURES}
    for name in ("persons_by_area", "households_by_area", "rentals_by_area"):
        statement = queries("people")[name]
        values = {"today": now.date()} if name == "persons_by_area" else {}
        for row in connection.execute(statement, values).mappings():
            code = next((c for c in _shorter(row["area_code"]) if c in known), None)
            if code is None:
                continue
            for measure, count in row.items():
                if measure != "area_code":
                    own[str(measure)][code] = own[str(measure)].get(code, 0) + count
    return dict(own)


def _shorter(code: str) -> list[str]:
    """List a code and the areas above it, the deepest first."""
    return [code[:length] for length in (15, 12, 9, 6) if length <= len(code)]
