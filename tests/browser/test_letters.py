"""A letter becomes a case by an operator's hands: the category is found, not looked for."""

import re
from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from playwright.sync_api import expect

from app import installation
from app.keys import vault_of
from grids.channels.letter_models import Letter
from tests.support import faces
from tests.support.browser import shoot
from tests.support.city import CityServer


@pytest.fixture
def letter(city_server: CityServer) -> str:
    """Keep a letter as the box does; return its id."""
    letter_id, vault = uuid4(), vault_of(city_server.settings)
    words = {"subject": "路灯不亮", "text": "江滨路的路灯坏了三天。", "sender": "wu@example.cn"}
    sealed = {
        f"{name}_sealed": vault.seal("letter", letter_id, f"{name}_sealed", value)
        for name, value in words.items()
    }
    with installation.owner_session(city_server.settings) as session:
        session.add(
            Letter(
                id=letter_id, box="mail", seen_hash=letter_id.bytes, area_code="339901",
                received_at=datetime.now(UTC), is_confidential=False, **sealed,
            )
        )  # fmt: skip
        session.commit()
    return str(letter_id)


@pytest.mark.parametrize(("language", "phone"), [("zh-CN", False), ("en-GB", True)])
def test_a_category_is_found_by_its_initials_and_the_letter_is_a_case(
    new_page, letter, city_server, language, phone
):
    page = new_page(role="intake", locale=language, phone=phone)
    page.goto(f"/command/letters/{letter}")
    field = page.get_by_role("combobox", name=re.compile("类别|Category"))
    field.press_sequentially("fqcl")  # 废弃车辆
    page.locator(".combo-item").first.wait_for()
    assert [*faces.too_wide(page), *faces.bare_keys(page), *faces.faults(page)] == []
    shoot(page, f"letter-category-{language}")
    field.press("Enter")
    assert page.locator("#category").input_value() == "06034"
    expect(field).to_have_value(re.compile("废弃车辆|bandoned vehicle"))

    with psycopg.connect(city_server.settings.owner_url) as conn:
        address = conn.execute("SELECT text FROM address ORDER BY id LIMIT 1").fetchone()
    page.fill("#address", address[0])
    page.locator(f'form[action$="/letters/{letter}/case"] button[type=submit]').click()

    expect(page.locator('form[action$="/case"]')).to_have_count(0)


def test_a_word_that_names_no_category_leaves_the_field_as_it_was(new_page, letter):
    page = new_page(role="intake")
    page.goto(f"/command/letters/{letter}")
    field = page.get_by_role("combobox", name=re.compile("类别"))
    field.press_sequentially("没有的东西")
    expect(page.locator(".combo-none")).to_be_visible()
    field.blur()

    expect(field).to_have_value("")
    assert page.locator("#category").input_value() == ""
