"""The faces of the three administrators: each has an own one, and nobody another's."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text, update

from app.admin.frame import MENU
from grids import accounts, signals
from grids.accounts import ROLES, Account, Assignment, SignInSession
from grids.audit import ACTIONS, AuditEvent
from grids.signals.console import WEAKNESSES
from grids.signals.models import Alarm
from grids.signals.rules import RULES
from grids.signals.staff import SHOWN
from tests.house.test_texts import AREAS, catalogue

PERSON = {"Accept": "text/html"}
PROGRAM = {"Accept": "application/json"}
ADMINS = {
    "system_admin": "admin:system",
    "security_admin": "admin:security",
    "audit_admin": "admin:audit",
}
PASSWORD = "correct horse battery staple"


def views(app):
    """List address, method and permission of every view of the administrators."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/admin/"):
            path = rule.rule
            for argument in rule.arguments:
                path = path.replace(f"<int:{argument}>", "999999")
            method = "POST" if "POST" in rule.methods else "GET"
            found.append((path, method, app.view_functions[rule.endpoint].permission))
    return found


def make_account(session, login="lin", *, role=None, **columns):
    made = accounts.create_account(session, login=login, name=f"{login} 的姓名", password=PASSWORD)
    for name, value in columns.items():
        setattr(made, name, value)
    if role:
        accounts.assign(session, made, role, area_code="339901")
    session.flush()
    return made


def noted(session, action):
    """Return the acts of a kind that the log has, the newest first."""
    session.expire_all()
    rows = session.scalars(select(AuditEvent).where(AuditEvent.action == action))
    return sorted(rows, key=lambda event: event.id, reverse=True)


def raise_alarm(session, account_id):
    now = datetime.now(UTC)
    for number in range(10):
        session.add(
            AuditEvent(
                at=now - timedelta(seconds=30 + number), actor_id=account_id,
                action="sign_in_failed", is_success=False, source_ip="10.1.2.3", detail={},
            )
        )  # fmt: skip
    session.flush()
    signals.watch(session, now)
    return session.scalars(select(Alarm).where(Alarm.rule == "failures_account")).one()


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


# --- The system administrator ----------------------------------------------------------------


def test_an_account_is_made_with_a_password_that_is_shown_once(sign_in, session):
    client = sign_in("system_admin")

    answer = client.post("/admin/accounts", data={"login": "new.one", "name": "新同事"})

    shown = answer.text.partition('<output id="one-time-password">')[2].partition("<")[0]
    made = session.scalars(select(Account).where(Account.login == "new.one")).one()
    assert (answer.status_code, made.must_change) == (201, True)
    assert accounts.HASHER.verify(made.password_hash, shown)
    assert answer.headers["Cache-Control"] == "no-store"
    assert shown not in client.get(f"/admin/accounts/{made.id}").text
    assert noted(session, "account_created")[0].subject == f"account:{made.id}"


def test_a_login_that_is_taken_is_told_beside_the_field(sign_in, session):
    make_account(session)
    client = sign_in("system_admin")

    answer = client.post("/admin/accounts", data={"login": "lin", "name": "林"}, headers=PERSON)

    assert answer.status_code == 409
    assert 'id="login-error"' in answer.text


def test_an_account_is_closed_and_opened_again(sign_in, session):
    person = make_account(session, role="intake")
    token = accounts.sign_in(session, "lin", PASSWORD, now=datetime.now(UTC), source_ip="10.0.0.1")
    client = sign_in("system_admin")

    client.post(f"/admin/accounts/{person.id}/disable")
    session.expire_all()
    closed = (person.is_active, accounts.signed_in(session, token, datetime.now(UTC)))
    client.post(f"/admin/accounts/{person.id}/enable")
    session.expire_all()

    assert closed == (False, None)
    assert person.is_active


def test_a_locked_account_is_opened(sign_in, session):
    person = make_account(session, locked_until=datetime.now(UTC) + timedelta(minutes=10))
    client = sign_in("system_admin")

    client.post(f"/admin/accounts/{person.id}/unlock")
    session.expire_all()

    assert person.locked_until is None


def test_one_session_is_ended_and_the_others_stay(sign_in, session):
    person = make_account(session, role="intake")
    now = datetime.now(UTC)
    for _ in range(3):
        accounts.sign_in(session, "lin", PASSWORD, now=now, source_ip="10.0.0.1")
    session.flush()
    mine = select(SignInSession.id).where(SignInSession.account_id == person.id)
    first = session.scalars(mine).first()
    client = sign_in("system_admin")

    client.post(f"/admin/accounts/{person.id}/sessions/{first}/end")
    left = session.scalars(mine).all()
    client.post(f"/admin/accounts/{person.id}/sessions/end")

    assert len(left) == 2
    assert first not in left
    assert session.scalars(mine).all() == []


def test_a_password_is_reset(sign_in, session):
    person = make_account(session)
    before = person.password_hash
    client = sign_in("system_admin")

    answer = client.post(f"/admin/accounts/{person.id}/reset-password")
    session.expire_all()

    assert answer.status_code == 200
    assert "one-time-password" in answer.text
    assert (person.password_hash != before, person.must_change) == (True, True)


def test_an_administrator_does_nothing_to_the_own_account(sign_in, session):
    client = sign_in("system_admin")
    page = client.get(f"/admin/accounts/{client.account_id}").text

    answer = client.post(f"/admin/accounts/{client.account_id}/disable", headers=PERSON)

    assert answer.status_code == 403
    assert "/disable" not in page


@pytest.mark.parametrize("path", [
    "/admin/accounts", "/admin/accounts/{id}/reset-password",
    "/admin/accounts/{id}/reset-second-factor", "/admin/accounts/{id}/enable",
])  # fmt: skip
def test_sensitive_acts_on_accounts_ask_for_a_fresh_proof(sign_in, session, path):
    person = make_account(session)
    client = sign_in("system_admin")
    grow_old(session, client)

    data = {"login": "x.y", "name": "名"}
    by_program = client.post(path.format(id=person.id), data=data, headers=PROGRAM)
    by_person = client.post(path.format(id=person.id), data=data, headers=PERSON)

    assert (by_program.status_code, by_program.json["code"]) == (401, "sign_in.step_up")
    assert by_person.location.startswith("/confirm")


def grow_old(session, client):
    """Let the last proof of identity lie an hour back."""
    session.execute(
        update(SignInSession)
        .where(SignInSession.account_id == client.account_id)
        .values(confirmed_at=datetime.now(UTC) - timedelta(hours=1))
    )


def test_the_list_of_accounts_is_searched_narrowed_and_paged(sign_in, session, monkeypatch):
    monkeypatch.setattr("grids.signals.staff.PAGE", 3)
    for number in range(5):
        make_account(session, f"zz-{number}")
    make_account(session, "zz-off", is_active=False)
    client = sign_in("system_admin")

    first = client.get("/admin/accounts?q=zz-").text
    second = client.get("/admin/accounts?q=zz-&after=zz-2").text
    closed = client.get("/admin/accounts?q=zz-&show=disabled").text

    assert "zz-2<" in first
    assert "zz-3<" not in first
    assert "after=zz-2" in first
    assert "zz-3<" in second
    assert "zz-2<" not in second
    assert "zz-off<" in closed
    assert "zz-1<" not in closed


def test_the_list_of_accounts_takes_few_statements(sign_in, session, count_queries):
    client = sign_in("system_admin")
    client.get("/admin/accounts")
    count_queries()
    client.get("/admin/accounts")
    few = count_queries()
    for number in range(12):
        make_account(session, f"more-{number}", role="intake")
    count_queries()
    client.get("/admin/accounts")

    assert count_queries() == few


def test_the_state_names_what_is_wrong(sign_in):
    page = sign_in("system_admin").get("/admin/state").text

    # No worker runs in this test's database.
    assert "./wangge up" in page


# --- The security administrator --------------------------------------------------------------


def grant_form(**more):
    return {"role": "intake", "area_code": "339901", "purpose": "接线", **more}


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


# --- The audit administrator -----------------------------------------------------------------


def test_the_log_is_narrowed_and_its_reading_is_noted(sign_in, session):
    person = make_account(session)
    accounts.sign_in(session, "lin", "wrong", now=datetime.now(UTC), source_ip="10.7.7.7")
    accounts.sign_in(session, "lin", PASSWORD, now=datetime.now(UTC), source_ip="10.8.8.8")
    client = sign_in("audit_admin")

    failed = client.get("/admin/audit?who=lin&success=no").text
    by_kind = client.get("/admin/audit?who=lin&action=kind:sign_in").text
    by_act = client.get("/admin/audit?who=lin&action=sign_in").text
    nobody = client.get("/admin/audit?who=nobody-here").text

    assert ("10.7.7.7" in failed, "10.8.8.8" in failed) == (True, False)
    assert ("10.7.7.7" in by_kind, "10.8.8.8" in by_kind) == (True, True)
    assert ("10.7.7.7" in by_act, "10.8.8.8" in by_act) == (False, True)
    assert "10.8.8.8" not in nobody
    read = noted(session, "audit_read")
    assert len(read) == 4
    assert read[-1].detail["actor"] == person.id


def test_days_are_those_of_the_city(sign_in, session):
    make_account(session)
    session.add(
        AuditEvent(at=datetime(2026, 3, 4, 16, 30, tzinfo=UTC), action="sign_out",
                   source_ip="10.5.5.5", is_success=True, subject="", detail={})
    )  # fmt: skip
    session.flush()
    client = sign_in("audit_admin")

    that_day = client.get("/admin/audit?from=2026-03-05&to=2026-03-05").text
    day_before = client.get("/admin/audit?from=2026-03-04&to=2026-03-04").text

    assert "2026-03-05 00:30:00 +08:00" in that_day
    assert "10.5.5.5" not in day_before


def test_the_log_is_paged_without_a_gap(sign_in, session, monkeypatch):
    monkeypatch.setattr("app.admin.log.PAGE", 2)
    for number in range(5):
        session.add(
            AuditEvent(at=datetime(2026, 3, 4, 1, number, tzinfo=UTC), action="sign_out",
                       source_ip=f"10.6.6.{number}", is_success=True, subject="", detail={})
        )  # fmt: skip
    session.flush()
    client = sign_in("audit_admin")
    seen, url = [], "/admin/audit?from=2026-03-04&to=2026-03-04"
    for _ in range(4):
        page = client.get(url).text
        seen += [n for n in range(5) if f"10.6.6.{n}" in page]
        after = page.partition("after=")[2].partition('"')[0]
        if not after:
            break
        url = f"/admin/audit?from=2026-03-04&to=2026-03-04&after={after}"

    assert sorted(seen) == [0, 1, 2, 3, 4]


def test_the_log_is_exported_with_a_reason_and_without_formulas(sign_in, session):
    session.add(
        AuditEvent(at=datetime(2026, 3, 4, 1, tzinfo=UTC), action="sign_out",
                   source_ip="=cmd|' /C calc'!A0", is_success=True, subject="", detail={"a": True})
    )  # fmt: skip
    session.flush()
    client = sign_in("audit_admin")
    url = "/admin/audit/export?from=2026-03-04&to=2026-03-04"

    refused = client.post(url, data={"reason": " "}, headers=PERSON)
    answer = client.post(url, data={"reason": "年度检查"})

    rows = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert refused.status_code == 422
    assert [row["action"] for row in rows] == ["sign_out"]
    assert rows[0]["source"].startswith("'=")
    assert rows[0]["at"] == "2026-03-04T01:00:00+00:00"
    assert noted(session, "audit_exported")[0].detail["reason"] == "年度检查"


def test_exporting_the_log_asks_for_a_fresh_proof(sign_in, session):
    client = sign_in("audit_admin")
    grow_old(session, client)

    answer = client.post("/admin/audit/export", data={"reason": "年度检查"}, headers=PROGRAM)

    assert answer.status_code == 401


def test_a_verification_is_asked_for_and_its_result_is_shown(sign_in, session):
    client = sign_in("audit_admin")

    client.post("/admin/audit/chain/verify")
    waits = client.get("/admin/audit/chain").text
    session.execute(
        text(
            "UPDATE audit_check SET ended_at = now(), events = 12, problem = 'changed', row_id = 7"
        )
    )
    done = client.get("/admin/audit/chain").text

    jobs = session.scalars(
        text("SELECT task_name FROM procrastinate_jobs WHERE task_name LIKE '%verify_audit'")
    )
    assert len(jobs.all()) == 1
    assert "disabled" in waits
    assert "内容被改动" in done
    assert noted(session, "audit_verified")[0].actor_id == client.account_id


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
