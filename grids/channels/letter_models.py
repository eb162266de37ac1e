"""Tables of the letter box: how far it was read, its letters, their photos and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
)
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Mapped, mapped_column

from grids.db import Base, code_column, identity, personal

NEW, REGISTERED, ANSWERED, PUT_ASIDE = "new", "registered", "answered", "put_aside"
_WRITER: Final = personal("L3")
_WORDS: Final = personal("L3")


class LetterBox(Base):
    """A mailbox and how far it was read: the position moves with the letter it belongs to."""

    __tablename__ = "letter_box"
    __level__ = "L2"

    code: Mapped[str] = mapped_column(primary_key=True)
    uid_validity: Mapped[int] = mapped_column(BigInteger, server_default="0")
    last_uid: Mapped[int] = mapped_column(BigInteger, server_default="0")
    looked_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(server_default="0")  #: in a row
    last_error: Mapped[str] = mapped_column(server_default="")


class Letter(Base):
    """A letter as it came; who wrote it and what is sealed."""

    __tablename__ = "letter"
    __table_args__ = (
        CheckConstraint("state IN ('new', 'registered', 'answered', 'put_aside')", name="state"),
        UniqueConstraint("seen_hash"),
        Index("letter_state_idx", "state", "received_at", "id"),
        Index("letter_incident_id_idx", "incident_id"),
        Index("letter_sender_index_idx", "sender_index"),
    )
    __level__ = "L3"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    box: Mapped[str]
    seen_hash: Mapped[bytes] = mapped_column(LargeBinary)  #: of the box and the Message-ID
    area_code: Mapped[str] = mapped_column(code_column())
    sender_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=_WRITER)
    sender_index: Mapped[bytes | None] = mapped_column(LargeBinary, info=_WRITER)
    subject_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=_WORDS)
    text_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=_WORDS)
    message_id_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=_WRITER)
    problem: Mapped[str] = mapped_column(server_default="")  #: why it could not be read whole
    left_out: Mapped[int] = mapped_column(server_default="0")  #: attachments that were not taken
    is_confidential: Mapped[bool] = mapped_column(server_default=sql_text("false"))
    state: Mapped[str] = mapped_column(server_default=NEW)
    reason: Mapped[str] = mapped_column(server_default="")  #: why it was put aside
    written_at: Mapped[datetime | None]  #: claimed by the letter
    received_at: Mapped[datetime]
    incident_id: Mapped[UUID | None] = mapped_column(ForeignKey("incident.id"))
    done_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    done_at: Mapped[datetime | None]


class LetterPhoto(Base):
    """A picture that came with a letter."""

    __tablename__ = "letter_photo"
    __table_args__ = (
        Index("letter_photo_letter_id_idx", "letter_id"),
        Index("letter_photo_sha256_idx", "sha256"),
    )
    __level__ = "L3"

    id: Mapped[int] = identity()
    letter_id: Mapped[UUID] = mapped_column(ForeignKey("letter.id", ondelete="CASCADE"))
    sha256: Mapped[str] = mapped_column(ForeignKey("blob.sha256"))


class LetterAnswer(Base):
    """What was written back; the outbox sends it."""

    __tablename__ = "letter_answer"
    __table_args__ = (Index("letter_answer_letter_id_idx", "letter_id", "written_at"),)
    __level__ = "L3"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    letter_id: Mapped[UUID] = mapped_column(ForeignKey("letter.id", ondelete="CASCADE"))
    text_sealed: Mapped[bytes | None] = mapped_column(LargeBinary, info=_WORDS)
    written_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("account.id"))
    written_at: Mapped[datetime]
