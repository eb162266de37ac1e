"""The operator's seat: calls, notes and news through the form, with script and without."""

import io
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text

from grids.audit import AuditEvent
from grids.incidents import tracking
from grids.incidents.models import Incident, IncidentEvent, IncidentReporter
from tests.support import cases
from tests.support.cases import EAST, WEST, photo_bytes

MANHOLE = "component:01002"
PHONE = "0579-8520 1234"
PAGE = "/command/intake"


@pytest.fixture(autouse=True)
def city(session):
    """A city with one known address in the western town."""
    cases.build_city(session)
    session.execute(
        text(
            "INSERT INTO address (text, street, number, geom, area_code) VALUES"
            " ('江滨路88号', '江滨路', '88', ST_SetSRID(ST_MakePoint(:lon, :lat), 4490), '339901001001001')"
        ),
        {"lon": WEST[0], "lat": WEST[1]},
    )
    session.flush()


def form(**more):
    """Fill in the form of a call, changed as the test says."""
    fields = {
        "id": str(uuid4()), "kind": "call", "phone": PHONE, "name": "赵", "category": MANHOLE,
        "text": "井盖松动，车过有响声", "lon": str(WEST[0]), "lat": str(WEST[1]),
        "address": "江滨路88号门前",
    }  # fmt: skip
    return {name: value for name, value in {**fields, **more}.items() if value is not None}


def send(seat, fields):
    """Send a form as the script of the page does."""
    return seat.post(PAGE, json=fields, headers={"Accept": "application/json"})


def note(**more):
    tomorrow = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%dT17:30")
    return form(
        kind="note", phone=None, name=None, office="市政府分管城建", note_on="2026-03-01",
        note_text="请限期整改到位", note_due=tomorrow, grade="listed", **more,
    )  # fmt: skip


def noted(page, field):
    """Return the note beside a field."""
    found = re.search(rf'id="{field}-error" role="alert">([^<]*)<', page)
    return found[1] if found else None


def opening(session):
    """Return the only case and its first event."""
    row = session.scalars(select(Incident)).one()
    event = session.scalars(
        select(IncidentEvent).where(IncidentEvent.incident_id == row.id)
    ).first()
    return row, event


@pytest.mark.parametrize(
    ("language", "said"), [("zh", "已登记"), ("en", "Your report is registered")]
)
def test_a_call_without_script_is_a_case_and_the_operator_is_told_what_to_say(
    sign_in, session, app, language, said
):
    seat = sign_in("intake")
    head = {"Accept-Language": language}

    answer = seat.post(PAGE, data=form(), headers=head)

    assert answer.status_code == 303
    page = seat.get(answer.location, headers=head).text
    row, event = opening(session)
    assert (row.channel, row.status, row.reporter_id) == (
        "phone",
        "pending_accept",
        seat.account_id,
    )
    code = tracking.code_for(app.extensions["vault"], row.id)
    assert " ".join(re.findall(".{1,4}", code)) in page
    assert said in page
    assert re.search(r"96150-\d{6}-\d{4}", page)
    assert seat.get(f"/track/{code}").status_code == 200
    kept = session.scalars(select(IncidentReporter)).one()
    assert kept.phone_index is not None
    assert b"8520" not in bytes(kept.phone_sealed)
    assert event.data.get("flags") is None


def test_the_same_call_twice_is_one_case_and_other_content_is_refused(sign_in, session):
    seat = sign_in("intake")
    fields = form()
    first = send(seat, fields)
    again = send(seat, fields)
    other = send(seat, {**fields, "text": "另一件事"})
    shown = seat.post(PAGE, data={**fields, "text": "另一件事"})

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json["number"] == again.json["number"]
    assert (other.status_code, other.json["code"]) == (409, "incident.other_body")
    assert shown.status_code == 409
    assert "另一件事" in shown.text
    assert session.scalar(select(func.count()).select_from(Incident)) == 1


def test_everything_that_is_wrong_is_said_at_once_and_what_was_typed_stays(sign_in):
    page = sign_in("intake").post(
        PAGE, data=form(category=None, text=None, lon=None, lat=None, address="没有这条路")
    )

    assert page.status_code == 422
    assert noted(page.text, "category") == "请选择类别。"
    assert noted(page.text, "text") == "请写明情况。"
    assert "找不到这个地址" in noted(page.text, "place")
    assert PHONE in page.text


@pytest.mark.parametrize("phone", ["12", "no number", "1" * 21])
def test_a_number_that_no_telephone_has_is_refused(sign_in, phone):
    answer = send(sign_in("intake"), form(phone=phone))

    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "phone"


def test_a_leaders_note_puts_the_case_under_supervision(sign_in, session):
    seat = sign_in("intake")
    scan = (io.BytesIO(photo_bytes()), "scan.jpg")

    answer = seat.post(PAGE, data={**note(), "photos": [scan]}, content_type="multipart/form-data")
    answer.request.environ["wsgi.input"].close()

    assert answer.status_code == 303
    row, event = opening(session)
    assert row.channel == "document"
    assert row.flags["supervised"]["grade"] == "listed"
    assert row.flags["supervised"]["until"] == event.data["origin"]["until"]
    assert event.data["origin"]["office"] == "市政府分管城建"
    assert len(event.photos) == 1
    seen = seat.get(f"/api/incidents/{row.id}").json
    assert seen["origin"]["text"] == "请限期整改到位"
    # It goes on as every case does: filed without a look on the spot, for it came from above.
    assert "accept" in [action["action"] for action in seen["actions"]]


def test_a_worker_is_not_shown_the_leaders_note(sign_in, session):
    send(sign_in("intake"), note())
    row, _ = opening(session)

    seen = sign_in("worker", "339901001001001").get(f"/api/incidents/{row.id}").json

    assert seen["origin"] is None
    assert "整改到位" not in str(seen)


@pytest.mark.parametrize(
    ("field", "value"),
    [("office", None), ("note_text", None), ("note_on", "2199-01-01"), ("note_on", "soon"),
     ("note_due", "2020-01-01T10:00"), ("grade", "royal")],
)  # fmt: skip
def test_a_note_that_is_wrong_is_said_beside_its_field(sign_in, session, field, value):
    answer = send(sign_in("intake"), {**note(), field: value})

    assert answer.status_code == 422
    assert field in [one["field"] for one in answer.json["errors"]]
    assert session.scalar(select(func.count()).select_from(Incident)) == 0


def test_news_is_kept_with_its_link_and_nothing_is_fetched(sign_in, session):
    seat = sign_in("intake")
    news = form(kind="media", phone=None, name=None, medium="样城日报", news_title="井盖谁来管",
                news_on="2026-03-02", news_link="https://news.example/1?a=1&b=<2>")  # fmt: skip

    assert send(seat, news).status_code == 201
    assert send(seat, {**news, "id": str(uuid4()), "news_link": "javascript:alert(1)"}
                     ).status_code == 422  # fmt: skip
    row, event = opening(session)
    assert (row.channel, event.data["origin"]["medium"]) == ("media", "样城日报")
    assert row.track_hash is None
    seen = seat.get(f"/api/incidents/{row.id}").json["origin"]
    assert seen["link"] == "https://news.example/1?a=1&b=<2>"


def test_a_caller_is_known_by_the_blind_index_and_only_counts_are_told(sign_in, session):
    seat = sign_in("intake")
    for _ in range(3):
        send(seat, form())
    send(seat, form(phone="13800138000"))

    # The same number, written otherwise.
    answer = seat.post(f"{PAGE}/caller", json={"phone": "057985201234"})

    assert "以前反映 3 件" in answer.text
    assert "3 件未结" in answer.text
    assert len(re.findall(r"96150-\d{6}-\d{4}", answer.text)) == 3
    assert "赵" not in answer.text
    assert "8520" not in answer.text
    log = session.scalars(select(AuditEvent).where(AuditEvent.action == "caller_history")).one()
    assert log.detail == {"purpose": "call", "count": 3}
    session.execute(text("UPDATE incident_reporter SET phone_index = NULL"))
    assert "以前没有反映过" in seat.post(f"{PAGE}/caller", json={"phone": PHONE}).text


def test_a_town_knows_the_callers_of_its_own_cases_only(sign_in):
    county = sign_in("intake")
    send(county, form())
    send(county, form(lon=str(EAST[0]), lat=str(EAST[1])))

    west, east = sign_in("town_seat", "339901001"), sign_in("town_seat", "339901002")
    told = [
        seat.post(f"{PAGE}/caller", json={"phone": PHONE}).text for seat in (west, east, county)
    ]

    assert ["以前反映 1 件" in told[0], "以前反映 1 件" in told[1], "以前反映 2 件" in told[2]] == [
        True
    ] * 3


def test_a_town_sees_no_case_of_another_town_nearby(sign_in):
    send(sign_in("intake"), form())
    where = f"{PAGE}/place?lon={WEST[0]}&lat={WEST[1]}&category={MANHOLE}"

    own = sign_in("town_seat", "339901001").get(where).text
    other = sign_in("town_seat", "339901002").get(where).text

    assert "可能重复" in own
    assert "可能重复" not in other
    assert "附近没有未结案卷" in other


@pytest.mark.parametrize("role", ["handler", "dispatcher", "worker", "planner"])
def test_other_roles_have_no_seat_here(sign_in, role):
    area = "339901001001001" if role == "worker" else "339901"
    seat = sign_in(role, area, "D03" if role == "handler" else None)

    assert seat.get(PAGE).status_code == 403
    assert seat.post(f"{PAGE}/caller", json={"phone": PHONE}).status_code == 403
    assert send(seat, form()).status_code == 403


def test_a_category_is_found_by_initials_and_brings_its_questions(sign_in):
    seat = sign_in("intake")

    found = seat.get(f"{PAGE}/categories?q=wsjg").json
    piece = seat.get("/questions?category=01002&kind=component").text
    page = seat.post(PAGE, data={**form(), "step": "look"}).text

    assert next(one["value"] for one in found) == MANHOLE
    assert 'id="asked"' in piece
    assert "附近没有未结案卷" in page
    assert "以前没有反映过" in page
    assert f'value="{MANHOLE}" selected' in page


def test_who_asks_for_confidentiality_is_told_to_intake_only(sign_in, session):
    seat = sign_in("intake")
    send(seat, form(confidential="1"))
    row, _ = opening(session)

    def ask(who):
        return who.post(f"/api/incidents/{row.id}/reporter", json={"purpose": "call_back"})

    assert row.flags["confidential"]["by"] == seat.account_id
    assert ask(sign_in("intake")).json["contacts"][0]["name"] == "赵"
    assert ask(sign_in("shift_leader")).status_code == 200
    refused = ask(sign_in("dispatcher"))
    assert (refused.status_code, refused.json["code"]) == (403, "reporter.confidential")
    assert "8520" not in refused.text


def test_the_told_number_is_shown_to_nobody_but_who_took_the_call(sign_in, session):
    seat = sign_in("intake")
    case = send(seat, form()).json["id"]

    assert 'id="told"' in seat.get(f"{PAGE}?done={case}").text
    assert 'id="told"' not in sign_in("intake").get(f"{PAGE}?done={case}").text
    assert 'id="told"' not in seat.get(f"{PAGE}?done=nonsense").text


def test_words_of_a_caller_are_text_and_never_markup(sign_in):
    seat = sign_in("intake")
    evil = "<img src=x onerror=alert(1)>"

    shown = seat.post(PAGE, data=form(text=evil, name=evil, address=evil, category=None)).text

    assert evil not in shown
    assert "&lt;img src=x" in shown
