"""The registrar's pages at a desk and on a phone, in both languages, light and dark."""

import psycopg
import pytest

from app.keys import vault_of
from tests.support import faces
from tests.support.browser import shoot, sign_in


@pytest.fixture
def residents(city_server):
    """The numbers of a grown-up with a phone and of a child of the city."""
    vault = vault_of(city_server.settings)
    found = {}
    with psycopg.connect(city_server.settings.owner_url) as conn:
        for name, condition in (("grown", "age_band = '15-59' AND phone_sealed IS NOT NULL"),
                                ("child", "age_band = '0-5'")):  # fmt: skip
            row = conn.execute(
                f"SELECT id, id_number_sealed FROM person WHERE {condition} AND moved_out_on IS NULL"
                " ORDER BY id LIMIT 1"
            ).fetchone()
            assert row is not None
            found[name] = vault.open("person", row[0], "id_number_sealed", bytes(row[1]))
    return found


def find(page, number, purpose="home_visit"):
    page.goto("/people")
    page.fill("input[name=number]", number)
    page.locator(f"input[name=purpose][value={purpose}]").check()
    page.locator("form[action='/people'] button[type=submit]").click()
    page.locator("[data-person]").first.wait_for()


@pytest.mark.parametrize(("language", "look"), faces.LOOKS)
def test_a_resident_is_found_and_a_field_shown_in_place(
    new_page, city_server, residents, language, look
):
    page = new_page(locale=language, color_scheme=look)
    sign_in(page, city_server, "registrar")
    page.goto("/people")
    shoot(page, f"people-empty-{language[:2]}-{look}")
    wrong = [*faces.too_wide(page), *faces.bare_keys(page), *faces.faults(page)]
    find(page, residents["grown"])
    page.locator("form[data-reveal=phone] button").click()
    page.locator(".revealed").first.wait_for()
    shoot(page, f"people-found-{language[:2]}-{look}", full=True)

    assert page.locator(".revealed").first.inner_text().isdigit()
    assert residents["grown"] not in page.locator(".person-facts").inner_text()
    assert [*wrong, *faces.too_wide(page), *faces.bare_keys(page), *faces.faults(page)] == []


def test_a_childs_record_opens_after_a_confirmation_only(new_page, city_server, residents):
    page = new_page(locale="zh-CN")
    sign_in(page, city_server, "registrar")
    find(page, residents["child"], "child_protection")
    reveal = page.locator("form[data-reveal=name]")
    reveal.locator("button").click()
    page.locator(".toast").wait_for()
    told = page.locator(".toast").inner_text()
    reveal.locator("input[name=child]").check()
    reveal.locator("button").click()
    page.locator(".revealed").first.wait_for()
    shoot(page, "people-child", full=True)

    assert "十四周岁" in told
    assert page.locator(".revealed").count() == 1


def test_a_request_goes_from_the_counter_to_its_answer(new_page, city_server, residents):
    page = new_page(locale="zh-CN")
    sign_in(page, city_server, "registrar")
    find(page, residents["grown"], "subject_request")
    page.locator("details:has(input[name=kind]) > summary").click()
    for name, value in (("kind", "show"), ("channel", "counter"), ("document", "id_card")):
        page.locator(f"input[name={name}][value={value}]").check()
    page.locator("form[action$='/requests'] button[type=submit]").click()
    page.locator("form[action$='/answer'] button").first.wait_for()
    shoot(page, "people-request", full=True)
    page.locator("form[action$='/answer'] button").first.click()
    page.locator("a[href$='copy.html']").wait_for()
    shoot(page, "people-answered", full=True)
    page.goto("/people/requests")
    shoot(page, "people-requests")

    assert page.locator(".case-link").count() >= 1
    assert [*faces.too_wide(page), *faces.bare_keys(page), *faces.faults(page)] == []


@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
def test_the_register_fits_a_phone(new_page, city_server, residents, language):
    page = new_page(phone=True, locale=language)
    sign_in(page, city_server, "registrar")
    find(page, residents["grown"])
    shoot(page, f"people-phone-{language[:2]}", full=True)

    assert faces.too_wide(page) == []


def test_a_case_names_its_reporter_for_a_purpose(new_page, city_server):
    with psycopg.connect(city_server.settings.owner_url) as conn:
        row = conn.execute(
            "SELECT i.id FROM incident AS i JOIN incident_reporter AS r ON r.incident_id = i.id"
            " WHERE r.phone_sealed IS NOT NULL AND i.closed_at IS NULL LIMIT 1"
        ).fetchone()
    assert row is not None
    page = new_page(locale="zh-CN")
    sign_in(page, city_server, "shift_leader")
    page.goto(f"/command?case={row[0]}")
    page.locator("[data-reporter]").click()
    page.locator("[data-purpose=call_back]").click()
    page.locator(".reporter-answer a").wait_for()
    shoot(page, "people-reporter")

    assert page.locator(".reporter-answer a").inner_text().strip().isdigit()


@pytest.mark.parametrize(
    ("language", "look", "width"),
    [
        ("zh-CN", "light", 1280),
        ("en-GB", "dark", 1280),
        ("zh-CN", "dark", 390),
    ],
)
def test_a_move_is_found_by_address_recorded_and_taken_back(
    new_page, city_server, language, look, width
):
    with psycopg.connect(city_server.settings.owner_url) as conn:
        key, sealed = conn.execute(
            "SELECT p.id, id_number_sealed FROM person AS p JOIN person_event AS e"
            " ON e.person_id = p.id AND e.kind = 'move' WHERE age_band = '15-59'"
            " AND moved_out_on IS NULL ORDER BY p.id LIMIT 1"
        ).fetchone()
        plate, room = conn.execute(
            "SELECT a.text, d.room FROM dwelling AS d JOIN building AS b ON b.id = d.building_id"
            " JOIN address AS a ON a.id = b.address_id WHERE d.use = 'vacant' ORDER BY d.id LIMIT 1"
        ).fetchone()
    number = vault_of(city_server.settings).open("person", key, "id_number_sealed", bytes(sealed))
    page = new_page(locale=language, color_scheme=look, viewport={"width": width, "height": 860})
    sign_in(page, city_server, "registrar")
    find(page, number, "registration")
    page.locator(".life-open button").first.click()
    before = page.locator(".life-event").count()
    page.locator("input[name=kind][value=move]").check()
    page.fill("input[name=address]", f"{plate}{room}室")
    page.locator("button[formaction]").click()
    page.locator("select[name=dwelling]").wait_for()
    page.fill("input[name=day]", "2026-01-15")
    page.fill("input[name=on]", "2025-12-31")
    shoot(page, f"life-form-{language[:2]}-{look}-{width}", full=True)
    wrong = [*faces.too_wide(page), *faces.bare_keys(page), *faces.faults(page)]
    options = page.locator("select[name=dwelling] option")
    if page.locator("select[name=dwelling]").input_value() == "":
        page.select_option("select[name=dwelling]", index=options.count() - 1)
    page.locator("button.btn-big").click()
    page.locator(".life-told").wait_for()
    recorded = page.locator(".life-event").count()
    page.fill("input[name=on]", "2025-12-31")
    page.locator("aside form button").click()
    page.locator("[data-as-of]").wait_for()
    shoot(page, f"life-events-{language[:2]}-{look}-{width}", full=True)
    wrong += [*faces.too_wide(page), *faces.bare_keys(page), *faces.faults(page)]
    page.locator(".life-event form button").click()
    page.locator(".life-told").wait_for()

    assert recorded == before + 1
    assert page.locator(".life-event.is-withdrawn").count() >= 1
    assert wrong == []


@pytest.mark.parametrize(("language", "look"), [("zh-CN", "light"), ("en-GB", "dark")])
def test_a_newcomer_is_entered_on_a_phone(new_page, city_server, residents, language, look):
    with psycopg.connect(city_server.settings.owner_url) as conn:
        plate, room = conn.execute(
            "SELECT a.text, d.room FROM dwelling AS d JOIN building AS b ON b.id = d.building_id"
            " JOIN address AS a ON a.id = b.address_id WHERE d.use = 'vacant' ORDER BY d.id LIMIT 1"
        ).fetchone()
    page = new_page(phone=True, locale=language, color_scheme=look)
    sign_in(page, city_server, "registrar")
    page.goto("/people")
    page.locator("a[href='/people/arrive']").first.click()
    page.fill("input[name=name]", "样本新来人")
    page.fill("input[name=number]", residents["grown"])
    page.fill("input[name=day]", "2026-01-05")
    page.fill("input[name=address]", f"{plate}{room}室")
    page.locator("button[formaction]").click()
    page.locator("select[name=dwelling]").wait_for()
    page.locator("button.btn-big").click()
    page.locator("[data-known=here]").wait_for()
    shoot(page, f"people-arrive-known-{language[:2]}-{look}", full=True)
    wrong = [*faces.too_wide(page), *faces.bare_keys(page), *faces.faults(page)]
    page.fill("input[name=number]", "")
    page.fill("input[name=birth]", "1990-08-09")
    page.locator("button.btn-big").click()
    page.locator(".life-told").wait_for()
    shoot(page, f"people-arrived-{language[:2]}-{look}", full=True)

    assert page.locator(".life-open").count() == 1
    # The page of a phone grows with what is too wide: its own width says nothing.
    drawn = page.evaluate("document.documentElement.scrollWidth")
    assert drawn <= page.viewport_size["width"]
    assert [*wrong, *faces.too_wide(page), *faces.bare_keys(page), *faces.faults(page)] == []
