"""The city that is scanned: an installation of its own, with people of every role signed in."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import psycopg
import requests

from app.config import ROOT, Settings

WEB_PORT: Final = int(os.environ.get("WANGGE_SCAN_PORT", "27100"))
LIVE_PORT: Final = WEB_PORT + 1
#: By its port, so that two parts of a scan can run side by side, each with a city of its own.
VAR: Final = ROOT / "var" / f"scan-city-{WEB_PORT}"


@dataclass(frozen=True)
class Caller:
    """A signed-in browser: its cookie, and the token that its forms carry."""

    role: str
    cookie: str
    csrf: str


@dataclass(frozen=True)
class Scanned:
    """Where the city answers and who is signed in."""

    url: str
    settings: Settings
    logins: list[dict[str, Any]]

    def caller(self, role: str) -> Caller:
        """Sign in as a role, as a browser does."""
        login = next(one for one in self.logins if one["role"] == role)
        with requests.Session() as web:
            web.trust_env = False
            form = {"login": login["login"], "password": login["password"]}
            web.post(f"{self.url}/sign-in", data=form, timeout=60)
            page = web.get(f"{self.url}/account", timeout=60).text
            cookie = "; ".join(f"{one.name}={one.value}" for one in web.cookies)
        token = page.partition('name="csrf-token" content="')[2].partition('"')[0]
        if not token:
            raise RuntimeError(f"{role} cannot sign in")
        return Caller(role, cookie, token)


@contextlib.contextmanager
def city(scale: str = "0.004") -> Iterator[Callable[[], Scanned]]:
    """Lend what starts a demonstration of its own, without hourly limits, once it is wanted.

    What was started is stopped at the end.
    """
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("WANGGE_")},
        "WANGGE_VAR_DIR": str(VAR), "WANGGE_WEB_PORT": str(WEB_PORT),
        "WANGGE_LIVE_PORT": str(LIVE_PORT), "WANGGE_SECOND_FACTOR": "offered",
    }  # fmt: skip
    with contextlib.ExitStack() as ends:

        @cache
        def made() -> Scanned:
            ends.callback(_command, env, "down")
            _command(env, "demo", "--scale", scale)
            (VAR / "log" / "web.log").write_bytes(b"")
            settings = Settings.load(env)
            ports = json.loads((VAR / "run/ports.json").read_text())
            logins = json.loads((VAR / "demo-logins.json").read_text())
            ends.enter_context(_no_limits(settings))
            return Scanned(f"http://127.0.0.1:{ports['web']}", settings, logins)

        yield made


def server_errors() -> list[str]:
    """Return the failures that the city's own log names."""
    path = VAR / "log" / "web.log"
    if not path.exists():
        return []
    lines = path.read_text(errors="replace").splitlines()
    found = []
    for line in lines:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            event = json.loads(line)
            if event["event"] == "request_failed":
                found.append(f"{event['endpoint']} {event['kind']}")
    return sorted(set(found))


@contextlib.contextmanager
def _no_limits(settings: Settings) -> Iterator[None]:
    """Forget counts and locks every few seconds: the scanners shall reach what lies behind them."""
    is_over = threading.Event()

    def forget() -> None:
        while True:
            with (
                contextlib.suppress(psycopg.Error),
                psycopg.connect(settings.admin_url, autocommit=True) as conn,
            ):
                conn.execute("DELETE FROM rate_count")
                conn.execute("DELETE FROM sign_in_failure")
                conn.execute("UPDATE account SET failed_count = 0, locked_until = NULL"
                             " WHERE locked_until IS NOT NULL OR failed_count > 0")  # fmt: skip
            if is_over.wait(3):
                return

    thread = threading.Thread(target=forget, daemon=True)
    thread.start()
    time.sleep(1)
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def _command(env: dict[str, str], *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments], cwd=ROOT, env=env, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{arguments}: {Path(done.stdout).name[-500:]} {done.stderr[-1500:]}")
