"""The letter box against a real mail server: kept once each, whatever a letter is made of."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from app import letter_box as mail_app
from app.config import ROOT, Settings
from app.courier import words
from grids import scope
from grids.accounts import Actor
from grids.blobs import Store
from grids.channels import letter_box, letters
from grids.channels.letter_box import Keeper
from grids.channels.letter_models import Letter, LetterBox, LetterPhoto
from grids.channels.models import DutyAlarm
from grids.db import engine as make_engine
from grids.incidents.models import Incident
from grids.incidents.requests import Report
from grids.outbox import Message
from grids.outbox.outside import Outside, Reply
from grids.outbox.sending import deliver_one
from tests.support.cases import (
    MATTER,
    NOON,
    VAULT,
    WEST,
    Desk,
    build_city,
    make_staff,
    photo_bytes,
)
from tests.support.mail import PASSWORD, Box, mail_server, smtp_server

__all__ = ["mail_server"]


@pytest.fixture
def box(mail_server: int) -> Box:
    """A box of its own for each test."""
    return Box(mail_server, f"box-{uuid4().hex[:8]}")


@pytest.fixture
def city(empty_database: str) -> Iterator[Engine]:
    made = make_engine(empty_database)
    with Session(made) as session, session.begin():
        build_city(session)
        session.execute(text("UPDATE outbox_receiver SET is_active = true"))
    yield made
    made.dispose()


@pytest.fixture
def keeper(city: Engine, tmp_path: Path) -> Keeper:
    return Keeper(city, VAULT, Store(tmp_path / "blobs"))


@pytest.fixture
def mailed(settings: Settings, box: Box) -> Settings:
    return replace(settings, mail_box=box.url, mail_password=PASSWORD)


def letter(
    subject: str = "路灯不亮", words: str = "江滨路 88 号路灯坏了。", **head: str
) -> EmailMessage:
    made = EmailMessage()
    made["From"] = head.pop("sender", "张三 <zhang.san@example.cn>")
    made["To"] = "box@city.example"
    made["Subject"] = subject
    made["Date"] = "Wed, 04 Mar 2026 10:00:00 +0800"
    made["Message-ID"] = head.pop("message_id", f"<{uuid4()}@example.cn>")
    for name, value in head.items():
        made[name.replace("_", "-")] = value
    made.set_content(words)
    return made


def look(settings: Settings, keeper: Keeper) -> int:
    return mail_app.look(settings, keeper.engine, keeper=keeper)


def kept(keeper: Keeper) -> list[dict[str, Any]]:
    """Everything that is kept, opened."""
    with Session(keeper.engine) as session:
        rows = session.scalars(select(Letter).order_by(Letter.received_at, Letter.subject_sealed))
        found = []
        for row in rows:
            opened = {
                name: VAULT.open("letter", row.id, f"{name}_sealed", sealed)
                if (sealed := getattr(row, f"{name}_sealed"))
                else ""
                for name in ("sender", "subject", "text", "message_id")
            }
            photos = session.scalar(select(func.count()).where(LetterPhoto.letter_id == row.id))
            found.append({**opened, "problem": row.problem, "photos": photos, "row": row})
    return found


def test_letters_are_kept_once_sealed_and_marked_as_seen(
    box: Box, mailed: Settings, keeper: Keeper
) -> None:
    first = letter()
    first.add_attachment(photo_bytes(), maintype="image", subtype="jpeg", filename="灯.jpg")
    first.add_attachment(b"MZ...", maintype="application", subtype="exe", filename="x.exe")
    box.deliver(first, letter("第二封"))

    assert look(mailed, keeper) == 2
    assert look(mailed, keeper) == 0

    (one,) = [found for found in kept(keeper) if found["subject"] == "路灯不亮"]
    assert (one["sender"], one["text"]) == ("zhang.san@example.cn", "江滨路 88 号路灯坏了。")
    assert (one["photos"], one["row"].left_out, one["problem"]) == (1, 1, "")
    assert one["row"].written_at == datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
    assert box.seen() == 2
    with keeper.engine.connect() as connection:
        raw = connection.execute(text("SELECT to_jsonb(l)::text FROM letter AS l")).scalars().all()
    assert not any("zhang" in row or "路灯" in row for row in raw)


def test_the_same_letter_again_or_under_another_number_is_known(
    box: Box, mailed: Settings, keeper: Keeper
) -> None:
    again = letter(message_id="<same@example.cn>")
    box.deliver(again, letter(message_id="<other@example.cn>"))
    assert look(mailed, keeper) == 2
    box.deliver(again)
    assert look(mailed, keeper) == 0
    with Session(keeper.engine) as session, session.begin():
        session.execute(text("UPDATE letter_box SET uid_validity = 1"))  # restored elsewhere
    box.number_anew()
    box.deliver(letter("新的"))

    assert look(mailed, keeper) == 1
    assert len(kept(keeper)) == 3


def raw_letter(*parts: bytes) -> bytes:
    head = b"From: a@b.cn\r\nMessage-ID: <%s@b.cn>\r\n" % uuid4().hex.encode()
    return head + b"".join(parts)


NESTED = b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000)
)
HTML = (
    b"Subject: =?GB2312?B?wrC1xrK7wcE=?=\r\nContent-Type: text/html; charset=gb2312\r\n\r\n"
    + "<style>p{}</style><p>路灯<b>不亮</b></p><script>steal()</script><img src=x onerror=y>"
    "<p>&lt;第二行&gt;</p>".encode("gb18030")
)
#: Name -> letter, the problem that is shown, and words that are kept.
LETTERS: dict[str, tuple[bytes, str, str]] = {
    "html in gb2312": (raw_letter(HTML), "", "路灯不亮\n<第二行>"),
    "nothing": (raw_letter(b"\r\n"), "empty", ""),
    "nested": (raw_letter(NESTED), "broken", ""),
    "many parts": (
        raw_letter(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n",
                   b"--b\r\n\r\nx\r\n" * 400, b"--b--\r\n"), "many_parts", "x"),
    "no end": (raw_letter(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nwords"),
               "broken", "words"),
    "bad base64": (raw_letter(b"Content-Type: text/plain\r\n"
                              b"Content-Transfer-Encoding: base64\r\n\r\n!!!"), "", ""),
    "no such charset": (raw_letter(b"Content-Type: text/plain; charset=klingon\r\n\r\n",
                                   "照明".encode()), "", "照明"),
    "bad head": (raw_letter(b"Subject: =?utf-8?B?////?= =?x?y?z?=\r\nDate: never\r\n\r\nwords"),
                 "", "words"),
    "a picture that is none": (
        raw_letter(b"Content-Type: image/jpeg\r\n\r\n\xff\xd8\xff\xe0broken"), "pictures", ""),
    "a huge head": (raw_letter(b"Subject: " + b"x" * 200_000 + b"\r\n\r\nwords"), "", "words"),
    "zero bytes": (raw_letter(b"Subject: a\0b\r\n\r\nwo\0rds"), "", "wo"),
    "long": (raw_letter(b"\r\n" + b"words " * 10_000), "cut", "words words"),
    "of a machine": (raw_letter(b"Auto-Submitted: auto-replied\r\n\r\naway"), "automatic", "away"),
}  # fmt: skip


def test_whatever_a_letter_is_made_of_it_is_kept_and_the_next_one_is_read(
    box: Box, mailed: Settings, keeper: Keeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letter_box, "MOST_BYTES", 400_000)
    big = letter("巨大", "x" * 500_000)
    box.deliver(*(raw for raw, _problem, _words in LETTERS.values()), big, letter("最后一封"))

    assert look(mailed, keeper) == len(LETTERS) + 2

    found = kept(keeper)
    by_id = {one["message_id"]: one for one in found}
    for name, (raw, problem, wanted) in LETTERS.items():
        one = by_id[raw.split(b"Message-ID: ")[1].split(b"\r\n")[0].decode()]
        if name != "bad base64":
            assert one["problem"] == problem, name
        assert one["text"].startswith(wanted), name
        assert one["sender"] == "a@b.cn", name
    (large,) = [one for one in found if one["subject"] == "巨大"]
    assert (large["problem"], large["text"]) == ("too_large", "")
    assert [one["problem"] for one in found if one["subject"] == "最后一封"] == [""]


def test_a_box_that_cannot_be_read_is_told_and_the_alarm_ends_by_itself(
    box: Box, mailed: Settings, keeper: Keeper
) -> None:
    wrong = replace(mailed, mail_password="wrong")
    assert [look(wrong, keeper) for _ in range(3)] == [-1, -1, -1]
    with Session(keeper.engine) as session:
        assert session.scalars(select(DutyAlarm.kind)).all() == ["letter_box"]
        assert session.get_one(LetterBox, "mail").failures == 3

    box.deliver(letter())
    assert look(mailed, keeper) == 1
    with Session(keeper.engine) as session:
        assert session.scalars(select(DutyAlarm.closed_at)).one() is not None
        assert session.get_one(LetterBox, "mail").failures == 0


POLLER = """
import os, sys, time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from app import letter_box
from grids.blobs import Store
from grids.channels.letter_box import Keeper, poll
from grids.db import engine
from grids.secrets import Vault
import grids.models

url, box, password, folder, where = sys.argv[1:]

def step(name):
    if name == where:
        print(name, flush=True)
        time.sleep(60)

class Slow(letter_box.ImapBox):
    def whole(self, uid):
        found = super().whole(uid)
        step("read")
        return found

letter_box.ImapBox = Slow
keeper = Keeper(engine(url), Vault({1: bytes(range(32))}, bytes(32)), Store(Path(folder)), step=step)
server = letter_box.server_of(box, "MAIL_BOX", ("imap",))
with letter_box.opened(server, password) as opened:
    print(poll(keeper, opened, now=datetime.now(UTC)), flush=True)
"""


@pytest.mark.parametrize("where", ["read", "kept", "marked"])
def test_a_look_that_is_killed_between_any_two_steps_loses_nothing_and_doubles_nothing(
    box: Box, mailed: Settings, keeper: Keeper, empty_database: str, where: str
) -> None:
    box.deliver(letter("一"), letter("二"), letter("三"))
    command = [
        sys.executable, "-c", POLLER, empty_database, box.url, PASSWORD, str(keeper.store.folder),
        where,
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline().decode().strip() == where
        os.kill(child.pid, signal.SIGKILL)

    look(mailed, keeper)

    assert sorted(one["subject"] for one in kept(keeper)) == ["一", "三", "二"]
    assert box.seen() >= 2


# --- What is done with a letter -----------------------------------------------------------


@pytest.fixture
def staff(city: Engine) -> dict[str, Actor]:
    with Session(city) as session, session.begin():
        return make_staff(session)


def ways(smtp: str) -> Outside:
    settings = Settings.load({"WANGGE_MAIL_SERVER": smtp, "WANGGE_MAIL_FROM": "box@city.example"})

    def post(*_: object) -> Reply:
        raise AssertionError("nothing goes out over HTTP here")

    return Outside(VAULT, post, words, mail=mail_app.sender_of(settings))


def only(keeper: Keeper) -> UUID:
    (one,) = kept(keeper)
    found: UUID = one["row"].id
    return found


def report(**more: Any) -> Report:
    fields = {"id": uuid4(), "category": MATTER, "lon": WEST[0], "lat": WEST[1], "text": "灯不亮"}
    return Report(**{**fields, **more})


def test_a_letter_becomes_a_case_is_answered_and_told_how_the_case_ends(
    box: Box, mailed: Settings, keeper: Keeper, staff: dict[str, Actor]
) -> None:
    sent = letter(message_id="<first@example.cn>")
    sent.add_attachment(photo_bytes(), maintype="image", subtype="jpeg", filename="a.jpg")
    box.deliver(sent)
    look(mailed, keeper)
    letter_id = only(keeper)
    intake = staff["intake"]
    with smtp_server() as smtp, Session(keeper.engine) as session:
        for _ in range(2):  # the form sent twice
            photos = tuple(letters.photos_of(session, letter_id))
            done = letters.register(
                session, letter_id, report(photos=photos), intake, now=NOON, vault=VAULT
            )
        request_id = uuid4()
        answers = [
            letters.answer(
                session, letter_id, "已受理，谢谢。", intake, request_id=request_id, now=NOON,
                vault=VAULT,
            )
            for _ in range(2)
        ]  # fmt: skip
        desk = Desk(session, staff, now=NOON)
        case = UUID(done.answer["id"])
        desk.move(case, "accept", "intake")
        desk.move(case, "verify", "worker", photos=photos)
        session.commit()
        while deliver_one(keeper.engine, "mail", ways(smtp.url), now=datetime.now(UTC)):
            pass

        row = session.get_one(Incident, case)
        assert (row.channel, row.status, answers) == ("letter", "pending_file", [True, False])
        assert session.scalar(select(func.count()).select_from(Incident)) == 1
        by_hand, by_itself = sorted(smtp.letters, key=lambda one: "Auto-Submitted" in one)
        assert by_hand["To"] == "zhang.san@example.cn"
        assert by_hand["Subject"] == "Re: 路灯不亮"
        assert by_hand["In-Reply-To"] == by_hand["References"] == "<first@example.cn>"
        assert by_hand.get_content().strip() == "已受理，谢谢。"
        assert "已受理" in by_itself.get_content()
        assert by_itself["Auto-Submitted"] == "auto-generated"
        bodies = session.scalars(select(Message.body)).all()
        assert "zhang" not in str(bodies)
        assert "谢谢" not in str(bodies)


def test_an_address_that_does_not_exist_ends_the_message_with_an_alarm(
    box: Box, mailed: Settings, keeper: Keeper, staff: dict[str, Actor]
) -> None:
    box.deliver(letter())
    look(mailed, keeper)
    letter_id = only(keeper)
    with smtp_server() as smtp, Session(keeper.engine) as session:
        smtp.refuses = True
        letters.answer(
            session, letter_id, "已受理。", staff["intake"], request_id=uuid4(), now=NOON,
            vault=VAULT,
        )  # fmt: skip
        session.commit()
        outcome = deliver_one(keeper.engine, "mail", ways(smtp.url), now=datetime.now(UTC))
        assert outcome == "given_up"
        assert session.scalars(select(DutyAlarm.kind)).all() == ["given_up"]


def test_without_a_mail_server_an_answer_waits(
    box: Box, mailed: Settings, keeper: Keeper, staff: dict[str, Actor]
) -> None:
    box.deliver(letter())
    look(mailed, keeper)
    letter_id = only(keeper)
    with Session(keeper.engine) as session:
        letters.answer(
            session, letter_id, "已受理。", staff["intake"], request_id=uuid4(), now=NOON,
            vault=VAULT,
        )  # fmt: skip
        session.commit()
        off = Outside(VAULT, lambda *_: Reply(200), words)
        assert deliver_one(keeper.engine, "mail", off, now=datetime.now(UTC)) == "failed"
        assert session.scalars(select(Message.state)).all() == ["pending"]


def test_a_confidential_letter_is_read_by_those_entitled_and_hidden_by_the_database_too(
    box: Box, mailed: Settings, keeper: Keeper, staff: dict[str, Actor], empty_database: str
) -> None:
    box.deliver(letter("内部举报", Sensitivity="Company-Confidential"), letter("路灯"))
    look(mailed, keeper)
    intake, leader = staff["intake"], staff["shift_leader"]
    with Session(keeper.engine) as session:
        open_to_all = letters.listed(session, intake, VAULT)
        assert [row.subject for row in open_to_all.rows] == ["路灯"]
        assert open_to_all.counts["new"] == 1
        both = letters.listed(session, leader, VAULT).rows
        hidden = next(row.id for row in both if row.is_confidential)
        with pytest.raises(letters.NoLetter):
            letters.view(session, intake, VAULT, hidden)
        # Whoever reads a letter may close it, and does not see it any more.
        session.execute(text("SET LOCAL ROLE wangge_app"))
        _as(session, intake)
        letters.confide(session, open_to_all.rows[0].id, intake)
        assert session.scalar(select(func.count()).select_from(Letter)) == 0
        _as(session, leader)
        assert session.scalar(select(func.count()).select_from(Letter)) == 2
        letters.open_up(session, hidden, leader)
        session.flush()
        _as(session, intake)
        assert session.scalars(select(Letter.id)).all() == [hidden]
        _as(session, staff["worker"])
        assert session.scalar(select(func.count()).select_from(Letter)) == 0


def _as(session: Session, actor: Actor) -> None:
    driver: Any = session.connection().connection.driver_connection
    scope.state(driver, actor)
    session.expire_all()


def test_who_wrote_is_shown_for_a_purpose_only_and_the_look_is_written_down(
    box: Box, mailed: Settings, keeper: Keeper, staff: dict[str, Actor]
) -> None:
    box.deliver(letter())
    look(mailed, keeper)
    letter_id = only(keeper)
    with Session(keeper.engine) as session:
        row = letters.listed(session, staff["intake"], VAULT).rows[0]
        assert row.sender == "z…@example.cn"
        with pytest.raises(Exception, match="contact is needed"):
            letters.reveal_sender(
                session, letter_id, "curiosity", staff["intake"], now=NOON, vault=VAULT
            )  # fmt: skip
        told = letters.reveal_sender(
            session, letter_id, "call_back", staff["intake"], now=NOON, vault=VAULT
        )  # fmt: skip
        assert told == "zhang.san@example.cn"
        noted = session.execute(
            text("SELECT detail FROM audit_event WHERE action = 'letter_sender_revealed'")
        ).scalars()
        assert noted.one() == {"purpose": "call_back"}


def test_a_letter_put_aside_has_a_reason_and_is_gone_a_year_later(
    box: Box, mailed: Settings, keeper: Keeper, staff: dict[str, Actor]
) -> None:
    from grids import retention

    sent = letter("广告")
    sent.add_attachment(photo_bytes(), maintype="image", subtype="jpeg", filename="a.jpg")
    box.deliver(sent)
    look(mailed, keeper)
    letter_id = only(keeper)
    with Session(keeper.engine) as session, session.begin():
        with pytest.raises(letters.LetterWords):
            letters.put_aside(session, letter_id, "bored", staff["intake"], now=NOON)
        letters.put_aside(session, letter_id, "advertising", staff["intake"], now=NOON)
        with pytest.raises(letters.LetterMoved):
            letters.put_aside(session, letter_id, "advertising", staff["intake"], now=NOON)
    (rule,) = [one for one in retention.RULES if one.name == "letters"]
    with Session(keeper.engine) as session, session.begin():
        assert rule.carry_out(session, NOON) == ("letter", [])
        later = NOON.replace(year=2028)
        assert rule.carry_out(session, later) == ("letter", [letter_id])
        assert session.scalar(select(func.count()).select_from(LetterPhoto)) == 0


def test_the_worker_s_role_may_keep_letters(
    box: Box, mailed: Settings, keeper: Keeper, empty_database: str
) -> None:
    from app.config import as_role

    sent = letter()
    sent.add_attachment(photo_bytes("green"), maintype="image", subtype="jpeg", filename="a.jpg")
    box.deliver(sent)
    worker = make_engine(as_role(empty_database, "wangge_worker", "none"))
    try:
        assert look(mailed, replace(keeper, engine=worker)) == 1
    finally:
        worker.dispose()
    assert kept(keeper)[0]["photos"] == 1
