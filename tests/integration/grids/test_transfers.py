"""Transfers of other systems: acknowledged by a person in time, sent back, told of each step."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from grids import accounts
from grids.accounts import Actor
from grids.channels import inbound, systems, transfers
from grids.channels.models import DutyAlarm, System, SystemCase
from grids.channels.systems import NewSystem
from grids.db import engine as make_engine
from grids.incidents.models import Incident
from grids.outbox import Message, Receiver
from grids.outbox.sending import deliver_one
from tests.integration.grids.test_outbox import outside, receiver
from tests.support.cases import EAST, NOON, VAULT, WEST, Desk, build_city, make_staff

LIMIT = timedelta(seconds=60)


@pytest.fixture
def desk(session: Session) -> Desk:
    build_city(session)
    receiver(session, "hotline")
    wanted = NewSystem("12345", "市民热线", "Citizens' line", "transfer", "hotline", "03001", 60)
    systems.register(session, wanted, now=datetime.now(UTC))
    return Desk(session, make_staff(session))


def caller(session: Session, code: str = "12345") -> Actor:
    account = session.get_one(accounts.Account, session.get_one(System, code).account_id)
    found = accounts.actor_of(account, datetime.now(UTC))
    assert found is not None
    return found


def send(session: Session, now: datetime, number: str = "T1", **more: Any) -> UUID:
    body = {"id": number, "text": "噪声扰民", "lon": WEST[0], "lat": WEST[1], **more}
    actor = caller(session)
    taken = inbound.take(session, "12345", body, actor, now=now, vault=VAULT, hotline="96150")
    return UUID(taken.answer["receipt"])


def told(session: Session) -> list[tuple[str, dict[str, Any]]]:
    rows = session.scalars(select(Message).order_by(Message.created_at, Message.seq))
    return [(row.kind, row.body) for row in rows]


def open_alarms(session: Session) -> list[tuple[str, str]]:
    found = session.execute(
        select(DutyAlarm.kind, DutyAlarm.subject).where(DutyAlarm.closed_at.is_(None))
    )
    return [(kind, subject) for kind, subject in found]


def test_a_person_acknowledges_and_the_sender_is_told(desk: Desk) -> None:
    receipt = send(desk.session, desk.now)
    intake = desk.staff["intake"]
    (waiting,) = transfers.listed(desk.session, intake)
    assert (waiting.id, waiting.due_at - waiting.received_at) == (receipt, LIMIT)

    transfers.acknowledge(desk.session, receipt, intake, now=desk.later(seconds=30))

    kept = desk.session.get_one(SystemCase, receipt)
    assert (kept.state, kept.ack_by) == ("acknowledged", intake.account_id)
    ((kind, body),) = told(desk.session)
    assert (kind, body["sender_id"], body["receipt"]) == ("acknowledged", "T1", str(receipt))
    assert transfers.count_waiting(desk.session, intake) == 0
    with pytest.raises(transfers.TransferMoved):
        transfers.acknowledge(desk.session, receipt, intake, now=desk.now)


def test_what_goes_back_carries_the_reason_and_rejects_its_case(desk: Desk) -> None:
    receipt = send(desk.session, desk.now)
    transfers.refuse(
        desk.session, receipt, "outside_scope", "属交警职责", desk.staff["intake"], now=desk.now
    )  # fmt: skip

    kept = desk.session.get_one(SystemCase, receipt)
    row = desk.session.get_one(Incident, kept.incident_id)
    assert (kept.state, kept.note, row.status) == ("returned", "属交警职责", "not_accepted")
    ((kind, body),) = told(desk.session)
    assert (kind, body["reason"], body["note"], body["sender_id"]) == (
        "returned", "outside_scope", "属交警职责", "T1",
    )  # fmt: skip


def test_going_back_without_a_reason_changes_nothing(desk: Desk) -> None:
    receipt = send(desk.session, desk.now)
    with pytest.raises(Exception, match="reason"), desk.session.begin_nested():
        transfers.refuse(desk.session, receipt, "", "", desk.staff["intake"], now=desk.now)

    assert desk.session.get_one(SystemCase, receipt).state == "waiting"
    assert told(desk.session) == []


def test_a_late_one_is_told_once_and_the_alarm_ends_with_whatever_step_takes_it(
    desk: Desk,
) -> None:
    receipt = send(desk.session, desk.now)
    number = desk.session.scalar(select(Incident.number))
    assert transfers.watch(desk.session, desk.later(seconds=59)) == 0
    for _ in range(3):
        transfers.watch(desk.session, desk.later(seconds=60))
    assert open_alarms(desk.session) == [("ack", number)]
    assert desk.session.scalar(select(DutyAlarm.area_code)) == "339901001001001"

    desk.move(desk.session.get_one(SystemCase, receipt).incident_id, "accept", "intake")
    transfers.watch(desk.session, desk.later(seconds=60))

    assert open_alarms(desk.session) == []
    assert desk.session.get_one(SystemCase, receipt).state == "acknowledged"


def test_a_town_sees_the_transfers_of_its_own_area(desk: Desk) -> None:
    west = send(desk.session, desk.now)
    send(desk.session, desk.now, "T2", lon=EAST[0], lat=EAST[1])
    seat = desk.staff["town_seat"]

    assert [one.id for one in transfers.listed(desk.session, seat)] == [west]
    assert len(transfers.listed(desk.session, desk.staff["intake"])) == 2


def test_a_case_that_is_taken_in_goes_back_no_more(desk: Desk) -> None:
    receipt = send(desk.session, desk.now)
    desk.move(desk.session.get_one(SystemCase, receipt).incident_id, "accept", "intake")

    with pytest.raises(Exception, match="reject"):
        transfers.refuse(
            desk.session, receipt, "duplicate", "", desk.staff["intake"], now=desk.now
        )  # fmt: skip


@contextmanager
def keeping_receiver() -> Iterator[tuple[list[dict[str, Any]], str]]:
    """A system over real HTTP that answers with the number under which it keeps what it got."""
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            answer = json.dumps({"receipt": f"R-{len(got)}"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield got, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def city(empty_database: str) -> Iterator[Engine]:
    made = make_engine(empty_database, pool_size=20)
    with Session(made) as session, session.begin():
        build_city(session)
        receiver(session, "hotline")
        wanted = NewSystem("12345", "热线", "Line", "transfer", "hotline", "03001", 60)
        systems.register(session, wanted, now=datetime.now(UTC))
        make_staff(session)
    yield made
    made.dispose()


def test_every_step_reaches_the_sender_in_order_and_its_receipt_is_kept(city: Engine) -> None:
    with keeping_receiver() as (got, url), Session(city) as session:
        desk = Desk(session, make_staff(session))
        receipt = send(session, desk.now)
        case = session.get_one(SystemCase, receipt).incident_id
        desk.take_to(case, "closed")
        session.commit()

        while deliver_one(city, "hotline", outside(hotline=url), now=datetime.now(UTC)):
            pass

        assert [body["seq"] for body in got] == sorted(body["seq"] for body in got)
        assert (got[0]["kind"], got[0]["sender_id"]) == ("status", "T1")
        assert (got[-1]["status"], got[-1]["state"]) == ("closed", "done")
        receipts = session.scalars(select(Message.receipt).order_by(Message.seq)).all()
        assert receipts == [f"R-{n}" for n in range(1, len(got) + 1)]
        session.expire_all()
        assert session.get_one(SystemCase, receipt).state == "ended"


def test_twenty_at_once_make_one_case(city: Engine) -> None:
    """R04: the sender's number is the key, whoever comes first."""
    answers: list[tuple[bool, str]] = []
    start = threading.Barrier(20)

    def one() -> None:
        with Session(city) as session:
            actor = caller(session)
            session.commit()
            start.wait()
            with session.begin():
                taken = inbound.take(
                    session, "12345",
                    {"id": "T9", "text": "噪声", "lon": WEST[0], "lat": WEST[1]},
                    actor, now=NOON, vault=VAULT, hotline="96150",
                )  # fmt: skip
            answers.append((taken.is_new, taken.answer["receipt"]))

    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 20
    assert sum(is_new for is_new, _receipt in answers) == 1
    assert len({receipt for _new, receipt in answers}) == 1
    with Session(city) as session:
        assert session.scalar(select(func.count()).select_from(Incident)) == 1


def test_a_paused_receiver_waits_and_gets_everything_when_it_is_resumed(city: Engine) -> None:
    from grids.outbox import state

    with keeping_receiver() as (got, url), Session(city) as session:
        desk = Desk(session, make_staff(session))
        case = session.get_one(SystemCase, send(session, desk.now)).incident_id
        state.hold(session, "hotline", actor_id=None)
        desk.move(case, "accept", "intake")
        session.commit()
        ways = outside(hotline=url)

        assert deliver_one(city, "hotline", ways, now=datetime.now(UTC)) is None
        state.resume(session, "hotline", actor_id=None)
        session.commit()
        assert deliver_one(city, "hotline", ways, now=datetime.now(UTC)) == "sent"
        assert len(got) == 1
        session.expire_all()
        assert session.get_one(Receiver, "hotline").paused_until is None
        assert session.scalar(text("SELECT count(*) FROM audit_event")) >= 2
