"""The chain of the audit log: sealed in order, and every kind of tampering found and named."""

from pathlib import Path
from random import Random

import psycopg
import pytest

from app.config import as_role
from grids import audit
from grids.secrets import Signer, fixed_ring
from tests.support.sealed import NOW, as_worker, seal_all, tampering, verify, write

SIGNER = Signer(fixed_ring({1: bytes(range(32))}, bytes(32)))
ROWS = 2_350


@pytest.fixture
def log(empty_database: str) -> str:
    """A log of three links, sealed."""
    write(empty_database, 1, ROWS)
    seal_all(empty_database, wanted=ROWS)
    return empty_database


def test_every_row_is_sealed_once_and_in_order(log: str) -> None:
    found = verify(log)

    # Three links of at most a thousand rows; more where others' open work held some back.
    assert (found.events, found.finding) == (ROWS, None)
    assert found.links >= 3
    assert seal_all(log) == 0


def test_rows_behind_an_open_transaction_wait_and_are_sealed_later(empty_database: str) -> None:
    with psycopg.connect(as_role(empty_database, "wangge_owner", "none")) as slow:
        slow.execute("INSERT INTO audit_event (action) VALUES ('sign_in')")
        write(empty_database, 1, 5)
        early = seal_all(empty_database)
        slow.commit()

    assert early == 0
    assert seal_all(empty_database, wanted=6) == 6
    assert verify(empty_database).finding is None


def test_a_chain_may_change_its_hash_on_the_way(log: str) -> None:
    write(log, ROWS + 1, ROWS + 300)
    seal_all(log, algorithm="sm3", wanted=300)
    write(log, ROWS + 301, ROWS + 400)
    seal_all(log, wanted=100)

    found = verify(log)

    assert (found.events, found.finding) == (ROWS + 400, None)
    assert found.links >= 5


def test_what_is_not_sealed_yet_is_no_fault(log: str) -> None:
    write(log, 1, 10)

    assert verify(log).finding is None


@pytest.mark.parametrize("statement", [
    "UPDATE audit_event SET action = 'x'",
    "DELETE FROM audit_event",
    "TRUNCATE audit_event",
    "TRUNCATE audit_event_y2026m11",
    "UPDATE audit_link SET hash = ''",
    "DELETE FROM audit_link",
    "TRUNCATE audit_link",
    "DELETE FROM audit_head",
])  # fmt: skip
@pytest.mark.parametrize("role", ["wangge_owner", "wangge_app", "wangge_worker"])
def test_nobody_changes_the_log_not_even_its_owner(steady: str, role: str, statement: str) -> None:
    with (
        psycopg.connect(as_role(steady, role, "none")) as conn,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        conn.execute(statement)


def test_new_months_are_guarded_too(empty_database: str) -> None:
    with psycopg.connect(as_role(empty_database, "wangge_owner", "none")) as conn:
        conn.execute("SELECT ensure_months('audit_event', '2041-01-01', 1)")
        conn.execute("SELECT guard_audit_partitions()")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("TRUNCATE audit_event_y2041m01")


# --- One hundred tamperings -----------------------------------------------------------------

ORDERED = "SELECT id FROM audit_event ORDER BY xid, id"
CHANGES = (
    "UPDATE audit_event SET detail = detail || '{{\"rows\": 0}}' WHERE id = {id}",
    "UPDATE audit_event SET actor_id = 4711 WHERE id = {id}",
    "UPDATE audit_event SET is_success = NOT is_success WHERE id = {id}",
    "UPDATE audit_event SET source_ip = '10.9.9.9' WHERE id = {id}",
    "UPDATE audit_event SET at = at + interval '1 second' WHERE id = {id}",
    "UPDATE audit_event SET subject = subject || ' ' WHERE id = {id}",
)


@pytest.fixture(scope="module")
def steady(server, schema_template):  # type: ignore[no-untyped-def]
    """One log for all tamperings: each works in a transaction that is taken back."""
    name = server.clone(schema_template, "tamper")
    url = server.url(name)
    write(url, 1, ROWS)
    seal_all(url, wanted=ROWS)
    with psycopg.connect(as_role(url, "wangge_owner", "none")) as conn:
        conn.execute("INSERT INTO audit_head (made_at, kind, no, events, body)"
                     " VALUES (now(), 'asked', 1, 3, '')")  # fmt: skip
        conn.execute("SELECT ensure_months('audit_event', '2026-11-01', 1)")
        conn.execute("SELECT guard_audit_partitions()")
    yield url
    server.drop(name)


def change(conn: psycopg.Connection, ids: list[int], draw: Random) -> int:
    at = draw.randrange(len(ids))
    conn.execute(draw.choice(CHANGES).format(id=ids[at]))
    return at


def delete(conn: psycopg.Connection, ids: list[int], draw: Random) -> int:
    at = draw.randrange(len(ids) - 40)
    several = ids[at : at + draw.choice((1, 1, 5, 40))]
    conn.execute("DELETE FROM audit_event WHERE id = ANY(%s)", (several,))
    return at


def insert(conn: psycopg.Connection, ids: list[int], draw: Random) -> int:
    """Put a row behind a sealed one of the same transaction time, as if it had always been there."""
    at = draw.randrange(len(ids) - 1)
    conn.execute(
        "INSERT INTO audit_event (at, id, xid, action, subject) SELECT at, %s, xid, 'sign_in', ''"
        " FROM audit_event WHERE id = %s", (draw.choice((0, -5)), ids[at]),
    )  # fmt: skip
    row = conn.execute(
        "SELECT count(*) FROM audit_event AS e, audit_event AS made WHERE made.id <= 0"
        " AND (e.xid, e.id) < (made.xid, made.id)"
    ).fetchone()
    assert row is not None
    return int(row[0])


def reorder(conn: psycopg.Connection, ids: list[int], draw: Random) -> int:
    """Let two rows change their places: their numbers, or all that they say."""
    first, second = sorted(draw.sample(range(len(ids)), 2))
    a, b = ids[first], ids[second]
    if draw.random() < 0.5:
        conn.execute("UPDATE audit_event AS e SET (at, action, actor_id, subject, source_ip, detail)"
                     " = (SELECT at, action, actor_id, subject, source_ip, detail FROM audit_event"
                     " WHERE id = %s + %s - e.id) WHERE id IN (%s, %s)", (a, b, a, b))  # fmt: skip
    else:
        conn.execute("UPDATE audit_event SET xid = (SELECT o.xid FROM audit_event AS o"
                     " WHERE o.id = %s + %s - audit_event.id), id = %s + %s - id"
                     " WHERE id IN (%s, %s)", (a, b, a, b, a, b))  # fmt: skip
    return first


def cut(conn: psycopg.Connection, ids: list[int], draw: Random) -> int:
    """Remove the last rows, with or without their links, and put the counter back to fit."""
    if draw.random() < 0.4:
        at = len(ids) - draw.randint(1, 900)
        conn.execute("DELETE FROM audit_event WHERE id = ANY(%s)", (ids[at:],))
        return at
    last = draw.choice((1, 2))
    # A link is shorter than it may be where other transactions were open at its sealing.
    sealed = conn.execute("SELECT events FROM audit_link WHERE no = %s", (last,)).fetchone()
    assert sealed is not None
    at = int(sealed[0])
    conn.execute("DELETE FROM audit_event WHERE id = ANY(%s)", (ids[at:],))
    conn.execute("DELETE FROM audit_link WHERE no > %s", (last,))
    if draw.random() < 0.7:
        conn.execute("UPDATE audit_state SET (no, events, hash, xid, event_id) = (SELECT l.no,"
                     " l.events, l.hash, e.xid, e.id FROM audit_link AS l, audit_event AS e"
                     " WHERE l.no = %s AND e.id = %s)", (last, ids[at - 1]))  # fmt: skip
    return at


KINDS = {"change": change, "delete": delete, "insert": insert, "reorder": reorder, "cut": cut}


@pytest.mark.parametrize("kind", KINDS)
def test_twenty_tamperings_of_each_kind_are_found_and_the_first_bad_row_is_named(
    steady: str, tmp_path: Path, kind: str
) -> None:
    with psycopg.connect(as_worker(steady), autocommit=True) as conn:
        audit.export_head(conn, tmp_path, SIGNER, kind="latest", day=NOW.date(), now=NOW)
    heads = list(audit.read_heads(tmp_path, SIGNER))
    for seed in range(20):
        draw = Random(f"{kind} {seed}")
        with psycopg.connect(steady, autocommit=True) as conn:
            conn.execute("SET session_replication_role = replica")
            # The tampering and the walk share one transaction that is taken back afterwards.
            with conn.transaction(force_rollback=True):
                conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
                ids = [row[0] for row in conn.execute(ORDERED)]
                first = KINDS[kind](conn, ids, draw)
                finding = audit.walk(conn, heads=heads).finding
        assert finding is not None, (kind, seed)
        assert finding.position == first + 1, (kind, seed, finding)
        if finding.id is not None and kind != "insert":
            assert finding.id == ids[first], (kind, seed, finding)
    assert verify(steady, heads=heads).finding is None


def test_a_link_that_was_written_anew_is_named(log: str) -> None:
    with tampering(log) as conn:
        before = conn.execute("SELECT events FROM audit_link WHERE no = 1").fetchone()
        conn.execute("UPDATE audit_link SET events = events + 1 WHERE no = 2")

    finding = verify(log).finding

    assert finding is not None
    assert before is not None
    assert (finding.problem, finding.link, finding.position) == ("link", 2, before[0] + 1)


def test_a_missing_link_is_named(log: str) -> None:
    with tampering(log) as conn:
        conn.execute("DELETE FROM audit_link WHERE no = 2")

    finding = verify(log).finding

    assert finding is not None
    assert (finding.problem, finding.link) == ("gap", 2)


def test_a_chain_that_was_made_anew_does_not_fit_the_heads_that_were_carried_away(
    empty_database: str, tmp_path: Path
) -> None:
    write(empty_database, 1, 1_200)
    seal_all(empty_database, wanted=1_200)
    with psycopg.connect(as_worker(empty_database), autocommit=True) as conn:
        audit.export_head(conn, tmp_path, SIGNER, kind="asked", day=NOW.date(), now=NOW)
    with tampering(empty_database) as conn:
        conn.execute("UPDATE audit_event SET subject = 'nothing' WHERE id = 700")
        conn.execute("DELETE FROM audit_link")
        conn.execute(
            "UPDATE audit_state SET no = 0, events = 0, xid = '0', event_id = 0, hash = ''"
        )
    seal_all(empty_database, wanted=1_200)

    alone = verify(empty_database).finding
    beside = verify(empty_database, heads=list(audit.read_heads(tmp_path, SIGNER))).finding

    assert alone is None  # the database alone cannot know
    assert beside is not None
    assert beside.problem in ("head", "end")


def test_a_head_that_was_changed_or_made_by_others_is_named(log: str, tmp_path: Path) -> None:
    with psycopg.connect(as_worker(log), autocommit=True) as conn:
        path = audit.export_head(conn, tmp_path, SIGNER, kind="day", day=NOW.date(), now=NOW)
    body = path.read_text()
    assert audit.is_genuine(body, SIGNER)
    path.write_text(body.replace(f"events: {ROWS}", f"events: {ROWS - 1}"))

    finding = verify(log, heads=list(audit.read_heads(tmp_path, SIGNER))).finding

    assert finding is not None
    assert (finding.problem, finding.head) == ("signature", "2026-03-04.head")
    other = Signer(fixed_ring({1: bytes(32)}, bytes([7] * 32)))
    assert not audit.is_genuine(body, other)


def test_part_of_the_log_is_verified_by_its_days(log: str) -> None:
    found = verify(log, from_at=NOW, to_at=NOW.replace(year=2027))
    later = verify(log, from_at=NOW.replace(year=2027))

    assert (found.events, found.finding) == (ROWS, None)
    assert (later.events, later.finding) == (0, None)


def test_a_month_that_was_retired_leaves_the_rest_verifiable(log: str) -> None:
    with tampering(log) as conn:
        conn.execute("SELECT ensure_months('audit_event', '2025-01-01', 1)")
    with psycopg.connect(as_role(log, "wangge_owner", "none"), autocommit=True) as conn:
        conn.execute("INSERT INTO audit_event (at, action)"
                     " SELECT '2025-01-05', 'sign_in' FROM generate_series(1, 9)")  # fmt: skip
        seal_all(log, wanted=9)
        done = audit.retire(conn, before=NOW.date().replace(year=2025, month=2, day=1), now=NOW)
        kept = conn.execute("SELECT count(*) FROM audit_event_y2025m01").fetchone()

    assert ("audit_event_y2025m01", 9) in {(month.table, month.rows) for month in done}
    assert kept == (9,)
    found = verify(log)
    assert (found.events, found.retired, found.finding) == (ROWS, 9, None)


def test_nothing_younger_than_180_days_is_retired(log: str) -> None:
    with (
        psycopg.connect(as_role(log, "wangge_owner", "none"), autocommit=True) as conn,
        pytest.raises(audit.TooYoung),
    ):
        audit.retire(conn, before=NOW.date(), now=NOW)


def test_a_server_restored_from_a_dump_is_noticed_and_not_sealed_wrongly(log: str) -> None:
    with tampering(log) as conn:
        conn.execute("UPDATE audit_state SET xid = (pg_current_xact_id()::text::bigint"
                     " + 1000000)::text::xid8")  # fmt: skip

    with (
        psycopg.connect(as_worker(log), autocommit=True) as conn,
        pytest.raises(audit.ClockWentBack),
    ):
        audit.seal(conn, now=NOW)
