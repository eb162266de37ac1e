"""The audit log as its readers see it: pages, filters, state, verification by job, harmless words."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.config import as_role
from grids import audit, jobs
from grids.audit.jobs import request_verification
from grids.db import engine
from grids.secrets import Signer, fixed_ring
from tests.support.sealed import NOW, as_worker, seal_all, tampering, write

SIGNER = Signer(fixed_ring({1: bytes(range(32))}, bytes(32)))


def test_pages_go_on_where_the_last_one_ended(session: Session) -> None:
    for n in range(25):
        audit.record(session, "sign_in", actor_id=n, subject=f"account {n}")

    first = audit.entries(session, audit.Filters(), limit=10)
    audit.record(session, "sign_out", actor_id=99)  # does not move the pages
    second = audit.entries(session, audit.Filters(), after=first.after, limit=10)
    third = audit.entries(session, audit.Filters(), after=second.after, limit=10)

    seen = [row.actor_id for page in (first, second, third) for row in page.rows]
    assert seen == list(range(24, -1, -1))
    assert third.after is None


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (audit.Filters(kinds=("export",)), ["export"]),
        (audit.Filters(actions=("sign_in", "sign_out")), ["sign_out", "sign_in"]),
        (audit.Filters(actions=("sign_in",), kinds=("export",)), []),
        (audit.Filters(actor_id=2), ["export"]),
        (audit.Filters(subject="layer 50%"), ["export"]),
        (audit.Filters(is_success=False), ["sign_in_failed"]),
        (audit.Filters(to_at=NOW), []),
        (audit.Filters(from_at=NOW), ["sign_in_failed", "sign_out", "export", "sign_in"]),
    ],
)
def test_filters_narrow_the_log(
    session: Session, filters: audit.Filters, expected: list[str]
) -> None:
    audit.record(session, "sign_in", actor_id=1)
    audit.record(session, "export", actor_id=2, subject="layer 50% of it")
    audit.record(session, "sign_out", actor_id=1, subject="layer 5")
    audit.record(session, "sign_in_failed", actor_id=None, is_success=False)

    assert [row.action for row in audit.entries(session, filters).rows] == expected


def test_a_place_that_the_log_never_gave_is_refused(session: Session) -> None:
    with pytest.raises(audit.BadPlace):
        audit.entries(session, audit.Filters(), after="1; DROP TABLE audit_event")


def test_an_act_that_no_catalogue_lists_is_refused(session: Session) -> None:
    with pytest.raises(audit.UnknownAction):
        audit.record(session, "mischief", actor_id=1)


EVIL = "a\r\nINFO forged line\x1b[2J\u202eabc\u2028\x00 330724198806150013 tel 13957912345"


def test_what_strangers_write_stays_one_harmless_line(session: Session) -> None:
    audit.record(session, "sign_in_failed", actor_id=None, is_success=False, subject=EVIL,
                 source_ip=EVIL, detail={"name": EVIL, "list": [EVIL], EVIL: 1})  # fmt: skip

    row = audit.entries(session, audit.Filters()).rows[0]
    for text_ in (row.subject, row.source_ip, *map(str, row.detail), str(row.detail["list"][0])):
        assert len(text_.splitlines()) <= 1
        assert not set("\r\n\x1b\u202e\u2028\x00") & set(text_)
        assert "330724198806150013" not in text_
        assert "13957912345" not in text_


@pytest.mark.parametrize("kept", ["339901001001001", "20260304-000123", "91330781MA2E4B1X2Y",
                                  "E20261122-000007", "120.123456,29.123456", "4711"])  # fmt: skip
def test_codes_and_numbers_of_things_are_not_struck_out(kept: str) -> None:
    assert audit.one_line(f"incident {kept}") == f"incident {kept}"


def test_a_log_that_cannot_be_written_stops_the_act(session: Session) -> None:
    session.execute(text("REVOKE INSERT ON audit_event FROM wangge_app"))
    session.execute(text("SET ROLE wangge_app"))

    with pytest.raises(audit.AuditStopped), session.begin_nested():
        audit.record(session, "export", actor_id=1)
    session.execute(text("RESET ROLE"))


@pytest.mark.parametrize(
    ("silent_s", "limit_s", "stops"), [(10, 60, False), (61, 60, True), (9_999, 0, False)]
)
def test_sensitive_acts_stop_with_the_sealer_and_others_do_not(
    session: Session, silent_s: int, limit_s: int, stops: bool
) -> None:
    session.execute(
        text("UPDATE audit_state SET limit_s = :l,"
             " seen_at = clock_timestamp() - make_interval(secs => :s)"),
        {"l": limit_s, "s": silent_s},
    )  # fmt: skip

    for action in ("sign_in", "sign_in_failed", "audit_read"):
        audit.record(session, action, actor_id=1)
    if stops:
        with pytest.raises(audit.AuditStopped):
            audit.record(session, "export", actor_id=1)
    else:
        audit.record(session, "export", actor_id=1)


@pytest.fixture
def sealed(empty_database: str) -> str:
    write(empty_database, 1, 50)
    seal_all(empty_database, wanted=50)
    return empty_database


def test_the_state_tells_what_is_sealed_and_what_waits(sealed: str) -> None:
    with psycopg.connect(as_worker(sealed), autocommit=True) as conn:
        audit.beat(conn, 60)
    write(sealed, 51, 55)
    made = engine(as_role(sealed, "wangge_owner", "none"))
    with Session(made) as session:
        state = audit.chain_state(session)
    made.dispose()

    assert (state.links, state.events, state.waiting, state.is_alive) == (1, 50, 5, True)
    assert state.waiting_since is not None
    assert state.waiting_since > datetime.now(UTC) - timedelta(minutes=5)


@pytest.mark.parametrize("is_tampered", [False, True])
def test_a_verification_asked_for_on_a_page_is_done_by_the_worker(
    sealed: str, tmp_path: Path, is_tampered: bool
) -> None:
    with psycopg.connect(as_worker(sealed), autocommit=True) as conn:
        audit.export_head(conn, tmp_path, SIGNER, kind="day", day=NOW.date(), now=NOW)
    if is_tampered:
        with tampering(sealed) as conn:
            conn.execute("UPDATE audit_event SET subject = 'nothing' WHERE id ="
                         " (SELECT id FROM audit_event ORDER BY xid, id LIMIT 1 OFFSET 6)")  # fmt: skip
    app = engine(as_role(sealed, "wangge_app", "none"))
    with Session(app) as session, session.begin():
        number = request_verification(session, actor_id=7, now=NOW)
    worker = engine(as_worker(sealed))
    work = jobs.Work(worker, tmp_path, heads_dir=tmp_path, signer=SIGNER)
    asyncio.run(jobs.work_until_stopped(jobs.queue(as_worker(sealed)), work, wait=False))
    worker.dispose()
    with Session(app) as session:
        found = audit.checks(session)[0]
        assert (found.id, found.asked_by) == (number, 7)
        assert found.ended_at is not None
        assert (found.problem, found.position) == (("changed", 7) if is_tampered else ("", None))
        assert found.events == (6 if is_tampered else 50)
    app.dispose()
