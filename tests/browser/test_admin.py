"""Each of the three administrators at work, in both languages, at a desk and on a phone."""

import re

import psycopg
import pytest

from tests.support import faces
from tests.support.browser import shoot

#: A text key that reached a reader.
KEY = re.compile(
    r"\b(?:admin|audit|audit_kind|audit_subject|signal|permission|permission_group|role|account"
    r"|sign_in|error)\.[a-z_:]+\b"
)
PAGES = {
    "system_admin": ("/admin/accounts", "/admin/accounts/new", "/admin/state"),
    "security_admin": (
        "/admin/console", "/admin/alarms", "/admin/console/accounts", "/admin/grants",
        "/admin/matrix", "/admin/policy",
    ),
    "audit_admin": ("/admin/audit", "/admin/audit/chain"),
}  # fmt: skip


def query(city, statement, *values):
    with psycopg.connect(city.settings.owner_url) as conn:
        found = conn.execute(statement, values)
        return found.fetchall() if found.description else []


@pytest.fixture(scope="module")
def lively(city_server):
    """A city in which somebody guesses passwords; the worker finds it within a minute."""
    (worker,) = query(
        city_server,
        "SELECT a.id FROM account AS a JOIN assignment AS g ON g.account_id = a.id"
        " WHERE g.role = 'worker' LIMIT 1",
    )
    for number in range(26):
        query(
            city_server,
            "INSERT INTO audit_event (at, actor_id, action, is_success, source_ip)"
            " VALUES (clock_timestamp() - make_interval(mins => %s), %s, 'sign_in_failed', false,"
            " %s)",
            number * 2, worker[0] if number % 2 else None, f"10.20.0.{7 + number % 3}",
        )  # fmt: skip
    return city_server


def name_of(path):
    return path.strip("/").replace("/", "-")


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("role", sorted(PAGES))
def test_the_pages_read_well(new_page, lively, role, language, look):
    page = new_page(role=role, locale=language, color_scheme=look)
    wrong = []
    for path in PAGES[role]:
        page.goto(path)
        page.wait_for_load_state("load")
        shoot(page, f"{name_of(path)}-{language[:2]}-{look}", full=True)
        found = [*faces.too_wide(page), *faces.faults(page),
                 *KEY.findall(page.locator("body").inner_text())]  # fmt: skip
        wrong += [f"{path}: {one}" for one in found]

    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("role", sorted(PAGES))
def test_the_pages_fit_a_phone(new_page, lively, role):
    page = new_page(role=role, phone=True)
    wrong = []
    for path in PAGES[role]:
        page.goto(path)
        shoot(page, f"{name_of(path)}-phone", full=True)
        wrong += [f"{path}: {one}" for one in faces.too_wide(page)]

    assert wrong == [], "\n".join(wrong)
