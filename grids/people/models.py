"""Residents and households. People leave this package as counts, or one by one to a named role.

Persons have no geometry: a person is linked to a dwelling, and through it to a building and
a grid. `docs/decisions/0003-people-as-counts.md` says why (PIPL art. 6 and 28).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grids.buildings import in_list
from grids.db import Base, code_column, identity, personal

#: 出生, 迁入 (from outside the city), 迁移 (within it), 迁出 (of the city), 死亡
EVENT_KINDS: Final = ("birth", "move_in", "move", "move_out", "death")
#: After these nobody lives here any more.
LEAVING: Final = ("move_out", "death")


class Household(Base):
    """Who lives together in one dwelling (户), for as long as anybody of them does.

    A household that moves as a whole is another one from that day on: so a day's household
    says the day's dwelling. Service needs are flags of the household, not of a person.
    """

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
    ended_on: Mapped[date | None]  #: the day on which the last of them left


class Person(Base):
    """A resident. Name, number and phone are encrypted; the number is found by blind index."""

    __tablename__ = "person"
    __table_args__ = (
        Index("person_household_id_idx", "household_id"),
        Index("person_grid_id_idx", "grid_id"),
        Index("person_area_code_idx", "area_code"),
        Index("person_name_index_idx", "name_index"),
        Index("person_id_number_index_idx", "id_number_index"),
        Index("person_phone_index_idx", "phone_index"),
    )
    __level__ = "L3"

    id: Mapped[int] = identity()
    household_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("household.id"))
    name_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=personal("L3"))
    #: of the name within the community of the home
    name_index: Mapped[bytes | None] = mapped_column(LargeBinary, info=personal("L3"))
    id_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=personal("L4"))
    id_number_index: Mapped[bytes | None] = mapped_column(LargeBinary, info=personal("L4"))
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=personal("L3"))
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary, info=personal("L3"))
    birth_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=personal("L3"))
    age_band: Mapped[str] = mapped_column(info=personal("L3"))  #: 0-5, 6-14, 15-59, 60-79, 80+
    relation: Mapped[str]  #: to the head of the household
    residency: Mapped[str]  #: registered 户籍, migrant 流动
    cell_id: Mapped[int] = mapped_column(BigInteger)
    grid_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("grid.id"))
    area_code: Mapped[str] = mapped_column(code_column())
    moved_in_on: Mapped[date]
    moved_out_on: Mapped[date | None]
    #: Name, number, phone and birth are gone for good; what stays is counted, nobody is named.
    anonymised_at: Mapped[datetime | None]


class PersonEvent(Base):
    """A birth, a move or a death (生命事件): keys and dates; a resident's state follows them.

    `from_` is what held before: of the first event it is all that is known of the time before.
    Nothing is ever changed but that a wrong event is taken back. There are a million of them:
    a household is named without a checked key, the doors of migration 0069 see to that.
    """

    __tablename__ = "person_event"
    __table_args__ = (
        CheckConstraint(in_list("kind", EVENT_KINDS), name="kind"),
        CheckConstraint(
            "(to_household_id IS NULL) = (kind IN ('move_out', 'death'))", name="goes_to"
        ),
        CheckConstraint(
            "kind IN ('birth', 'move_in') OR from_household_id IS NOT NULL", name="comes_from"
        ),
        Index("person_event_person_id_idx", "person_id", "occurred_on"),
    )
    __level__ = "L3"

    id: Mapped[int] = identity()
    person_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("person.id", ondelete="CASCADE"))
    kind: Mapped[str]
    occurred_on: Mapped[date]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    source: Mapped[str]  #: who said so, a code of `grids.people.life.SOURCES`
    from_household_id: Mapped[int | None] = mapped_column(BigInteger)
    from_since: Mapped[date | None]
    from_until: Mapped[date | None]  #: of somebody who comes back to the city
    from_relation: Mapped[str | None]
    to_household_id: Mapped[int | None] = mapped_column(BigInteger)
    to_relation: Mapped[str | None]  #: none: as before
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))


class PersonAccess(Base):
    """Who looked at a resident's record, when and what for; shown to the resident on request."""

    __tablename__ = "person_access"
    __table_args__ = (Index("person_access_person_id_idx", "person_id", "at"),)
    __level__ = "L3"

    id: Mapped[int] = identity()
    at: Mapped[datetime]
    #: No foreign key: the note outlives the record that it speaks of.
    person_id: Mapped[int] = mapped_column(BigInteger)
    account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    #: find, reveal, copy, correct, delete, withdraw, life, event, take_back
    act: Mapped[str]
    field: Mapped[str] = mapped_column(server_default="")
    purpose: Mapped[str]  #: a code of `grids.people.purposes`
    case_number: Mapped[str] = mapped_column(server_default="")


class SubjectRequest(Base):
    """What a resident asks about the own data (PIPL art. 44-47), with its clock."""

    __tablename__ = "subject_request"
    __table_args__ = (
        Index("subject_request_person_id_idx", "person_id"),
        Index("subject_request_area_code_idx", "area_code"),
    )
    __level__ = "L3"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(BigInteger)
    area_code: Mapped[str] = mapped_column(code_column())
    kind: Mapped[str]  #: show, copy, correct, delete, withdraw
    channel: Mapped[str]  #: counter, letter, proxy
    identity_checked: Mapped[str]  #: which document was seen
    status: Mapped[str] = mapped_column(server_default="open")  #: open, done, refused
    received_at: Mapped[datetime]
    due_at: Mapped[datetime]  #: 15 working days
    received_by: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    handled_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    handled_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(server_default="")  #: code of a refusal
    result: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    copy_until: Mapped[datetime | None]  #: the copy can be fetched until then
