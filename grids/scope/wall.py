"""The second wall: what a transaction tells the database about its caller.

The policies of migration `row_walls` read settings that hold for one transaction only, so
that a pooled connection can carry nothing from one caller to the next. Whoever says nothing
sees nothing. What a stranger may see is opened by name: one case, or photos by their hash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import Connection, Label, event, func, literal
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Session, SessionTransaction

from grids.accounts import Actor

#: Tables whose rows the database itself limits; `row_walls` and `desk` have a policy for each.
WATCHED: Final = (
    "person", "person_event", "household", "incident", "incident_event", "incident_task", "incident_clock",
    "incident_reporter", "incident_link", "attachment", "blob", "audit_event", "arbitration",
    "arbitration_statement",
    "desk_claim", "saved_filter", "desk_draft", "outbox_message", "channel_case", "duty_alarm",
    "hand_over",
    "letter", "letter_photo", "letter_answer",
    "dispute", "dispute_event", "dispute_photo", "dispute_party", "dispute_paper", "dispute_term",
    "hazard", "hazard_event", "hazard_photo", "inspection", "inspection_answer",
    "visit", "visit_photo", "observation",
    "person_access", "subject_request", "export_request", "feed",
    "held_move", "sample_case", "address_question", "fact_check", "correction_file", "correction",
)  # fmt: skip

#: What opens tables that an area alone does not: word of the setting -> permissions.
OPENED_BY: Final = {
    "person": frozenset({"person:find", "person:reveal", "subject:handle"}),
    "reporter": frozenset({"reporter:reveal", "subject:handle"}),
    "subject": frozenset({"subject:handle"}),
    "export": frozenset({"export:approve"}),
    "trace": frozenset({"admin:security"}),
    "audit": frozenset({"admin:audit"}),
    "letter": frozenset({"letter:view"}),
    "letter_confidential": frozenset({"letter:confidential"}),
    "dispute": frozenset({"dispute:all"}),
    "dispute_count": frozenset({"dispute:count"}),
}

_KEY: Final = "caller"
_STATE: Final[LiteralString] = (
    "SELECT set_config('wangge.areas', {}, true), set_config('wangge.department', {}, true),"
    " set_config('wangge.actor', {}, true), set_config('wangge.may', {}, true)"
)
_WITH_VALUES: Final = sql.SQL(_STATE).format(*[sql.SQL("%s")] * 4).as_string()


def follow_caller(session: Session, caller: Callable[[], Actor | None]) -> None:
    """Tell the database at the start of each transaction of a session who asks.

    `caller` is called each time: the transaction that finds out who it is runs for nobody.
    """
    session.info[_KEY] = caller


@event.listens_for(Session, "after_begin")
def _state_caller(
    session: Session, transaction: SessionTransaction, connection: Connection
) -> None:
    caller = session.info.get(_KEY)
    actor = caller() if caller is not None and not transaction.nested else None
    if actor is not None:
        driver: Any = connection.connection.driver_connection
        driver.execute(_WITH_VALUES, _values(actor))


def state(conn: psycopg.Connection[Any], actor: Actor) -> None:
    """Tell the database who asks, for the transaction that is open on a driver's connection."""
    conn.execute(_WITH_VALUES, _values(actor))


def state_reader_of_feed(conn: psycopg.Connection[Any]) -> None:
    """Open the whole feed to a connection of its own, for as long as it lives.

    For the live process, which reads once for everybody and narrows by each client's scope.
    """
    conn.execute("SELECT set_config('wangge.may', 'feed', false)")


def stated(actor: Actor) -> sql.Composed:
    """Write the same as a statement with its values in it, to be sent with others at once."""
    return sql.SQL(_STATE).format(*map(sql.Literal, _values(actor)))


@lru_cache(maxsize=4096)
def _values(actor: Actor) -> tuple[str, str, str, str]:
    """Write areas as a literal of an array, and which tables the permissions open."""
    areas = ",".join(f'"{code}"' for code in actor.areas if code == "" or code.isalnum())
    may = ",".join(word for word, keys in OPENED_BY.items() if keys & actor.permissions)
    return f"{{{areas}}}", actor.department or "", str(actor.account_id), may


def opening(case_id: UUID, photos: Iterable[str] = ()) -> tuple[Label[Any], Label[Any]]:
    """Return columns that open one case and some photos: for who writes it, in one statement."""
    return (
        func.set_config("wangge.case", str(case_id), literal(value=True)).label("opened_case"),
        func.set_config("wangge.photos", ",".join(photos), literal(value=True)).label("photos"),
    )


def open_case(session: Session, case_id: UUID) -> None:
    """Open one case to this transaction, whoever asks: the caller has proved a right to it."""
    session.execute(sql_text("SELECT set_config('wangge.case', :id, true)"), {"id": str(case_id)})


def open_tracked(session: Session, track_hash: bytes) -> UUID | None:
    """Open the case of a secret code to this transaction; None where no case has it."""
    found: UUID | None = session.scalar(
        sql_text(
            "SELECT id FROM case_tracked(:hash) AS id"
            " WHERE set_config('wangge.case', id::text, true) <> ''"
        ),
        {"hash": track_hash},
    )
    return found


def open_photos(session: Session, hashes: Iterable[str]) -> None:
    """Open photos by the hash of their content: who can name it has the photo."""
    session.execute(
        sql_text("SELECT set_config('wangge.photos', :hashes, true)"),
        {"hashes": ",".join(hashes)},
    )
