"""Letters, transfers, alarms and receivers on their pages, by form posts as without script."""

import hashlib
import re
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text

from grids import outbox
from grids.blobs import Store, store_photo
from grids.channels import systems
from grids.channels.alarms import raise_alarm
from grids.channels.letter_models import Letter, LetterAnswer, LetterBox, LetterPhoto
from grids.channels.models import DutyAlarm, SystemCase
from grids.channels.systems import NewSystem
from grids.incidents.models import Attachment, Incident
from grids.outbox import Message, Receiver, log
from grids.outbox.models import HELD
from grids.watch import reconcile
from tests.support.cases import WEST, build_city, photo_bytes


def now():
    return datetime.now(UTC)


@pytest.fixture(autouse=True)
def city(session):
    build_city(session)


@pytest.fixture
def keep(session, app):
    """Keep a letter as the box does."""

    def make(
        subject="路灯不亮", words="江滨路路灯坏了。", *, is_confidential=False, with_photo=False
    ):
        vault, letter_id = app.extensions["vault"], uuid4()
        sealed = {
            f"{name}_sealed": vault.seal("letter", letter_id, f"{name}_sealed", value)
            for name, value in (
                ("subject", subject), ("text", words), ("sender", "zhang.san@example.cn"),
            )
        }  # fmt: skip
        session.add(
            Letter(
                id=letter_id, box="mail", seen_hash=letter_id.bytes, area_code="339901",
                received_at=now(), is_confidential=is_confidential, **sealed,
            )
        )  # fmt: skip
        session.flush()
        if with_photo:
            data = photo_bytes("navy")
            digest = hashlib.sha256(data).hexdigest()
            store = Store(app.extensions["settings"].blob_dir)
            store_photo(session, store, data, sha256=digest, account_id=None, now=now())
            session.add(LetterPhoto(letter_id=letter_id, sha256=digest))
            session.flush()
        return letter_id

    return make


FORM = {
    "category": "03001",
    "text": "路灯不亮",
    "address": "",
    "lon": str(WEST[0]),
    "lat": str(WEST[1]),
}


def test_a_letter_is_read_and_made_a_case_with_its_picture(session, keep, sign_in):
    letter_id = keep(with_photo=True)
    intake = sign_in("intake")
    page = intake.get(f"/command/letters/{letter_id}")
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    assert "江滨路路灯坏了" in page.text
    assert "zhang.san" not in page.text
    photo = page.text.split(f"/command/letters/{letter_id}/photos/")[1].split('"')[0]
    assert intake.get(f"/command/letters/{letter_id}/photos/{photo}").mimetype == "image/jpeg"
    assert intake.get(f"/command/letters/{letter_id}/photos/{'0' * 64}").status_code == 404
    original = page.text.split('name="photos" value="')[1].split('"')[0]

    done = intake.post(f"/command/letters/{letter_id}/case", data={**FORM, "photos": original})
    again = intake.post(f"/command/letters/{letter_id}/case", data={**FORM, "photos": original})

    assert (done.status_code, again.status_code) == (303, 303)
    case = session.scalars(select(Incident)).one()
    assert (case.channel, case.status) == ("letter", "pending_accept")
    assert session.scalars(select(Attachment.sha256)).all() == [original]
    session.expire_all()
    assert session.get_one(Letter, letter_id).incident_id == case.id
    assert case.number in intake.get("/command/letters?state=registered").text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"category": ""}, "类别"),
        ({"lon": "", "lat": ""}, "地"),
        ({"lon": "10", "lat": "50"}, ""),
        ({"photos": "0" * 64}, ""),
    ],
)
def test_a_form_that_lacks_something_is_shown_again_with_what_was_typed(
    session, keep, sign_in, change, words
):
    letter_id = keep()
    answer = sign_in("intake").post(
        f"/command/letters/{letter_id}/case", data={**FORM, "text": "我写的话", **change}
    )

    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert words in answer.text
    assert "我写的话" in answer.text
    assert session.scalar(select(func.count()).select_from(Incident)) == 0


def test_an_answer_put_aside_and_who_wrote(session, keep, sign_in):
    intake = sign_in("intake")
    letter_id = keep()
    form = {"answer": "已受理，谢谢。", "request_id": str(uuid4())}
    for _ in range(2):
        assert intake.post(f"/command/letters/{letter_id}/answer", data=form).status_code == 303
    assert session.scalar(select(func.count()).select_from(LetterAnswer)) == 1
    assert session.scalars(select(Message.receiver)).all() == ["mail"]
    assert "已受理，谢谢。" in intake.get(f"/command/letters/{letter_id}").text
    empty = intake.post(f"/command/letters/{letter_id}/answer", data={"answer": ""})
    assert empty.status_code == 422

    shown = intake.post(f"/command/letters/{letter_id}/sender", data={"purpose": "call_back"})
    assert "zhang.san@example.cn" in shown.text
    other = keep("广告")
    assert intake.post(f"/command/letters/{other}/aside", data={"reason": "x"}).status_code == 422
    done = intake.post(f"/command/letters/{other}/aside", data={"reason": "advertising"})
    assert done.status_code == 303
    assert "广告" in intake.get("/command/letters?state=put_aside").text
    noted = session.execute(
        text("SELECT action FROM audit_event WHERE subject LIKE 'letter:%' ORDER BY at, id")
    ).scalars()
    assert set(noted) == {"letter_answered", "letter_sender_revealed", "letter_put_aside"}


def test_a_confidential_letter_is_for_those_entitled_and_fills_nothing_in(session, keep, sign_in):
    letter_id = keep("举报某人", "某人收钱", is_confidential=True)
    intake, leader = sign_in("intake"), sign_in("shift_leader")

    assert "举报" not in intake.get("/command/letters").text
    assert intake.get(f"/command/letters/{letter_id}").status_code == 404
    assert intake.post(f"/command/letters/{letter_id}/open").status_code == 403
    page = leader.get(f"/command/letters/{letter_id}").text
    assert "某人收钱" in page
    assert "某人收钱</textarea>" not in page
    done = leader.post(f"/command/letters/{letter_id}/case", data={**FORM, "text": "请核实"})
    assert done.status_code == 303
    assert session.scalars(select(Incident.text)).all() == ["请核实"]
    plain = keep("普通")
    assert intake.post(f"/command/letters/{plain}/confide").status_code == 303
    assert intake.get(f"/command/letters/{plain}").status_code == 404
    assert leader.post(f"/command/letters/{plain}/open").status_code == 303
    assert intake.get(f"/command/letters/{plain}").status_code == 200


def test_the_list_goes_on_where_it_ended_and_tells_of_a_box_that_is_down(session, keep, sign_in):
    for number in range(45):
        keep(f"来信{number:03d}")
    session.add(LetterBox(code="mail", failures=3, last_error="TimeoutError"))
    session.flush()
    intake = sign_in("intake")
    first = intake.get("/command/letters").text
    onward = first.split('class="btn" href="/command/letters?')[1].split('"')[0]
    second = intake.get("/command/letters?" + onward.replace("&amp;", "&")).text

    assert "TimeoutError" in first
    seen = (
        [f"来信{n:03d}" in first for n in range(45)],
        [f"来信{n:03d}" in second for n in range(45)],
    )
    assert (sum(seen[0]), sum(seen[1])) == (40, 5)
    assert all(one != other for one, other in zip(*seen, strict=True))


@pytest.fixture
def transfer(session, app):
    session.add(Receiver(code="line", kind="webhook", name_zh="热线", name_en="Line", door="line"))
    session.flush()
    wanted = NewSystem("12345", "市民热线", "Citizens' line", "transfer", "line", "03001", 60)
    token = systems.register(session, wanted, now=now())
    body = {"id": "T1", "text": "噪声扰民", "lon": WEST[0], "lat": WEST[1]}
    made = app.test_client().post(
        "/api/channels/12345/cases", json=body, headers={"Authorization": f"Bearer {token}"}
    )
    return UUID(made.json["receipt"])


def test_transfers_wait_are_acknowledged_and_sent_back(session, transfer, sign_in):
    intake = sign_in("intake")
    page = intake.get("/command/transfers").text
    assert "噪声扰民" in page
    assert "T1" in page
    refused = intake.post(f"/command/transfers/{transfer}/refuse", data={"reason": ""})
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text

    assert intake.post(f"/command/transfers/{transfer}/acknowledge").status_code == 303
    assert intake.post(f"/command/transfers/{transfer}/acknowledge").status_code == 422
    form = {"reason": "outside_scope", "note": "属交警"}
    assert intake.post(f"/command/transfers/{transfer}/refuse", data=form).status_code == 303
    session.expire_all()
    assert session.get_one(SystemCase, transfer).state == "returned"
    assert "属交警" in intake.get("/command/transfers?state=done").text
    assert intake.post(f"/command/transfers/{uuid4()}/acknowledge").status_code == 404
    assert sign_in("town_seat", "339901002").get("/command/transfers").text.count("T1") == 0


def test_alarms_are_closed_with_a_note_by_who_sees_the_area(session, sign_in):
    for kind, subject in (
        ("ack", "20300101-000001"),
        ("reconcile", "feed"),
        ("stuck_reporter", "x"),
    ):
        raise_alarm(
            session, kind, subject, now=now(), area_code="339901001001",
            detail={"bad": 2, "first": ["20300101-000001"], "since": now().isoformat()},
        )  # fmt: skip
    leader, elsewhere = sign_in("shift_leader"), sign_in("town_seat", "339901002")
    page = leader.get("/command/alarms").text
    assert "转办件超时未签收" in page
    assert "事件入流" in page
    assert "转办件超时未签收" not in leader.get("/command/alarms?about=stuck").text
    alarm_id = session.scalars(select(DutyAlarm.id)).first()
    assert elsewhere.post(
        f"/command/alarms/{alarm_id}/close", data={"note": "已看过现场"}
    ).status_code == 404  # fmt: skip
    short = leader.post(f"/command/alarms/{alarm_id}/close", data={"note": "好"})
    assert short.status_code == 422
    done = leader.post(f"/command/alarms/{alarm_id}/close", data={"note": "已电话核实"})
    assert done.status_code == 303
    session.expire_all()
    assert session.get_one(DutyAlarm, alarm_id).note == "已电话核实"


def test_the_page_of_receivers_pauses_resumes_and_sends_again(session, sign_in, tmp_path):
    session.add(Receiver(code="env", kind="webhook", name_zh="环保", name_en="Environment"))
    session.flush()
    outbox.write(session, "env", "status", key="one", now=now(), body={})
    session.execute(
        text("UPDATE outbox_message SET state = 'given_up', ended_at = now(), reason = 'tries'")
    )
    session.execute(
        text("UPDATE outbox_receiver SET failures = 4, last_error = 'HTTP 503' WHERE code = 'env'")
    )
    reconcile.keep(session, reconcile.compare(session, tmp_path, now=now()))
    raise_alarm(session, "receiver", "env", now=now(), detail={"failures": 4, "error": "HTTP 503"})
    session.flush()
    admin = sign_in("system_admin")
    page = admin.get("/admin/receivers").text
    assert "HTTP 503" in page
    assert "数据核对" in page

    assert admin.post("/admin/receivers/env/hold").status_code == 303
    session.expire_all()
    assert session.get_one(Receiver, "env").paused_until == HELD
    assert "已暂停" in admin.get("/admin/receivers").text
    assert admin.post("/admin/receivers/env/resume").status_code == 303
    assert admin.post("/admin/receivers/env/retry").status_code == 303
    session.expire_all()
    assert session.get_one(Receiver, "env").paused_until is None
    assert session.scalars(select(Message.state)).all() == ["pending"]
    assert admin.post("/admin/receivers/none/hold").status_code == 404
    alarm_id = session.scalars(select(DutyAlarm.id).where(DutyAlarm.kind == "receiver")).one()
    path = f"/admin/receivers/alarms/{alarm_id}/close"
    assert admin.post(path, data={"note": ""}).status_code == 422
    assert admin.post(path, data={"note": "已联系对方"}).status_code == 303
    noted = session.execute(text("SELECT DISTINCT action FROM audit_event")).scalars().all()
    assert {"receiver_paused", "receiver_resumed", "outbox_retried", "duty_alarm_closed"} <= set(
        noted
    )
    assert sign_in("shift_leader").get("/admin/receivers").status_code == 403


def test_what_was_sent_is_listed_by_tray_and_sent_again(session, transfer, sign_in):
    intake, elsewhere = sign_in("intake"), sign_in("town_seat", "339901002")
    intake.post(f"/command/transfers/{transfer}/acknowledge")
    case = session.get_one(SystemCase, transfer).incident_id
    session.execute(
        text("UPDATE outbox_message SET state = 'given_up', ended_at = now(), reason = 'tries',"
             " tries = 12, last_error = 'HTTP 503'")
    )  # fmt: skip
    message = session.scalars(select(Message.id)).one()

    failed = intake.get("/command/sent").text
    assert "HTTP 503" in failed
    assert "已签收" in failed
    assert "HTTP 503" not in intake.get("/command/sent?state=sent").text
    assert "HTTP 503" not in intake.get("/command/sent?receiver=sms").text
    assert "HTTP 503" in intake.get(f"/command/sent?case={case}").text
    assert "HTTP 503" not in elsewhere.get(f"/command/sent?case={case}").text
    assert elsewhere.post(f"/command/sent/{message}/retry").status_code == 404

    ways = intake.get(f"/api/incidents/{case}").json["ways"]
    assert [way["url"] for way in ways] == [
        f"/command/transfers?case={case}", f"/command/sent?case={case}",
    ]  # fmt: skip
    assert "T1" in intake.get(ways[0]["url"]).text
    assert intake.post(f"/command/sent/{message}/retry").status_code == 303
    session.expire_all()
    kept = session.get_one(Message, message)
    assert (kept.state, kept.tries, kept.ended_at) == ("pending", 0, None)
    session.execute(text("UPDATE outbox_message SET state = 'sent', ended_at = now()"))
    assert intake.post(f"/command/sent/{message}/retry").status_code == 422


def test_a_long_list_of_what_was_sent_goes_on_where_it_ended(session, transfer, sign_in):
    case = session.get_one(SystemCase, transfer).incident_id
    for number in range(log.MOST + 1):
        outbox.write(
            session, "line", "status", key=f"k{number}", now=now(), incident_id=case,
            body={"status": "handling"},
        )  # fmt: skip
    session.execute(
        text("UPDATE outbox_message SET state = 'sent', receipt = 'R-' || substr(key, 2),"
             " ended_at = now() + (substr(key, 2) || ' s')::interval WHERE key LIKE 'k%'")
    )  # fmt: skip
    intake = sign_in("intake")

    first = intake.get("/command/sent?state=sent").text
    after = re.search(r"after=([^\"]+)\"", first)
    second = intake.get(f"/command/sent?state=sent&after={after[1]}").text

    shown = [re.findall(r"R-\d+", page) for page in (first, second)]
    assert (len(shown[0]), shown[1]) == (log.MOST, ["R-0"])


def test_the_menu_offers_what_a_role_may_open_and_counts_what_waits(session, transfer, sign_in):
    intake = sign_in("intake")
    waiting = {one["href"]: one for one in intake.get("/api/waiting").json["items"]}
    assert waiting["/command/transfers"]["count"] == 1
    assert waiting["/command/transfers"]["pressing"] is True
    assert sign_in("town_seat", "339901002").get("/api/waiting").json["items"][0]["count"] == 0
    for role in ("commander", "intake", "dispatcher", "planner"):
        client = sign_in(role)
        home = client.get("/command/alarms" if role != "planner" else "/planner").text
        hrefs = re.findall(r'href="([^"]+)"', home.split("pages-menu")[1].split("</nav>")[0])
        assert len(hrefs) > 1
        answers = {href: client.get(href).status_code for href in hrefs}
        assert {h: code for h, code in answers.items() if code in (403, 404, 500)} == {}


def test_the_system_administrator_sees_alarms_of_the_system_only(session, sign_in):
    raise_alarm(session, "stuck_reporter", "20300101-000009", now=now())
    session.flush()
    admin = sign_in("system_admin")
    alarm_id = session.scalars(select(DutyAlarm.id)).one()

    page = admin.get("/admin/receivers").text
    assert "20300101-000009" not in page
    assert "另有 1 条案件告警" in page
    path = f"/admin/receivers/alarms/{alarm_id}/close"
    assert admin.post(path, data={"note": "已处理完毕"}).status_code == 404
