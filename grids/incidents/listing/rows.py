"""One line of the queue, and the statement that every list of cases starts from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from grids.accounts import Account
from grids.cells import Grid
from grids.codes import Category, Department
from grids.divisions import Area
from grids.incidents.listing.filters import risk_at
from grids.incidents.models import Incident
from grids.incidents.roles import Placed


@dataclass(frozen=True)
class CaseRow:
    """One line of the queue; names in both languages, the face chooses."""

    id: UUID
    number: str
    category_code: str
    category_kind: str
    category_zh: str
    category_en: str
    address: str
    text: str
    channel: str
    urgency: str
    status: str
    risk: str
    area_code: str
    grid_code: str | None
    grid_name: str | None
    town_zh: str | None
    town_en: str | None
    community_zh: str | None
    community_en: str | None
    department_code: str | None
    department_zh: str | None
    department_en: str | None
    holder_id: int | None
    holder_name: str | None
    handler_id: int | None
    reported_at: datetime
    received_at: datetime
    stage_at: datetime
    due_at: datetime | None
    handling_due_at: datetime | None
    rework_count: int
    flags: dict[str, Any]
    lon: float
    lat: float
    accuracy_m: float | None  #: as the phone told it

    def placed(self) -> Placed:
        """Return what decides who may act on the case."""
        return Placed(
            self.status, self.area_code, self.department_code, self.holder_id, self.handler_id
        )


def rows_at(now: datetime) -> Select[*tuple[Any, ...]]:
    """Select lines of the queue: callers add scope, conditions, order and limit."""
    town, community, holder = aliased(Area), aliased(Area), aliased(Account)
    return (
        select(
            Incident.id,
            Incident.number,
            Incident.category_code,
            Category.kind.label("category_kind"),
            Category.name_zh.label("category_zh"),
            Category.name_en.label("category_en"),
            Incident.address,
            Incident.text,
            Incident.channel,
            Incident.urgency,
            Incident.status,
            risk_at(now).label("risk"),
            Incident.area_code,
            Grid.code.label("grid_code"),
            Grid.name.label("grid_name"),
            town.name_zh.label("town_zh"),
            town.name_en.label("town_en"),
            community.name_zh.label("community_zh"),
            community.name_en.label("community_en"),
            Incident.department_code,
            Department.name_zh.label("department_zh"),
            Department.name_en.label("department_en"),
            Incident.holder_id,
            holder.name.label("holder_name"),
            Incident.handler_id,
            Incident.reported_at,
            Incident.received_at,
            Incident.stage_at,
            Incident.due_at,
            Incident.handling_due_at,
            Incident.rework_count,
            Incident.flags,
            func.ST_X(Incident.geom).label("lon"),
            func.ST_Y(Incident.geom).label("lat"),
            Incident.accuracy_m,
        )
        .join(Category, Category.id == Incident.category_id)
        .outerjoin(Grid, Grid.id == Incident.grid_id)
        .outerjoin(town, town.code == func.left(Incident.area_code, 9))
        .outerjoin(community, community.code == func.left(Incident.area_code, 12))
        .outerjoin(Department, Department.code == Incident.department_code)
        .outerjoin(holder, holder.id == Incident.holder_id)
    )
