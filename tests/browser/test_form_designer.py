"""A form from its draft to the next visit: written, costed, approved by a second person, asked."""

import psycopg
import pytest
from playwright.sync_api import expect

from tests.support import faces
from tests.support.browser import shoot

PAGES = ("/data/forms", "/data/forms/new?subject=premises", "/data/questions",
         "/data/questions/edit?subject=premises", "/data/burden")  # fmt: skip


@pytest.mark.parametrize(("language", "look"), faces.LOOKS)
def test_every_page_is_sound(new_page, language, look):
    page = new_page(role="steward", locale=language, color_scheme=look)
    wrong = {}
    for path in PAGES:
        page.goto(path)
        shoot(page, f"forms{path.partition('?')[0].replace('/', '-')}-{language[:2]}-{look}")
        found = [*faces.bare_keys(page), *faces.faults(page)]
        if found:
            wrong[path] = found

    assert wrong == {}


def test_a_form_is_drafted_costed_approved_and_asked_at_the_next_visit(new_page, city_server):
    area = city_server.login("worker")["area"]
    with psycopg.connect(city_server.settings.owner_url) as conn:
        row = conn.execute(
            "SELECT id, kind FROM premises WHERE area_code ^@ %s AND valid_to IS NULL"
            " AND kind IN ('shop', 'restaurant') ORDER BY id DESC LIMIT 1", (area,),
        ).fetchone()  # fmt: skip
    assert row is not None
    shop, kind = row
    steward = new_page(role="steward")
    steward.goto("/data/questions/edit?subject=premises")
    steward.fill("[name=key]", "premises.canopy")
    steward.fill("[name=zh]", "店主的宗教信仰")
    steward.fill("[name=en]", "Is there a canopy?")
    steward.fill("[name=options]", "yes=有/Yes\nno=没有/No")
    steward.click("main form.block button[type=submit]")
    expect(steward.locator(".form-error")).to_contain_text("宗教")
    shoot(steward, "question-refused")
    steward.fill("[name=zh]", "门口有没有雨棚")
    steward.click("main form.block button[type=submit]")
    steward.wait_for_url("**/data/questions?**")

    steward.goto("/data/forms/new?subject=premises")
    steward.fill("[name=form]", "canopy_check")
    steward.fill("[name=zh]", "雨棚安全检查")
    steward.fill("[name=en]", "Check of canopies")
    steward.check(f"[name=kind][value={kind}]")
    steward.check("[name=add][value='premises.canopy']")
    steward.check("[name=add][value='premises.floor_area']")
    steward.click("main form.stack button.btn-primary")
    expect(steward.locator("#cost .figure")).to_contain_text("工时")
    shoot(steward, "form-cost", full=True)
    assert faces.faults(steward) == []
    address = steward.url
    steward.click("a[href$='/edit']")
    shoot(steward, "form-edit", full=True)
    assert faces.faults(steward) == []
    steward.goto(address)
    steward.click("form[action$='/submit'] button")
    expect(steward.locator(".admin-title .badge")).to_have_text("待审批")

    leader = new_page(role="commander")
    leader.goto(address)
    leader.click("button[value=approve]")
    expect(leader.locator(".admin-title .badge")).to_have_text("现行")
    shoot(leader, "form-approved", full=True)
    leader.goto(f"{address}/preview")
    expect(leader.locator(".visit-text").first).to_be_visible()
    shoot(leader, "form-preview")

    phone = new_page(role="worker", phone=True)
    phone.goto(f"/worker/visits/premises/{shop}")
    expect(phone.locator("[data-field='premises.canopy'] .choice")).to_have_count(2)
    expect(phone.locator(".visit-burden")).to_contain_text("雨棚安全检查")
