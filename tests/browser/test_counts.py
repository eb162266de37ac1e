"""Counts of people on their page: a table is refused, taken, published, seen on the map."""

import re
from datetime import UTC, datetime

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.support.browser import shoot
from tests.support.city import CityServer

MONTHS = [f"{year}-{month:02d}" for year, month in ((2025, 11), (2025, 12), (2026, 1), (2026, 2))]


@pytest.fixture(scope="module")
def areas(city_server: CityServer) -> dict[str, list[str]]:
    """The codes of the running city by level."""
    with psycopg.connect(city_server.settings.admin_url) as conn:
        rows = conn.execute("SELECT code FROM area WHERE valid_to IS NULL ORDER BY code").fetchall()
    codes = [row[0] for row in rows]
    return {str(n): [code for code in codes if len(code) == n] for n in (6, 9, 12)}


def table_of(areas: dict[str, list[str]]) -> bytes:
    """Write four months of two kinds for every community."""
    lines = ["区域代码,类别,月份,人数"]
    for at, month in enumerate(MONTHS):
        for place, code in enumerate(areas["12"]):
            lines.append(f"{code},KP01,{month},{40 + 37 * place % 160 + 30 * at}")
            lines.append(
                f"{code},残疾人,{month},{'<10' if place % 5 == 3 else 30 + 11 * place % 90}"
            )
    return ("\n".join(lines) + "\n").encode("gb18030")


def choose(page: Page, name: str, data: bytes) -> None:
    page.set_input_files("#table-file", {"name": name, "mimeType": "text/csv", "buffer": data})


@pytest.fixture(scope="module")
def loaded(city_server: CityServer, areas: dict[str, list[str]], browser) -> None:
    """Let the registrar load a table through the page and the worker publish it."""
    from tests.support.browser import DESK, sign_in

    context = browser.new_context(base_url=city_server.url, **DESK)
    page = context.new_page()
    sign_in(page, city_server, "registrar")
    page.goto("/counts?view=tables")
    choose(page, "counts.csv", table_of(areas))
    expect(page.locator(".outcome.is-good")).to_contain_text("检查通过")
    page.click("#load")
    expect(page.locator(".outcome.is-good")).to_contain_text("已导入")
    shoot(page, "counts-loaded")
    deadline = datetime.now(UTC).timestamp() + 60
    with psycopg.connect(city_server.settings.admin_url, autocommit=True) as conn:
        while datetime.now(UTC).timestamp() < deadline:
            if conn.execute("SELECT count(*) FROM population_told").fetchone()[0]:
                break
            page.wait_for_timeout(300)
        else:
            pytest.fail("the worker published nothing")
    context.close()


def test_a_list_of_persons_is_refused_and_says_where(new_page) -> None:
    page = new_page(role="registrar")
    page.goto("/counts?view=tables")

    rows = "区域代码,类别,月份,人数\n339901001,王小明,2026-02,13912345678\n"
    choose(page, "list.csv", rows.encode())

    refused = page.locator(".outcome.is-refused")
    expect(refused).to_contain_text("像电话号码")
    expect(refused).to_contain_text("像姓名")
    expect(refused).not_to_contain_text("王小明")
    expect(refused).not_to_contain_text("13912345678")
    expect(page.locator("#load")).to_be_disabled()
    shoot(page, "counts-refused")


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("role", ["commander", "town_seat", "planner"])
def test_key_population_stands_beside_the_forces_on_a_map(new_page, role: str) -> None:
    page = new_page(role=role)
    page.goto("/counts")

    expect(page.locator("tr[data-code]").first).to_be_visible()
    expect(page.locator(".map-legend")).to_contain_text("人数")
    page.wait_for_timeout(1500)
    shoot(page, f"counts-{role}")


@pytest.mark.usefixtures("loaded")
def test_one_goes_down_the_tree_and_sees_past_months(new_page) -> None:
    page = new_page(role="commander")
    page.goto("/counts")

    page.locator("tr[data-code] a").first.click()

    expect(page).to_have_url(re.compile(r"area=\d{9}"))
    expect(page.locator(".bars rect")).to_have_count(len(MONTHS))
    expect(page.locator("tr[data-code]").first).to_be_visible()
    shoot(page, "counts-town")


def test_a_group_is_put_together_from_three_choices(new_page) -> None:
    page = new_page(role="planner")
    page.goto("/counts?view=groups")

    page.locator("input[name=residency][value=registered] + span").click()

    expect(page).to_have_url(re.compile("residency=registered"))
    expect(page.locator("tr[data-code]").first).to_be_visible()
    page.wait_for_timeout(1200)
    shoot(page, "counts-groups")


@pytest.mark.usefixtures("loaded")
def test_the_page_fits_a_phone_and_the_dark(new_page) -> None:
    phone = new_page(role="town_seat", phone=True, color_scheme="dark")
    phone.goto("/counts")

    expect(phone.locator("tr[data-code]").first).to_be_visible()
    phone.wait_for_timeout(800)
    width = phone.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    shoot(phone, "counts-phone-dark", full=True)

    desk = new_page(role="commander", color_scheme="dark")
    desk.goto("/lang/en?next=/counts")
    desk.wait_for_timeout(1500)
    shoot(desk, "counts-desk-dark-en")


@pytest.mark.usefixtures("loaded")
def test_the_page_works_without_script(new_page) -> None:
    page = new_page(role="commander", java_script_enabled=False)
    page.goto("/counts")

    page.check("input[name=category][value=KP08]")
    page.click("#picks button[type=submit]")

    expect(page).to_have_url(re.compile("category=KP08"))
    expect(page.locator("tr[data-code]").first).to_be_visible()
