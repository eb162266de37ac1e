"""The operator's seat by keyboard only: a call, who rang before, a draft, a party's link."""

import re
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.support import faces
from tests.support.browser import shoot

PHONE = "0579 8520 7788"


@pytest.fixture
def spot(city_server):
    return faces.spot_in(city_server, city_server.login("worker")["area"])


def type_call(page, lon, lat, phone=PHONE):
    """Take a call with the keys of an operator, from the focused number to the place."""
    page.keyboard.type(phone)
    page.keyboard.press("Tab")
    page.keyboard.type("赵师傅")
    expect(page.locator("#history")).not_to_contain_text("填好号码后")
    page.focus("#category-words")
    page.keyboard.type("wsjg")
    page.locator(".combo-item").first.wait_for()
    page.keyboard.press("Enter")
    expect(page.locator("#category-words")).not_to_have_value("wsjg")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("井盖松动，车过有响声")
    page.focus("#address")
    page.keyboard.type(f"{lon:.6f}, {lat:.6f}")
    page.locator("#address-picker .combo-item").first.wait_for()
    page.keyboard.press("Enter")
    expect(page.locator("#around[data-inside=yes]")).to_be_visible()


def open_seat(new_page):
    page = new_page(role="intake")
    page.goto("/command/intake")
    page.locator("html.has-script").wait_for()
    expect(page.locator("#phone")).to_be_focused()
    return page


def test_calls_are_taken_by_keyboard_only(new_page, spot):
    page = open_seat(new_page)

    type_call(page, *spot)
    page.keyboard.press("Control+Enter")

    told = page.locator("#told")
    expect(told).to_contain_text("已登记")
    assert re.search(r"96150-\d{6}-\d{4}", told.inner_text())
    expect(page.locator("#phone")).to_be_focused()
    expect(page.locator("#phone")).to_have_value("")
    expect(page.locator("#text")).to_have_value("")

    # The next call is of the same number: it is known, and what lies near is shown.
    type_call(page, *spot)
    expect(page.locator("#history")).to_contain_text("以前反映")
    expect(page.locator("#around .is-proposed").first).to_be_visible()
    shoot(page, "intake-call")


def test_a_call_survives_a_reload_and_a_lost_answer(new_page, spot):
    page = open_seat(new_page)
    type_call(page, *spot, phone="13900139001")
    case = page.locator("input[name=id]").input_value()
    page.reload()

    expect(page.locator("#phone")).to_have_value("13900139001")
    expect(page.locator("#text")).to_have_value("井盖松动，车过有响声")
    assert page.locator("input[name=id]").input_value() == case

    # The server takes it, the answer is lost on the way, the operator presses again.
    lost = []

    def lose(route):
        if not lost:
            lost.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route(
        "**/command/intake",
        lambda route: lose(route) if route.request.method == "POST" else route.continue_(),
    )
    page.keyboard.press("Control+Enter")
    expect(page.locator("#told")).to_contain_text("已登记")

    assert lost == [201]
    link = page.locator("#told .told-links a").get_attribute("href")
    assert case in link
    assert page.evaluate("sessionStorage.getItem('wangge.intake')") is None


def test_a_party_reads_and_answers_its_task_on_a_phone(new_page, spot):
    seat, leader, desk = (new_page(role=role) for role in ("intake", "shift_leader", "dispatcher"))
    case = str(uuid.uuid4())
    lon, lat = spot
    call(
        seat,
        "PUT",
        f"/api/incidents/{case}",
        {"category": "01002", "lon": lon, "lat": lat, "text": "井盖缺失"},
    )
    move(seat, case, "accept")
    move(leader, case, "file")
    until = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    move(desk, case, "hand_over", outside="供电公司", until=until)
    desk.goto(f"/incidents/{case}/link")
    desk.fill("#task", "请更换路口的电箱门锁，拍照后回复")
    desk.get_by_role("button", name="生成链接").click()
    address = desk.locator("#address").input_value()
    shoot(desk, "intake-link")
    phone = new_page(phone=True)

    phone.goto(address)
    expect(phone.locator(".task-words")).to_contain_text("电箱门锁")
    expect(phone.locator("body")).not_to_contain_text("井盖缺失")
    shoot(phone, "outside-task", full=True)
    phone.fill("#note", "已更换")
    phone.locator("#send").click()

    expect(phone.locator("h1")).to_contain_text("已收到您的回复")
    assert call(desk, "GET", f"/api/incidents/{case}")["status"] == "pending_review"
    desk.reload()
    expect(desk.locator(".timeline li.is-ok")).to_contain_text("电箱门锁")
    expect(desk.locator("#address")).to_have_count(0)


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
    return call(
        page,
        "POST",
        f"/api/incidents/{case}/moves",
        {"id": str(uuid.uuid4()), "action": action, **fields},
    )
