"""The own account in Chromium: second factor on a phone, sessions, tokens, a provider."""

import re
from datetime import UTC, datetime

import psycopg
import pyotp
import pytest
import requests

from app.keys import vault_of
from tests.support import faces
from tests.support.browser import DESK, shoot, sign_in

SECOND = re.compile(r".*/sign-in/second.*")


@pytest.fixture(autouse=True)
def _as_it_was(city_server):
    """Take second factors away again: the files after this one sign the same people in."""
    yield
    with psycopg.connect(city_server.settings.admin_url, autocommit=True) as conn:
        conn.execute("TRUNCATE second_factor, recovery_code")


def fill_in(page, login, password):
    page.goto("/sign-in?next=/account")
    page.fill("#login", login)
    page.fill("#password", password)
    page.click("form[action='/sign-in'] button[type=submit]")


def enrol(page):
    """Scan as a phone does; return the authenticator."""
    page.goto("/account/second-factor")
    page.click("form[action$='/begin'] button")
    width = page.locator(".qr").evaluate("async node => (await node.decode(), node.naturalWidth)")
    assert width > 100
    return pyotp.TOTP("".join(page.locator("#secret span").all_text_contents()))


def finish(page, phone):
    page.fill("#code", phone.now())
    page.click("form[action$='/finish'] button")
    page.locator("#codes li").first.wait_for()
    return page.locator("#codes code").all_text_contents()


def test_a_second_factor_is_enrolled_and_used_on_a_phone(new_page, city_server):
    page = new_page(phone=True)
    sign_in(page, city_server, "intake")
    login = city_server.login("intake")
    phone = enrol(page)
    shoot(page, "account-enrol-phone", full=True)
    wrong = [*faces.too_wide(page), *faces.faults(page)]
    codes = finish(page, phone)
    shoot(page, "account-codes-phone", full=True)
    wrong += [*faces.too_wide(page), *faces.faults(page)]
    assert len(codes) == 10

    other = new_page(phone=True)
    fill_in(other, login["login"], login["password"])
    other.wait_for_url(SECOND)
    shoot(other, "sign-in-second-phone")
    wrong += [*faces.too_wide(other), *faces.faults(other)]
    used = phone.now()
    other.fill("#code", used)
    other.click("form[action='/sign-in/second'] button")
    # The code of the enrolment may be of the same half minute: it counts once.
    if "/sign-in/second" in other.url:
        assert other.locator(".form-error").is_visible()
        other.fill("#code", codes[0])
        other.click("form[action='/sign-in/second'] button")
    other.wait_for_url(re.compile(r".*/account$"))
    shoot(other, "account-phone", full=True)

    assert [*wrong, *faces.too_wide(other), *faces.faults(other)] == []


def test_a_session_is_ended_from_another_one(new_page, city_server):
    lost, kept = new_page(), new_page()
    sign_in(lost, city_server, "shift_leader")
    sign_in(kept, city_server, "shift_leader")

    kept.goto("/account")
    rows = kept.locator("#sessions .row")
    before = rows.count()
    kept.locator("#sessions .row:not(:has(.badge-brand)) button").first.click()
    kept.locator(".done").wait_for()

    assert rows.count() == before - 1
    lost.goto("/account")
    lost.wait_for_url(re.compile(r".*/sign-in\?next=.*"))


def test_a_token_is_made_and_opens_the_api(new_page, city_server):
    page = new_page()
    sign_in(page, city_server, "planner")
    page.goto("/account")
    page.click("#tokens a[href='/account/tokens/new']")
    page.fill("#name", "QGIS")
    page.check("input[value='map:view']")
    shoot(page, "account-token-form")
    page.click("form[action='/account/tokens'] button[type=submit]")
    token = page.locator("#token").text_content()
    shoot(page, "account-token-made")

    headers = {"Authorization": f"Bearer {token}"}
    opened = requests.get(f"{city_server.url}/api/layers", headers=headers, timeout=20)
    closed = requests.get(f"{city_server.url}/api/incidents", headers=headers, timeout=20)
    page.goto("/account")
    page.click("#tokens .btn-danger")
    page.locator(".done").wait_for()
    ended = requests.get(f"{city_server.url}/api/layers", headers=headers, timeout=20)

    assert [opened.status_code, closed.status_code, ended.status_code] == [200, 403, 401]


@pytest.mark.parametrize(("language", "look"), faces.LOOKS)
def test_the_pages_read_well(new_page, city_server, language, look):
    page = new_page(locale=language, color_scheme=look)
    name = f"{language[:2]}-{look}"
    page.goto("/sign-in")
    shoot(page, f"sign-in-{name}")
    sign_in(page, city_server, "commander")
    wrong = []
    for path in ("/account", "/account/password", "/account/second-factor", "/account/tokens/new",
                 "/confirm?next=/account"):  # fmt: skip
        page.goto(path)
        page.wait_for_load_state("networkidle")
        shoot(page, f"{path.strip('/').replace('/', '-').split('?')[0]}-{name}", full=True)
        wrong += [*faces.too_wide(page), *faces.bare_keys(page), *faces.faults(page)]

    assert wrong == []


def test_a_sensitive_act_of_a_script_asks_who_is_there_and_goes_on(new_page, city_server):
    page = new_page()
    sign_in(page, city_server, "registrar")
    login = city_server.login("registrar")
    with psycopg.connect(city_server.settings.owner_url) as conn:
        person, sealed = conn.execute(
            "SELECT id, id_number_sealed FROM person WHERE age_band = '15-59'"
            " AND phone_sealed IS NOT NULL AND moved_out_on IS NULL ORDER BY id LIMIT 1"
        ).fetchone()
        number = vault_of(city_server.settings).open("person", person, "id_number_sealed", sealed)
        conn.execute(
            "UPDATE sign_in_session SET confirmed_at = now() - interval '1 hour'"
            " WHERE account_id = (SELECT id FROM account WHERE login = %s)",
            (login["login"],),
        )
    page.goto("/people")
    page.fill("input[name=number]", number)
    page.locator("input[name=purpose][value=home_visit]").check()
    page.locator("form[action='/people'] button[type=submit]").click()
    page.locator("form[data-reveal=phone] button").click()

    page.locator(".dialog-confirm").wait_for()
    page.fill("#confirm-password", "not this one")
    page.click(".dialog-confirm .btn-primary")
    page.locator(".dialog-confirm .form-error:visible").wait_for()
    shoot(page, "confirm-dialog")
    wrong = faces.faults(page)
    page.fill("#confirm-password", login["password"])
    page.click(".dialog-confirm .btn-primary")
    page.locator(".revealed").first.wait_for()

    assert page.locator(".dialog-confirm").count() == 0
    assert page.locator(".revealed").first.inner_text().isdigit()
    assert wrong == []


def test_signing_in_with_a_real_provider(browser, run_city, run_openid_provider):
    """All of it for real: Chromium, our processes, and the provider's own pages."""
    with run_city("oidc") as city, run_openid_provider([f"{city.url}/sign-in/oidc/back"]) as sso:
        city.kill("web")
        city.env.update(sso.environment())
        city.start("web")
        city.wait()
        login = city.login("commander")["login"]
        with psycopg.connect(city.settings.owner_url) as conn:
            conn.execute(
                "INSERT INTO linked_identity (issuer, subject, account_id, linked_at)"
                " SELECT %s, 'subject-lin', id, %s FROM account WHERE login = %s",
                (sso.issuer, datetime.now(UTC), login),
            )
        context = browser.new_context(base_url=city.url, **DESK)
        # The provider's development pages ask for a font from outside.
        context.route(lambda url: "//127.0.0.1" not in url, lambda route: route.abort())
        page = context.new_page()
        page.goto("/sign-in?next=/account")
        shoot(page, "sign-in-provider")
        page.click("a[href^='/sign-in/oidc']")
        page.fill("input[name=login]", "lin")
        page.fill("input[name=password]", "any")
        page.click("button[type=submit]")
        page.click("button[type=submit]")
        page.wait_for_url(re.compile(r".*/account$"))
        shoot(page, "account-by-provider", full=True)
        shown = page.locator("#sessions .row").first.text_content()
        context.close()

    assert "统一身份" in shown
