"""The designer in a browser: a plan is drawn, changed on the map by hand, and approved."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support import faces
from tests.support.browser import shoot

LOOKS = faces.LOOKS


def wrong(page: Page) -> list[str]:
    return [*faces.too_wide(page), *faces.bare_keys(page), *faces.faults(page)]


def drawn(page: Page, name: str, **wishes: str) -> str:
    """Ask for a plan of the town with most grids and wait until the worker has drawn it."""
    page.goto("/data/grids/plans")
    page.fill("[name=name]", name)
    for field, value in wishes.items():
        page.fill(f"[name={field}]", value)
    page.locator("form.form button[type=submit]").click()
    page.wait_for_url("**/data/grids/plans/*")
    expect(page.locator("#plan-figures")).to_be_visible()
    expect(page.locator("#tools")).to_contain_text("选")
    return page.url


def test_a_plan_is_drawn_changed_by_hand_and_approved_by_somebody_else(new_page):
    page = new_page(role="steward")
    url = drawn(page, "均衡调整")
    shoot(page, "grid-plan", full=True)
    assert wrong(page) == []
    grids = page.locator("#compare tr[data-label]")
    before = grids.count()

    grids.first.locator("button").click()
    page.get_by_role("button", name="拆成两格").click()
    expect(grids).to_have_count(before + 1)
    expect(page.locator("#designer-says")).to_have_text("已保存")
    page.get_by_role("button", name="撤销").click()
    expect(grids).to_have_count(before)

    page.get_by_role("button", name="拆成两格").click()
    expect(grids).to_have_count(before + 1)
    painted = paint(page)
    expect(page.locator("#designer-says")).to_have_text(re.compile("已保存|分成几块的网格"))
    assert painted != page.locator("#compare tr.is-pointed").inner_text()
    shoot(page, "grid-plan-painted", full=True)
    page.get_by_role("button", name="撤销").click()
    expect(page.locator("#compare tr.is-pointed")).to_have_text(painted, use_inner_text=True)

    page.get_by_role("button", name="提交审批").click()
    expect(page.locator("main")).to_contain_text("待审批")
    second = new_page(role="commander")
    second.goto("/data/grids/plans")
    second.get_by_role("link", name="均衡调整").first.click()
    second.get_by_role("button", name="批准").click()
    expect(second.locator("main")).to_contain_text("已批准，待切换")
    assert wrong(second) == []
    shoot(second, "grid-plan-approved", full=True)
    second.goto(url)
    second.get_by_role("button", name="退回").click()
    expect(second.locator(".admin-title")).to_contain_text("草案")


def paint(page: Page) -> str:
    """Draw across the map, over both halves of what was divided; return the row as it was."""
    row = page.locator("#compare tr.is-pointed").inner_text()
    page.get_by_role("button", name="涂画地块").click()
    page.locator("#map-after").scroll_into_view_if_needed()
    box = page.locator("#map-after").bounding_box()
    assert box is not None
    x, y, wide, high = (box[name] for name in ("x", "y", "width", "height"))
    page.mouse.move(x + wide * 0.2, y + high * 0.5)
    page.mouse.down()
    page.mouse.move(x + wide * 0.8, y + high * 0.5, steps=24)
    page.mouse.move(x + wide * 0.5, y + high * 0.1, steps=12)
    page.mouse.move(x + wide * 0.5, y + high * 0.85, steps=24)
    page.mouse.up()
    return str(row)


@pytest.mark.parametrize(("language", "look"), LOOKS)
def test_the_pages_of_grids_fit_and_speak(new_page, language, look):
    page = new_page(role="planner", locale=language, color_scheme=look)
    for path in ("/data/grids", "/data/grids/plans"):
        page.goto(path)
        page.locator("main h1").wait_for()
        page.wait_for_load_state("networkidle")
        shoot(page, f"{path[1:].replace('/', '-')}-{language[:2]}-{look}", full=True)
        assert wrong(page) == []
    page.goto("/data/grids")
    page.locator("tr[data-code] a").first.click()
    expect(page.locator("table").first).to_be_visible()
    assert wrong(page) == []


def test_the_pages_fit_a_narrow_window(new_page):
    page = new_page(role="steward", viewport={"width": 420, "height": 800})
    drawn(page, "窄窗")
    assert faces.too_wide(page) == []
    shoot(page, "grid-plan-narrow", full=True)
    for path in ("/data/grids", "/data/grids/plans"):
        page.goto(path)
        page.locator("main h1").wait_for()
        assert faces.too_wide(page) == []
