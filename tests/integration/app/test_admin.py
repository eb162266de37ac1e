"""The faces of the three administrators: each has an own one, and no other's."""

import pytest

FACES = {
    "system_admin": ("/admin/accounts", "/admin/accounts/new", "/admin/state"),
    "security_admin": (
        "/admin/console", "/admin/alarms", "/admin/console/accounts", "/admin/grants",
        "/admin/matrix", "/admin/policy", "/admin/api/alarms",
    ),
    "audit_admin": ("/admin/audit", "/admin/audit/chain"),
}  # fmt: skip
PAGES = [(role, page) for role, pages in FACES.items() for page in pages]
PERSON = {"Accept": "text/html"}


@pytest.mark.parametrize(("role", "page"), PAGES)
def test_an_administrator_sees_the_own_pages(sign_in, role, page):
    answer = sign_in(role).get(page, headers=PERSON)

    assert answer.status_code == 200
