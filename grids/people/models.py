"""Residents and households. People leave this package as counts, or one by one to a named role.

Persons have no geometry: a person is linked to a dwelling, and through it to a building and
a grid. `docs/decisions/0003-people-as-counts.md` says why (PIPL art. 6 and 28).
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, code_column, identity, personal

SERVICE = "help and services of the person's own grid"
WHILE_RESIDENT = "while resident and two years after"


class Household(Base):
    """A household (户) in a dwelling. Service needs are flags of the household, not of a person."""

    __tablename__ = "household"
    __table_args__ = (
        Index("household_dwelling_id_idx", "dwelling_id"),
        Index("household_grid_id_idx", "grid_id"),
        Index("household_area_code_idx", "area_code"),
    )
    __level__ = "L3"

    id: Mapped[int] = identity()
    dwelling_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("dwelling.id"))
    kind: Mapped[str]  #: family, shared (合租), collective (集体户)
    cell_id: Mapped[int] = mapped_column(BigInteger)
    grid_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("grid.id"))
    area_code: Mapped[str] = mapped_column(code_column())


class Person(Base):
    """A resident. Name, number and phone are encrypted; the number is found by blind index."""

    __tablename__ = "person"
    __table_args__ = (
        Index("person_household_id_idx", "household_id"),
        Index("person_grid_id_idx", "grid_id"),
        Index("person_area_code_idx", "area_code"),
        Index("person_id_number_index_idx", "id_number_index"),
        Index("person_phone_index_idx", "phone_index"),
    )
    __level__ = "L3"

    id: Mapped[int] = identity()
    household_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("household.id"))
    name_sealed: Mapped[bytes] = mapped_column(
        LargeBinary, info=personal("L3", SERVICE, WHILE_RESIDENT)
    )
    id_number_sealed: Mapped[bytes] = mapped_column(
        LargeBinary, info=personal("L4", SERVICE, WHILE_RESIDENT)
    )
    id_number_index: Mapped[bytes] = mapped_column(
        LargeBinary, info=personal("L4", "exact search", WHILE_RESIDENT)
    )
    phone_sealed: Mapped[bytes | None] = mapped_column(
        LargeBinary, info=personal("L3", SERVICE, WHILE_RESIDENT)
    )
    phone_index: Mapped[bytes | None] = mapped_column(
        LargeBinary, info=personal("L3", "exact search", WHILE_RESIDENT)
    )
    birth_sealed: Mapped[bytes] = mapped_column(
        LargeBinary, info=personal("L3", SERVICE, WHILE_RESIDENT)
    )
    age_band: Mapped[str] = mapped_column(
        info=personal("L3", "counts", WHILE_RESIDENT)
    )  #: 0-5, 6-14, 15-59, 60-79, 80+
    relation: Mapped[str]  #: to the head of the household
    residency: Mapped[str]  #: registered 户籍, migrant 流动
    cell_id: Mapped[int] = mapped_column(BigInteger)
    grid_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("grid.id"))
    area_code: Mapped[str] = mapped_column(code_column())
    moved_in_on: Mapped[date]
    moved_out_on: Mapped[date | None]
