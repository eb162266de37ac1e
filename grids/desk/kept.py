"""What people keep at the desk: filters under a name, and what they have typed and not sent."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grids.accounts import Account, Actor
from grids.desk.models import DeskDraft, SavedFilter
from grids.desk.seen import require_seen
from grids.errors import Conflict, Invalid, NotFound

#: A draft may hold what somebody said on the phone: it goes with the step, or after a week.
DRAFTS_LAST: Final = timedelta(days=7)
MOST_FILTERS: Final = 50
LONGEST_NAME: Final = 60
MOST_BYTES: Final = 16_384
#: Parameters of the queue that a kept filter may hold; the place in the list is not one.
PARAMETERS: Final = frozenset(
    [
        "status",
        "stage",
        "risk",
        "area",
        "grid",
        "town",
        "category",
        "channel",
        "urgency",
        "department",
        "flag",
        "holder",
        "q",
        "from",
        "to",
        "bbox",
        "sort",
        "mine",
    ]
)


class NoFilter(NotFound):
    """There is no such kept filter, or it is somebody else's."""

    code = "desk.no_filter"


class BadKept(Invalid):
    """A kept filter or a draft has no name, an unknown part, or is too large."""

    code = "desk.bad_kept"


class TooManyFilters(Conflict):
    """Somebody keeps as many filters as one can: remove one first."""

    code = "desk.too_many_filters"


@dataclass(frozen=True)
class Kept:
    """A filter under a name, as its maker or a sharer's colleague sees it."""

    id: UUID
    name: str
    query: Mapping[str, Any]
    role: str | None
    is_own: bool
    owner: str


@dataclass(frozen=True)
class Draft:
    """What somebody has typed for a step of a case."""

    action: str
    fields: Mapping[str, Any]
    updated_at: datetime


def filters_of(session: Session, actor: Actor) -> list[Kept]:
    """Return the actor's own filters and those shared with a role and area of theirs."""
    is_own = SavedFilter.account_id == actor.account_id
    rows = session.execute(
        select(SavedFilter, Account.name, is_own.label("is_own"))
        .join(Account, Account.id == SavedFilter.account_id)
        .where(or_(is_own, _shared_with(actor)))
        .order_by(is_own.desc(), SavedFilter.name, SavedFilter.id)
        .limit(4 * MOST_FILTERS)
    )
    return [
        Kept(row.SavedFilter.id, row.SavedFilter.name, row.SavedFilter.query,
             row.SavedFilter.role, row.is_own, row.name)
        for row in rows
    ]  # fmt: skip


def keep_filter(
    session: Session,
    actor: Actor,
    filter_id: UUID,
    *,
    name: str,
    query: Mapping[str, Any],
    role: str | None,
    now: datetime,
) -> None:
    """Keep a filter under a name, or change the own one; sharing is for a role that one holds.

    Raises `BadKept`, `TooManyFilters`, and `NoFilter` where the id is somebody else's.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise BadKept("a filter has a name of 1 to 60 characters", field="name")
    if unknown := query.keys() - PARAMETERS:
        raise BadKept(f"no parameter {min(unknown)!r}", field="query")
    _check_size(query)
    if role is not None and role not in actor.roles:
        raise BadKept("a filter is shared with a role that one holds", field="role")
    held = session.scalar(
        select(func.count())
        .select_from(SavedFilter)
        .where(SavedFilter.account_id == actor.account_id, SavedFilter.id != filter_id)
    )
    if (held or 0) >= MOST_FILTERS:
        raise TooManyFilters("too many kept filters", most=MOST_FILTERS)
    values = {
        "name": name,
        "query": dict(query),
        "role": role,
        "area_code": _area_of(actor, role),
        "updated_at": now,
    }
    fresh = insert(SavedFilter).values(id=filter_id, account_id=actor.account_id, **values)
    if session.scalar(fresh.on_conflict_do_nothing().returning(SavedFilter.id)) is not None:
        return
    # Two statements: on a conflict with somebody else's row an upsert fails at the row policy.
    changed = update(SavedFilter).where(
        SavedFilter.id == filter_id, SavedFilter.account_id == actor.account_id
    )
    if session.scalar(changed.values(**values).returning(SavedFilter.id)) is None:
        raise NoFilter("no such filter")


def drop_filter(session: Session, actor: Actor, filter_id: UUID) -> None:
    """Remove an own filter. Raises `NoFilter`."""
    gone = delete(SavedFilter).where(
        SavedFilter.id == filter_id, SavedFilter.account_id == actor.account_id
    )
    if session.scalar(gone.returning(SavedFilter.id)) is None:
        raise NoFilter("no such filter")


def draft_of(session: Session, actor: Actor, incident_id: UUID, *, now: datetime) -> Draft | None:
    """Return what the actor has typed for a case and not sent; None where there is nothing.

    Raises `NoIncident` outside the scope.
    """
    require_seen(session, actor, incident_id)
    found = session.scalar(
        select(DeskDraft).where(
            DeskDraft.account_id == actor.account_id,
            DeskDraft.incident_id == incident_id,
            DeskDraft.updated_at > now - DRAFTS_LAST,
        )
    )
    return Draft(found.action, found.fields, found.updated_at) if found else None


def keep_draft(
    session: Session,
    actor: Actor,
    incident_id: UUID,
    *,
    action: str,
    fields: Mapping[str, Any],
    now: datetime,
) -> None:
    """Keep what the actor has typed for a case. Raises `NoIncident` and `BadKept`."""
    _check_size(fields)
    require_seen(session, actor, incident_id)
    values = {"action": action[:40], "fields": dict(fields), "updated_at": now}
    session.execute(
        insert(DeskDraft)
        .values(account_id=actor.account_id, incident_id=incident_id, **values)
        .on_conflict_do_update(
            index_elements=[DeskDraft.account_id, DeskDraft.incident_id], set_=values
        )
    )


def drop_draft(session: Session, actor: Actor, incident_id: UUID) -> None:
    """Forget the actor's draft for a case; without one nothing happens.

    Raises `NoIncident` outside the scope.
    """
    require_seen(session, actor, incident_id)
    session.execute(
        delete(DeskDraft).where(
            DeskDraft.account_id == actor.account_id, DeskDraft.incident_id == incident_id
        )
    )


def forget_drafts(session: Session, now: datetime) -> int:
    """Remove drafts that are older than a week; returns how many."""
    old = delete(DeskDraft).where(DeskDraft.updated_at <= now - DRAFTS_LAST)
    return len(session.scalars(old.returning(DeskDraft.account_id)).all())


def _shared_with(actor: Actor) -> Any:
    """Say that a filter was shared with a role of the actor, in an area around theirs."""
    around = or_(*(func.starts_with(literal(area), SavedFilter.area_code) for area in actor.areas))
    return SavedFilter.role.in_(sorted(actor.roles)) & around


def _area_of(actor: Actor, role: str | None) -> str:
    """Return the area in which the actor holds the role: the widest where there are several."""
    areas = [grant.area_code for grant in actor.grants if role in (None, grant.role)]
    return min(areas or list(actor.areas), key=len)


def _check_size(value: Mapping[str, Any]) -> None:
    if len(json.dumps(value, default=str).encode()) > MOST_BYTES:
        raise BadKept("more than can be kept", field="fields")
