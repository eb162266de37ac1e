"""Chromium, driven by Playwright: a desk, a phone, and pictures that are kept."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
    sync_playwright,
)

from app.config import ROOT
from tests.support.city import CityServer

PICTURES = ROOT / "test-artefacts"
#: `WANGGE_TEST_PICTURES=1 ./wangge test tests/browser` keeps a picture of each page.
IS_PICTURED = os.environ.get("WANGGE_TEST_PICTURES") == "1"
#: As long as a page may be waited for; a machine with much to do is slow, not wrong.
WAIT_MS = 60_000
expect.set_options(timeout=WAIT_MS)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
#: Nothing moves: pictures are alike, and a map that nobody looks at costs the processor nothing.
DESK = {
    "viewport": {"width": 1440, "height": 900},
    "locale": "zh-CN",
    "reduced_motion": "reduce",
}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
    "locale": "zh-CN",
    "reduced_motion": "reduce",
}
#: Words of the browser about answers that a test asks for on purpose.
EXPECTED = re.compile(
    r"status of (401|403|404|409|410|413|415|422|429)|net::ERR_(FAILED|INTERNET_DISCONNECTED)$"
)


class Watch:
    """What went wrong in the pages of a context without the test noticing."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def attach(self, context: BrowserContext) -> None:
        context.on("request", self._request)
        context.on("console", self._console)
        context.on("weberror", lambda error: self.problems.append(f"script error: {error.error}"))

    def _request(self, request: Request) -> None:
        host = urlsplit(request.url).hostname
        if host not in (None, "127.0.0.1", "localhost"):
            self.problems.append(f"request to the outside: {request.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not EXPECTED.search(message.text):
            self.problems.append(f"console: {message.text}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the tests of a file.

    Not for the whole run: while it is open the process has an event loop that runs, and
    tests of jobs, which start one of their own, would fail after it.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def new_page(
    browser: Browser, city_server: CityServer, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Page]]:
    """Open pages, each a person of their own; afterwards nothing may have gone wrong in them.

    `new_page(role="dispatcher")` is signed in; `phone=True` is a phone at the worker's place;
    further words go to the browser context.
    """
    opened: list[tuple[BrowserContext, Page]] = []
    watch = Watch()

    def make(*, role: str | None = None, phone: bool = False, **more: Any) -> Page:
        kind = PHONE if phone else DESK
        context = browser.new_context(
            base_url=city_server.url, timezone_id="Asia/Shanghai", **{**kind, **more}
        )
        context.set_default_timeout(WAIT_MS)
        watch.attach(context)
        page = context.new_page()
        opened.append((context, page))
        if role:
            sign_in(page, city_server, role)
        return page

    yield make
    if getattr(request.node, "has_failed", False):
        for number, (_, page) in enumerate(opened):
            _draw(page, f"failed-{request.node.name}-{number}")
    for context, _ in opened:
        context.close()
    assert watch.problems == []


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """Somebody at a desk who is not signed in."""
    return new_page()


@pytest.fixture
def phone(new_page: Callable[..., Page]) -> Page:
    """Somebody with a phone who is not signed in."""
    return new_page(phone=True)


def sign_in(page: Page, city: CityServer, role: str, department: str | None = None) -> None:
    """Fill in the sign-in form as a role."""
    login = city.login(role, department)
    page.goto("/sign-in")
    page.fill("input[name=login]", login["login"])
    page.fill("input[name=password]", login["password"])
    page.click("form[action*='sign-in'] button[type=submit], main form button[type=submit]")
    page.wait_for_url(lambda url: "/sign-in" not in url)


def shoot(page: Page, name: str, *, full: bool = False) -> None:
    """Keep a picture of the page among the artefacts of the tests, where somebody asks for them.

    Drawing whole pages without a graphics card takes minutes of a run that nobody looks at.
    """
    if IS_PICTURED:
        _draw(page, name, full=full)


def _draw(page: Page, name: str, *, full: bool = False) -> None:
    PICTURES.mkdir(exist_ok=True)
    path = PICTURES / f"{re.sub(r'[^a-zA-Z0-9_.-]+', '-', name)}.png"
    page.screenshot(path=path, full_page=full, timeout=60_000)  # a busy machine draws slowly


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Tell fixtures that the test itself failed, so that they keep a picture."""
    report = yield
    if report.when == "call" and report.failed:
        item.has_failed = True  # type: ignore[attr-defined]
    return report
