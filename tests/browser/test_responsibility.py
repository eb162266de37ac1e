"""Who is responsible, through the real pages: a quarrel, its decision, a rule that goes live."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, text

from app import installation
from grids.accounts import Account, actor_of
from grids.incidents import service
from grids.incidents.requests import MoveRequest
from tests.support import faces
from tests.support.browser import shoot
from tests.support.city import CityServer

PAGES = ("rules", "arbitrations", "precedents", "moratoria")
WHY = "道路红线内已移交的设施由管养单位负责"


def wrong(page: Page) -> list[str]:
    return [*faces.too_wide(page), *faces.bare_keys(page), *faces.faults(page)]


@pytest.fixture
def quarrel(city_server: CityServer) -> str:
    """Let the department of a case dispute it, as its desk does; return the case's number."""
    with installation.owner_session(city_server.settings) as session:
        case = session.execute(
            text(
                "SELECT i.id, i.number, a.id AS handler FROM incident AS i"
                " JOIN incident_event AS e ON e.incident_id = i.id AND e.action = 'sign'"
                " JOIN account AS a ON a.id = e.actor_id"
                " WHERE i.status = 'handling' AND i.flags = '{}' ORDER BY i.number DESC LIMIT 1"
            )
        ).one()
        account = session.scalars(select(Account).where(Account.id == case.handler)).one()
        handler = actor_of(account, datetime.now(UTC))
        assert handler is not None
        wanted = MoveRequest(id=uuid4(), action="dispute", note="非本单位管养范围")
        service.move(session, case.id, wanted, handler, now=datetime.now(UTC))
    return str(case.number)


def test_a_quarrel_is_decided_and_its_precedent_becomes_a_rule_in_force(new_page, quarrel):
    page = new_page(role="commander")
    page.goto("/command/arbitrations")
    page.locator("tr", has_text=quarrel).locator("a.cover").click()
    page.select_option('[name="department"]', "D06")
    page.fill('[name="facts"]', "设施位于道路红线内，已移交")
    page.fill('[name="why"]', WHY)
    shoot(page, "arbitration-desk", full=True)
    assert wrong(page) == []
    page.locator('form[action$="/decision"] button[type="submit"]').first.click()
    expect(page.locator(".ruling")).to_contain_text(WHY)
    page.goto("/command/precedents")
    expect(page.locator("main")).to_contain_text(WHY)
    shoot(page, "precedents-desk", full=True)
    page.locator('form[action$="/draft"] button').first.click()
    page.wait_for_url("**/command/rules/*?done=draft")
    page.locator('form[action$="/trial"] button').click()
    expect(page.locator(".figures")).to_be_visible(timeout=20_000)
    shoot(page, "trial-desk", full=True)
    assert wrong(page) == []
    page.fill('form[action$="/live"] [name="note"]', "先例转为规则")
    page.locator('form[action$="/live"] button').click()
    expect(page.locator("h1 .badge-ok")).to_be_visible()
    expect(page.locator("main")).to_contain_text("先例转为规则")


def test_a_rule_is_written_and_a_bad_one_is_told_at_its_field(new_page):
    page = new_page(role="commander")
    page.goto("/command/rules")
    page.locator('form[action="/command/rules/drafts"] button').click()
    page.locator('a[href$="/rules/0"]').click()
    page.select_option('[name="kind"]', "matter")
    page.fill('[name="category"]', "没有这个类别")
    page.locator('main form.form button[type="submit"]').first.click()
    expect(page.locator(".field-error").first).to_be_visible()
    assert wrong(page) == []
    page.fill('[name="category"]', "")
    page.locator('[name="category"]').press_sequentially("06")
    page.locator(".combo-item").first.wait_for()
    assert page.locator(".combo-item .small").first.inner_text() == "06"  # a whole class
    page.fill('[name="category"]', "")
    page.locator('[name="category"]').press_sequentially("fqcl")
    page.locator(".combo-item", has_text="06034").click()
    assert page.input_value('[name="category"]').startswith("06034 ")
    page.select_option('[name="band"]', "night")
    page.select_option('[name="department"]', "D04")
    page.fill('[name="why"]', "夜间废弃车辆由交警先行处置")
    shoot(page, "rule-desk", full=True)
    page.locator('main form.form button[type="submit"]').first.click()
    page.wait_for_url("**/command/rules/*?done=rule")
    expect(page.locator("main")).to_contain_text("夜间废弃车辆由交警先行处置")


def test_a_moratorium_is_set_and_ended(new_page):
    page = new_page(role="commander")
    page.goto("/command/moratoria")
    form = page.locator('form[action="/command/moratoria"]')
    first = datetime.now(UTC) + timedelta(days=1)
    for name, value in (
        ("category", "04002"), ("begins_at", f"{first:%Y-%m-%dT%H:%M}"),
        ("ends_at", f"{first + timedelta(days=40):%Y-%m-%dT%H:%M}"), ("reason", "高温期不宜移栽"),
        ("public_note", "秋季统一补植"), ("approved_by", "园林绿化中心"),
    ):  # fmt: skip
        form.locator(f'[name="{name}"]').fill(value)
    form.locator('[name="kind"]').select_option("matter")
    form.locator('button[type="submit"]').click()
    card = page.locator(".quarrel", has_text="秋季统一补植")
    expect(card).to_be_visible()
    card.locator("summary").click()
    card.locator('[name="note"]').fill("提前完成")
    shoot(page, "moratoria-desk", full=True)
    assert wrong(page) == []
    card.locator('button[type="submit"]').click()
    expect(page.locator(".quarrel", has_text="提前完成").first).to_be_visible()


@pytest.mark.parametrize(
    ("language", "look", "phone"), [("zh-CN", "dark", True), ("en-GB", "light", False)]
)  # fmt: skip
def test_the_pages_read_well(new_page, language, look, phone):
    page = new_page(role="commander", phone=phone, locale=language, color_scheme=look)
    found = []
    for name in PAGES:
        page.goto(f"/command/{name}")
        shoot(page, f"{name}-{language[:2]}-{look}-{'phone' if phone else 'desk'}")
        found += wrong(page)

    assert found == []
