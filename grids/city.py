"""The one city of an installation: its name, envelope, metric CRS and time zone."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, SmallInteger, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from grids.db import Base
from grids.errors import NotFound


class City(Base):
    """The installation's city: one row, made by the import of a map or by the simulator."""

    __tablename__ = "city"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)
    __level__ = "L1"

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default="1")
    name_zh: Mapped[str]
    name_en: Mapped[str]
    county_code: Mapped[str]  #: 6 digits
    metric_srid: Mapped[int]
    city_zone: Mapped[str]
    west: Mapped[float]
    south: Mapped[float]
    east: Mapped[float]
    north: Mapped[float]
    attribution: Mapped[str] = mapped_column(server_default="")


class NoCity(NotFound):
    """No map has been imported and no simulated city was built yet."""

    code = "city.none"


def the_city(session: Session) -> City:
    """Return the city of this installation. Raises `NoCity` before the first import."""
    city: City | None = session.scalar(select(City))
    if city is None:
        raise NoCity("no city yet: run `wangge demo`, `wangge import` or `wangge synth`")
    return city


def set_city(session: Session, city: City) -> None:
    """Store the city and narrow the geometry checks to its envelope. Owner role only."""
    session.execute(text("DELETE FROM city"))
    session.add(city)
    session.flush()
    session.execute(
        text("SELECT set_city_space(:srid, :county, :west, :south, :east, :north)"),
        {
            "srid": city.metric_srid,
            "county": city.county_code,
            "west": city.west,
            "south": city.south,
            "east": city.east,
            "north": city.north,
        },
    )
