"""The public portal as a browser without script meets it."""

import io
import re
from uuid import uuid4

import pytest
from PIL import Image
from sqlalchemy import func, select, text

from grids.incidents.models import Blob, Incident, IncidentReporter
from tests.support import cases
from tests.support.cases import WEST, photo_bytes

MANHOLE = "01002"


@pytest.fixture
def city(session):
    """A city with one known address in the western town."""
    cases.build_city(session)
    session.execute(
        text(
            "INSERT INTO address (text, street, number, geom) VALUES"
            " ('江滨路88号', '江滨路', '88', ST_SetSRID(ST_MakePoint(:lon, :lat), 4490))"
        ),
        {"lon": WEST[0], "lat": WEST[1]},
    )
    session.flush()


def form(**more):
    """Fill in the form: a photo, a category and a point, changed as the test says."""
    fields = {
        "id": str(uuid4()), "category": MANHOLE, "text": "井盖松动", "lon": str(WEST[0]),
        "lat": str(WEST[1]), "photos": [(io.BytesIO(photo_bytes()), "photo.jpg")],
    }  # fmt: skip
    return {name: value for name, value in {**fields, **more}.items() if value is not None}


def post(client, fields, language="zh"):
    answer = client.post(
        "/", data=fields, content_type="multipart/form-data", headers={"Accept-Language": language}
    )
    answer.request.environ["wsgi.input"].close()  # a large body lies in a file of the test client
    return answer


def count(session, model):
    return session.scalar(select(func.count()).select_from(model))


def noted(page, field):
    """Return the note beside a field."""
    found = re.search(rf'id="{field}-error" role="alert">([^<]*)<', page)
    return found[1] if found else None


def test_the_form_carries_an_id_and_offers_categories(city, client):
    page = client.get("/").text

    assert re.search(r'name="id" value="[0-9a-f-]{36}"', page)
    assert f'value="{MANHOLE}"' in page
    assert 'href="tel:119"' in page


def test_a_report_without_script_gets_a_number_and_a_page(city, client, session):
    answer = post(client, form())

    assert answer.status_code == 303
    page = client.get(answer.location).text
    number = session.scalar(select(Incident.number))
    assert number in page
    assert "已收到您的反映" in page


def test_the_same_form_sent_twice_is_one_report(city, client, session):
    fields = form()
    first = post(client, fields)
    again = post(client, {**fields, "photos": [(io.BytesIO(photo_bytes()), "photo.jpg")]})

    assert again.location == first.location
    assert count(session, Incident) == 1


def test_an_id_that_was_used_for_something_else_is_told_so(city, client, session):
    fields = form()
    post(client, fields)
    other = {**fields, "text": "别的内容", "photos": [(io.BytesIO(photo_bytes()), "a.jpg")]}

    answer = post(client, other)

    assert answer.status_code == 409
    assert "已经提交过别的内容" in answer.text
    assert count(session, Incident) == 1


@pytest.mark.parametrize("words", ["江滨路88号", "江滨路 88 号门前", "1镇1社区小公园旁"])
def test_an_address_in_words_is_place_enough(city, client, session, words):
    answer = post(client, form(lon=None, lat=None, address=words))

    assert answer.status_code == 303
    row = session.scalars(select(Incident)).one()
    assert row.coord_source == "derived"
    assert row.area_code.startswith("339901001001")
    assert row.address == words


class Big(io.BytesIO):
    """A photo of 30 MB: a head that looks right and much behind it."""

    def __init__(self):
        super().__init__(photo_bytes() + bytes(30 * 1024 * 1024))


REFUSED = {
    "no photo": ({"photos": None}, "photos", "照片", "photo"),
    "a photo of 30 MB": ({"photos": [(Big, "big.jpg")]}, "photos", "15 MB", "15 MB"),
    "no picture at all": ({"photos": [(b"MZ not a photo", "x.jpg")]}, "photos", "照片", "photo"),
    "a cut photo": ({"photos": [(photo_bytes()[:200], "x.jpg")]}, "photos", "照片", "photo"),
    "exchanged coordinates": ({"lon": "29.30", "lat": "120.05"}, "place", "反", "swapped"),
    "outside the city": ({"lon": "116.39", "lat": "39.90"}, "place", "样城", "Sample City"),
    "in no town": ({"lon": "120.05", "lat": "29.38"}, "place", "", ""),
    "no number": ({"lon": "east", "lat": "north"}, "place", "数字", "numbers"),
    "not finite": ({"lon": "nan", "lat": "nan"}, "place", "", ""),
    "no place": ({"lon": None, "lat": None}, "place", "地址", "address"),
    "unknown words": (
        {"lon": None, "lat": None, "address": "很远的地方"}, "place", "找不到", "cannot find",
    ),
    "no category": ({"category": None}, "category", "请选择", "choose"),
    "an unknown category": ({"category": "99999"}, "category", "", ""),
    "a bad phone number": ({"phone": "call me"}, "phone", "手机号", "phone number"),
    "too long a text": ({"text": "长" * 1001}, "text", "1000", "1000"),
}  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("change", "field", "zh", "en"), REFUSED.values(), ids=REFUSED.keys())
def test_bad_input_is_told_beside_its_field_and_stores_nothing(
    city, client, session, language, change, field, zh, en
):
    photos = [
        ((made() if callable(made) else io.BytesIO(made)), name)
        for made, name in change.get("photos") or ()
    ]
    fields = form(**{**change, **({"photos": photos} if photos else {})})

    answer = post(client, fields, language)

    assert answer.status_code == 422
    note = noted(answer.text, field)
    assert note
    assert (zh if language == "zh" else en) in note
    assert "error." not in note
    assert bool(re.search("[一-鿿]", note)) == (language == "zh")
    assert f'value="{fields["id"]}"' in answer.text
    assert (count(session, Incident), count(session, Blob)) == (0, 0)


def test_what_was_typed_stays_in_the_refused_form(city, client):
    page = post(client, form(photos=None, text="井盖松动了", name="李")).text

    assert "井盖松动了</textarea>" in page
    assert 'value="李"' in page
    assert f'value="{MANHOLE}" checked' in page


def test_a_robot_that_fills_the_hidden_field_is_refused(city, client, session):
    answer = post(client, form(website="spam"))

    assert answer.status_code == 422
    assert count(session, Incident) == 0


def test_too_many_reports_of_one_source_are_refused(city, client, session, monkeypatch):
    monkeypatch.setattr("app.report_form.MOST_PER_HOUR", 1)
    assert post(client, form()).status_code == 303

    answer = post(client, form())

    assert answer.status_code == 429
    assert "110" in answer.text
    assert count(session, Incident) == 1


def test_a_contact_is_sealed_and_shown_nowhere(city, client, session):
    answer = post(client, form(name="王小明", phone="13800001234"))

    page = client.get(answer.location).text
    assert "王小明" not in page
    assert "13800001234" not in page
    kept = session.scalars(select(IncidentReporter)).one()
    assert kept.phone_sealed
    assert b"13800001234" not in kept.phone_sealed


def test_an_unknown_code_says_so(city, client):
    answer = client.get("/track/AAAAAAAAAAAAAAAAAAAAAAAAAA")

    assert answer.status_code == 404
    assert "没有这个查询码" in answer.text


def test_a_typed_code_may_have_spaces_and_small_letters(city, client, session):
    code = post(client, form()).location.split("/")[-1].split("?")[0]
    typed = " ".join(re.findall(".{1,4}", code.lower()))

    answer = client.get("/track", query_string={"code": typed}, follow_redirects=True)

    assert session.scalar(select(Incident.number)) in answer.text


def test_a_code_opens_its_own_photos_only_and_without_hidden_data(city, client, session):
    exif = Image.Exif()
    exif[0x0110] = "SecretPhone 9"
    out = io.BytesIO()
    Image.new("RGB", (80, 60), "green").save(out, "JPEG", exif=exif)
    mine = post(client, form(photos=[(io.BytesIO(out.getvalue()), "a.jpg")])).location
    other = post(client, form(photos=[(io.BytesIO(photo_bytes("blue")), "b.jpg")])).location

    page = client.get(mine).text
    path = re.search(r'href="(/track/[A-Z0-9]+/photos/\d+)"', page)[1]
    shown = client.get(path)
    stolen = client.get(
        path.replace(mine.split("/")[2].split("?")[0], other.split("/")[2].split("?")[0])
    )

    assert shown.status_code == 200
    assert b"SecretPhone" not in shown.data
    assert not Image.open(io.BytesIO(shown.data)).getexif()
    assert stolen.status_code == 404


def test_the_page_follows_the_case_to_its_end(city, client, session):
    code = post(client, form()).location.split("/")[-1].split("?")[0]
    incident_id = session.scalar(select(Incident.id))
    row = session.get_one(Incident, incident_id)
    desk = cases.Desk(session, cases.make_staff(session), now=row.received_at)

    photo = cases.make_photo(session)

    def look():
        session.flush()
        path = f"/api/public/reports/{code}"
        return client.get(path, headers={"Accept-Language": "en"}).json

    desk.take_to(incident_id, "handling")
    seen = [look()]
    desk.move(incident_id, "reply", "handler", note="已清运", photos=(photo,))
    seen.append(look())
    desk.move(incident_id, "ask_check", "dispatcher")
    desk.move(incident_id, "check_ok", "grid_leader", photos=(photo,))
    desk.move(incident_id, "close", "shift_leader")
    seen.append(look())

    assert [report["state"] for report in seen] == ["in_progress", "in_progress", "done"]
    assert seen[0]["department"]
    assert [len(report["result_photos"]) for report in seen] == [0, 0, 2]
    assert seen[-1]["steps"][0]["text"] == "Closed"
    assert "已清运" not in client.get(f"/track/{code}").text  # notes of staff stay inside


def test_the_form_takes_json_with_photos_that_were_sent_before(city, client, session):
    import hashlib

    data = photo_bytes("orange")
    sha256 = hashlib.sha256(data).hexdigest()
    stored = client.put(f"/api/public/blobs/{sha256}", data=data)
    report = {name: value for name, value in form().items() if name not in ("photos", "id")}
    path = f"/api/public/reports/{uuid4()}"

    answers = [
        client.put(
            path, json={**report, "photos": [sha256]}, headers={"Accept": "application/json"}
        )
        for _ in range(2)
    ]

    assert stored.status_code == 201
    assert answers[0].json["code"] == answers[1].json["code"]
    assert count(session, Incident) == 1


def test_a_refused_json_report_names_the_fields(city, client):
    answer = client.post("/", json={"id": str(uuid4())}, headers={"Accept": "application/json"})

    assert answer.status_code == 422
    assert {error["field"] for error in answer.json["errors"]} == {"photos", "category", "place"}


def test_a_place_is_named_for_the_form(city, client):
    named = client.get(f"/api/public/place?lon={WEST[0]}&lat={WEST[1]}").json
    outside = client.get("/api/public/place?lon=10&lat=10").json

    assert named["address"] == "江滨路88号"
    assert named["inside"] is True
    assert outside == {"inside": False, "near": []}


def test_large_text_is_kept_in_a_cookie_and_never_leads_away(client):
    answer = client.get("/elder/on?next=https://evil.example/")

    assert answer.location == "/"
    assert "wangge_elder=on" in answer.headers["Set-Cookie"]
