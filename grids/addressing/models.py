"""What the registry of addresses remembers: names of old, open questions, what was learned."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grids.buildings import in_list
from grids.db import Base, code_column, identity, personal

NAME_LEVELS: Final = ("street", "estate", "number")
STATES: Final = ("open", "answered", "dropped")


class AddressName(Base):
    """A name or plate that an address had before: of a whole street, of an estate, of one door."""

    __tablename__ = "address_name"
    __table_args__ = (
        CheckConstraint(in_list("level", NAME_LEVELS), name="level"),
        CheckConstraint("(level = 'number') = (address_id IS NOT NULL)", name="of_one"),
        UniqueConstraint("level", "old", "new", "address_id", postgresql_nulls_not_distinct=True),
        Index("address_name_address_id_idx", "address_id"),
    )
    __level__ = "L1"

    id: Mapped[int] = identity()
    level: Mapped[str]
    old: Mapped[str]
    new: Mapped[str]
    address_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("address.id"))
    changed_on: Mapped[date]


class AddressQuestion(Base):
    """A text whose address is uncertain; somebody who knows the grid says which it is."""

    __tablename__ = "address_question"
    __table_args__ = (
        CheckConstraint(in_list("state", STATES), name="state"),
        Index("address_question_area_code_idx", "area_code"),
        Index("address_question_normal_key", "normal", unique=True,
              postgresql_where=text("state = 'open'")),
        Index("address_question_answer_id_idx", "answer_id"),
    )  # fmt: skip
    __level__ = "L2"

    id: Mapped[int] = identity()
    text: Mapped[str] = mapped_column(info=personal("L3"))  #: as it came; may tell of a home
    normal: Mapped[str] = mapped_column(info=personal("L3"))  #: its normal form: asked only once
    source: Mapped[str]  #: which page, feed or batch brought it
    area_code: Mapped[str] = mapped_column(code_column())  #: the grid of the best candidate
    candidates: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, info=personal("L3"))
    state: Mapped[str] = mapped_column(server_default="open")
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("account.id"), info=personal("L2")
    )
    answer_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("address.id"))


class AddressAlias(Base):
    """What somebody said a text means; the same text is not asked again."""

    __tablename__ = "address_alias"
    __table_args__ = (Index("address_alias_address_id_idx", "address_id"),)
    __level__ = "L2"

    #: Normal form of the text, hashed: the words themselves are not kept here.
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    address_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("address.id"))
    learned_at: Mapped[datetime]
    learned_by: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("account.id"), info=personal("L2")
    )
