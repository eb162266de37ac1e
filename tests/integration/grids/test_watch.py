"""The nightly comparison finds each seeded damage and mends none; stuck cases are told once."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from grids import feed
from grids.blobs import Store, store_photo
from grids.channels import alarms, inbound, systems
from grids.channels.models import DutyAlarm
from grids.channels.systems import NewSystem
from grids.db import engine as make_engine
from grids.outbox import write
from grids.watch import reconcile, stuck
from grids.watch.models import Reconciliation
from tests.integration.grids.test_outbox import receiver
from tests.integration.grids.test_transfers import caller
from tests.support.cases import VAULT, WEST, Desk, build_city, make_staff, photo_bytes

IN_FEED = text(
    "INSERT INTO feed (sealed_at, no, incident_id, seq, area_code, payload, hash)"
    " SELECT :now, row_number() OVER (), incident_id, seq, area_code, '{}', '' FROM incident_event"
)


def lived_in(session: Session, store: Store) -> Desk:
    """A city with cases in several states, one of another system, and photos with their files."""
    from hashlib import sha256

    build_city(session)
    receiver(session, "hotline")
    wanted = NewSystem("12345", "热线", "Line", "system", "hotline", "03001", 60)
    systems.register(session, wanted, now=datetime.now(UTC))
    desk = Desk(session, make_staff(session), now=datetime.now(UTC) - timedelta(hours=1))
    data = photo_bytes("blue")
    photo = store_photo(
        session, store, data, sha256=sha256(data).hexdigest(), account_id=None, now=desk.now
    )
    for status in ("pending_accept", "handling", "pending_review"):
        # Photos of the walk have no files: only the one of the report is looked at here.
        case = desk.submit(photos=(photo.sha256,))
        desk.take_to(case, status)
    held = desk.submit()
    desk.move(held, "ask_reporter", "intake", note="哪一盏？")
    body = {"id": "T1", "text": "噪声", "lon": WEST[0], "lat": WEST[1]}
    inbound.take(
        session, "12345", body, caller(session), now=desk.now, vault=VAULT, hotline="96150"
    )
    desk.move(inbound.case_id("12345", "T1"), "accept", "intake")
    session.execute(text("DELETE FROM attachment WHERE sha256 <> :one"), {"one": photo.sha256})
    session.execute(text("DELETE FROM blob WHERE sha256 <> :one"), {"one": photo.sha256})
    session.flush()
    return desk


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "blobs")


@pytest.fixture
def desk(session: Session, store: Store) -> Desk:
    made = lived_in(session, store)
    session.execute(IN_FEED, {"now": datetime.now(UTC)})
    session.expire_all()
    return made


def bad(session: Session, store: Store) -> dict[str, int]:
    found = reconcile.compare(session, store.folder, now=datetime.now(UTC))
    assert tuple(check.name for check in found.checks) == reconcile.NAMES
    return {check.name: check.bad for check in found.checks if check.bad}


def test_a_city_that_is_whole_is_clean_and_every_check_has_looked(
    desk: Desk, session: Session, store: Store
) -> None:
    found = reconcile.compare(session, store.folder, now=datetime.now(UTC))

    assert [(check.name, check.first) for check in found.checks if check.bad] == []
    looked = {check.name for check in found.checks if check.looked}
    assert looked == set(reconcile.NAMES) - {"letters"}


ONE = "(SELECT id FROM incident WHERE status = 'handling')"
DAMAGE = {
    "a row changed by hand": ("UPDATE incident SET text = 'x' WHERE id = {one}", {"projection"}),
    "a state by hand": ("UPDATE incident SET status = 'pending_sign' WHERE id = {one}",
                        {"projection"}),
    "an event changed": (("UPDATE incident_event SET data = data || '{{\"urgency\": \"A\"}}'"
                         " WHERE incident_id = {one} AND seq = 1"), {"projection"}),
    "an event removed": ("DELETE FROM incident_event WHERE incident_id = {one} AND seq = 2",
                         {"events", "feed_extra"}),
    "an event that never reached the feed": (
        "DELETE FROM feed WHERE incident_id = {one} AND seq = 2", {"feed"}),
    "an event twice in the feed": (
        ("INSERT INTO feed SELECT sealed_at, no + 1000, incident_id, seq, area_code,"
        " department_code, payload, hash FROM feed WHERE incident_id = {one} AND seq = 2"),
        {"feed"}),
    "a feed entry of no event": (
        ("INSERT INTO feed (sealed_at, no, incident_id, seq, area_code, payload, hash)"
        " SELECT now(), 9999, {one}, 99, '339901', '{{}}', ''"), {"feed_extra"}),
    "nobody has it": (("UPDATE incident SET department_code = NULL, holder_id = NULL,"
                      " handler_id = NULL WHERE id = {one}"), {"owners", "projection"}),
    "no clock": ("UPDATE incident_clock SET ended_at = now() WHERE incident_id = {one}",
                 {"clocks"}),
    "two clocks": (("INSERT INTO incident_clock (incident_id, stage, started_at, due_at)"
                   " VALUES ({one}, 'S1', now(), now())"), {"clocks"}),
    "a limit that lists do not show": (
        ("UPDATE incident_clock SET due_at = due_at + interval '1 day' WHERE incident_id = {one}"
        " AND ended_at IS NULL"), {"clocks"}),
    "a message that nobody tries": (
        "UPDATE outbox_message SET next_at = now() - interval '3 hours'", {"outbox"}),
    "a message that waits for ever": (
        "UPDATE outbox_message SET next_at = now() + interval '3 years'", {"outbox"}),
    "a step the sender was not told of": ("DELETE FROM outbox_message", {"told"}),
    "a case without its receipt": ("DELETE FROM channel_case", {"channel_cases"}),
    "a receipt without what was sent": ("UPDATE channel_case SET body_hash = NULL",
                                        {"channel_cases"}),
    "acknowledged at no time": ("UPDATE channel_case SET ack_at = NULL", {"channel_cases"}),
    "ended while the case is open": ("UPDATE channel_case SET state = 'ended'",
                                     {"channel_cases"}),
    "a photo of a step that never was": ("UPDATE attachment SET event_seq = 99", {"attachments"}),
    "a letter made a case that is none": (
        ("INSERT INTO letter (id, box, seen_hash, area_code, state, received_at, done_at)"
        " VALUES (gen_random_uuid(), 'mail', 'x', '339901', 'registered', now(), now())"),
        {"letters"}),
    "an answer that nobody sends": (
        ("INSERT INTO letter (id, box, seen_hash, area_code, state, received_at, done_at)"
        " VALUES (gen_random_uuid(), 'mail', 'x', '339901', 'answered', now(), now())"),
        {"letters"}),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "found"), DAMAGE.values(), ids=DAMAGE.keys())
def test_each_damage_is_found_and_left_as_it_is(
    desk: Desk, session: Session, store: Store, statement: str, found: set[str]
) -> None:
    session.execute(text(statement.format(one=ONE)))
    session.expire_all()

    first = bad(session, store)

    assert first.keys() == found
    assert bad(session, store) == first  # nothing was mended


@pytest.mark.parametrize("room", ["original", "public"])
@pytest.mark.parametrize("is_gone", [True, False])
def test_a_file_that_is_gone_or_changed_is_found(
    desk: Desk, session: Session, store: Store, room: str, is_gone: bool
) -> None:
    file = next(path for where, path in store.files() if where == room)
    if is_gone:
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-1] + b"!")

    assert bad(session, store) == {"files": 1}


def test_what_differs_is_told_and_the_alarm_ends_when_it_is_whole_again(
    desk: Desk, session: Session, store: Store
) -> None:
    def night() -> None:
        report = reconcile.compare(session, store.folder, now=datetime.now(UTC))
        reconcile.keep(session, report)
        session.flush()

    session.execute(text("UPDATE channel_case SET state = 'ended'"))
    night()
    (alarm,) = alarms.open_alarms(session, desk.staff["commander"])
    assert (alarm.kind, alarm.subject, alarm.detail["bad"]) == ("reconcile", "channel_cases", 1)
    session.execute(text("UPDATE channel_case SET state = 'acknowledged'"))
    night()

    assert alarms.open_alarms(session, desk.staff["commander"]) == []
    kept = session.scalars(select(Reconciliation.is_clean).order_by(Reconciliation.id)).all()
    assert kept == [False, True]


@pytest.fixture
def city(empty_database: str) -> Iterator[Engine]:
    made = make_engine(empty_database)
    yield made
    made.dispose()


RUN = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from sqlalchemy.orm import Session
from grids.db import engine
from grids.watch import reconcile
import grids.models

made = engine(sys.argv[1])
report = reconcile.reconcile(made, Path(sys.argv[2]), now=datetime.now(UTC), everything=True)
with Session(made) as session, session.begin():
    reconcile.keep(session, report)
    print("kept", flush=True)
    if len(sys.argv) > 3:
        import time
        time.sleep(60)
sys.exit(0 if report.is_clean else 1)
"""


UNSEALED = """
    SELECT count(*) FROM incident_event AS e
    WHERE NOT EXISTS (SELECT FROM feed AS f WHERE (f.incident_id, f.seq) = (e.incident_id, e.seq))
"""


def test_a_comparison_that_is_killed_leaves_nothing_half_and_the_next_one_is_whole(
    city: Engine, empty_database: str, store: Store
) -> None:
    with Session(city) as session, session.begin():
        lived_in(session, store)
    plain = empty_database.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(plain, autocommit=True) as conn:
        # Work in other databases of the server holds the watermark back for a while.
        until = time.monotonic() + 60
        while conn.execute(UNSEALED).fetchone() != (0,) and time.monotonic() < until:
            feed.seal_all(conn, now=datetime.now(UTC))
    command = [sys.executable, "-c", RUN, empty_database, str(store.folder)]

    with subprocess.Popen([*command, "wait"], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"kept\n"
        child.kill()
    with Session(city) as session:
        assert session.scalar(select(Reconciliation.id)) is None

    assert subprocess.run(command, check=False).returncode == 0
    with Session(city) as session, session.begin():
        session.execute(text("UPDATE channel_case SET state = 'ended'"))
    assert subprocess.run(command, check=False).returncode == 1


# --- Stuck cases --------------------------------------------------------------------------


def kinds(session: Session) -> list[str]:
    found = select(DutyAlarm.kind).where(DutyAlarm.closed_at.is_(None)).order_by(DutyAlarm.kind)
    return list(session.scalars(found))


def ask_reporter(desk: Desk) -> Any:
    case = desk.submit()
    desk.move(case, "ask_reporter", "intake", note="哪一盏？")
    return case


def hand_over(desk: Desk) -> Any:
    case = desk.submit()
    desk.take_to(case, "pending_dispatch")
    until = desk.now + timedelta(days=1)
    desk.move(case, "hand_over", "dispatcher", outside="供电公司", until=until)
    return case


def ask_extend(desk: Desk) -> Any:
    case = desk.submit()
    desk.take_to(case, "handling")
    until = desk.now + timedelta(days=60)
    desk.move(case, "ask_extend", "handler", reason="weather", until=until)
    return case


def suspend(desk: Desk) -> Any:
    case = desk.submit()
    desk.take_to(case, "handling")
    until = desk.now + timedelta(days=20)
    desk.move(case, "ask_suspend", "handler", reason="funds", until=until)
    desk.move(case, "suspend", "commander", note="缺资金")
    return case


def broken(statement: str) -> Callable[[Desk], Any]:
    def make(desk: Desk) -> Any:
        case = desk.submit()
        desk.take_to(case, "handling")
        desk.session.execute(text(statement), {"id": case})
        return case

    return make


STUCK: dict[str, tuple[Callable[[Desk], Any], timedelta]] = {
    "no_movement": (lambda desk: desk.submit(), timedelta(days=3)),
    "reporter": (ask_reporter, timedelta(days=4)),
    "outside": (hand_over, timedelta(hours=30)),
    "undecided": (ask_extend, timedelta(days=2, hours=1)),
    "review": (suspend, timedelta(days=21)),
    "no_owner": (broken("UPDATE incident SET department_code = NULL, holder_id = NULL,"
                        " handler_id = NULL WHERE id = :id"), timedelta(minutes=1)),
    "no_clock": (broken("UPDATE incident_clock SET ended_at = now() WHERE incident_id = :id"),
                 timedelta(minutes=1)),
    "paused": (ask_reporter, timedelta(days=91)),
}  # fmt: skip


@pytest.fixture
def bare(session: Session) -> Desk:
    build_city(session)
    return Desk(session, make_staff(session))


@pytest.mark.parametrize(("cause", "stuck_case"), STUCK.items(), ids=STUCK.keys())
def test_a_stuck_case_is_told_once_per_cause(
    bare: Desk, cause: str, stuck_case: tuple[Callable[[Desk], Any], timedelta]
) -> None:
    make, span = stuck_case
    make(bare)
    bare.session.flush()
    assert stuck.watch(bare.session, bare.now) == (cause in ("no_owner", "no_clock"))

    at = bare.now + span
    stuck.watch(bare.session, at)
    told = kinds(bare.session)

    assert f"stuck_{cause}" in told
    assert len(told) == len(set(told))
    for minutes in (10, 20):
        assert stuck.watch(bare.session, at + timedelta(minutes=minutes)) == 0
    assert kinds(bare.session) == told
    assert set(bare.session.scalars(select(DutyAlarm.count))) == {1}


def test_alarms_take_hold_of_their_cases_in_one_order(bare: Desk) -> None:
    for _ in range(6):
        bare.submit()
    assert stuck.watch(bare.session, bare.later(days=3)) == 6

    cases = bare.session.scalars(select(DutyAlarm.incident_id).order_by(DutyAlarm.id)).all()
    assert cases == sorted(cases)


def test_the_alarm_ends_when_the_case_goes_on_and_a_person_s_closing_holds(bare: Desk) -> None:
    moving, standing = bare.submit(), bare.submit()
    late = bare.later(days=3)
    assert stuck.watch(bare.session, late) == 2
    leader = bare.staff["shift_leader"]
    found = {one.incident_id: one.id for one in alarms.open_alarms(bare.session, leader)}
    alarms.close_alarm(bare.session, found[standing], "已电话催办", actor=leader, now=late)

    bare.move(moving, "accept", "intake")
    assert stuck.watch(bare.session, bare.later(minutes=10)) == 0

    assert kinds(bare.session) == []
    over = bare.session.get_one(DutyAlarm, found[moving])
    bare.session.refresh(over)
    assert (over.closed_by, over.note) == (None, alarms.OVER)
    # Having moved, it may get stuck again, and is told again.
    assert stuck.watch(bare.session, bare.now + timedelta(days=30)) == 1


def test_a_case_on_its_way_is_not_stuck(bare: Desk) -> None:
    for status in ("pending_accept", "handling", "pending_review", "closed"):
        bare.take_to(bare.submit(), status)
    suspend(bare)

    assert stuck.watch(bare.session, bare.now + timedelta(minutes=5)) == 0


def test_a_message_of_a_paused_receiver_is_no_difference(desk: Desk, session: Session, store: Store) -> None:  # fmt: skip
    write(session, "hotline", "status", key=str(uuid4()), now=datetime.now(UTC))
    session.execute(text("UPDATE outbox_message SET next_at = now() - interval '3 hours'"))
    session.execute(text("UPDATE outbox_receiver SET paused_until = '9999-01-01'"))

    assert bad(session, store) == {}
