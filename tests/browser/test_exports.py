"""A sensitive export from the request to the trace: planner, commander, security administrator."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import shoot


def open_planner(page: Page, layer: str) -> None:
    page.goto(f"/planner?layer={layer}&format=geojson")
    expect(page.locator("#figures dd").first).not_to_be_empty()


def asked_for_incidents(page: Page) -> None:
    open_planner(page, "incident")
    expect(page.locator(".level-note.is-sensitive")).to_be_visible()
    shoot(page, "exports-locked-layer")
    page.locator("#download").click()
    page.wait_for_url(re.compile("/planner/exports/new"))
    page.select_option("select[name=reason]", "planning")
    page.fill("textarea[name=note]", "积水点整治方案需要近期案件点位")
    shoot(page, "exports-new", full=True)
    page.locator("form.ask-why button[type=submit]").click()
    page.wait_for_url(re.compile("/planner/exports\\?sent=1"))


def test_a_sensitive_export_is_asked_for_approved_taken_and_traced(
    new_page, tmp_path: Path
) -> None:
    planner = new_page(role="planner", accept_downloads=True)
    asked_for_incidents(planner)
    expect(planner.locator(".badge-soon").first).to_be_visible()
    shoot(planner, "exports-own-waiting", full=True)

    commander = new_page(role="commander")
    commander.goto("/command")
    expect(commander.locator("#approvals .badge")).to_have_text("1")
    shoot(commander, "exports-command-notice")
    commander.locator("#approvals").click()
    commander.locator("textarea[name=note]").fill("同意，限本方案使用")
    shoot(commander, "exports-approvals", full=True)
    commander.locator("button[value=approve]").click()
    commander.wait_for_url(re.compile("done=1"))

    planner.goto("/planner/exports")
    take = planner.locator('a[href$="/file"]')
    for _ in range(30):
        if take.count():
            break
        planner.wait_for_timeout(1_000)
        planner.reload()
    shoot(planner, "exports-own-ready", full=True)
    with planner.expect_download() as started:
        take.first.click()
    path = tmp_path / started.value.suggested_filename
    started.value.save_as(path)

    document = json.loads(path.read_text())
    assert document["numberReturned"] == len(document["features"]) > 10
    assert document["watermark"]["number"] in path.name
    assert "planner" in document["watermark"]["recipient"]

    leak = tmp_path / "leak.csv"
    rows = [one["geometry"]["coordinates"] for one in document["features"]]
    leak.write_text("lat,lon\n" + "\n".join(f"{lat:.6f},{lon:.6f}" for lon, lat in rows))
    security = new_page(role="security_admin")
    security.goto("/exports/trace")
    security.set_input_files("input[name=sample]", leak)
    security.locator("main form button[type=submit]").click()
    expect(security.locator(".suspect")).to_have_count(1)
    expect(security.locator(".suspect")).to_contain_text(document["watermark"]["number"])
    shoot(security, "exports-traced", full=True)


def test_open_data_asks_for_nothing(new_page) -> None:
    planner = new_page(role="planner")
    open_planner(planner, "grid")
    expect(planner.locator(".level-note")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_in_both_languages_and_themes(new_page, language: str, theme: str) -> None:
    page = new_page(role="planner", color_scheme=theme)
    page.goto(f"/lang/{language}?next=/planner/exports/new?layer=incident%26format=csv")
    for path in ("/planner/exports/new?layer=incident&format=csv", "/planner/exports"):
        page.goto(path)
        texts = page.locator("body").inner_text()
        assert not re.search(
            r"\b(exports|planner|export_reason|export_state)\.[a-z_0-9A-Z]+\b", texts
        )
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        shoot(page, f"exports-{language}-{theme}-{path.split('?')[0].rsplit('/', 1)[1]}", full=True)


def test_a_phone_shows_the_queue_and_the_requests(new_page) -> None:
    phone = new_page(role="commander", phone=True)
    phone.goto("/exports/approvals")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shoot(phone, "exports-approvals-phone", full=True)
    planner = new_page(role="planner", phone=True)
    planner.goto("/planner/exports/new?layer=incident&format=csv")
    assert planner.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shoot(planner, "exports-new-phone", full=True)
