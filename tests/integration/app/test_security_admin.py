"""The security administrator: grants, the matrix, alarms and the console."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from grids import signals
from grids.accounts import ROLES, Assignment
from grids.signals.models import Alarm
from tests.support.admins import (
    PERSON,
    PROGRAM,
    grant_form,
    grow_old,
    make_account,
    noted,
    raise_alarm,
)

# --- The security administrator --------------------------------------------------------------


def test_a_role_is_given_and_taken(sign_in, session):
    person = make_account(session)
    client = sign_in("security_admin")

    given = client.post(f"/admin/grants/{person.id}", data=grant_form(valid_to="2099-12-31"))
    held = session.scalars(select(Assignment).where(Assignment.account_id == person.id)).one()
    page = client.get(f"/admin/grants/{person.id}").text
    taken = client.post(f"/admin/grants/{person.id}/{held.id}/revoke")
    session.expire_all()

    assert (given.status_code, taken.status_code) == (303, 303)
    assert (held.role, held.granted_by) == ("intake", client.account_id)
    assert "接线" in page
    assert held.revoked_at is not None
    assert noted(session, "role_granted")[0].detail["role"] == "intake"
    assert noted(session, "role_revoked")[0].subject == f"account:{person.id}"


def test_the_last_day_of_a_grant_is_a_day_of_work(sign_in, session, settings):
    person = make_account(session)
    client = sign_in("security_admin")

    client.post(f"/admin/grants/{person.id}", data=grant_form(valid_to="2099-12-31"))

    held = session.scalars(select(Assignment).where(Assignment.account_id == person.id)).one()
    assert settings.city_zone == "Asia/Shanghai"
    assert held.valid_to == datetime(2099, 12, 31, 16, tzinfo=UTC)


@pytest.mark.parametrize(("change", "status"), [
    ({"role": "system_admin"}, 409),  # beside another role
    ({"purpose": ""}, 422),
    ({"area_code": "nowhere"}, 422),
    ({"role": "handler"}, 422),  # a department is missing
    ({"valid_to": "2001-01-01"}, 422),
    ({"role": "king"}, 422),
])  # fmt: skip
def test_a_grant_that_cannot_be_is_explained(sign_in, session, change, status):
    person = make_account(session, role="planner")
    client = sign_in("security_admin")

    answer = client.post(f"/admin/grants/{person.id}", data=grant_form(**change), headers=PERSON)

    assert answer.status_code == status
    assert "field-error" in answer.text


def test_giving_and_taking_ask_for_a_fresh_proof(sign_in, session):
    person = make_account(session, role="intake")
    client = sign_in("security_admin")
    grow_old(session, client)

    given = client.post(f"/admin/grants/{person.id}", data=grant_form(), headers=PROGRAM)
    taken = client.post(f"/admin/grants/{person.id}/1/revoke", headers=PROGRAM)

    assert (given.status_code, taken.status_code) == (401, 401)


def test_a_grant_is_taken_only_from_the_account_that_holds_it(sign_in, session):
    one, other = make_account(session, "one", role="intake"), make_account(session, "other")
    grant_id = session.scalars(select(Assignment.id).where(Assignment.account_id == one.id)).one()

    answer = sign_in("security_admin").post(f"/admin/grants/{other.id}/{grant_id}/revoke")

    assert answer.status_code == 404


def test_the_matrix_is_the_table_that_is_checked(sign_in):
    page = sign_in("security_admin").get("/admin/matrix").text

    granted = sum(len(permissions) for permissions in ROLES.values())
    assert page.partition("</table>")[0].count("#check") == granted


def test_an_alarm_is_seen_counted_looked_into_and_closed(sign_in, session):
    person = make_account(session)
    alarm = raise_alarm(session, person.id)
    client = sign_in("security_admin")

    console = client.get("/admin/console").text
    counted = client.get("/admin/api/alarms").json
    client.post(f"/admin/alarms/{alarm.id}/acknowledge")
    again = client.post(f"/admin/alarms/{alarm.id}/acknowledge")
    empty = client.post(f"/admin/alarms/{alarm.id}/close", data={"note": " "}, headers=PERSON)
    client.post(f"/admin/alarms/{alarm.id}/close", data={"note": "本人忘记密码"})
    closed = client.get("/admin/alarms?status=closed").text

    assert f"/admin/alarms/{alarm.id}" in console
    assert counted["open"] >= 1
    assert (again.status_code, empty.status_code) == (409, 422)
    assert f"/admin/alarms/{alarm.id}" in closed
    assert "本人忘记密码" in client.get(f"/admin/alarms/{alarm.id}").text


def test_alarms_are_paged(sign_in, session, monkeypatch):
    monkeypatch.setattr("grids.signals.alarms.PAGE", 2)
    now = datetime.now(UTC)
    made = [
        Alarm(rule="spraying", subject=f"source:10.0.0.{n}", opened_at=now, first_at=now,
              last_at=now, count=5, detail={})
        for n in range(3)
    ]  # fmt: skip
    session.add_all(made)
    session.flush()
    client = sign_in("security_admin")

    first = client.get("/admin/alarms").text
    second = client.get(f"/admin/alarms?after={made[1].id}").text

    assert f"after={made[1].id}" in first
    assert "10.0.0.0" in second
    assert "10.0.0.2" not in second


def test_the_console_tells_figures_and_weak_accounts(sign_in, session):
    person = make_account(session, "weak", must_change=True)
    raise_alarm(session, person.id)
    client = sign_in("security_admin")

    console = client.get("/admin/console").text
    weak = client.get("/admin/console/accounts?kind=given_password").text

    assert "10.1.2.3" in console
    assert "chart-bar" in console
    assert ">weak<" in weak


def test_refused_accesses_reach_the_log_and_raise_an_alarm(sign_in, session):
    client = sign_in("planner")
    for _ in range(10):
        client.get("/admin/console")

    signals.watch(session, datetime.now(UTC) + timedelta(seconds=1))

    first = noted(session, "access_denied")[0]
    assert (first.actor_id, first.subject) == (client.account_id, "view:admin.console.page")
    alarm = session.scalars(select(Alarm).where(Alarm.rule == "denied_series")).one()
    assert alarm.account_id == client.account_id
