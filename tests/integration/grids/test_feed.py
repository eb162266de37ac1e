"""The sealer on real transactions: order, gaps, the chain, and its speed on a bulk load."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from app.config import as_role
from grids import feed
from grids.db import engine
from tests.support.cases import Desk, build_city, make_staff

NOW = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)


@pytest.fixture
def desk(empty_database: str) -> Iterator[Desk]:
    """People at work in a database of its own, whose transactions really commit."""
    made = engine(as_role(empty_database, "wangge_owner", "none"))
    with Session(made, expire_on_commit=False) as session:
        build_city(session)
        yield Desk(session, make_staff(session))
    made.dispose()


@pytest.fixture
def sealer(empty_database: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(as_role(empty_database, "wangge_worker", "none"), autocommit=True) as conn:
        yield conn


def seal_until(conn: psycopg.Connection[Any], wanted: int) -> int:
    """Seal until so many events are sealed: on a shared server other transactions may be open."""
    deadline = time.monotonic() + 60
    while (no := feed.newest(conn)) < wanted and time.monotonic() < deadline:
        feed.seal_all(conn, now=NOW)
    return no


def numbers(conn: psycopg.Connection[Any]) -> list[int]:
    return [entry.no for entry in feed.since(conn, 0, limit=10_000)]


def test_events_are_numbered_without_gaps_and_each_case_keeps_its_order(
    desk: Desk, sealer: psycopg.Connection[Any]
) -> None:
    cases = [desk.submit() for _ in range(5)]
    for case in cases:
        desk.take_to(case, "pending_sign")
        desk.session.commit()

    sealed = seal_until(sealer, 20)

    entries = feed.since(sealer, 0, limit=1000)
    assert sealed == len(entries) == 20
    assert [entry.no for entry in entries] == list(range(1, 21))
    for case in cases:
        steps = [e.payload["seq"] for e in entries if e.payload["incident"] == str(case)]
        assert steps == [1, 2, 3, 4]
    assert entries[0].payload["grid"] == "339901001001001"
    assert feed.verify_chain(sealer) is None


def test_an_event_behind_an_open_transaction_waits_and_is_not_lost(
    desk: Desk, sealer: psycopg.Connection[Any], empty_database: str
) -> None:
    desk.session.commit()
    with psycopg.connect(as_role(empty_database, "wangge_owner", "none")) as slow:
        slow.execute("SELECT pg_current_xact_id()")  # an older transaction, still at work
        desk.submit()
        desk.session.commit()
        waiting = feed.seal_all(sealer, now=NOW)
        slow.commit()

    assert (waiting, seal_until(sealer, 1)) == (0, 1)


def test_nobody_waits_for_who_promised_to_write_no_event(
    desk: Desk, sealer: psycopg.Connection[Any], empty_database: str
) -> None:
    desk.session.commit()
    with psycopg.connect(as_role(empty_database, "wangge_worker", "none")) as importing:
        importing.execute("SELECT writes_no_event(), pg_current_xact_id()")
        desk.submit()
        desk.session.commit()
        assert seal_until(sealer, 1) == 1
        importing.commit()
        importing.execute("SELECT pg_current_xact_id()")  # the next one has promised nothing
        desk.submit()
        desk.session.commit()
        assert feed.seal_all(sealer, now=NOW) == 0
    assert seal_until(sealer, 2) == 2


def test_nobody_waits_for_another_database(
    desk: Desk, sealer: psycopg.Connection[Any], admin_url: str
) -> None:
    desk.session.commit()
    with psycopg.connect(admin_url) as elsewhere:
        elsewhere.execute("SELECT pg_current_xact_id()")
        desk.submit()
        desk.session.commit()
        assert seal_until(sealer, 1) == 1


def test_who_promised_to_write_no_event_is_held_to_it(desk: Desk) -> None:
    desk.session.commit()
    feed.write_no_event(desk.session.connection())
    with pytest.raises(ProgrammingError, match="promised to write no event"):
        desk.submit()
    desk.session.rollback()

    desk.submit()
    with pytest.raises(ProgrammingError, match="cannot promise"):
        feed.write_no_event(desk.session.connection())


def test_sealing_again_finds_nothing_new(desk: Desk, sealer: psycopg.Connection[Any]) -> None:
    desk.submit()
    desk.session.commit()
    seal_until(sealer, 1)

    assert feed.seal_all(sealer, now=NOW) == 0
    assert numbers(sealer) == [1]


def test_a_batch_may_end_inside_one_transaction(
    desk: Desk, sealer: psycopg.Connection[Any]
) -> None:
    for _ in range(7):
        desk.submit()
    desk.session.commit()

    counts = []
    while sum(counts) < 7:
        counts += filter(None, [feed.seal(sealer, now=NOW, limit=3)])

    assert counts == [3, 3, 1]
    assert numbers(sealer) == list(range(1, 8))


@pytest.mark.parametrize(
    ("statement", "problem", "no"),
    [
        ('UPDATE feed SET payload = payload || \'{"status": "closed"}\' WHERE no = 3', "hash", 3),
        ("UPDATE feed SET area_code = '339901002' WHERE no = 2", "hash", 2),
        ("DELETE FROM feed WHERE no = 2", "gap", 3),
        ("DELETE FROM feed WHERE no = 4", "end", 4),
        ("UPDATE incident_event SET note = 'changed' WHERE seq = 2", "event", 2),
    ],
)
def test_the_verifier_names_the_first_bad_row(
    desk: Desk, sealer: psycopg.Connection[Any], statement: str, problem: str, no: int
) -> None:
    desk.take_to(desk.submit(), "pending_sign")
    desk.session.commit()
    seal_until(sealer, 4)
    desk.session.connection().exec_driver_sql(statement)
    desk.session.commit()

    assert feed.verify_chain(sealer) == feed.BrokenLink(no, problem)


def test_sealing_wakes_listeners_once_per_batch(
    desk: Desk, sealer: psycopg.Connection[Any], empty_database: str
) -> None:
    for _ in range(5):
        desk.submit()
    desk.session.commit()
    with psycopg.connect(as_role(empty_database, "wangge_app", "none"), autocommit=True) as ears:
        ears.execute(f"LISTEN {feed.CHANNEL}")
        seal_until(sealer, 5)
        heard = [note.payload for note in ears.notifies(timeout=2, stop_after=1)]
        heard += [note.payload for note in ears.notifies(timeout=0.2)]

    assert heard == ["5"]


BULK = """
    INSERT INTO incident_event (recorded_at, incident_id, seq, id, action, from_status, to_status,
                                role, area_code)
    SELECT now() + n * interval '1 second', i.id, i.event_count + n, gen_random_uuid(), 'handle',
           'handling', 'handling', 'handler', i.area_code
    FROM incident AS i, generate_series(1, 1000) AS n
"""


def test_a_bulk_load_is_sealed_to_its_last_event(
    desk: Desk, sealer: psycopg.Connection[Any]
) -> None:
    for _ in range(30):
        desk.submit()
    desk.session.connection().exec_driver_sql(BULK)
    desk.session.commit()

    seal_until(sealer, 30_030)

    assert feed.newest(sealer) == 30_030
