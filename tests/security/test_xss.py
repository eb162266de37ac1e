"""Nothing that somebody typed or imported runs in anybody's browser (S46, S48)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page
from psycopg import sql

from tests.security.payloads import payloads
from tests.support.browser import DESK, PHONE, sign_in
from tests.support.city import CityServer
from tests.support.depth import share

PAYLOADS = payloads()
#: Tables and the columns of theirs that people read, filled in turn with every payload.
FIELDS = (
    ("incident", "text"), ("incident", "address"), ("incident_event", "note"), ("area", "name_zh"),
    ("area", "name_en"), ("department", "name_zh"), ("department", "name_en"), ("account", "name"),
    ("facility", "name"), ("enterprise", "name"), ("premises", "name"), ("building", "name"),
    ("address", "text"), ("road", "name"), ("grid", "name"), ("place", "name"),
    ("category", "name_zh"), ("category", "name_en"), ("city", "name_zh"), ("city", "attribution"),
)  # fmt: skip
TRAP = """
  window.__caught = [];
  for (const name of ['alert', 'confirm', 'prompt']) window[name] = text => window.__caught.push(`${name}: ${text}`);
  document.addEventListener('securitypolicyviolation', event => window.__caught.push(
    `policy: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


@dataclass
class Trap:
    """What ran, or tried to, in the pages of a test."""

    caught: list[str] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        page.add_init_script(TRAP)
        page.on(
            "dialog",
            lambda dialog: (self.caught.append(f"dialog {dialog.message}"), dialog.dismiss()),
        )
        page.on("console", lambda line: self._console(line.text))
        page.on("pageerror", lambda error: self.caught.append(f"{page.url}: script error {error}"))

    def _console(self, text: str) -> None:
        if (
            "wangge-xss" in text
            or "Content Security Policy" in text
            or "Content-Security-Policy" in text
        ):
            self.caught.append(f"console {text[:300]}")

    def look(self, page: Page) -> None:
        """Collect what the page itself noticed, and markup that came from a text."""
        self.caught += [f"{page.url}: {one}" for one in page.evaluate("window.__caught")]
        made = page.evaluate(
            """() => [...document.querySelectorAll('script, iframe, object, embed, svg, img, *')]
            .filter(node => [...node.attributes].some(one => /^on/i.test(one.name) || /wangge-xss/.test(
              ['href', 'src', 'action', 'formaction', 'srcdoc', 'data'].includes(one.name)
              && !/^\\/(?!\\/)/.test(one.value) ? one.value : '')))
            .map(node => node.outerHTML.slice(0, 120))"""
        )
        self.caught += [f"{page.url}: markup {one}" for one in made]


def plant(city: CityServer) -> int:
    """Write the payloads into every text, as an import or an old bug would have."""
    filled = 0
    with psycopg.connect(city.settings.admin_url) as conn:
        conn.execute("SET session_replication_role = replica")
        conn.execute("CREATE TEMP TABLE payload AS SELECT * FROM unnest(%s::text[])"
                     " WITH ORDINALITY AS one(text, no)", (PAYLOADS,))  # fmt: skip
        for number, (table, column) in enumerate(FIELDS):
            known = conn.execute(
                "SELECT 1 FROM information_schema.columns WHERE table_name = %s AND column_name = %s",
                (table, column),
            ).fetchone()
            if known is None:
                continue
            # The worker of the running city changes rows in an order of its own: one waits.
            conn.execute(
                sql.SQL("LOCK TABLE {table} IN EXCLUSIVE MODE").format(table=sql.Identifier(table))
            )
            # The newest first, for these stand on the first pages.
            done = conn.execute(
                sql.SQL(
                    "UPDATE {table} SET {column} = payload.text FROM (SELECT ctid AS at,"
                    " row_number() OVER (ORDER BY ctid DESC) AS no FROM {table}) AS row, payload"
                    " WHERE {table}.ctid = row.at AND payload.no = (row.no + %s) %% %s + 1"
                ).format(table=sql.Identifier(table), column=sql.Identifier(column)),
                (number * 13, len(PAYLOADS)),
            )
            filled += done.rowcount > 0
            conn.commit()
    return filled


@pytest.fixture(scope="module")
def hostile(run_city) -> Iterator[CityServer]:
    """A running city in whose every text a payload stands."""
    with run_city("xss") as city:
        assert plant(city) >= 15
        yield city


@pytest.fixture
def opened(browser: Browser, hostile: CityServer) -> Iterator[Any]:
    trap, contexts = Trap(), []

    def make(
        role: str | None = None, *, phone: bool = False, department: str | None = None
    ) -> tuple[Page, Trap]:
        context = browser.new_context(base_url=hostile.url, **(PHONE if phone else DESK))  # type: ignore[arg-type]
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        trap.attach(page)
        if role:
            sign_in(page, hostile, role, department)
        return page, trap

    yield make
    for context in contexts:
        context.close()


def visit(page: Page, trap: Trap, path: str) -> None:
    page.goto(path, wait_until="domcontentloaded")
    page.wait_for_timeout(900)
    trap.look(page)


def cases(city: CityServer, number: int) -> list[str]:
    with psycopg.connect(city.settings.admin_url) as conn:
        rows = conn.execute(
            "SELECT id::text FROM incident ORDER BY ctid DESC LIMIT %s", (number,)
        ).fetchall()
    return [row[0] for row in rows]


def test_there_are_two_hundred_of_them() -> None:
    assert len(PAYLOADS) >= 200


def test_the_trap_catches(browser: Browser) -> None:
    """Twin of the tests below: a page that writes text as markup is caught."""
    page, trap = browser.new_page(), Trap()
    trap.attach(page)
    page.goto("about:blank")
    page.evaluate("html => { document.body.innerHTML = html; }", PAYLOADS[3])
    page.wait_for_timeout(300)
    trap.look(page)
    page.close()

    assert any("markup" in one for one in trap.caught)
    assert any("wangge-xss" in one for one in trap.caught)


@pytest.mark.parametrize("phone", [False, True])
def test_nothing_runs_in_the_command_center(opened, hostile: CityServer, phone: bool) -> None:
    page, trap = opened("commander", phone=phone)
    for theme in ("incidents", "people", "enterprises", "components"):
        visit(page, trap, f"/command?theme={theme}")
    visit(page, trap, "/command?wall=1")
    visit(
        page, trap, "/command?layers=facility,enterprise,premises,building,address,road,grid,area"
    )
    for case in cases(hostile, 6):
        visit(page, trap, f"/command?case={case}")
    for word in ("script", "<img", "alert", "javascript"):
        visit(page, trap, f"/command?q={word}")
        search = page.locator("input[type=search]").first
        if search.is_visible():
            search.fill(word)
            page.wait_for_timeout(700)
            trap.look(page)
    for spot in ((600, 400), (700, 450), (800, 500), (650, 550)):
        page.mouse.click(*(spot if not phone else (spot[0] % 390, spot[1])))
        page.wait_for_timeout(400)
    trap.look(page)

    assert trap.caught == []


def test_nothing_runs_on_desks_and_phones_of_staff(opened, hostile: CityServer) -> None:
    trap = Trap()
    for role, paths in (
        ("handler", ("/desk", "/desk?show=open", "/desk?q=script")),
        ("dispatcher", ("/desk", "/desk?show=open")),
        ("worker", ("/worker/", "/worker/mine", "/worker/map", "/worker/report", "/worker/me")),
        ("planner", ("/planner", "/planner?layer=facility", "/planner/exports")),
        ("registrar", ("/people", "/people/requests")),
        ("system_admin", ("/admin", "/admin/accounts")),
        ("security_admin", ("/admin", "/admin/grants")),
        ("audit_admin", ("/admin", "/admin/audit")),
    ):
        page, trap = opened(role, phone=role == "worker")
        for path in paths:
            visit(page, trap, path)
        for case in cases(hostile, 4):
            visit(
                page, trap, f"/worker/tasks/{case}" if role == "worker" else f"/desk/cases/{case}"
            )
        page.emulate_media(media="print")
        trap.look(page)

    assert trap.caught == []


def test_nothing_runs_for_the_public(opened, hostile: CityServer) -> None:
    page, trap = opened(phone=True)
    for path in ("/", "/track", "/sign-in"):
        visit(page, trap, path)
    for payload in share(PAYLOADS, 8):
        for path in ("/sign-in", "/track", "/lang/en", "/no-such"):
            page.goto(
                f"{path}?{'&'.join(f'{name}={_quoted(payload)}' for name in ('next', 'code', 'q'))}"
            )
        trap.look(page)

    assert trap.caught == []


def test_no_answer_of_a_page_holds_a_payload_as_markup(opened, hostile: CityServer) -> None:
    """Beyond what a browser happened to do: the text itself is escaped, all two hundred of them."""
    page, _ = opened("commander")
    raw = [one for one in PAYLOADS if "<" in one]
    found = []

    for path in (
        "/command",
        "/desk",
        "/account",
        *(f"/desk/cases/{case}" for case in cases(hostile, 60)),
    ):
        text = page.request.get(path).text()
        found += [(path, one) for one in raw if one in text]

    assert found == []


def test_a_map_file_runs_nothing_that_was_typed(
    opened, hostile: CityServer, tmp_path: Path
) -> None:
    page, _ = opened("planner")
    answer = page.request.get("/api/export/facility.html")
    assert answer.status == 200, answer.text()[:300]
    file = tmp_path / "map.html"
    file.write_bytes(answer.body())
    shown, trap = opened()
    shown.goto(file.as_uri())
    shown.wait_for_timeout(1500)
    for marker in shown.locator(".leaflet-interactive").all()[:25]:
        marker.dispatch_event("click")
        marker.dispatch_event("mouseover")
        shown.wait_for_timeout(60)

    assert [one for one in trap.caught if "wangge-xss" in one or "dialog" in one] == []
    assert shown.evaluate("window.__caught.filter(one => !one.startsWith('policy'))") == []


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")
