"""What the browser tests of the phone and desk pages share: photos, places, looks."""

import io
import random
import re
from functools import cache
from typing import Any

import psycopg
from PIL import Image, ImageDraw
from playwright.sync_api import Page

from app.config import ROOT
from tests.support.city import CityServer
from tests.support.depth import share

#: Language and look of a page: each once with every change, each with each in a full run.
LOOKS = tuple(
    share([("zh-CN", "light"), ("zh-CN", "dark"), ("en-GB", "dark"), ("en-GB", "light")], 2)
)
AXE = ROOT / "static/node_modules/axe-core/axe.min.js"
#: A text key that reached a reader: `portal.title`, `photo.ready`.
KEY = re.compile(
    r"\b(?:portal|worker|desk|common|photo|place|near|send|sent|problem|track|check|status|action"
    r"|field|reason|role|urgency|error|due|span|unit|ago)\.[a-z_]+\b"
)
#: Elements that a thumb presses, smaller than it needs: the hit area counts, not the drawing.
SMALL = """size => [...document.querySelectorAll('a, button, select, input, textarea, summary, label')]
  .filter(node => {
    if (node.matches('.skip-link, [type=hidden], .honey *, .leaflet-container *, .visually-hidden')) return false;
    if (node.matches('label') && !node.querySelector('input')) return false;
    if (node.matches('input[type=radio], input[type=checkbox], input[type=file]')) node = node.closest('label') ?? node;
    const box = node.getBoundingClientRect();
    if (!box.width || !box.height || getComputedStyle(node).visibility === 'hidden') return false;
    return box.width < size - 0.5 || box.height < size - 0.5;
  }).map(node => `${node.tagName} ${node.className} ${node.textContent.trim().slice(0, 20)}`)"""
WIDE = """() => [...document.querySelectorAll('body *')]
  .filter(node => node.getBoundingClientRect().right > innerWidth + 1 && node.checkVisibility() && !node.closest('.photo-row, .admin-menu, .leaflet-container, .visually-hidden, .honey, [hidden]'))
  .map(node => `${node.tagName} ${node.className}`)"""
FONT = """selector => Math.min(...[...document.querySelectorAll(selector)]
  .filter(node => node.offsetParent && node.type !== 'file').map(node => parseFloat(getComputedStyle(node).fontSize)))"""


@cache
def camera_photo(seed: int = 1, size: tuple[int, int] = (3000, 2250)) -> bytes:
    """Draw a photo as large as a phone's camera makes it, with a camera's hidden data."""
    dots = random.Random(seed)
    width, height = size
    picture = Image.effect_noise((width // 3, height // 3), 60).resize(size).convert("RGB")
    pen = ImageDraw.Draw(picture)
    for _ in range(200):
        x, y = dots.randrange(width), dots.randrange(height)
        pen.line([x, y, x + 90, y + 30], fill=(90 + seed * 20 % 120, 110, 120), width=9)
    pen.ellipse([width * 0.3, height * 0.3, width * 0.7, height * 0.7], fill=(30, 35, 40))
    exif = Image.Exif()
    exif[0x0110] = "SecretPhone 9"
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90, exif=exif)
    return out.getvalue()


def photo_file(seed: int = 1) -> dict[str, Any]:
    """Return a photo as a file that is chosen in a page."""
    return {"name": f"photo-{seed}.jpg", "mimeType": "image/jpeg", "buffer": camera_photo(seed)}


def spot_in(city: CityServer, area: str) -> tuple[float, float]:
    """Return longitude and latitude of a spot inside a duty grid."""
    with psycopg.connect(city.settings.owner_url) as conn:
        row = conn.execute(
            "SELECT ST_X(p), ST_Y(p) FROM grid AS g JOIN grid_version AS v ON v.grid_id = g.id,"
            " LATERAL ST_PointOnSurface(v.geom) AS p"
            " WHERE g.code = %s AND v.valid @> current_date",
            (area,),
        ).fetchone()
    assert row is not None, f"no grid {area}"
    return row[0], row[1]


def at_spot(lon: float, lat: float, accuracy_m: float = 6) -> dict[str, Any]:
    """Return the context words of a phone that stands there."""
    return {
        "geolocation": {"longitude": lon, "latitude": lat, "accuracy": accuracy_m},
        "permissions": ["geolocation"],
    }


def faults(page: Page) -> list[str]:
    """Return what axe-core finds wrong with a page (WCAG 2.2 AA and best practices)."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['target']}" for rule in found["violations"] for node in rule["nodes"]
    ]


def too_small(page: Page, size: int = 44) -> list[str]:
    """Return what a thumb cannot press well."""
    found: list[str] = page.evaluate(SMALL, size)
    return found


def too_wide(page: Page) -> list[str]:
    """Return what sticks out of the screen."""
    found: list[str] = page.evaluate(WIDE)
    return found


def smallest_text(page: Page, selector: str) -> float:
    """Return the smallest type size of what is visible, in pixels."""
    size: float = page.evaluate(FONT, selector)
    return size


def bare_keys(page: Page) -> list[str]:
    """Return keys that were shown instead of their text."""
    return KEY.findall(page.locator("body").inner_text())
