"""A steward drops a department's table, looks at the map, puts a cell right, takes it over and back."""

import csv
import io
import re

import psycopg
import pytest

from gis.gcj02 import wgs84_to_gcj02
from tests.support import faces
from tests.support.browser import shoot

#: A text key that reached a reader.
KEY = re.compile(r"\b(?:import|data|error|audit|permission)\.[a-z_.]+\b")
#: Drops a file on an element as a hand does: the browser's own event with the file in it.
DROP = """(host, {name, text}) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, {type: 'text/csv'}));
  for (const kind of ['dragenter', 'dragover', 'drop']) host.dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
}"""


@pytest.fixture(scope="module")
def shifted(city_server):
    """Thirty facilities at doors of the city, as a commercial map shows them, and two bad ones."""
    with psycopg.connect(city_server.settings.owner_url) as conn:
        points = conn.execute(
            "SELECT ST_X(geom), ST_Y(geom) FROM address ORDER BY id LIMIT 30"
        ).fetchall()
    out = io.StringIO()
    rows = [(f"第{k}小学", "学校", *(f"{value:.6f}" for value in pair))
            for k, pair in enumerate(wgs84_to_gcj02(points).tolist())]  # fmt: skip
    csv.writer(out).writerows(
        [
            ("设施名称", "设施类型", "经度", "纬度"),
            *rows,
            ("某馆", "占卜馆", "120", "29"),
            ("第九百小学", "占星馆", *rows[3][2:]),
        ]
    )
    return out.getvalue()


@pytest.mark.parametrize(("language", "look"), faces.LOOKS)
def test_a_table_is_dropped_checked_taken_over_and_taken_back(
    new_page, city_server, shifted, language, look
):
    page = new_page(role="steward", locale=language, color_scheme=look)
    code = f"schools-{language[:2].lower()}-{look}"
    wrong = []

    def judge(step):
        shoot(page, f"import-{step}-{language[:2]}-{look}", full=True)
        found = [
            *faces.too_wide(page),
            *faces.faults(page),
            *KEY.findall(page.locator("body").inner_text()),
        ]
        wrong.extend(f"{step}: {one}" for one in found)

    page.goto("/data/imports")
    judge("home")
    page.locator("#drop").evaluate(DROP, {"name": "学校.csv", "text": shifted})
    assert page.locator("#drop-name").inner_text() == "学校.csv"
    page.fill("[name=name]", "教育局")
    page.fill("[name=code]", code)
    page.select_option("[name=target]", "facility")
    page.locator(".import-send button[type=submit]").click()

    page.locator("#map-title").wait_for(timeout=30_000)
    page.locator("#import-map path").first.wait_for(state="attached")
    assert page.input_value("[name=crs]") == "gcj02"
    judge("looked")
    page.locator("form[action$='/check'] button[type=submit]").click()

    page.locator("form[action$='/commit'] button").wait_for(timeout=30_000)
    first = page.locator(".faults input").first
    assert first.evaluate("cell => cell === document.activeElement")
    judge("checked")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.type("学校")
    assert page.locator(".faults .is-changed").get_attribute("name") == "m.33.kind"
    page.keyboard.press("Enter")

    page.locator("#mends-title").wait_for(timeout=30_000)
    page.locator("form[action$='/commit'] button").wait_for(timeout=30_000)
    assert page.locator(".faults tbody tr").count() == 1
    judge("put-right")
    page.locator("form[action$='/commit'] button").click()

    page.locator("form[action$='/undo'] button").wait_for(timeout=30_000)
    judge("taken")
    stored = "SELECT count(*) FROM facility WHERE source = %s"
    with psycopg.connect(city_server.settings.owner_url) as conn:
        assert conn.execute(stored, (f"import:{code}",)).fetchone() == (31,)
    page.locator("form[action$='/undo'] button").click()

    page.locator("#import-wait").wait_for(state="detached", timeout=30_000)
    page.locator(".strip-ok").wait_for(timeout=30_000)
    judge("back")
    with psycopg.connect(city_server.settings.owner_url) as conn:
        assert conn.execute(stored, (f"import:{code}",)).fetchone() == (0,)
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize(("language", "look"), faces.LOOKS)
def test_r48_outlines_are_seen_before_and_after_repair(new_page, city_server, language, look):
    with psycopg.connect(city_server.settings.owner_url) as conn:
        lon, lat = conn.execute(
            "SELECT ST_X(geom), ST_Y(geom) FROM address ORDER BY id LIMIT 1"
        ).fetchone()
    corners = [(0, 0), (4, 4), (4, 0), (0, 4), (0, 0)]
    ring = ", ".join(f"{lon + x * 1e-4:.6f} {lat + y * 1e-4:.6f}" for x, y in corners)
    out = io.StringIO()
    csv.writer(out).writerows(
        [("编号", "建筑类型", "wkt"), ("B1", "住宅", f"POLYGON(({ring}))"), ("B2", "庙宇楼", "")]
    )
    page = new_page(
        role="steward", locale=language, color_scheme=look, viewport={"width": 390, "height": 844}
    )
    page.goto("/data/imports")
    page.locator("#drop").evaluate(DROP, {"name": "房屋.csv", "text": out.getvalue()})
    page.fill("[name=name]", "住建局")
    page.fill("[name=code]", f"houses-{language[:2].lower()}-{look}")
    page.select_option("[name=target]", "building")
    page.locator(".import-send button[type=submit]").click()
    page.locator("#map-title").wait_for(timeout=30_000)
    page.locator("form[action$='/check'] button[type=submit]").click()

    page.locator("#repair-map path").first.wait_for(timeout=30_000)
    shoot(page, f"import-outlines-{language[:2]}-{look}", full=True)
    wrong = [
        *faces.too_wide(page),
        *faces.faults(page),
        *KEY.findall(page.locator("body").inner_text()),
    ]
    page.locator("form[action$='/repair'] button").click()

    page.locator("form[action$='/repair'] [name=on][value='0']").wait_for(
        state="attached", timeout=30_000
    )
    assert page.locator("form[action$='/commit'] button").is_visible()
    assert wrong == [], "\n".join(wrong)


def test_the_menu_is_one_row_on_a_phone_with_the_present_page_in_view(new_page):
    page = new_page(role="steward", viewport={"width": 390, "height": 844})

    for path in ("/data", "/data/imports", "/data/burden"):
        page.goto(path)
        menu = page.locator(".admin-menu").bounding_box()
        here = page.locator(".admin-menu [aria-current]").bounding_box()
        assert menu["height"] < 80
        assert 0 <= here["x"] <= here["x"] + here["width"] <= 390
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shoot(page, "data-menu-phone")
