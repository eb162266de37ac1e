"""A letter as pages show it: never more than the reader may see."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class LetterRow:
    """A letter as the list shows it: nobody's address."""

    id: UUID
    subject: str
    summary: str
    sender: str  #: masked
    received_at: datetime
    state: str
    problem: str
    photos: int
    is_confidential: bool
    case_number: str | None


@dataclass(frozen=True)
class Answer:
    """What was written back, and how far it got."""

    text: str
    written_at: datetime
    state: str  #: of its message: pending, sent, given_up, cancelled


@dataclass(frozen=True)
class LetterView:
    """A letter as its page shows it."""

    row: LetterRow
    text: str
    written_at: datetime | None
    left_out: int
    reason: str
    photos: tuple[tuple[str, str], ...]  #: sha256 of the original and of its copy
    answers: tuple[Answer, ...]
    case_id: UUID | None
    may_answer: bool
    others: int  #: other letters of the same writer


@dataclass(frozen=True)
class LetterPage:
    """A page of the list."""

    rows: tuple[LetterRow, ...]
    counts: dict[str, int]
    next: str
