"""The pictures of the README are taken from the product itself.

`WANGGE_KEEP_PICTURES=1 ./wangge test tests/browser/test_screenshots.py` renews docs/images.
"""

import os
from pathlib import Path

import pytest
from PIL import Image

from tests.support.browser import shoot

IMAGES = Path(__file__).parents[2] / "docs" / "images"
WIDE = {"viewport": {"width": 1440, "height": 900}}


def _keep(path, name):
    """Copy a picture to the documentation, no larger than a page shows it, when asked to."""
    if os.environ.get("WANGGE_KEEP_PICTURES"):
        IMAGES.mkdir(exist_ok=True)
        with Image.open(path) as shot:
            shot.thumbnail((1440, 900))
            shot.convert("RGB").save(IMAGES / f"{name}.png", optimize=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_command_center_shows_map_queue_and_a_grid(new_page, theme):
    page = new_page(role="commander", color_scheme=theme, **WIDE)
    page.goto("/command")
    page.locator(".case-row").first.wait_for()
    page.wait_for_function("() => !document.querySelector('.map-busy, .skeleton')")

    assert page.locator(".case-row").count() > 5
    _keep(shoot(page, f"command-{theme}"), f"command-{theme}")


def test_the_worker_sees_the_tasks_of_the_day(new_page):
    page = new_page(role="worker", phone=True)
    page.goto("/worker/")

    assert page.locator("main").inner_text()
    _keep(shoot(page, "worker"), "worker")


def test_anybody_can_report_from_the_first_page(new_page):
    page = new_page(phone=True)
    page.goto("/")

    assert page.locator("form input[type=file]").count() >= 1
    _keep(shoot(page, "public"), "public")
