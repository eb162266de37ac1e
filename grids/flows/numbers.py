"""Readable numbers of records: a mark, the city's day, six digits that never come twice."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from grids.city import the_city

_NEXT = text("SELECT lpad((nextval('flow_number_seq') % 1000000)::text, 6, '0')")


def next_number(session: Session, mark: str, now: datetime) -> str:
    """Return the next number of a kind: MD20260304-000123."""
    day = now.astimezone(ZoneInfo(the_city(session).city_zone)).date()
    return f"{mark}{day:%Y%m%d}-{session.scalar(_NEXT)}"
