"""A case goes to a party without an account by a link, and comes back by it."""

import io
import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, text

from grids.audit import AuditEvent
from grids.channels import links
from grids.channels.link_models import HandOver
from grids.incidents import service
from grids.incidents.models import Attachment, Incident, IncidentEvent
from grids.incidents.requests import Contact
from grids.outbox import Message
from grids.secrets import token_hash
from tests.support.cases import (
    DEPARTMENT,
    OTHER_DEPARTMENT,
    VAULT,
    Desk,
    build_city,
    make_photo,
    make_staff,
    photo_bytes,
    report,
)
from tests.support.web import FORGET

TASK = "请更换路口的电箱门锁，拍照后回复"
SECRET_WORDS = "我是张三丰，住在江滨路"


@pytest.fixture
def desk(session, app) -> Desk:
    build_city(session)
    return Desk(session, make_staff(session), now=_now())


def _now():
    from datetime import UTC, datetime

    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def case(desk, app) -> UUID:
    """A case with a reporter, photos, a department that signed it, handed over to a party."""
    sent = report(
        channel="phone", text=SECRET_WORDS, contact=Contact("张三丰", "13800138000"),
        photos=(make_photo(desk.session),),
    )  # fmt: skip
    service.submit(
        desk.session, sent, desk.staff["intake"], now=desk.now, vault=app.extensions["vault"]
    )
    desk.take_to(sent.id, "handling")
    hand_over(desk, sent.id)
    return sent.id


def hand_over(desk, case):
    until = desk.now + timedelta(days=2)
    desk.move(case, "hand_over", "handler", outside="供电公司", until=until, note="请协助")


@pytest.fixture
def department(sign_in, desk):
    return sign_in("handler", department=DEPARTMENT)


def make(department, case, **more):
    fields = {"id": str(uuid4()), "act": "make", "task": TASK, **more}
    return department.post(f"/incidents/{case}/link", data=fields)


def address(department, case):
    """Make a link and return its path."""
    assert make(department, case).status_code == 303
    page = department.get(f"/incidents/{case}/link").text
    return re.search(r'value="http://[^/]+(/outside/[A-Z2-7]{32})"', page)[1]


def log(session, action):
    return session.scalars(select(AuditEvent).where(AuditEvent.action == action)).all()


@pytest.mark.parametrize(("language", "title"), [("zh", "处置任务"), ("en", "A task for you")])
def test_the_party_reads_its_task_and_nothing_else(
    department, case, client, session, language, title
):
    path = address(department, case)

    page = client.get(path, headers={"Accept-Language": language})

    assert page.status_code == 200
    assert title in page.text
    assert TASK in page.text
    assert "供电公司" in page.text
    for secret in (SECRET_WORDS, "张三丰", "13800138000", "handler", str(case)):
        assert secret not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert client.get(f"{path}/photos/1").status_code == 404
    (opened,) = log(session, "link_opened")
    assert (opened.actor_id, opened.subject) == (None, f"incident:{case}")
    link = session.scalars(select(HandOver)).one()
    assert link.opened_count == 1
    assert link.token_hash == token_hash(path.rpartition("/")[2])


def test_the_party_answers_with_photos_and_the_case_goes_on(department, case, client, session):
    path = address(department, case)
    fields = {"id": str(uuid4()), "note": "已更换门锁"}

    answers = [
        client.post(
            path, data={**fields, "photos": [(io.BytesIO(photo_bytes()), "after.jpg")]},
            content_type="multipart/form-data",
        )
        for _ in range(2)
    ]  # fmt: skip
    for answer in answers:
        answer.request.environ["wsgi.input"].close()

    assert [answer.status_code for answer in answers] == [303, 303]
    row = session.get_one(Incident, case, populate_existing=True)
    assert row.status == "handling"
    told = session.scalars(
        select(IncidentEvent).where(
            IncidentEvent.incident_id == case, IncidentEvent.action == "outside_replied"
        )
    ).one()
    assert (told.role, told.actor_id, told.note) == ("system", None, "已更换门锁")
    assert told.data["outside"] == "供电公司"
    after = select(func.count()).where(Attachment.incident_id == case, Attachment.part == "after")
    assert session.scalar(after) == 1
    assert len(log(session, "link_answered")) == 1
    done = client.get(path).text
    assert "已收到您的回复" in done
    assert TASK not in done


def test_an_answer_without_words_is_asked_for_again(department, case, client):
    path = address(department, case)

    answer = client.post(path, data={"id": str(uuid4()), "note": " "})

    assert answer.status_code == 422
    assert TASK in answer.text


def test_links_that_open_nothing_all_answer_alike(department, case, client, session, desk):
    path = address(department, case)
    old = path
    make(department, case)  # a new link ends the old one
    revoked = client.get(old)
    foreign = client.get(f"/outside/{'A' * 32}")
    odd = client.get("/outside/x")
    session.execute(
        text("UPDATE hand_over SET expires_at = now() - interval '1 hour', revoked_at = NULL")
    )
    expired = client.get(old)

    answers = [revoked, foreign, odd, expired]
    assert {answer.status_code for answer in answers} == {404}
    assert {
        re.sub(r"[0-9a-f]{12}", "", one.text).replace(old, "").replace("A" * 32, "")
        for one in answers
    }
    assert len({re.search(r"<h1[^>]*>([^<]*)", one.text)[1] for one in answers}) == 1
    assert client.post(old, data={"note": "x"}).status_code == 404


def test_taking_the_case_back_kills_the_link_and_handing_it_over_anew_does_not_revive_it(
    department, case, client, desk
):
    path = address(department, case)
    assert client.get(path).status_code == 200

    desk.move(case, "take_back", "handler", note="自己办")
    taken = client.get(path)
    hand_over(desk, case)
    anew = client.get(path)

    assert (taken.status_code, anew.status_code) == (404, 404)


def test_ending_a_link_is_kept_in_the_log(department, case, client, session):
    path = address(department, case)

    answer = department.post(f"/incidents/{case}/link", data={"act": "revoke"})

    assert answer.status_code == 303
    assert client.get(path).status_code == 404
    assert len(log(session, "link_revoked")) == 1


def test_shared_photos_and_no_others_are_given_out(department, case, client, session):
    photo = session.scalars(select(Attachment.id).where(Attachment.incident_id == case)).first()
    make(department, case, **{f"photo_{photo}": "1", "photo_999999": "1"})
    link = session.scalars(select(HandOver)).one()

    assert link.photos == [photo]


def test_who_does_not_answer_for_the_case_makes_no_link(case, sign_in, session):
    other = sign_in("handler", department=OTHER_DEPARTMENT)
    east = sign_in("town_seat", "339901002")
    leader = sign_in("shift_leader")

    assert make(other, case).status_code == 404
    assert make(east, case).status_code == 404
    assert make(leader, case).status_code == 409
    assert session.scalar(select(func.count()).select_from(HandOver)) == 0


def test_a_source_that_tries_too_often_has_to_wait(client, desk):
    tries = [client.get(f"/outside/{'B' * 32}").status_code for _ in range(links.MOST_TRIES + 1)]

    assert set(tries[:-1]) == {404}
    assert tries[-1] == 429


def test_the_wall_gives_a_link_its_case_and_no_contact(department, case, session, desk):
    path = address(department, case)
    stranger = report(contact=Contact("李四", "13900139000"), channel="phone")
    service.submit(session, stranger, desk.staff["intake"], now=desk.now, vault=VAULT)
    session.flush()
    session.execute(text(FORGET))
    session.execute(text("SET ROLE wangge_app"))
    try:
        link = links.opened(session, path.rpartition("/")[2], now=desk.now)
        seen = [
            session.scalar(text(f"SELECT count(*) FROM {table}"))
            for table in ("incident", "incident_reporter", "hand_over")
        ]
    finally:
        session.execute(text("RESET ROLE"))

    assert link.incident_id == case
    assert seen == [1, 0, 1]


def test_the_same_order_sent_twice_is_one_link(department, case, session):
    order = str(uuid4())

    answers = [make(department, case, id=order).status_code for _ in range(2)]
    other = make(department, case, id=order, task="完全不同的任务")

    assert answers == [303, 303]
    assert other.status_code == 409
    assert session.scalar(select(func.count()).select_from(HandOver)) == 1


def test_six_reporters_of_one_merged_case_are_all_informed(desk, session):
    session.execute(text("UPDATE outbox_receiver SET is_active = true WHERE code = 'sms'"))
    channels = ("phone", "public", "phone", "public", "phone", "phone")
    found = []
    for number, channel in enumerate(channels):
        sent = report(channel=channel, contact=Contact("", f"1380013800{number}"),
                      photos=(make_photo(session),))  # fmt: skip
        who = None if channel == "public" else desk.staff["intake"]
        service.submit(session, sent, who, now=desk.now, vault=VAULT)
        found.append(sent.id)
    main, *rest = found
    for other in rest:
        desk.move(other, "merge", "intake", main=main)
    desk.take_to(main, "closed")

    told = session.execute(
        select(Message.kind, func.count(Message.contact.distinct()))
        .where(Message.receiver == "sms")
        .group_by(Message.kind)
    ).all()
    assert dict(told)["done"] == 6
    assert session.get_one(Incident, main).report_count == 6
