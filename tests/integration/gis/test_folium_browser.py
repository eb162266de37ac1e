"""A map file opened from a disk by a browser without a network."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from gis.folium_map import Assets, MapLayer, map_html

DIST = Path(__file__).parents[3] / "static/node_modules/leaflet/dist"
EVIL = '</script><script>window.ran = 1</script><img src=x onerror="window.ran = 1">'
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield started
        started.close()


@dataclass
class Opened:
    """A page with what it asked for and what went wrong in it."""

    page: Page
    requests: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Opened]:
    if not DIST.exists():
        pytest.skip("Leaflet is not there yet: ./wangge assets fetches it")
    assets = Assets((DIST / "leaflet.js").read_text(), (DIST / "leaflet.css").read_text())
    square = [[[120.0, 29.0], [120.1, 29.0], [120.1, 29.1], [120.0, 29.1], [120.0, 29.0]]]
    grids = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": square},
             "properties": {"name": EVIL}}
        ],
    }  # fmt: skip
    layer = MapLayer(f"网格 {EVIL}", grids, {"name": "名称"}, colour="#1f6feb")
    file = tmp_path / "map.html"
    file.write_text(map_html([layer], assets, title=f"网格图 {EVIL}"), encoding="utf-8")

    opened = Opened(browser.new_context(offline=True).new_page())
    opened.page.on("request", lambda request: opened.requests.append(request.url))
    opened.page.on("pageerror", lambda error: opened.problems.append(str(error)))
    opened.page.goto(file.as_uri())
    opened.page.wait_for_selector(".leaflet-overlay-pane canvas")
    yield opened
    opened.page.context.close()


def middle_pixel(page: Page) -> list[int]:
    colour: list[int] = page.evaluate(
        """() => {
          const canvas = document.querySelector('.leaflet-overlay-pane canvas');
          const spot = canvas.getContext('2d');
          return [...spot.getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data];
        }"""
    )
    return colour


def test_the_shapes_are_drawn_and_nothing_is_requested(opened: Opened) -> None:
    assert middle_pixel(opened.page)[:3] == pytest.approx([0x1F, 0x6F, 0xEB], abs=4)
    assert [url for url in opened.requests if not url.startswith("file:")] == []
    assert opened.problems == []


def test_a_click_shows_the_name_as_text(opened: Opened) -> None:
    opened.page.locator(".folium-map").click()

    popup = opened.page.wait_for_selector(".leaflet-popup-content td")

    assert popup is not None
    assert popup.text_content() == EVIL
    assert opened.page.evaluate("window.ran") is None
