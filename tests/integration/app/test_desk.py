"""The department's desk: its own cases, in order, with replies that need proof."""

import re
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from grids.incidents.models import Incident, IncidentEvent
from tests.integration.app.test_worker import upload
from tests.support import cases
from tests.support.cases import DEPARTMENT, OTHER_DEPARTMENT, photo_bytes


@pytest.fixture
def desk(session):
    """Everybody who works on cases of a small city."""
    cases.build_city(session)
    return cases.Desk(session, cases.make_staff(session), now=datetime.now(UTC))


@pytest.fixture
def handler(desk, sign_in):
    """Somebody of the department that the cases go to."""
    return sign_in("handler", department=DEPARTMENT)


def dispatched(desk, department=DEPARTMENT, **more):
    incident_id = desk.submit(**more)
    desk.take_to(incident_id, "pending_dispatch")
    desk.move(incident_id, "dispatch", "dispatcher", department=department)
    return incident_id


def test_the_list_shows_only_the_own_department(desk, handler):
    mine = dispatched(desk)
    other = dispatched(desk, OTHER_DEPARTMENT)

    page = handler.get("/desk").text

    assert f"/desk/cases/{mine}" in page
    assert f"/desk/cases/{other}" not in page
    assert handler.get(f"/desk/cases/{other}").status_code == 404


def test_trays_count_what_they_show(desk, handler):
    dispatched(desk)
    closed = dispatched(desk)
    photo = cases.make_photo(desk.session)
    desk.move(closed, "sign", "handler")
    desk.move(closed, "reply", "handler", note="好了", photos=(photo,))

    page = handler.get("/desk").text

    counts = dict(re.findall(r'show=(\w+)"[^>]*>[^<]*<b>(\d+)</b>', page))
    assert (counts["turn"], counts["open"], counts["done"]) == ("1", "2", "0")


def test_a_search_finds_by_text_and_keeps_the_tray(desk, handler):
    found = dispatched(desk, text="江边的井盖")
    other = dispatched(desk, text="路灯不亮")

    page = handler.get("/desk?show=open&q=井盖").text

    assert str(found) in page
    assert str(other) not in page
    assert 'name="show" value="open"' in page


def test_a_case_is_signed_and_answered_by_plain_forms(desk, handler, session):
    incident_id = dispatched(desk)
    path = f"/desk/cases/{incident_id}/moves"

    signed = upload(handler, path, id=str(uuid4()), action="sign")
    replied = upload(
        handler, path, id=str(uuid4()), action="reply", note="已更换", photos=[photo_bytes()]
    )

    assert (signed.status_code, replied.status_code) == (303, 303)
    assert session.scalar(select(Incident.status)) == "pending_review"
    assert "已更换" in handler.get(replied.location).text


@pytest.mark.parametrize(
    ("action", "field", "sent"),
    [
        ("reply", "photos", {"note": "已更换"}),
        ("reply", "note", {"photos": [photo_bytes()]}),
        ("return", "reason", {}),
    ],
)
def test_what_a_step_lacks_is_told_beside_its_field(desk, handler, session, action, field, sent):
    incident_id = dispatched(desk)
    desk.move(incident_id, "sign", handler_of(session, handler))
    before = session.scalar(select(func.count()).select_from(IncidentEvent))

    answer = upload(
        handler, f"/desk/cases/{incident_id}/moves", id=str(uuid4()), action=action, **sent
    )

    assert answer.status_code == 422
    assert re.search(rf'id="{action}-{field}-error">[^<]+<', answer.text)
    assert session.scalar(select(func.count()).select_from(IncidentEvent)) == before


def handler_of(session, client):
    from grids.accounts import Account, actor_of

    return actor_of(session.get_one(Account, client.account_id), datetime.now(UTC))


def test_a_case_goes_back_with_a_reason(desk, handler, session):
    incident_id = dispatched(desk)

    answer = upload(
        handler, f"/desk/cases/{incident_id}/moves", id=str(uuid4()), action="return",
        reason="not_our_duty",
    )  # fmt: skip

    assert answer.status_code == 303
    assert session.scalar(select(Incident.status)) == "pending_dispatch"


def test_the_number_of_statements_does_not_grow_with_the_cases(desk, handler, count_queries):
    dispatched(desk)
    handler.get("/desk")
    count_queries()
    handler.get("/desk")
    few = count_queries()
    for _ in range(5):
        dispatched(desk)
    count_queries()

    handler.get("/desk")

    assert count_queries() == few


def test_the_desk_is_for_departments(desk, client, sign_in):
    assert client.get("/desk").status_code == 302
    assert sign_in("worker").get("/desk").status_code == 403
