"""The department's desk at a desk and on a phone, in both languages."""

import pytest

from tests.support import faces
from tests.support.browser import shoot, sign_in


@pytest.fixture
def department(city_server):
    """The department with most open cases."""
    import psycopg

    with psycopg.connect(city_server.settings.owner_url) as conn:
        row = conn.execute(
            "SELECT department_code FROM incident WHERE status IN ('pending_sign', 'handling')"
            " GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
        ).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(("language", "look"), faces.LOOKS)
def test_the_list_and_a_case_read_well(new_page, city_server, department, language, look):
    page = new_page(locale=language, color_scheme=look)
    sign_in(page, city_server, "handler", department)
    page.goto("/desk?show=open")
    page.locator(".case-link").first.wait_for()
    shoot(page, f"desk-list-{language[:2]}-{look}")
    wrong = [*faces.too_wide(page), *faces.bare_keys(page), *faces.faults(page)]
    page.locator(".case-link").first.click()
    page.wait_for_load_state("networkidle")
    shoot(page, f"desk-case-{language[:2]}-{look}", full=True)

    assert [*wrong, *faces.too_wide(page), *faces.bare_keys(page), *faces.faults(page)] == []


def test_the_desk_fits_a_phone(new_page, city_server, department):
    page = new_page(phone=True)
    sign_in(page, city_server, "handler", department)
    page.goto("/desk?show=open")
    shoot(page, "desk-phone")

    assert faces.too_wide(page) == []


def test_the_slash_key_goes_to_the_search(new_page, city_server, department):
    page = new_page()
    sign_in(page, city_server, "handler", department)
    page.goto("/desk")
    page.keyboard.press("/")

    assert page.evaluate("document.activeElement.id") == "q"
    assert page.input_value("#q") == ""


def test_the_list_works_without_script(new_page, city_server, department):
    page = new_page(java_script_enabled=False)
    sign_in(page, city_server, "handler", department)
    page.goto("/desk?show=open")
    left = page.locator("[data-due]").first.inner_text()
    page.locator(".case-link").first.click()

    assert left
    assert page.locator(".timeline li").count() >= 1
