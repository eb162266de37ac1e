"""What all tales share: who acts, where, pictures, ids, and how placeholders are looked up."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import func, select, update
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Session

from grids.accounts import Actor
from grids.city import the_city
from grids.codes import Category, CategoryLimit
from grids.codes.models import CategoryRule
from grids.responsibility.ruling import owner_of
from grids.responsibility.seed import town_department
from grids.secrets import Vault
from grids.synth.names import person_names
from grids.synth.story.cast import IN_OFFICE, Cast
from grids.synth.story.pictures import Album
from grids.synth.story.turns import Tale, Turn

#: Steps taken at the place carry where they were taken.
OUTDOORS: Final = ("verify", "check_ok", "reply", "handle", "sample_ok")


@dataclass(frozen=True)
class Place:
    """An address of the city."""

    lon: float
    lat: float
    area: str
    text: str


@dataclass
class Run:
    """A tale that is being told: its record, and who has it."""

    tale: Tale
    k: int  #: which copy
    id: uuid.UUID
    place: Place
    status: str = ""
    department: str | None = None
    assisting: tuple[str, ...] = ()
    holder: int | None = None
    premises: int | None = None
    done: list[str] = field(default_factory=list)

    @property
    def area(self) -> str:
        """The code of its duty grid."""
        return self.place.area


class Stage:
    """Everything that a teller asks for."""

    def __init__(
        self, session: Session, vault: Vault, album: Album, cast: Cast,
        rng: np.random.Generator, now: datetime,
    ) -> None:  # fmt: skip
        self.session, self.vault, self.album, self.cast = session, vault, album, cast
        self.rng, self.now = rng, now
        self.zone = ZoneInfo(the_city(session).city_zone)
        self.runs: dict[tuple[str, int], Run] = {}
        self._hold_long_since()
        self._places = [
            Place(row.lon, row.lat, row.area_code, row.text)
            for row in session.execute(
                sql_text(
                    "SELECT text, area_code, ST_X(geom) AS lon, ST_Y(geom) AS lat FROM address"
                    " WHERE length(area_code) = 15 ORDER BY id"
                )
            )
        ]
        self._categories = {
            row.code: row.id
            for row in session.execute(
                select(Category.code, Category.id)
                .where(Category.kind == "matter", Category.valid_to.is_(None))
                .order_by(Category.valid_from)
            )
        }

    def _hold_long_since(self) -> None:
        """Let limits and rules of categories hold in the tales' past, not from the loading on."""
        since = (self.now - IN_OFFICE).date()
        for model in (CategoryLimit, CategoryRule):
            first = self.session.scalar(select(func.min(model.valid_from)))
            if first is not None and first > since:
                self.session.execute(
                    update(model).where(model.valid_from == first).values(valid_from=since)
                )

    def uuid(self) -> uuid.UUID:
        """Draw an id; the same seed draws the same ones."""
        return uuid.UUID(bytes=self.rng.bytes(16), version=4)

    def place(self) -> Place:
        """Draw an address."""
        return self._places[int(self.rng.integers(len(self._places)))]

    def person(self) -> tuple[str, str]:
        """Draw a name and a phone number that belong to nobody."""
        number = "".join(str(n) for n in self.rng.integers(0, 10, 9))
        return person_names(self.rng, 1)[0], f"12{number}"

    def department(self, run: Run, word: str, at: datetime) -> str:
        """Look up `@owner`, `@other`, `@third` and `@town`; codes stay as they are."""
        if not word.startswith("@"):
            return word
        if word == "@town":
            return town_department(run.area[:9])
        owner = owner_of(
            self.session, category_id=self._categories[run.tale.values["category"]],
            area_code=run.area, at=at,
        ).department_code  # fmt: skip
        if word == "@owner":
            return owner
        others = [code for code in self.cast.departments() if code not in (owner, run.department)]
        return others[(run.k + (3 if word == "@other" else 5)) % len(others)]

    def actor(self, run: Run, turn: Turn) -> Actor:
        """Return who takes a step."""
        if turn.who in ("assist", "assist2"):
            code = run.assisting[0 if turn.who == "assist" else 1]
            return self.cast.find("handler", run.area, run.k, department=code)
        department = run.department if turn.who.startswith("handler") else None
        return self.cast.find(turn.who, run.area, run.k, department=department)

    def day(self, at: datetime, days: float = 0) -> str:
        """Write a day of the city's clock."""
        return (at + timedelta(days=days)).astimezone(self.zone).date().isoformat()

    def near(self, place: Place) -> tuple[float, float]:
        """Return a point some metres beside a place."""
        dx, dy = self.rng.normal(0, 4e-5, 2)
        return place.lon + float(dx), place.lat + float(dy)

    def photo(self, run: Run, *, is_after: bool, what: str = "") -> str:
        """Return the hash of a picture that fits a record."""
        subject = what or str(run.tale.values.get("category", "hazard"))
        return self.album.photo(subject, run.k, is_after=is_after)
