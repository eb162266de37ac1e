"""The faces of the three administrators: each has an own one, and nobody another's."""

import pytest
from sqlalchemy import select

from app.admin.frame import MENU
from grids.accounts import ROLES, Account
from grids.audit import ACTIONS
from grids.signals.console import WEAKNESSES
from grids.signals.rules import RULES
from grids.signals.staff import SHOWN
from tests.house.test_texts import AREAS, catalogue
from tests.support.admins import ADMINS, PERSON, grant_form, views


def test_every_view_belongs_to_exactly_one_of_the_three(app):
    assert {permission for _path, _method, permission in views(app)} == set(ADMINS.values())


@pytest.mark.parametrize("role", sorted(ADMINS))
def test_an_administrator_has_the_own_views_and_no_others(app, sign_in, role):
    client = sign_in(role)
    wrong = []
    for path, method, permission in views(app):
        status = client.open(path, method=method, headers=PERSON).status_code
        is_own = permission == ADMINS[role]
        if is_own == (status == 403) or status >= 500:
            wrong.append((path, method, status))

    assert wrong == []


@pytest.mark.parametrize("role", sorted(set(ROLES) - set(ADMINS)))
def test_nobody_else_comes_in(app, sign_in, role):
    department = "D01" if role == "handler" else None
    client = sign_in(role, department=department)

    statuses = {client.open(path, method=method).status_code for path, method, _ in views(app)}

    assert statuses == {403}
    assert client.get("/admin").status_code == 403


@pytest.mark.parametrize(("role", "home"), [
    ("system_admin", "/admin/accounts"),
    ("security_admin", "/admin/console"),
    ("audit_admin", "/admin/audit"),
])  # fmt: skip
def test_each_administrator_starts_from_an_own_home(sign_in, role, home):
    answer = sign_in(role).get("/admin")

    assert answer.location == home


@pytest.mark.parametrize("role", sorted(ADMINS))
def test_every_line_of_the_menu_leads_to_a_page_of_that_administrator(app, sign_in, role):
    client = sign_in(role)
    with app.test_request_context():
        paths = [app.url_for(entry.endpoint) for entry in MENU[ADMINS[role]]]

    answers = {path: client.get(path, headers=PERSON).status_code for path in paths}

    assert set(answers.values()) == {200}


def test_every_text_that_is_chosen_at_run_time_exists():
    known = {key for area in AREAS for key in catalogue(area, "zh")}
    asked = {
        *(entry.text for entries in MENU.values() for entry in entries),
        *(f"audit.{name}" for name in ACTIONS),
        *(f"audit_kind.{action.kind}" for action in ACTIONS.values()),
        *(f"role.{role}" for role in ROLES),
        *(f"permission.{one}" for role in ROLES.values() for one in role),
        *(f"permission_group.{p.partition(':')[0]}" for role in ROLES.values() for p in role),
        *(f"signal.{rule}" for rule in RULES),
        *(f"signal.{rule}.hint" for rule in RULES),
        *(f"signal.unit_{rule.statement}" for rule in RULES.values()),
        *(f"admin.weak_{kind}" for kind in WEAKNESSES),
        *(f"admin.show_{kind}" for kind in SHOWN),
    }

    assert asked - known == set()


# --- All three -------------------------------------------------------------------------------


def test_a_colleague_is_made_given_a_role_signs_in_and_is_closed(app, sign_in, session):
    system, security = sign_in("system_admin"), sign_in("security_admin")
    shown = system.post("/admin/accounts", data={"login": "zhang.new", "name": "张新"}).text
    given = shown.partition('<output id="one-time-password">')[2].partition("<")[0]
    made = session.scalars(select(Account).where(Account.login == "zhang.new")).one()
    security.post(f"/admin/grants/{made.id}", data=grant_form())

    person = app.test_client()
    first = person.post("/sign-in", data={"login": "zhang.new", "password": given})
    page = person.get(first.location).text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    own = "Mountain-7-river-lamp"
    changed = person.post(
        "/account/password",
        data={"present": given, "new": own, "again": own, "csrf_token": token},
    )
    at_work = person.get("/account", headers=PERSON).status_code
    system.post(f"/admin/accounts/{made.id}/disable")
    afterwards = person.get("/account", headers=PERSON)
    told = sign_in("audit_admin").get(f"/admin/audit?subject=account:{made.id}").text

    assert first.location.startswith("/account/password")
    assert (changed.location, at_work) == ("/command", 200)
    assert afterwards.location.startswith("/sign-in")
    assert all(act in told for act in ("新建账号", "授予角色", "停用账号"))
