"""Each of the three administrators at work, in both languages, at a desk and on a phone."""

import re
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy.orm import Session

from grids import signals
from grids.db import engine as make_engine
from tests.support import faces
from tests.support.browser import shoot

#: A text key that reached a reader.
KEY = re.compile(
    r"\b(?:admin|audit|audit_kind|audit_subject|signal|permission|permission_group|role|account"
    r"|sign_in|error|codes|calendar)\.[a-z_:]+\b"
)
PAGES = {
    "system_admin": ("/admin/accounts", "/admin/accounts/new", "/admin/state", "/admin/codes",
                     "/admin/codes?q=ludeng", "/admin/codes/upload", "/admin/calendar"),
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


def guess_passwords(city, role="worker", network="10.20.0"):
    """Let somebody guess passwords, and the watch look at once instead of within a minute."""
    (worker,) = query(
        city,
        "SELECT account_id FROM assignment WHERE role = %s ORDER BY account_id LIMIT 1",
        role,
    )
    for number in range(26):
        query(
            city,
            "INSERT INTO audit_event (at, actor_id, action, is_success, source_ip)"
            " VALUES (clock_timestamp() - make_interval(mins => %s), %s, 'sign_in_failed', false,"
            " %s)",
            number * 2, worker[0] if number % 2 else None, f"{network}.{7 + number % 2}",
        )  # fmt: skip
    engine = make_engine(city.settings.worker_url)
    with Session(engine) as session, session.begin():
        signals.watch(session, datetime.now(UTC))
    engine.dispose()


@pytest.fixture(scope="module")
def lively(city_server):
    """A city in which somebody guesses passwords."""
    guess_passwords(city_server)
    return city_server


def name_of(path):
    return path.strip("/").replace("/", "-")


@pytest.mark.parametrize(("language", "look"), faces.LOOKS)
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


def test_a_colleague_comes_and_goes(new_page, city_server):
    """Made, given a role, at work, and closed: three administrators, none alone."""
    system = new_page(role="system_admin")
    system.goto("/admin/accounts")
    system.get_by_role("link", name="新建账号").click()
    system.fill("#login", "zhang.new")
    system.fill("#name", "张新")
    system.get_by_role("button", name="建立账号").click()
    password = system.locator("#one-time-password").inner_text()
    shoot(system, "admin-one-time-password")
    (account,) = query(city_server, "SELECT id FROM account WHERE login = 'zhang.new'")

    security = new_page(role="security_admin")
    security.goto("/admin/grants?q=zhang.new")
    security.get_by_role("link", name="zhang.new").click()
    security.select_option("#role", "intake")
    security.fill("#purpose", "接替离岗受理员")
    security.locator(".picker a").first.click()
    security.locator(".picker-path a").nth(1).wait_for()
    assert security.input_value("#purpose") == "接替离岗受理员"
    shoot(security, "admin-grant", full=True)
    security.get_by_role("button", name="授予").click()
    security.get_by_role("status").get_by_text("已授权").wait_for()

    person = new_page()
    enter(person, "zhang.new", password)
    person.wait_for_url(re.compile("/account/"))  # the given password serves once
    own = "Mountain-7-river-lamp"
    for field, value in (("present", password), ("new", own), ("again", own)):
        if person.locator(f"input[name={field}]").count():
            person.fill(f"input[name={field}]", value)
    person.locator("main form button[type=submit]").first.click()
    person.wait_for_load_state("load")
    person.wait_for_url(lambda url: "/account/password" not in url)
    person.goto("/command")
    assert person.url == f"{city_server.url}/command"

    system.goto(f"/admin/accounts/{account[0]}")
    shoot(system, "admin-account", full=True)
    system.get_by_role("button", name="停用账号").click()
    system.get_by_text("账号已停用").wait_for()
    person.goto("/command")
    assert "/sign-in" in person.url

    audit = new_page(role="audit_admin")
    audit.goto(f"/admin/audit?subject=account:{account[0]}")
    told = audit.locator(".log").inner_text()
    for act in ("新建账号", "授予角色", "停用账号"):
        assert act in told


def enter(page, login, password):
    page.goto("/sign-in")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", password)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(lambda url: not url.endswith("/sign-in"))


def test_an_alarm_comes_by_itself_and_is_answered(new_page, city_server):
    security = new_page(role="security_admin")
    security.goto("/admin/policy")
    before = int(security.locator("[data-alarms]").inner_text())
    guess_passwords(city_server, "handler", "10.30.0")
    # The head of the page asks every few seconds.
    security.wait_for_function(
        "n => Number(document.querySelector('[data-alarms]').textContent) > n", arg=before,
        timeout=20_000,
    )  # fmt: skip
    security.locator("#bell").click()
    security.locator(".alarm a").first.click()
    shoot(security, "admin-alarm", full=True)
    security.get_by_role("button", name="受理").click()
    security.get_by_text("核查中").first.wait_for()
    security.fill("#note", "电话核实：本人换手机后输错密码")
    security.get_by_role("button", name="关闭告警").click()
    security.get_by_text("电话核实").wait_for()

    assert security.locator(".badge").filter(has_text="已关闭").count() == 1


def test_the_whole_log_is_verified_by_the_worker(new_page, city_server):
    audit = new_page(role="audit_admin")
    audit.goto("/admin/audit/chain")
    audit.get_by_role("button", name="校验全部日志").click()
    audit.locator("td .badge").first.wait_for()
    # The page asks by itself until the worker is done.
    audit.locator("td .badge-ok, td .badge-late").first.wait_for(timeout=40_000)
    shoot(audit, "admin-chain-verified", full=True)

    assert audit.locator("td .badge-ok").first.inner_text() == "完整"


def test_a_stale_proof_is_renewed_without_losing_the_form(new_page, city_server):
    page = new_page(role="audit_admin")
    query(
        city_server,
        "UPDATE sign_in_session SET confirmed_at = confirmed_at - interval '1 hour'"
        " WHERE account_id = (SELECT id FROM account WHERE login = 'demo-audit-admin')",
    )
    page.goto("/admin/audit")
    page.locator("details summary").click()
    page.fill("#reason", "年度检查")
    page.get_by_role("button", name="导出", exact=True).click()
    page.fill("#confirm-password", city_server.login("audit_admin")["password"])
    with page.expect_download() as download:
        page.get_by_role("button", name="验证并继续").click()

    assert download.value.suggested_filename.startswith("audit-")
    assert page.input_value("#reason") == "年度检查"
