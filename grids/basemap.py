"""What the base map is drawn from: roads, water, land use, named places."""

from __future__ import annotations

from geoalchemy2 import WKBElement
from sqlalchemy import BigInteger, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, geometry, geometry_check, identity, web_geometry


def _gist(table: str) -> Index:
    return Index(f"{table}_geom_idx", "geom", postgresql_using="gist")


class Road(Base):
    """A stretch of road, path or railway between two of its ends."""

    __tablename__ = "road"
    __table_args__ = (
        geometry_check(),
        _gist("road"),
        Index("road_rank_idx", "rank"),
    )
    __level__ = "L1"

    id: Mapped[int] = identity()
    source_id: Mapped[int | None] = mapped_column(BigInteger, index=True)  #: OpenStreetMap way
    kind: Mapped[str]  #: motorway, trunk, primary, ..., footway, rail (OpenStreetMap words)
    rank: Mapped[int] = mapped_column(SmallInteger)  #: 0 motorway .. 9 path: which zoom shows it
    name: Mapped[str | None]
    is_oneway: Mapped[bool] = mapped_column(server_default="false")
    is_bridge: Mapped[bool] = mapped_column(server_default="false")
    is_tunnel: Mapped[bool] = mapped_column(server_default="false")
    speed_kmh: Mapped[int | None] = mapped_column(SmallInteger)
    length_m: Mapped[float]
    geom: Mapped[WKBElement] = mapped_column(geometry("LINESTRING"))
    geom_3857: Mapped[WKBElement | None] = web_geometry()


class Water(Base):
    """A river, lake, pond or reservoir; narrow streams are lines."""

    __tablename__ = "water"
    __table_args__ = (geometry_check(), _gist("water"))
    __level__ = "L1"

    id: Mapped[int] = identity()
    source_id: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[str]  #: river, stream, canal, lake, pond, reservoir, ...
    name: Mapped[str | None]
    area_m2: Mapped[float | None]
    geom: Mapped[WKBElement] = mapped_column(geometry("GEOMETRY"))
    geom_3857: Mapped[WKBElement | None] = web_geometry()


class Landuse(Base):
    """A stretch of land of one use: residential, industrial, park, forest, farmland, ..."""

    __tablename__ = "landuse"
    __table_args__ = (geometry_check(), _gist("landuse"))
    __level__ = "L1"

    id: Mapped[int] = identity()
    source_id: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[str]
    name: Mapped[str | None]
    area_m2: Mapped[float]
    geom: Mapped[WKBElement] = mapped_column(geometry("MULTIPOLYGON"))
    geom_3857: Mapped[WKBElement | None] = web_geometry()


class Place(Base):
    """A named place for labels: town, village, suburb, hamlet, peak, ..."""

    __tablename__ = "place"
    __table_args__ = (geometry_check(), _gist("place"))
    __level__ = "L1"

    id: Mapped[int] = identity()
    source_id: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[str]
    name: Mapped[str]
    name_en: Mapped[str | None]
    rank: Mapped[int] = mapped_column(SmallInteger)  #: 0 city .. 9 locality: which zoom shows it
    population: Mapped[int | None]
    geom: Mapped[WKBElement] = mapped_column(geometry("POINT"))
