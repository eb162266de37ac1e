"""Disputes and hazards for tests: who works on them, and a clock that the test turns."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from grids import accounts
from grids.accounts import Actor
from grids.disputes import service as disputes
from grids.disputes.models import Dispute
from grids.flows.taking import StepRequest
from grids.hazards import service as hazards
from grids.hazards.models import Hazard
from tests.support.cases import COUNTY, NOON, VAULT, WEST, WEST_GRID, make_photo

WEST_TOWN, EAST_TOWN = "339901001", "339901002"
EAST_GRID = f"{EAST_TOWN}001001"
FIRE = "D09"
PARTIES = [
    {"side": "applicant", "name": "甲方某人", "phone": "13800138000"},
    {"side": "respondent", "name": "乙方某人"},
]
#: role -> (area, department)
STAFF: dict[str, tuple[str, str | None]] = {
    "worker": (WEST_GRID, None),
    "grid_leader": (f"{WEST_TOWN}001", None),
    "town_seat": (WEST_TOWN, None),
    "intake": (COUNTY, None),
    "mediator": (WEST_TOWN, None),
    "handler": (COUNTY, FIRE),
    "commander": (COUNTY, None),
}


def make_actor(session: Session, role: str, area: str = "", department: str | None = None) -> Actor:
    """Make an account with one role; area and department as in `STAFF` unless given."""
    usual_area, usual_department = STAFF[role]
    account = accounts.Account(
        login=f"{role}-{uuid4().hex[:8]}", name=f"{role}-{uuid4().hex[:4]}", password_hash="-"
    )
    session.add(account)
    session.flush()
    session.add(
        accounts.Assignment(
            account_id=account.id, role=role, area_code=area or usual_area,
            department_code=department or usual_department, valid_from=date(2020, 1, 1),
        )
    )  # fmt: skip
    session.flush()
    session.refresh(account)
    found = accounts.actor_of(account, datetime.now(UTC))
    assert found is not None
    return found


def make_premises(session: Session, kind: str = "shop", at: tuple[float, float] = WEST) -> int:
    """Put a shop on the map."""
    key = session.scalar(
        text(
            "INSERT INTO premises (kind, name, geom) VALUES (:kind,"
            " '江滨小店', ST_SetSRID(ST_MakePoint(:lon, :lat), 4490)) RETURNING id"
        ),
        {"kind": kind, "lon": at[0], "lat": at[1]},
    )
    assert key is not None
    return int(key)


@dataclass
class Office:
    """Everybody who works on disputes and hazards."""

    session: Session
    now: datetime = NOON
    staff: dict[str, Actor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.staff = {role: make_actor(self.session, role) for role in STAFF}

    def later(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now

    def who(self, who: str | Actor) -> Actor:
        return self.staff[who] if isinstance(who, str) else who

    def register(self, who: str | Actor = "worker", **more: Any) -> UUID:
        values = {"area": WEST_GRID, "kind": "02", "text": "楼道堆物", "parties": PARTIES, **more}
        wanted = StepRequest(values.pop("id", uuid4()), "register", values)
        disputes.register(self.session, wanted, self.who(who), now=self.now, vault=VAULT)
        return wanted.id

    def step(self, dispute_id: UUID, action: str, who: str | Actor, **values: Any) -> Any:
        photos = tuple(values.pop("photos", ()))
        wanted = StepRequest(values.pop("id", uuid4()), action, values, photos)
        return disputes.take(
            self.session, dispute_id, wanted, self.who(who), now=self.now, vault=VAULT
        )

    def dispute(self, dispute_id: UUID) -> Dispute:
        return self.session.get_one(Dispute, dispute_id)

    def mediate_to(self, status: str, **more: Any) -> UUID:
        """Walk the main path until a dispute is in a state."""
        key = self.register(**more)
        for action, who, values in (
            ("assign", "town_seat", {"mediator": self.staff["mediator"].account_id}),
            ("contact", "mediator", {"note": "已电话联系双方"}),
            ("agree", "mediator", {"agreement": "双方和解", "terms": "2026-03-20 清理楼道"}),
        ):
            if self.dispute(key).status == status:
                break
            self.step(key, action, who, **values)
        assert self.dispute(key).status == status
        return key

    def report(self, who: str | Actor = "worker", **more: Any) -> UUID:
        values = {"severity": "general", "text": "通道堵塞", "point": WEST, **more}
        if "premises" in values:
            values.pop("point")
        wanted = StepRequest(
            values.pop("id", uuid4()), "report", values, (make_photo(self.session),)
        )
        hazards.report(self.session, wanted, self.who(who), now=self.now)
        return wanted.id

    def act(self, hazard_id: UUID, action: str, who: str | Actor, **values: Any) -> Any:
        photos = tuple(values.pop("photos", ()))
        wanted = StepRequest(values.pop("id", uuid4()), action, values, photos)
        return hazards.take(self.session, hazard_id, wanted, self.who(who), now=self.now)

    def hazard(self, hazard_id: UUID) -> Hazard:
        return self.session.get_one(Hazard, hazard_id)
