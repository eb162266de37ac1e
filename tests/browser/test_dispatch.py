"""The dispatcher's desk: a shift without a mouse, claims, undo, drafts, composing, the address."""

import re
import uuid

import pytest
from playwright.sync_api import expect

from tests.support import faces
from tests.support.browser import shoot
from tests.support.depth import IS_FULL

MANHOLE = "01002"
SHIFT = 20 if IS_FULL else 8
CALL = """async ([method, url, body]) => {
  const token = document.querySelector('meta[name="csrf-token"]').content;
  const answer = await fetch(url, {method, body: body && JSON.stringify(body),
    headers: {'Content-Type': 'application/json', Accept: 'application/json', 'X-CSRF-Token': token}});
  return [answer.status, answer.status === 204 ? null : await answer.json()];
}"""


def call(page, method, url, body=None):
    """Ask the API as the person of a page."""
    status, answer = page.evaluate(CALL, [method, url, body])
    assert status < 300, (url, answer)
    return answer


def move(page, case, action, **fields):
    body = {"id": str(uuid.uuid4()), "action": action, **fields}
    return call(page, "POST", f"/api/incidents/{case}/moves", body)


@pytest.fixture
def reports(new_page, city_server):
    """Make cases that wait to be dispatched: reported, accepted and filed by those who may."""
    intake, leader = new_page(role="intake"), new_page(role="shift_leader")
    lon, lat = faces.spot_in(city_server, city_server.login("worker")["area"])

    def make(count):
        cases = []
        for _ in range(count):
            case = str(uuid.uuid4())
            report = {"category": MANHOLE, "lon": lon, "lat": lat, "text": "井盖缺失"}
            call(intake, "PUT", f"/api/incidents/{case}", report)
            move(intake, case, "accept")
            move(leader, case, "file")
            cases.append(case)
        return cases

    return make


def open_desk(page, case="", query="status=pending_dispatch"):
    page.goto(f"/command/desk?{query}&case={case}" if case else f"/command/desk?{query}")
    page.locator(".case-row").first.wait_for()
    if case:
        page.locator(".case-body .timeline").wait_for()


def status_of(page, case):
    return call(page, "GET", f"/api/incidents/{case}")["status"]


def test_a_shift_is_played_without_a_mouse(new_page, reports):
    cases = reports(SHIFT)
    page = new_page(role="dispatcher")

    for case in cases:
        open_desk(page, case)
        page.keyboard.press("d")
        page.locator(".case-actions form").wait_for()
        department = page.locator(".case-actions form [name=department]")
        if not department.input_value():
            department.focus()
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Control+Enter")
        page.locator(".toast-ok").first.wait_for()

    assert {status_of(page, case) for case in cases} == {"pending_sign"}
    assert page.evaluate("document.activeElement !== document.body")


def test_a_claim_is_seen_by_others_and_undo_restores(new_page, reports):
    (case,) = reports(1)
    first, second = new_page(role="dispatcher"), new_page(role="shift_leader")
    open_desk(first, case)
    open_desk(second, case)
    claims = call(second, "GET", "/api/desk/queue?status=pending_dispatch")["items"]
    assert [row["claim"] for row in claims if row["id"] == case] == [None]

    first.keyboard.press("d")
    expect(second.locator(".claim-bar.is-other")).to_be_visible()

    first.locator(".case-actions form").wait_for()
    if not first.locator("[name=department]").input_value():
        first.locator("[name=department]").select_option("D01")
    first.keyboard.press("Control+Enter")
    expect(first.locator(".status-word").first).not_to_have_text("待派遣")
    first.keyboard.press("u")
    expect(first.locator(".status-word").first).to_have_text("待派遣")

    assert status_of(first, case) == "pending_dispatch"


def test_a_draft_survives_a_reload_and_esc(new_page, reports):
    (case,) = reports(1)
    page = new_page(role="dispatcher")
    open_desk(page, case)
    page.keyboard.press("t")
    note = page.locator(".case-actions form [name=note]")
    note.wait_for()
    with page.expect_response(lambda r: "/api/desk/drafts/" in r.url and r.request.method == "PUT"):
        note.fill("写到一半的说明")
    page.evaluate("localStorage.clear()")
    page.reload()

    expect(page.locator(".case-actions form [name=note]")).to_have_value("写到一半的说明")


def test_letters_do_nothing_while_somebody_types_or_composes(new_page, reports):
    (case,) = reports(1)
    page = new_page(role="dispatcher")
    open_desk(page, case)
    page.keyboard.press("/")
    page.keyboard.type("djx")
    assert page.locator(".search-input").input_value() == "djx"
    page.keyboard.press("Escape")
    page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'd', keyCode: 229, isComposing: true, bubbles: true}))"
    )

    assert page.locator(".case-actions form").count() == 0


def test_the_address_is_the_state(new_page, reports):
    (case,) = reports(1)
    page = new_page(role="dispatcher")
    open_desk(page, case, "status=pending_dispatch&sort=new&risk=ok,soon,late")
    page.wait_for_function("location.search.includes('at=')")
    address = page.evaluate("location.search")
    page.goto(f"/command/desk{address}")
    page.locator(".case-body .timeline").wait_for()

    assert page.evaluate("location.search") == address
    assert page.locator(".case-row.is-open").get_attribute("data-id") == case


@pytest.mark.parametrize(("language", "look"), faces.LOOKS)
def test_the_desk_reads_well(new_page, language, look):
    page = new_page(role="dispatcher", locale=language, color_scheme=look)
    page.goto("/command/desk")
    page.locator(".case-row").first.wait_for()
    page.keyboard.press("j")
    page.locator(".case-body .timeline").wait_for()
    shoot(page, f"dispatch-{language[:2]}-{look}")

    assert [*faces.bare_keys(page), *faces.faults(page)] == []
    assert not re.search(r"\bdispatch\.[a-z]+", page.locator("body").inner_text())
