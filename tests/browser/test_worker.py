"""The worker's phone: four taps, honest states, big targets, no script needed."""

import re

import psycopg
import pytest
from playwright.sync_api import expect

from tests.support import faces
from tests.support.browser import shoot, sign_in

SMALL_PHONE = {"viewport": {"width": 360, "height": 640}}
PAGES = ("/worker/", "/worker/visits", "/worker/visits/mine", "/worker/offline", "/worker/map",
         "/worker/report", "/worker/mine", "/worker/me")  # fmt: skip


@pytest.fixture
def spot(city_server):
    return faces.spot_in(city_server, city_server.login("worker")["area"])


@pytest.mark.parametrize(("language", "look"), faces.LOOKS)
def test_every_page_fits_a_small_phone(new_page, spot, language, look):
    page = new_page(
        role="worker", phone=True, locale=language, color_scheme=look,
        **SMALL_PHONE, **faces.at_spot(*spot),
    )  # fmt: skip
    wrong = {}
    for path in PAGES:
        page.goto(path)
        page.wait_for_load_state("networkidle")
        shoot(page, f"worker{path.replace('/', '-')}-{language[:2]}-{look}")
        found = [*faces.too_wide(page), *faces.too_small(page), *faces.bare_keys(page),
                 *faces.faults(page)]  # fmt: skip
        if found:
            wrong[path] = found

    assert wrong == {}


def test_a_report_takes_four_taps(new_page, spot):
    page = new_page(role="worker", phone=True, **faces.at_spot(*spot))
    page.goto("/worker/")
    uploads = []
    page.on("request", lambda r: uploads.append(r) if "/api/blobs/" in r.url else None)
    taps = 0

    with page.expect_file_chooser() as camera:
        page.locator("#tab-report").tap()  # 1: the camera
    taps += 1
    camera.value.set_files(faces.photo_file(3))
    page.wait_for_url("**/worker/report")
    page.locator(".shot").wait_for()
    page.locator("#categories .choice").first.tap()  # 2: what
    taps += 1
    expect(page.locator("#place-grid")).not_to_be_empty()
    shoot(page, "worker-report", full=True)
    assert faces.faults(page) == []
    page.locator("#send").tap()  # 3: send; the place came by itself
    taps += 1
    page.locator(".sent-screen strong").wait_for()

    assert taps <= 4
    assert re.fullmatch(r"\d{8}-\d{6}", page.locator(".sent-screen strong").inner_text())
    assert [len(upload.post_data_buffer) <= 300 * 1024 for upload in uploads] == [True]
    shoot(page, "worker-sent")
    page.goto("/worker/mine")
    assert page.locator(".row").count() >= 1


@pytest.mark.parametrize(("language", "look"), faces.LOOKS)
def test_r50_a_rough_position_elsewhere_is_drawn_and_sent_only_when_it_is_meant(
    new_page, city_server, language, look
):
    own = city_server.login("worker")["area"]
    seats = {one["area"]: one for one in city_server.logins if one["role"] == "town_seat"}
    with psycopg.connect(city_server.settings.owner_url) as conn:
        other = conn.execute(
            "SELECT g.code FROM grid AS g JOIN grid_version AS v ON v.grid_id = g.id"
            " WHERE v.valid @> current_date AND g.code <> %s AND left(g.code, 9) = ANY (%s)"
            " ORDER BY g.code LIMIT 1", (own, list(seats)),
        ).fetchone()[0]  # fmt: skip
    page = new_page(
        role="worker", phone=True, locale=language, color_scheme=look,
        **faces.at_spot(*faces.spot_in(city_server, other), accuracy_m=2000),
    )  # fmt: skip
    page.goto("/worker/report")
    page.locator("#place-map path").wait_for(state="attached")
    ring, seen = (page.locator(f"#place-map{part}").bounding_box() for part in (" path", ""))
    assert ring["width"] > 80
    assert seen["y"] <= ring["y"] <= ring["y"] + ring["height"] <= seen["y"] + seen["height"]
    page.set_input_files("#photos", faces.photo_file(7))
    page.locator(".shot").wait_for()
    page.locator("#categories .choice").first.tap()
    expect(page.locator("#place-grid")).not_to_be_empty()
    sent = []
    page.on(
        "request",
        lambda r: (
            sent.append(r.post_data_json)
            if r.method == "PUT" and "/api/incidents/" in r.url
            else None
        ),
    )

    page.locator("#send").tap()
    page.locator("dialog[open]").wait_for()
    shoot(page, f"worker-elsewhere-{language[:2]}-{look}")
    wrong = [*faces.too_wide(page), *faces.bare_keys(page), *faces.faults(page)]
    page.locator("dialog[open] .dialog-foot .btn").first.tap()
    page.locator("dialog[open]").wait_for(state="detached")
    assert sent == []
    page.locator("#send").tap()
    page.locator("dialog[open] .btn-primary").tap()
    page.locator(".sent-screen strong").wait_for()

    assert [(body["accuracy_m"], body["outside_own"]) for body in sent] == [(2000, True)]
    page = new_page(locale=language, color_scheme=look)
    page.goto("/sign-in")
    page.fill("input[name=login]", seats[other[:9]]["login"])
    page.fill("input[name=password]", seats[other[:9]]["password"])
    page.click("main form button[type=submit]")
    page.wait_for_url(lambda url: "/sign-in" not in url)
    with psycopg.connect(city_server.settings.owner_url) as conn:
        case = conn.execute(
            "SELECT id FROM incident WHERE flags ? 'outside_own' ORDER BY received_at DESC LIMIT 1"
        ).fetchone()[0]
    page.goto(f"/desk/cases/{case}")
    page.locator("path.accuracy-ring").wait_for(state="attached")
    shoot(page, f"desk-accuracy-{language[:2]}-{look}", full=True)
    wrong += faces.bare_keys(page)
    if (language, look) == faces.LOOKS[0]:
        page = new_page(role="dispatcher", locale=language, color_scheme=look)
        page.goto(f"/command/desk?case={case}")
        page.locator("#map path.accuracy-ring").wait_for(state="attached")
        shoot(page, "dispatch-accuracy")
        page.keyboard.press("Escape")
        page.locator("#map path.accuracy-ring").wait_for(state="detached")
    assert wrong == [], "\n".join(wrong)


def test_a_place_elsewhere_is_asked_about_without_a_network_too(new_page, city_server):
    own = city_server.login("worker")["area"]
    with psycopg.connect(city_server.settings.owner_url) as conn:
        other = conn.execute(
            "SELECT g.code FROM grid AS g JOIN grid_version AS v ON v.grid_id = g.id"
            " WHERE v.valid @> current_date AND g.code <> %s ORDER BY g.code DESC LIMIT 1", (own,),
        ).fetchone()[0]  # fmt: skip
    for grid in (other, own):
        spot = faces.spot_in(city_server, grid)
        page = new_page(role="worker", phone=True, **faces.at_spot(*spot))
        page.goto("/worker/report")
        expect(page.locator("#place-grid")).not_to_be_empty()
        page.set_input_files("#photos", faces.photo_file(7))
        page.locator(".shot").wait_for()
        page.context.set_offline(True)
        page.locator("#categories .choice").first.tap()  # names the place anew: nobody answers
        expect(page.locator("#place-name")).to_contain_text(", ")
        page.locator("#send").tap()
        if grid == other:
            expect(page.locator("dialog[open]")).to_contain_text("没有网络")
            shoot(page, "worker-elsewhere-offline")
        else:
            expect(page.locator("#unsent button")).to_be_visible()  # tried, and not asked about
            expect(page.locator("dialog[open]")).to_have_count(0)


def test_the_pin_is_moved_on_the_map(new_page, spot):
    page = new_page(role="worker", phone=True, **faces.at_spot(*spot))
    page.goto("/worker/report")
    expect(page.locator("#accuracy")).to_contain_text("±")
    page.click("#show-map")
    page.locator("#place-map .leaflet-control-zoom").wait_for()
    box = page.locator("#place-map").bounding_box()
    page.mouse.move(box["x"] + 150, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 80, box["y"] + 90, steps=8)
    page.mouse.up()

    expect(page.locator("#accuracy")).not_to_contain_text("±")
    shoot(page, "worker-pin", full=True)


def test_without_a_network_nothing_is_called_sent(new_page, spot):
    page = new_page(role="worker", phone=True, **faces.at_spot(*spot))
    page.goto("/worker/report")
    page.set_input_files("#photos", faces.photo_file(4))
    page.locator(".shot").wait_for()
    page.locator("#categories .choice").first.tap()
    expect(page.locator("#place-grid")).not_to_be_empty()
    page.fill("#text", "没有网的时候")
    numbers = []

    def lose_the_answer(route):
        """The server takes the report, its answer never arrives."""
        numbers.append(route.fetch().json()["number"])
        route.abort()

    page.route(
        "**/api/incidents/*",
        lambda route: (
            lose_the_answer(route) if route.request.method == "PUT" else route.continue_()
        ),
    )
    page.locator("#send").tap()
    page.locator("#unsent:not([hidden])").wait_for()
    shoot(page, "worker-unsent")
    assert "还没有发出去" in page.locator("#unsent").inner_text()
    assert page.locator(".sent-screen").count() == 0
    assert page.input_value("#text") == "没有网的时候"

    page.unroute("**/api/incidents/*")
    page.locator("#unsent button").tap()
    page.locator(".sent-screen strong").wait_for()

    assert {*numbers, page.locator(".sent-screen strong").inner_text()} == {numbers[0]}


def test_what_was_typed_survives_a_reload(new_page, spot):
    page = new_page(role="worker", phone=True, **faces.at_spot(*spot))
    page.goto("/worker/report")
    page.fill("#text", "井盖松动")
    page.locator("#categories .choice").nth(1).tap()
    page.reload()

    assert page.input_value("#text") == "井盖松动"
    assert page.locator("#categories input").nth(1).is_checked()


def test_categories_are_found_by_pinyin(new_page, spot):
    page = new_page(role="worker", phone=True, **faces.at_spot(*spot))
    page.goto("/worker/report")
    page.click("#more-categories")
    page.fill(".picker input", "ltc")
    page.fill(".picker input", "ludeng")
    page.locator(".picker-list button", has_text="路灯").first.click()

    assert "路灯" in page.locator("#categories .choice:has(input:checked)").inner_text()


def test_lists_and_reports_work_without_script(new_page, city_server, spot):
    page = new_page(phone=True, java_script_enabled=False)
    sign_in(page, city_server, "worker")
    page.goto("/worker/")
    shoot(page, "worker-no-script")
    page.click(".tab-report")
    page.set_input_files("#photos", faces.photo_file(5))
    page.locator("#categories .choice").first.click()
    page.fill("#lon", str(spot[0]))
    page.fill("#lat", str(spot[1]))
    page.click("#send")
    page.wait_for_url("**/worker/tasks/**")

    assert re.search(r"\d{8}-\d{6}", page.locator(".app-title").inner_text())


def test_a_shift_is_started_and_ended(new_page):
    page = new_page(role="worker", phone=True)
    page.goto("/worker/me")
    page.click("button[value=stop]")
    page.locator("button[value=start]").wait_for()
    page.click(".choice:has-text('4')")
    page.click("button[value=start]")
    page.locator("button[value=stop]").wait_for()
    page.goto("/worker/")

    left = page.locator(".duty-pill b").inner_text()
    assert re.fullmatch(r"(3:5\d|4:00)", left)
