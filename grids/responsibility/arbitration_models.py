"""Tables of arbitration: the quarrel over a case, what each side says, what it decides for others."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text
from sqlalchemy import text as sql_text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, code_column, identity


class Arbitration(Base):
    """A case that departments pass on to each other (推诿), given to somebody who decides.

    Opened by the detector after two returns or by a dispute; one at a time for a case. The
    clock is the city's working day. Without a decision in time the side with the stronger rule
    has the case, and the arbitration goes up.
    """

    __tablename__ = "arbitration"
    __table_args__ = (
        CheckConstraint("cause IN ('returns', 'dispute', 'asked')", name="cause"),
        CheckConstraint("state IN ('open', 'decided', 'defaulted', 'dropped')", name="state"),
        CheckConstraint(
            "state NOT IN ('decided', 'defaulted') OR department_code IS NOT NULL", name="decision"
        ),
        Index("arbitration_incident_id_idx", "incident_id", "id"),
        Index(
            "arbitration_one_open", "incident_id", unique=True,
            postgresql_where=sql_text("state = 'open'"),
        ),
        Index("arbitration_state_due_at_idx", "state", "due_at"),
    )  # fmt: skip
    __level__ = "L2"

    id: Mapped[int] = identity()
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    area_code: Mapped[str] = mapped_column(code_column())  #: of the case
    category_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("category.id"))
    cause: Mapped[str]
    returns: Mapped[int] = mapped_column(server_default="0")  #: when it was opened
    parties: Mapped[list[str]] = mapped_column(ARRAY(Text))  #: departments that had the case
    #: 首接负责: who answers for the case while nothing is decided
    interim_code: Mapped[str] = mapped_column(ForeignKey("department.code"))
    opened_at: Mapped[datetime]
    opened_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    statements_due_at: Mapped[datetime]
    due_at: Mapped[datetime]
    arbiter_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    state: Mapped[str] = mapped_column(server_default="open")
    department_code: Mapped[str | None] = mapped_column(ForeignKey("department.code"))
    assisting: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=sql_text("'{}'"))
    rule_id: Mapped[int | None] = mapped_column(BigInteger)  #: the rule that decided by default
    why: Mapped[str] = mapped_column(server_default="")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    escalated_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]  #: when somebody above looked at a default


class ArbitrationStatement(Base):
    """What one department says for itself."""

    __tablename__ = "arbitration_statement"
    __level__ = "L2"

    arbitration_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("arbitration.id"), primary_key=True
    )
    department_code: Mapped[str] = mapped_column(ForeignKey("department.code"), primary_key=True)
    text: Mapped[str]
    basis: Mapped[str] = mapped_column(server_default="")
    made_by: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    made_at: Mapped[datetime]


class Precedent(Base):
    """A decision as an example for like cases: no case number, no person, for everybody to read."""

    __tablename__ = "precedent"
    __table_args__ = (Index("precedent_category_idx", "kind", "category"),)
    __level__ = "L1"

    id: Mapped[int] = identity()
    arbitration_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("arbitration.id"), unique=True
    )
    kind: Mapped[str]
    category: Mapped[str] = mapped_column(code_column())
    area_code: Mapped[str] = mapped_column(code_column())  #: down to the community
    area_kind: Mapped[str]  #: street, town, community, village, ...
    owner: Mapped[str] = mapped_column(server_default="")
    facts: Mapped[str]
    department_code: Mapped[str] = mapped_column(ForeignKey("department.code"))
    assisting: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=sql_text("'{}'"))
    refused: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=sql_text("'{}'"))
    why: Mapped[str]
    decided_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    decided_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]  #: no longer an example, e.g. after a new rule
    rule_set_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey("responsibility_set.id", ondelete="SET NULL")
    )  #: the draft that it was turned into
