"""Pages of the queue by keyset: where the last page ended, never how many rows to skip."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select, text
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.errors import Invalid
from grids.incidents.listing.filters import Filter, choices, conditions, is_open, reach_of
from grids.incidents.listing.rows import CaseRow, rows_at
from grids.incidents.models import Incident

MOST_ROWS: Final = 500
COMMUNITY_DIGITS: Final = 12
_SORTS: Final = text("SELECT set_config('enable_sort', :value, true)")


class BadCursor(Invalid):
    """The place in the list does not come from an earlier page."""

    code = "incident.bad_cursor"


def page_of(
    session: Session, actor: Actor, wanted: Filter, *, now: datetime
) -> tuple[tuple[CaseRow, ...], str | None]:
    """Return one page and the place after it; None where nothing follows.

    By risk what is due first comes first and what has no clock last; otherwise the newest
    comes first. Raises `BadFilter` and `BadCursor`.
    """
    limit = max(1, min(wanted.limit, MOST_ROWS))
    reach = reach_of(wanted)
    # What is over has no clock, so both orders are one there, and the shorter one is quicker.
    # Words among all cases come newest first too: few look for what was due first years ago.
    is_newest = wanted.sort == "new" or reach == "over" or bool(reach == "all" and wanted.text)
    statement = select(Incident.id).where(
        scope.condition(actor, Incident),
        *conditions(wanted, actor),
        *choices(wanted, now).values(),
    )
    if reach == "open":
        statement = statement.where(is_open())
    found: list[CaseRow] = []
    in_order = reach == "open" and not is_newest and _is_wide(actor, wanted)
    stretches = _stretches(wanted.after, is_newest=is_newest)
    if is_newest and wanted.text and reach != "open":
        stretches = tuple(_by_age(stretches[0], wanted.after, now))
    for stretch in stretches:
        # The page is cut out first and gets its names after: whatever the planner thinks of the
        # filter, it joins a page and not what the filter lets through.
        ordered = _ordered(statement.where(*stretch), is_newest=is_newest)
        picked = _picked(session, ordered.limit(limit + 1 - len(found)), in_order=in_order)
        named = rows_at(now).where(scope.condition(actor, Incident), Incident.id.in_(picked))
        rows = session.execute(_ordered(named, is_newest=is_newest)).mappings()
        found += [CaseRow(**row) for row in rows]
        if len(found) > limit:
            break
    more = len(found) > limit
    return tuple(found[:limit]), _cursor(found[limit - 1], is_newest=is_newest) if more else None


def _is_wide(actor: Actor, wanted: Filter) -> bool:
    """Say that a filter has no part that leads to a few cases at once."""
    narrow = wanted.text or wanted.bbox or wanted.grid or wanted.holder is not None
    areas = (wanted.area,) if wanted.area else actor.areas
    return not narrow and any(len(area) < COMMUNITY_DIGITS for area in areas)


def _picked(session: Session, statement: Select[UUID], *, in_order: bool) -> Sequence[UUID]:
    """Return the cases of a page.

    `in_order` reads the index of open cases in its order until the page is full. The planner
    cannot know how few rows that takes, because it guesses what a row policy lets through to
    be next to nothing: it would read and sort all open cases (370 ms against 15 ms for a
    department among 45,000).
    """
    if in_order:
        session.execute(_SORTS, {"value": "off"})
    found = session.scalars(statement).all()
    if in_order:
        session.execute(_SORTS, {"value": "on"})
    return found


def _ordered(statement: Select[Any], *, is_newest: bool) -> Select[Any]:
    if is_newest:
        return statement.order_by(Incident.received_at.desc(), Incident.id)
    return statement.order_by(
        Incident.due_at.asc().nulls_last(), Incident.received_at.desc(), Incident.id
    )


def _cursor(row: CaseRow, *, is_newest: bool) -> str:
    """Name the place after a row."""
    due = row.due_at.isoformat() if row.due_at and not is_newest else None
    place = json.dumps([due, row.received_at.isoformat(), str(row.id), is_newest])
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _place(cursor: str, *, is_newest: bool) -> tuple[datetime | None, datetime, UUID]:
    """Read where a page ended. Raises `BadCursor`, also for a place in another order."""
    try:
        plain = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        due_text, received_text, id_text, was_newest = json.loads(plain)
        due = datetime.fromisoformat(due_text).astimezone(UTC) if due_text else None
        received = datetime.fromisoformat(received_text).astimezone(UTC)
        after_id = UUID(id_text)
    except (binascii.Error, ValueError, TypeError, AttributeError) as error:
        raise BadCursor("`after` is not from an earlier page", field="after") from error
    if was_newest is not is_newest:
        raise BadCursor("`after` is of a list in another order", field="after")
    return due, received, after_id


def _by_age(
    stretch: list[ColumnElement[bool]], cursor: str | None, now: datetime
) -> Iterator[list[ColumnElement[bool]]]:
    """Cut a stretch at a month and a year: a word that fills the page in one is not looked up
    in three years of cases, and one that stands nowhere is found so by its index.
    """
    newest = _place(cursor, is_newest=True)[1] if cursor else now
    month, year = newest - timedelta(days=30), newest - timedelta(days=365)
    yield [*stretch, Incident.received_at >= month]
    yield [*stretch, Incident.received_at < month, Incident.received_at >= year]
    yield [*stretch, Incident.received_at < year]


def _stretches(cursor: str | None, *, is_newest: bool) -> tuple[list[ColumnElement[bool]], ...]:
    """Return the stretches of the index that come after a place, in their order.

    Each begins with a plain comparison, where an index can start reading; what has no clock
    comes last and is a stretch of its own. Raises `BadCursor`.
    """
    if not cursor:
        return ([],)
    due, received, after_id = _place(cursor, is_newest=is_newest)
    later = or_(
        Incident.received_at < received,
        and_(Incident.received_at == received, Incident.id > after_id),
    )
    if is_newest:
        return ([Incident.received_at <= received, later],)
    no_clock = Incident.due_at.is_(None)
    if due is None:
        return ([no_clock, Incident.received_at <= received, later],)
    return [Incident.due_at >= due, or_(Incident.due_at > due, later)], [no_clock]
