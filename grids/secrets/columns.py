"""Every encrypted column, declared once: rotation, the data inventory and the tests read this."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


def normal_phone(text: str) -> str:
    """Bring a phone number to the form that is indexed: digits, without the country code."""
    digits = "".join(ch for ch in text if ch.isdigit())
    return digits[2:] if len(digits) == 13 and digits.startswith("86") else digits


def normal_id_number(text: str) -> str:
    """Bring a resident number (GB 11643) to the form that is indexed: digits and a capital X."""
    return "".join(ch for ch in text.upper() if (ch.isascii() and ch.isdigit()) or ch == "X")


def normal_name(text: str) -> str:
    """Bring a name to the form that is indexed: one width, no spaces, no dots between its parts."""
    half = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in half if sign.isalnum())


def normal_address(text: str) -> str:
    """Bring an e-mail address to the form that is indexed; servers tell no case apart."""
    return text.strip().casefold()


@dataclass(frozen=True)
class SealedColumn:
    """A column that holds sealed values and, where they are searched, its blind index."""

    table: str
    column: str
    index: str | None = None  #: column of the blind index
    field: str = ""  #: name that is digested into the blind index
    normal: Callable[[str], str] = str  #: the form that is indexed
    #: Whether the community of the row is digested too: who has the table alone cannot count
    #: how often a value stands in the whole city, and nobody searches all of it at once.
    is_local: bool = False

    def indexed(self, value: str, area_code: str) -> str:
        """Return what is digested for a value of a row that lies in an area."""
        plain = self.normal(value)
        return local(plain, area_code) if self.is_local else plain


#: Digits of a community's code.
COMMUNITY: Final = 12


def local(value: str, area_code: str) -> str:
    """Return what is digested for a normal value within the community of an area."""
    return f"{value}|{area_code[:COMMUNITY]}"


SEALED: Final = (
    SealedColumn("person", "name_sealed", "name_index", "name", normal_name, is_local=True),
    SealedColumn("person", "id_number_sealed", "id_number_index", "id_number", normal_id_number),
    SealedColumn("person", "phone_sealed", "phone_index", "phone", normal_phone),
    SealedColumn("person", "birth_sealed"),
    SealedColumn("incident_reporter", "name_sealed"),
    SealedColumn("incident_reporter", "phone_sealed", "phone_index", "phone", normal_phone),
    SealedColumn("dispute_party", "name_sealed"),
    SealedColumn("dispute_party", "phone_sealed", "phone_index", "phone", normal_phone),
    SealedColumn("dispute_paper", "present_sealed"),
    SealedColumn("dispute_paper", "body_sealed"),
    SealedColumn("dispute_term", "text_sealed"),
    SealedColumn("enterprise", "contact_sealed"),
    SealedColumn("second_factor", "secret_sealed"),
    SealedColumn("outbox_receiver", "secret_sealed"),
    SealedColumn("import_connection", "password_sealed"),
    SealedColumn("letter", "sender_sealed", "sender_index", "sender", normal_address),
    SealedColumn("letter", "subject_sealed"),
    SealedColumn("letter", "text_sealed"),
    SealedColumn("letter", "message_id_sealed"),
    SealedColumn("letter_answer", "text_sealed"),
)


def tables() -> tuple[str, ...]:
    """Return every table with a sealed column, once, in the order of the declaration."""
    return tuple(dict.fromkeys(column.table for column in SEALED))
