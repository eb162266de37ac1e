"""A steward enters something by hand: a click on the map, a hint of a double, an end."""

import re

import pytest
from playwright.sync_api import expect

from tests.support import faces
from tests.support.browser import shoot


@pytest.mark.parametrize(("language", "look"), faces.LOOKS)
def test_a_facility_is_pointed_at_entered_and_ended(new_page, language, look):
    page = new_page(role="steward", locale=language, color_scheme=look)
    page.goto("/registers/facility")
    page.locator(".admin-title .btn-primary").click()
    name = f"示例小学{page.locator('[name=id]').input_value()[:6]}"
    page.fill("[name=name]", name)
    page.select_option("[name=kind]", "school")

    box = page.locator("#pick-map").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.5)
    expect(page.locator("[name=lon]")).to_have_value(re.compile(r"^\d+\.\d{6}$"))
    expect(page.locator("#pick-map .place-mark")).to_be_visible()
    shoot(page, f"entry-new-{language}", full=True)
    assert [*faces.too_wide(page), *faces.bare_keys(page), *faces.faults(page)] == []
    lon, lat = (page.locator(f"[name={one}]").input_value() for one in ("lon", "lat"))

    page.locator("button[value=enter]").click()
    page.wait_for_url("**/registers/facility/*done=entered")
    here = page.url.partition("?")[0]
    expect(page.locator("h1")).to_have_text(name)
    expect(page.locator("#place-map .place-mark")).to_be_visible()

    page.goto("/registers/facility/new")
    page.fill("[name=name]", name)
    page.select_option("[name=kind]", "school")
    page.fill("[name=lon]", lon)
    page.fill("[name=lat]", lat)
    page.locator("button[value=enter]").click()
    expect(page.locator("[name=sure]")).to_be_visible()
    expect(page.locator(".pick-list a")).to_contain_text(name)
    shoot(page, f"entry-same-{language}", full=True)

    page.goto(here)
    page.locator("#end summary").click()
    page.fill("#end [name=reason]", "登记有误")
    page.locator("#end button").click()
    page.wait_for_url("**done=ended")
    expect(page.locator("#history")).to_contain_text("登记有误")
    assert [*faces.too_wide(page), *faces.bare_keys(page), *faces.faults(page)] == []


@pytest.mark.parametrize(("language", "look"), faces.LOOKS)
def test_a_worker_enters_premises_where_the_phone_stands(new_page, city_server, language, look):
    spot = faces.spot_in(city_server, city_server.login("worker")["area"])
    phone = new_page(
        role="worker", phone=True, locale=language, color_scheme=look, **faces.at_spot(*spot)
    )
    phone.goto("/worker/visits")
    phone.locator("a[href='/worker/new']").click()
    expect(phone.locator("#place-map")).to_be_visible()
    expect(phone.locator("[name=how]")).to_have_value("gnss")
    expect(phone.locator("#place-grid")).not_to_be_empty()
    name = f"小吃店{phone.locator('[name=id]').input_value()[:6]}"
    phone.fill("[name=name]", name)
    phone.select_option("[name=kind]", "restaurant")
    shoot(phone, f"worker-new-{language}", full=True)
    assert [*faces.too_wide(phone), *faces.bare_keys(phone), *faces.faults(phone)] == []

    phone.context.set_offline(True)
    phone.locator("#send").click()
    expect(phone.locator("#unsent")).to_be_visible()
    phone.context.set_offline(False)
    phone.locator("#send").click()
    phone.wait_for_url("**/worker/new?register=premises&done=*")
    expect(phone.locator("[name=name]")).to_have_value("")
    phone.locator(".strip-ok a").click()
    expect(phone.locator("h1")).to_contain_text(name)
