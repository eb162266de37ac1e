"""The city of the tests runs, and a person signs in to it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.support.browser import shoot


@pytest.mark.parametrize(
    ("role", "path"), [("commander", "/command"), ("worker", "/worker"), ("planner", "/planner")]
)
def test_a_role_lands_on_its_face(new_page: Callable[..., Page], role: str, path: str) -> None:
    page = new_page(role=role, phone=role == "worker")

    assert path in page.url
    shoot(page, f"first-look-{role}")


def test_the_public_page_is_open_to_everybody(phone: Page) -> None:
    answer = phone.goto("/")

    assert answer is not None
    assert answer.status == 200
    shoot(phone, "first-look-public")
