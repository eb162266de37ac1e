"""The planner's page as a planner uses it: choose, look, take away, open elsewhere."""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pyogrio
import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import shoot


@pytest.fixture
def planner(new_page) -> Page:
    page = new_page(role="planner", accept_downloads=True)
    page.goto("/planner")
    expect(page.locator("#figures dd").first).not_to_be_empty()
    return page


def choose(page: Page, name: str, value: str) -> None:
    """Press a choice of the form and wait for what it comes to."""
    with page.expect_response(re.compile(r"/preview\?")):
        page.locator(f'label:has(input[name="{name}"][value="{value}"])').click()
    expect(page.locator("#figures")).not_to_have_class(re.compile("is-old"))


def rows_shown(page: Page) -> int:
    return int(page.locator("#figures dd").first.inner_text().replace(",", ""))


def taken(page: Page, folder: Path) -> Path:
    with page.expect_download() as started:
        page.locator("#download").click()
    path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def test_what_is_counted_is_what_is_taken(planner: Page, tmp_path: Path) -> None:
    choose(planner, "layer", "building")
    counted = rows_shown(planner)

    path = taken(planner, tmp_path)

    document = json.loads(path.read_text())
    assert len(document["features"]) == document["numberReturned"] == counted > 100
    assert "layer=building" in planner.url


def test_a_town_and_a_format_narrow_what_is_taken(planner: Page, tmp_path: Path) -> None:
    choose(planner, "layer", "component")
    everything = rows_shown(planner)
    with planner.expect_response(re.compile(r"/preview\?")):
        planner.locator(".area-row select").nth(1).select_option(index=1)
    choose(planner, "format", "gpkg")
    planner.locator("#crs").select_option("EPSG:4490")
    expect(planner.locator("#figures")).not_to_have_class(re.compile("is-old"))
    planner.wait_for_timeout(500)

    path = taken(planner, tmp_path)

    info = pyogrio.read_info(path)
    assert 0 < info["features"] == rows_shown(planner) < everything
    assert info["crs"] == "EPSG:4490"


def test_twenty_rows_are_shown_and_the_rest_is_named(planner: Page) -> None:
    choose(planner, "layer", "component")

    expect(planner.locator("#rows tbody tr")).to_have_count(20)
    expect(planner.locator("#rows [role=status]")).to_contain_text("20")
    shoot(planner, "planner-component")


def test_a_box_drawn_with_the_mouse_is_part_of_the_address(planner: Page) -> None:
    choose(planner, "layer", "component")
    before = rows_shown(planner)
    planner.locator("#box-tools button").first.click()
    frame = planner.locator("#map").bounding_box()
    assert frame is not None
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    planner.mouse.move(x, y)
    planner.mouse.down()
    planner.mouse.move(x + 60, y + 50, steps=4)
    with planner.expect_response(re.compile(r"/preview\?.*bbox")):
        planner.mouse.up()
    expect(planner.locator("#figures")).not_to_have_class(re.compile("is-old"))

    assert "bbox=" in planner.url
    assert rows_shown(planner) < before
    again = planner.url
    planner.goto(again)
    expect(planner.locator("#figures dd").first).not_to_be_empty()
    assert planner.url == again


def test_the_code_shown_runs_as_it_stands(planner: Page, tmp_path: Path) -> None:
    choose(planner, "format", "csv")
    path = taken(planner, tmp_path)
    planner.get_by_role("tab").nth(1).click()
    code = planner.locator(".snippet pre").first.inner_text()

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert path.name in code
    assert done.returncode == 0, done.stderr
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.DictReader(file))) > 5


def test_a_map_file_opens_without_any_network(planner: Page, new_page, tmp_path: Path) -> None:
    choose(planner, "format", "html")
    path = taken(planner, tmp_path)

    offline = new_page()
    asked: list[str] = []
    offline.on("request", lambda request: asked.append(request.url))
    offline.context.set_offline(True)
    offline.goto(path.as_uri())
    offline.locator(".leaflet-control-layers").wait_for()

    assert asked == [path.as_uri()]
    assert offline.locator("canvas, path.leaflet-interactive").count() > 0
    shoot(offline, "planner-map-file")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_in_both_languages_and_themes(new_page, language: str, theme: str) -> None:
    page = new_page(role="planner", color_scheme=theme)
    page.goto(f"/lang/{language}?next=/planner?layer=building%26format=gpkg")
    expect(page.locator("#rows tbody tr").first).to_be_visible()
    page.wait_for_load_state("networkidle")

    texts = page.locator("body").inner_text()
    assert not re.search(r"\b(planner|column|format|layer)\.[a-z_]+\b", texts)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shoot(page, f"planner-{language}-{theme}")
