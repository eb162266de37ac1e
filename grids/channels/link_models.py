"""The table of links by which an outside party reads one task and answers it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary
from sqlalchemy import text as sql_text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base


class HandOver(Base):
    """A link for one hand-over of one case (外部处置); only the hash of its secret is kept.

    It opens the case as long as the case waits with the party it was made for: whoever takes
    the case back, closes or hands it over anew has ended the link with that very step.
    """

    __tablename__ = "hand_over"
    __table_args__ = (Index("hand_over_incident_id_idx", "incident_id"),)
    __level__ = "L2"

    id: Mapped[UUID] = mapped_column(primary_key=True)  #: made by the client
    incident_id: Mapped[UUID] = mapped_column(ForeignKey("incident.id"))
    seq: Mapped[int]  #: of the event that handed the case over
    party: Mapped[str]
    task: Mapped[str]  #: what the party reads; the reporter's own words stay inside
    photos: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), server_default=sql_text("'{}'")
    )  #: attachments that the party may see
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_by: Mapped[int] = mapped_column(BigInteger, ForeignKey("account.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    opened_count: Mapped[int] = mapped_column(server_default="0")
    opened_at: Mapped[datetime | None]  #: last
    answered_at: Mapped[datetime | None]
