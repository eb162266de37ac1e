"""The department's desk: its own cases, in order, with replies that need proof."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from grids.accounts import Shift
from grids.incidents.models import Incident, IncidentEvent
from grids.responsibility import arbitration
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
        ("ask_return", "reason", {}),
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
    told = re.search(rf'id="{action}-{field}-error"[^>]*>([^<]+)<', answer.text)
    assert told
    assert not re.search(r"[a-z_]{4}", told[1]), "told in the reader's language"
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


# -- figures, what assists, what waits, towns


def tiles(page: str) -> dict[str, str]:
    return dict(re.findall(r'class="tile" href="/desk\?show=(\w+)".*?<b[^>]*>(\d+)</b>', page))


def test_the_figures_of_the_month_open_the_lists_that_they_count(desk, handler):
    photo = cases.make_photo(desk.session)
    punctual, late, fresh = (dispatched(desk, text=word) for word in ("及时", "迟到", "新案"))
    for case in (punctual, late):
        desk.move(case, "sign", "handler")
        desk.move(case, "reply", "handler", note="好了", photos=(photo,))
    row = desk.row(late)
    row.handling_due_at = row.handled_at - timedelta(hours=1)
    desk.session.flush()

    found = tiles(handler.get("/desk").text)
    lists = {name: handler.get(f"/desk?show={name}").text for name in found}

    assert found == {"month_on_time": "1", "month_late": "1", "month_rework": "0"}
    assert str(punctual) in lists["month_on_time"]
    assert str(late) in lists["month_late"]
    assert str(fresh) not in "".join(lists.values())


def test_what_was_exempted_on_appeal_counts_nowhere(desk, handler):
    case = dispatched(desk)
    desk.move(case, "sign", "handler")
    desk.move(case, "reply", "handler", note="好了", photos=(cases.make_photo(desk.session),))
    desk.row(case).flags = {"exempt": True}
    desk.session.flush()

    assert tiles(handler.get("/desk").text)["month_on_time"] == "0"


def test_an_assisting_department_sees_the_case_as_such(desk, sign_in):
    helper = sign_in("handler", department=OTHER_DEPARTMENT)
    incident_id = desk.submit()
    desk.take_to(incident_id, "pending_dispatch")
    desk.move(incident_id, "dispatch", "dispatcher", department=DEPARTMENT,
              assisting=(OTHER_DEPARTMENT,))  # fmt: skip

    page = helper.get("/desk?show=assist").text

    assert str(incident_id) in page
    assert "协办" in helper.get(f"/desk/cases/{incident_id}").text


def test_a_town_has_the_same_desk_for_its_own_area(desk, sign_in):
    west, east = desk.submit(), desk.submit(desk.staff["intake"], lon=120.15, lat=29.30,
                                            channel="phone")  # fmt: skip
    town = sign_in("town_seat", area="339901001")

    page, grids = town.get("/desk?show=open").text, town.get("/desk/grids").text

    assert str(west) in page
    assert str(east) not in page
    assert "339901001001001" in grids
    assert "339901002" not in grids
    for path in ("", "/print"):
        assert town.get(f"/desk/cases/{east}{path}").status_code == 404
        assert town.get(f"/desk/cases/{west}{path}").status_code == 200


def test_a_grid_opens_its_own_cases(desk, sign_in, session):
    found = desk.submit()
    grid = session.scalar(select(Incident.area_code))
    town = sign_in("town_seat", area=grid[:9])
    listed = town.get("/desk/grids").text

    here = town.get(f"/desk?show=open&grid={grid}").text
    elsewhere = town.get("/desk?show=open&grid=339901002999999").text

    assert f'href="/desk?show=open&amp;grid={grid}"' in listed
    assert str(found) in here
    assert 'name="grid"' in here
    assert str(found) not in elsewhere


def test_the_grid_list_names_who_is_on_duty(desk, sign_in, session):
    session.add(
        Shift(account_id=desk.staff["worker"].account_id, starts_at=desk.now - timedelta(hours=1),
              ends_at=desk.now + timedelta(hours=7))
    )  # fmt: skip
    session.flush()

    assert (
        desk.staff["worker"].name in sign_in("town_seat", area="339901001").get("/desk/grids").text
    )


def test_the_paper_file_is_for_who_sees_the_case(desk, handler):
    mine, other = dispatched(desk), dispatched(desk, OTHER_DEPARTMENT)

    assert "城市管理案卷" in handler.get(f"/desk/cases/{mine}/print").text
    assert handler.get(f"/desk/cases/{other}/print").status_code == 404


def test_a_department_is_invited_to_the_arbitration_of_its_case(desk, handler, sign_in):
    mine = dispatched(desk)
    arbitration.open_arbitration(
        desk.session, desk.row(mine), cause="dispute", actor_id=None, now=desk.now
    )

    invited, other = (
        handler.get("/desk").text,
        sign_in("handler", department="D09").get("/desk").text,
    )

    assert "/command/arbitrations/" in invited
    assert "/command/arbitrations/" not in other
