"""A real OpenID provider for the tests: the npm package `oidc-provider`, on loopback."""

import json
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

from app import processes
from app.boot.pages import OIDC, set_up_oidc
from app.boot.tools import stamp
from app.bootstrap import is_done
from app.config import ROOT

FIRST_PORT = 21_100


@dataclass
class OpenIdProvider:
    """Where the provider answers, and what our client is called there."""

    issuer: str
    secret: str
    client_id: str = "wangge"

    def environment(self) -> dict[str, str]:
        """Return the settings with which the platform signs in here."""
        return {
            "WANGGE_OIDC_ISSUER": self.issuer,
            "WANGGE_OIDC_CLIENT_ID": self.client_id,
            "WANGGE_OIDC_CLIENT_SECRET": self.secret,
            "WANGGE_OIDC_NAME": "统一身份",
            "WANGGE_OUTGOING": f"sso={self.issuer} 127.0.0.1/32",
        }

    def visit(self, address: str, login: str, browser: requests.Session | None = None) -> str:
        """Sign in there as a person does; return the address that the browser is sent back to."""
        browser = browser or requests.Session()
        page = _follow(browser, browser.get(address, allow_redirects=False), self.issuer)
        for _ in range(3):
            if not isinstance(page, requests.Response):
                break
            action = urljoin(
                page.url, unescape(re.search(r'<form[^>]* action="([^"]+)"', page.text)[1])
            )
            fields = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
            if 'name="login"' in page.text:
                fields.update(login=login, password="any")
            answer = browser.post(action, data=fields, allow_redirects=False)
            page = _follow(browser, answer, self.issuer)
        assert isinstance(page, str), page.text
        return page


def _follow(
    browser: requests.Session, answer: requests.Response, issuer: str
) -> requests.Response | str:
    """Follow the provider's own redirects; return the address that leaves it, or the page."""
    while answer.is_redirect:
        target = urljoin(answer.url, answer.headers["Location"])
        if not target.startswith(issuer):
            return target
        answer = browser.get(target, allow_redirects=False)
    return answer


@pytest.fixture(scope="session")
def run_openid_provider(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[list[str]], object]:
    """Return a context manager that runs a provider which knows our addresses."""
    if not is_done("oidc"):
        set_up_oidc()
    script = OIDC / "provider.mjs"

    @contextmanager
    def run(backs: list[str]) -> Iterator[OpenIdProvider]:
        shutil.copy(ROOT / "tests/oidc/provider.mjs", script)
        port = processes.free_port(FIRST_PORT + os.getpid() % 400 * 2)
        made = OpenIdProvider(f"http://127.0.0.1:{port}", secrets.token_urlsafe(24))
        env = {
            **os.environ,
            "OIDC_PORT": str(port),
            "OIDC_SECRET": made.secret,
            "OIDC_BACK": json.dumps(backs),
        }
        node = stamp("node") or shutil.which("node") or "node"
        words = Path(tmp_path_factory.mktemp("oidc")) / "words.log"
        with words.open("wb") as log:
            child = subprocess.Popen(
                [node, str(script)], env=env, cwd=OIDC, stdout=subprocess.PIPE, stderr=log
            )
            try:
                assert child.stdout is not None
                while not (line := child.stdout.readline()).startswith(b"ready"):
                    assert line, words.read_text()
                yield made
            finally:
                child.terminate()
                child.wait(15)
                child.stdout.close()

    return run


@pytest.fixture(scope="session")
def openid_provider(run_openid_provider: Callable[[list[str]], object]) -> Iterator[OpenIdProvider]:
    """A provider that sends browsers back to the application of the tests."""
    with run_openid_provider(["http://localhost/sign-in/oidc/back"]) as made:  # type: ignore[attr-defined]
        yield made
