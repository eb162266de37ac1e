"""One legal entity with its old registration number and, once converted, its credit code."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Computed, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, code_column, identity

#: Who registers legal entities -> the first character of the credit codes that they give
#: (GB 32100, table 1): 工商 market supervision, 民政 civil affairs, 编办 staffing office.
REGISTRARS: Final = {"market": "9", "civil": "5", "staffing": "1"}
#: What a pair may be: still without a code, converted, or converted with something wrong.
STATES: Final = ("waiting", "good", "bad")


class CodeConversion(Base):
    """A pair of an old number and a credit code (存量代码转换), as the registrar has told it.

    What was told stays as it was told, wrong check digits included: `problem` says what is
    wrong. `area_code` is the community's, so that new grids leave it alone.
    """

    __tablename__ = "code_conversion"
    __table_args__ = (
        CheckConstraint("registrar IN ('market', 'civil', 'staffing')", name="registrar"),
        CheckConstraint("(uscc IS NULL) = (converted_on IS NULL)", name="converted"),
        UniqueConstraint("registrar", "old_number"),
        UniqueConstraint("uscc"),
        Index("code_conversion_area_code_idx", "area_code"),
        Index("code_conversion_enterprise_id_idx", "enterprise_id"),
    )
    __level__ = "L2"

    id: Mapped[int] = identity()
    registrar: Mapped[str]  #: market, civil, staffing
    old_number: Mapped[str]
    name: Mapped[str]
    uscc: Mapped[str | None]
    converted_on: Mapped[date | None]
    enterprise_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("enterprise.id"))
    area_code: Mapped[str] = mapped_column(code_column())
    #: empty, old_check, new_check, new_kind; kept by the database
    problem: Mapped[str] = mapped_column(
        Computed("conversion_problem(registrar, old_number, uscc)", persisted=True)
    )


def registration_check(body: str) -> str:
    """Check digit of a business registration number of 14 digits (GS 15, ISO 7064 MOD 11,10).

    >>> registration_check("11010800000001")
    '6'
    """
    carry = 10
    for digit in body:
        carry = (carry + int(digit)) % 10 or 10
        carry = carry * 2 % 11
    return str((11 - carry) % 10)
