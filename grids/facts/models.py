"""The latest statement of each source on each field of an entry."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import REAL, BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base


class Fact(Base):
    """What a source says of a field of an entry (事实): enterprises, things and places, no person.

    The key begins with the entry: the statements on one entry lie side by side, and those of a
    chunk of new entries are appended at the end of the index. There are millions, so nothing
    else is indexed and nothing refers to a batch or an account by a checked key.
    """

    __tablename__ = "fact"
    __level__ = "L2"

    register: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    field: Mapped[str] = mapped_column(primary_key=True)  #: a column of the register, or `place`
    #: `import:<source>`, `ground`, `desk`, else what the register named before statements were kept
    source: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]  #: as the database writes the column; of a place its EWKB
    how: Mapped[str | None]  #: of a place its `coord_source`
    observed_at: Mapped[datetime]  #: since when the source says so
    confidence: Mapped[float] = mapped_column(REAL)  #: 0 to 1
    batch_id: Mapped[int | None] = mapped_column(BigInteger)
    said_by: Mapped[int | None] = mapped_column(BigInteger)  #: account, of ground and desk
    evidence: Mapped[str | None]  #: `visit:<id>`, `check:<id>`
