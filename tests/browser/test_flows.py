"""Disputes and hazards through the real pages: a desk, a phone, both languages, both looks."""

import pytest
from playwright.sync_api import Page, expect

from tests.support import faces
from tests.support.browser import shoot, sign_in

STORY = "楼上漏水，双方对赔偿有争议"


def open_step(page: Page, action: str) -> None:
    form = page.locator(f'[data-action="{action}"]')
    if form.get_attribute("open") is None:
        form.locator("summary").click()


def wrong(page: Page) -> list[str]:
    return [*faces.too_wide(page), *faces.bare_keys(page), *faces.faults(page)]


def register(page: Page) -> str:
    """Register a dispute on a phone; return its address."""
    page.goto("/disputes/new")
    page.select_option('[name="kind"]', "02")
    page.fill('[name="text"]', STORY)
    page.fill('[name="name_1"]', "甲方某人")
    page.fill('[name="name_2"]', "乙方某人")
    shoot(page, "dispute-new-phone", full=True)
    assert wrong(page) == []
    page.locator('button[type="submit"]:has-text("登记纠纷")').click()
    page.wait_for_url("**/disputes/*-*?done=register")
    return page.url.split("?")[0]


def test_a_dispute_goes_from_the_worker_to_the_mediator(new_page, city_server):
    worker, seat, mediator = new_page(phone=True), new_page(), new_page()
    sign_in(worker, city_server, "worker")
    path = register(worker)
    shoot(worker, "dispute-phone", full=True)
    sign_in(seat, city_server, "town_seat")
    seat.goto(path)
    open_step(seat, "assign")
    seat.locator('[data-action="assign"] .choice').first.click()
    seat.locator('[data-action="assign"] button[type="submit"]').click()
    expect(seat.locator(".strip-ok")).to_be_visible()
    sign_in(mediator, city_server, "mediator")
    mediator.goto("/disputes")
    mediator.locator(f'a[href="{path[path.index("/disputes") :]}"]').click()
    mediator.fill('[data-action="contact"] [name="note"]', "已电话联系双方")
    mediator.locator('[data-action="contact"] button[type="submit"]').click()
    open_step(mediator, "meet")
    mediator.fill('[data-action="meet"] [name="held_at"]', "2026-03-05T15:00")
    mediator.fill('[data-action="meet"] [name="place"]', "村调解室")
    mediator.fill('[data-action="meet"] [name="minutes"]', "双方同意共同查明漏水原因。")
    mediator.locator('[data-action="meet"] button[type="submit"]').click()
    expect(mediator.locator(".paper")).to_contain_text("查明漏水原因")

    shoot(mediator, "dispute-record", full=True)
    assert wrong(mediator) == []


@pytest.mark.parametrize(("language", "look"), faces.LOOKS)
def test_the_lists_and_a_check_list_read_well(new_page, city_server, language, look):
    page = new_page(locale=language, color_scheme=look)
    sign_in(page, city_server, "town_seat")
    found = []
    for name, path in (("disputes", "/disputes?show=open"), ("hazards", "/hazards?show=open"),
                       ("desk-town", "/desk?show=open"), ("desk-grids", "/desk/grids")):  # fmt: skip
        page.goto(path)
        shoot(page, f"{name}-{language[:2]}-{look}")
        found += wrong(page)

    assert found == []


def test_an_inspection_on_a_phone_makes_hazards(new_page, city_server):
    page = new_page(phone=True)
    sign_in(page, city_server, "worker")
    page.goto("/hazards/inspect")
    page.locator(".pick-list a").first.click()
    for check in page.locator(".check").all():
        check.locator(".choice-ok").click()
    failed = page.locator(".check").nth(11)
    failed.locator(".choice-failed").click()
    failed.locator('input[type="file"]').set_input_files(faces.photo_file(1))
    shoot(page, "inspect-phone")
    assert faces.too_small(page) == []
    form = page.url
    with page.expect_navigation():
        page.locator("form.checklist .checks-foot button").click()
    assert "inspected=1" in page.url, page.locator("[role=alert]").all_inner_texts()

    page.locator(".case-link").first.click()
    page.wait_for_load_state("networkidle")
    shoot(page, "hazard-phone", full=True)
    assert wrong(page) == []

    page.goto(form)
    page.locator(".advice a").first.click()
    shoot(page, "inspect-advised-phone")
    assert faces.too_small(page) == []
