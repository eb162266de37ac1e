"""The outbox: written with what it tells, one lane per receiver, the same key at every try."""

import hashlib
import hmac
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from app import outgoing
from app.config import ROOT
from app.courier import words
from grids.channels.models import DutyAlarm
from grids.db import engine as make_engine
from grids.incidents.requests import Contact
from grids.outbox import Message, Receiver, state, write
from grids.outbox.outside import Outside, Reply
from grids.outbox.sending import deliver_one, pause
from tests.support.cases import (
    COUNTY,
    DEPARTMENT,
    NOON,
    VAULT,
    Desk,
    build_city,
    make_photo,
    make_staff,
)
from tests.support.depth import IS_FULL

SECRET = "a secret of two sides"


class Gateway:
    """A receiver over real HTTP: it remembers keys, and may be down."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 200

    @property
    def keys(self) -> list[str]:
        return [headers["idempotency-key"] for headers, _body in self.got]

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _headers, body in self.got]


@contextmanager
def gateway() -> Iterator[tuple[Gateway, str]]:
    made = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if made.status < 300:
                made.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            self.send_response(made.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def outside(**urls: str) -> Outside:
    doors = outgoing.doors_from(",".join(f"{k}={v} 127.0.0.1/32" for k, v in urls.items()))

    def post(door: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        answer = outgoing.call(doors.get(door), path, method="POST", body=body, headers=headers)
        return Reply(answer.status, answer.body)

    return Outside(VAULT, post, words, sms_door="sms")


def receiver(session: Session, code: str, **more: Any) -> None:
    sealed = VAULT.seal("outbox_receiver", code, "secret_sealed", SECRET)
    fields = {"kind": "webhook", "name_zh": code, "name_en": code, "door": code}
    session.add(Receiver(code=code, secret_sealed=sealed, **{**fields, **more}))
    session.flush()


@pytest.fixture
def desk(session: Session) -> Desk:
    build_city(session)
    session.execute(text("UPDATE outbox_receiver SET is_active = true, door = 'sms'"))
    return Desk(session, make_staff(session))


def told(session: Session) -> list[tuple[str, str, str]]:
    rows = session.scalars(select(Message).order_by(Message.seq, Message.receiver))
    return [(row.receiver, row.kind, row.state) for row in rows]


def call_in(desk: Desk, phone: str = "13800000001") -> Any:
    return desk.submit(
        desk.staff["intake"],
        channel="phone",
        contact=Contact("来电人", phone),
        coord_source="map_click",
    )


def test_a_step_writes_its_messages_and_a_step_inside_the_house_writes_none(desk: Desk) -> None:
    case = call_in(desk)
    assert told(desk.session) == []

    desk.move(case, "accept", "intake")

    assert told(desk.session) == [("sms", "accepted", "pending")]
    kept = desk.session.scalars(select(Message)).one()
    assert "13800000001" not in json.dumps(kept.body)


def test_a_roll_back_takes_the_messages_too(desk: Desk) -> None:
    case = call_in(desk)
    inner = desk.session.begin_nested()
    desk.move(case, "accept", "intake")
    inner.rollback()

    assert told(desk.session) == []


def test_a_gateway_that_is_not_connected_leaves_a_message_that_says_so(desk: Desk) -> None:
    desk.session.execute(text("UPDATE outbox_receiver SET is_active = false"))
    case = call_in(desk)
    desk.move(case, "accept", "intake")

    assert told(desk.session) == [("sms", "accepted", "cancelled")]


def test_the_reason_goes_with_a_refusal(desk: Desk) -> None:
    case = call_in(desk)
    desk.move(case, "reject", "intake", reason="outside_area")

    kept = desk.session.scalars(select(Message)).one()
    assert (kept.kind, kept.body["reason"]) == ("declined", "outside_area")


def test_a_pause_doubles_to_an_hour_with_jitter() -> None:
    assert timedelta(seconds=2.5) <= pause(1) <= timedelta(seconds=5)
    assert timedelta(minutes=30) <= pause(30) <= timedelta(hours=1)


@pytest.fixture
def city(empty_database: str) -> Iterator[Engine]:
    made = make_engine(empty_database)
    with Session(made) as session, session.begin():
        build_city(session)
        session.execute(text("UPDATE outbox_receiver SET is_active = true, door = 'sms'"))
    yield made
    made.dispose()


def put(engine: Engine, code: str, count: int = 1) -> None:
    with Session(engine) as session, session.begin():
        for _ in range(count):
            write(session, code, "status", key=str(uuid4()), now=NOON, body={"state": "done"})


def states(engine: Engine, code: str) -> list[str]:
    with Session(engine) as session:
        asked = select(Message.state).where(Message.receiver == code)
        return sorted(session.scalars(asked))


def later(seconds: float = 0) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def test_a_message_is_signed_over_time_and_body_and_carries_its_key(city: Engine) -> None:
    with gateway() as (there, url), Session(city) as session:
        receiver(session, "env")
        session.commit()
        put(city, "env")

        assert deliver_one(city, "env", outside(env=url), now=later()) == "sent"
        assert deliver_one(city, "env", outside(env=url), now=later()) is None

        headers, body = there.got[0]
        signed = f"{headers['x-wangge-timestamp']}.".encode() + body
        digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        assert headers["x-wangge-signature"] == f"v1={digest}"
        assert there.keys == [json.loads(body)["id"]]


def test_a_dead_receiver_holds_nobody_up_and_is_told_of(city: Engine) -> None:
    with gateway() as (healthy, good), gateway() as (dead, bad), Session(city) as session:
        dead.status = 503
        for code in ("good", "bad"):
            receiver(session, code)
        session.commit()
        ways = outside(good=good, bad=bad)
        put(city, "good", 3)
        put(city, "bad", 2)

        # Each failure pauses the receiver as a whole: the second message does not knock.
        assert deliver_one(city, "bad", ways, now=later()) == "failed"
        assert deliver_one(city, "bad", ways, now=later()) is None
        while deliver_one(city, "good", ways, now=later()):
            pass
        assert states(city, "good") == ["sent"] * 3
        assert len(set(healthy.keys)) == 3
        for _ in range(2):
            assert deliver_one(city, "bad", ways, now=later(7200)) == "failed"
        session.expire_all()
        assert session.scalars(select(DutyAlarm.kind)).all() == ["receiver"]
        assert session.scalars(select(DutyAlarm.area_code)).all() == [COUNTY]

        dead.status = 200
        while deliver_one(city, "bad", ways, now=later(7200)):
            pass
        assert states(city, "bad") == ["sent"] * 2
        assert len(dead.keys) == len(set(dead.keys)) == 2


def test_after_the_last_try_it_is_given_up_with_an_alarm(city: Engine) -> None:
    with gateway() as (there, url), Session(city) as session:
        there.status = 400
        receiver(session, "env", most_tries=2)
        session.commit()
        put(city, "env")

        outcomes = [
            deliver_one(city, "env", outside(env=url), now=later(7200 * n)) for n in range(3)
        ]

        assert outcomes == ["failed", "given_up", None]
        assert session.scalars(select(DutyAlarm.kind)).all() == ["given_up"]


def test_who_dies_after_the_claim_leaves_a_message_that_is_sent_again_with_its_key(
    city: Engine,
) -> None:
    with gateway() as (_there, url), Session(city) as session:
        receiver(session, "env")
        session.commit()
        put(city, "env")
        ways = outside(env=url)

        def die(*_: object) -> Reply:
            ways.post("env", "", b'{"id": "same"}', {"Idempotency-Key": "lost"})
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            deliver_one(city, "env", Outside(VAULT, die, words), now=later())
        assert deliver_one(city, "env", ways, now=later()) is None  # leased
        assert deliver_one(city, "env", ways, now=later(31)) == "sent"
        assert states(city, "env") == ["sent"]


def test_people_are_told_the_newest_state_only_and_the_older_message_says_why(
    city: Engine,
) -> None:
    with gateway() as (there, url), Session(city) as session:
        desk = Desk(session, make_staff(session))
        case = call_in(desk)
        desk.move(case, "accept", "intake")
        desk.later(minutes=1)
        desk.move(case, "verify", "worker", photos=(make_photo(session),))
        desk.move(case, "file", "shift_leader")
        desk.move(case, "dispatch", "dispatcher", department=DEPARTMENT)
        session.commit()

        while deliver_one(city, "sms", outside(sms=url), now=later()):
            pass

        session.expire_all()
        assert told(session) == [("sms", "accepted", "cancelled"), ("sms", "dispatched", "sent")]
        reasons = session.scalars(select(Message.reason).order_by(Message.seq)).all()
        assert reasons == ["superseded", ""]
        (body,) = there.bodies()
        assert body["to"] == "13800000001"
        assert body["text"].startswith("您反映的“")
        assert "96150-260304-" in body["text"]


def test_erased_contacts_cancel_the_message(city: Engine) -> None:
    with gateway() as (there, url), Session(city) as session:
        desk = Desk(session, make_staff(session))
        case = call_in(desk)
        desk.move(case, "accept", "intake")
        session.execute(text("DELETE FROM incident_reporter"))
        session.commit()

        assert deliver_one(city, "sms", outside(sms=url), now=later()) == "cancelled"
        assert there.got == []


COURIER = """
import sys
from datetime import timedelta
from app import outgoing
from app.config import ROOT
from app.courier import words
from grids.db import engine
from grids.outbox.courier import Courier
from grids.outbox.outside import Outside, Reply
from grids.secrets import Vault
import grids.models

doors = outgoing.doors_from(sys.argv[2])

def post(door, path, body, headers):
    answer = outgoing.call(doors.get(door), path, method="POST", body=body, headers=headers)
    return Reply(answer.status, answer.body)

outside = Outside(Vault({1: bytes(range(32))}, bytes(32)), post, words, sms_door="sms")
Courier(engine(sys.argv[1]), outside, lease=timedelta(seconds=1)).run()
"""


def test_a_courier_that_is_killed_again_and_again_leaves_nothing_and_doubles_nothing(
    city: Engine, empty_database: str
) -> None:
    """R03: what the receiver counts is keys; a second try of the same key is no second effect."""
    count = 2000 if IS_FULL else 200
    with gateway() as (there, url), Session(city) as session:
        receiver(session, "env")
        session.commit()
        put(city, "env", count)
        command = [sys.executable, "-c", COURIER, empty_database, f"env={url} 127.0.0.1/32"]
        kills = 0
        deadline = time.monotonic() + 600
        while "pending" in states(city, "env"):
            assert time.monotonic() < deadline, states(city, "env").count("pending")
            before = len(there.got)
            child = subprocess.Popen(command, cwd=ROOT)
            try:
                # Some work is under way when it dies; the last one may end its work.
                while (
                    len(there.got) < before + count // 4
                    and "pending" in states(city, "env")
                    and child.poll() is None
                    and time.monotonic() < deadline
                ):
                    time.sleep(0.05)
            finally:
                child.kill()
                child.wait()
            kills += 1

    assert kills >= 3
    assert states(city, "env") == ["sent"] * count
    assert len(set(there.keys)) == count


def test_what_was_given_up_is_sent_when_somebody_says_so(city: Engine) -> None:
    with gateway() as (there, url), Session(city) as session:
        state.keep_receiver(
            session, VAULT, "env", door="env", path="", name_zh="环保", name_en="Environment",
            secret=SECRET,
        )  # fmt: skip
        session.commit()
        put(city, "env", 3)
        assert state.give_up(session, "env", "closed down", actor_id=None, now=NOON) == 3
        session.commit()
        assert deliver_one(city, "env", outside(env=url), now=later()) is None

        assert state.retry(session, "env", actor_id=None, now=NOON) == 3
        session.commit()
        while deliver_one(city, "env", outside(env=url), now=later()):
            pass

        (found,) = [one for one in state.states(session) if one.receiver.code == "env"]
        assert (found.counts, found.oldest_at) == ({"sent": 3}, None)
        assert len(there.got) == 3


def test_a_receiver_without_a_secret_is_refused(session: Session) -> None:
    with pytest.raises(state.BadReceiver):
        state.keep_receiver(
            session, VAULT, "env", door="env", path="", name_zh="环", name_en="E", secret="short"
        )  # fmt: skip
