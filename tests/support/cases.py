"""A small city with two towns and the people who take cases through their life."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from PIL import Image
from sqlalchemy import text
from sqlalchemy.orm import Session

from grids import accounts
from grids.accounts import Actor
from grids.city import City, set_city
from grids.incidents import service
from grids.incidents.models import Incident
from grids.incidents.requests import Done, MoveRequest, Report
from grids.secrets import Vault

COUNTY = "339901"
WEST_GRID, EAST_GRID = "339901001001001", "339901002001001"
WEST, EAST = (120.05, 29.30), (120.15, 29.30)
OUTSIDE = (120.05, 29.38)  # in the envelope, in no town
MATTER = "03001"  # of the national list
DEPARTMENT, OTHER_DEPARTMENT = "D03", "D01"
NOON = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)  # a Wednesday, 12:00 in the city
VAULT = Vault({1: bytes(range(32))}, bytes(32))

#: role -> (area, department)
STAFF: dict[str, tuple[str, str | None]] = {
    "intake": (COUNTY, None),
    "shift_leader": (COUNTY, None),
    "dispatcher": (COUNTY, None),
    "town_seat": ("339901001", None),
    "handler": (COUNTY, DEPARTMENT),
    "worker": (WEST_GRID, None),
    "grid_leader": ("339901001001", None),
    "commander": (COUNTY, None),
}


def today() -> date:
    """Return the day in the city now: a run may begin on one day and end on the next."""
    return datetime.now(ZoneInfo("Asia/Shanghai")).date()


def build_city(session: Session) -> None:
    """Store a city of two towns side by side, each one community and one grid."""
    set_city(
        session,
        City(
            id=1, name_zh="样城", name_en="Sample City", county_code=COUNTY, metric_srid=4549,
            city_zone="Asia/Shanghai", west=120.0, south=29.25, east=120.2, north=29.4,
        ),
    )  # fmt: skip
    _area(session, COUNTY, None, "样城", "Sample City", (120.0, 29.25, 120.2, 29.35))
    for town, west, east in (("339901001", 120.0, 120.1), ("339901002", 120.1, 120.2)):
        box = (west, 29.25, east, 29.35)
        _area(session, town, COUNTY, f"{town[-1]}镇", f"Town {town[-1]}", box)
        _area(session, f"{town}001", town, f"{town[-1]}社区", f"Community {town[-1]}", box)
        _grid(session, f"{town}001001", box)
    session.flush()


def make_actor(session: Session, role: str, area: str = "", department: str | None = None) -> Actor:
    """Make an account with one role; area and department as in `STAFF` unless given."""
    usual_area, usual_department = STAFF.get(role, (COUNTY, None))
    account = accounts.Account(
        login=f"{role}-{uuid4().hex[:8]}", name=f"{role} {department or ''}".strip(),
        password_hash="-",
    )  # fmt: skip
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


def make_staff(session: Session) -> dict[str, Actor]:
    """Make one account of each role."""
    return {role: make_actor(session, role) for role in STAFF}


def photo_bytes(colour: str = "red", size: tuple[int, int] = (64, 48)) -> bytes:
    """Draw a small JPEG; each colour is another photo."""
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG")
    return out.getvalue()


def make_photo(session: Session, colour: str = "red") -> str:
    """Note a photo as stored, without its file: enough for what only names it."""
    digest = sha256(colour.encode()).hexdigest()
    session.execute(
        text(
            "INSERT INTO blob (sha256, size, media_type, width, height, public_sha256,"
            " thumb_sha256) VALUES (:s, 1, 'image/jpeg', 64, 48, :s, :s) ON CONFLICT DO NOTHING"
        ),
        {"s": digest},
    )
    return digest


def report(**more: Any) -> Report:
    """Write a report in the western grid."""
    fields: dict[str, Any] = {
        "id": uuid4(), "category": MATTER, "lon": WEST[0], "lat": WEST[1], "text": "垃圾满溢",
        "urgency": "C",
    }  # fmt: skip
    return Report(**{**fields, **more})


@dataclass
class Desk:
    """Everybody who works on cases, and a clock that the test turns."""

    session: Session
    staff: dict[str, Actor]
    now: datetime = NOON

    def later(self, **span: float) -> datetime:
        self.now += timedelta(**span)
        return self.now

    def submit(self, actor: Actor | None = None, **more: Any) -> UUID:
        """Report as the worker, or as whoever is given; return the id."""
        wanted = report(**more)
        reporter = None if wanted.channel == "public" else actor or self.staff["worker"]
        service.submit(self.session, wanted, reporter, now=self.now, vault=VAULT)
        return wanted.id

    def move(self, incident_id: UUID, action: str, who: str | Actor, **more: Any) -> Done:
        actor = self.staff[who] if isinstance(who, str) else who
        wanted = MoveRequest(**{"id": uuid4(), "action": action, **more})
        return service.move(self.session, incident_id, wanted, actor, now=self.now)

    def take_to(self, incident_id: UUID, status: str) -> None:
        """Walk the main path until the case is in a state."""
        photo = make_photo(self.session)
        steps: tuple[tuple[str, str, dict[str, Any]], ...] = (
            ("accept", "intake", {}),
            ("verify", "worker", {"photos": (photo,)}),
            ("file", "shift_leader", {}),
            ("dispatch", "dispatcher", {"department": DEPARTMENT}),
            ("sign", "handler", {}),
            ("reply", "handler", {"note": "已清运", "photos": (photo,)}),
            ("ask_check", "dispatcher", {}),
            ("check_ok", "grid_leader", {"photos": (photo,)}),
            ("close", "shift_leader", {}),
        )
        for action, role, more in steps:
            found = self.row(incident_id).status
            if found == status:
                return
            if action == "verify" and found != "pending_verify":
                continue
            self.move(incident_id, action, role, **more)
        assert self.row(incident_id).status == status

    def row(self, incident_id: UUID) -> Incident:
        return self.session.get_one(Incident, incident_id)


Commit = Callable[[], None]


def _area(
    session: Session, code: str, parent: str | None, zh: str, en: str,
    box: tuple[float, float, float, float],
) -> None:  # fmt: skip
    session.execute(
        text(
            "INSERT INTO area (code, parent_code, level, name_zh, name_en, geom) VALUES"
            " (:code, :parent, length(:code), :zh, :en,"
            " ST_Multi(ST_MakeEnvelope(:w, :s, :e, :n, 4490)))"
        ),
        {"code": code, "parent": parent, "zh": zh, "en": en,
         "w": box[0], "s": box[1], "e": box[2], "n": box[3]},
    )  # fmt: skip


def _grid(session: Session, code: str, box: tuple[float, float, float, float]) -> None:
    session.execute(
        text(
            "WITH made AS (INSERT INTO grid (code, name) VALUES (:code, :code) RETURNING id)"
            " INSERT INTO grid_version (grid_id, valid, households, area_m2, geom)"
            " SELECT id, daterange('2020-01-01', NULL), 100, 1,"
            " ST_Multi(ST_MakeEnvelope(:w, :s, :e, :n, 4490)) FROM made"
        ),
        {"code": code, "w": box[0], "s": box[1], "e": box[2], "n": box[3]},
    )
