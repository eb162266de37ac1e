"""The public page on a phone: with script and without, in both languages, in large text."""

import gzip
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from app.assets import DIST, manifest
from tests.support import faces
from tests.support.browser import shoot

SMALL_PHONE = {"viewport": {"width": 360, "height": 640}}
KILOBYTE = 1024


@pytest.fixture
def spot(city_server):
    """Where the worker of the demonstration answers for."""
    return faces.spot_in(city_server, city_server.login("worker")["area"])


def fill(page, words="井盖松动，车子压过会响"):
    page.set_input_files("#photos", faces.photo_file())
    page.locator(".shot").wait_for()
    page.locator(".choices .choice").first.click()
    page.fill("#text", words)


@pytest.mark.parametrize(("language", "look"), faces.LOOKS)
def test_the_first_page_fits_a_small_phone(new_page, language, look):
    page = new_page(phone=True, locale=language, color_scheme=look, **SMALL_PHONE)
    page.goto("/")
    page.wait_for_load_state("networkidle")
    shoot(page, f"public-{language[:2]}-{look}", full=True)

    assert faces.too_wide(page) == []
    assert faces.too_small(page) == []
    assert faces.bare_keys(page) == []
    assert faces.faults(page) == []
    assert faces.smallest_text(page, "p:not(.hint), label, button, input, h1, h2") >= 16


def test_a_report_gets_a_number_and_its_photo_is_small(new_page, spot):
    sent = []
    page = new_page(phone=True, **faces.at_spot(*spot))
    page.on("request", lambda r: sent.append(r) if "/api/public/blobs/" in r.url else None)
    page.goto("/")
    fill(page)
    page.click("#locate")
    expect(page.locator("#address")).not_to_have_value("")
    page.locator("#place-map .leaflet-control-zoom").wait_for()
    shoot(page, "public-filled", full=True)
    assert faces.faults(page) == []

    page.click("#send")
    page.wait_for_url("**/track/**")

    assert re.fullmatch(r"\d{5}-\d{6}-\d{4}", page.locator(".code strong").first.inner_text())
    shoot(page, "public-sent", full=True)
    assert faces.faults(page) == []
    assert len(sent) == 1
    assert len(sent[0].post_data_buffer) <= 300 * KILOBYTE


def test_a_lost_connection_keeps_everything_and_says_it_is_not_sent(new_page, spot):
    page = new_page(phone=True, **faces.at_spot(*spot))
    page.goto("/")
    fill(page)
    page.click("#locate")
    expect(page.locator("#address")).not_to_have_value("")
    posts = []

    def lose_the_answer(route):
        """The server takes the report, its answer never arrives."""
        posts.append(route.fetch().json())
        route.abort()

    page.route(
        "**/",
        lambda route: (
            lose_the_answer(route) if route.request.method == "POST" else route.continue_()
        ),
    )
    page.click("#send")
    page.locator("#errors:not([hidden])").wait_for()
    shoot(page, "public-not-sent", full=True)
    assert "还没有提交成功" in page.locator("#errors").inner_text()
    assert page.locator(".ticket").count() == 0
    assert page.locator(".shot").count() == 1

    page.unroute("**/")
    page.click("#send")
    page.wait_for_url("**/track/**")

    codes = {post["code"] for post in posts} | {page.url.split("/")[-1].split("?")[0]}
    assert len(codes) == 1


def test_an_empty_form_is_told_field_by_field(new_page):
    page = new_page(phone=True, locale="en-GB")
    page.goto("/")

    page.click("#send")

    shoot(page, "public-empty", full=True)
    notes = page.locator(".field-error:visible").all_inner_texts()
    assert len(notes) == 3
    assert not any(re.search("[一-鿿]", note) for note in notes)
    assert faces.faults(page) == []


def test_a_photo_of_30_mb_is_refused_before_it_is_sent(new_page, tmp_path):
    big = tmp_path / "big.jpg"
    big.write_bytes(faces.camera_photo() + bytes(30 * KILOBYTE * KILOBYTE))
    page = new_page(phone=True)
    page.goto("/")

    page.set_input_files("#photos", big)

    page.locator("#photos-error:visible").wait_for()
    assert "15" in page.locator("#photos-error").inner_text()
    assert page.locator(".shot").count() == 0


def test_everything_works_without_script(new_page, spot):
    page = new_page(phone=True, java_script_enabled=False)
    page.goto("/")
    shoot(page, "public-no-script", full=True)
    page.set_input_files("#photos", faces.photo_file(2))
    page.locator(".choices .choice").nth(1).click()
    page.click("details:has(#lon) summary")
    page.fill("#lon", str(spot[0]))
    page.fill("#lat", str(spot[1]))
    page.fill("#address", "河边小路")
    page.click("#send")
    page.wait_for_url("**/track/**")

    assert "河边小路" in page.locator("main").inner_text()
    assert page.locator(".photo-row img").count() == 1


def test_a_refusal_without_script_stands_beside_the_field(new_page):
    page = new_page(phone=True, java_script_enabled=False, locale="en-GB")
    page.goto("/")
    page.set_input_files("#photos", faces.photo_file(2))
    page.fill("#address", "somewhere nobody knows")
    page.click("#send")

    shoot(page, "public-refused", full=True)
    assert page.locator("#category-error").inner_text() == "Please choose what it is."
    assert page.locator("#place-error").is_visible()
    assert page.input_value("#address") == "somewhere nobody knows"


def test_large_text_is_large_and_easy_to_press(new_page):
    page = new_page(phone=True, **SMALL_PHONE)
    page.goto("/")
    page.click(".elder")
    page.wait_for_load_state("networkidle")
    shoot(page, "public-elder", full=True)

    assert faces.smallest_text(page, "p, label, button, input, h1, h2, h3, a, span.hint") >= 18
    assert faces.too_small(page, 59) == []
    assert faces.too_wide(page) == []
    assert faces.faults(page) == []
    page.click(".elder")
    assert page.locator("html[data-elder]").count() == 0


def test_the_language_changes_and_the_report_can_be_followed(new_page):
    page = new_page(phone=True)
    page.goto("/track?code=NOTACODE")
    page.click("a[hreflang=en]")

    assert "There is no such code" in page.locator("main").inner_text()
    assert faces.faults(page) == []


@pytest.mark.parametrize("name", ["portal.js", "worker.js"])
def test_scripts_of_phone_pages_are_light(name):
    packed = len(gzip.compress((Path(DIST) / manifest()[name]).read_bytes()))

    assert packed <= 170 * KILOBYTE
