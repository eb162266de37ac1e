"""Walks a running city as one caller: every route, every link, every error, the stream."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests
from flask import Flask
from werkzeug.routing import Rule

from tests.security.leaks.finder import Finder, Hit
from tests.support.depth import IS_FULL, share

#: Addresses that one caller visits by following links, beside the routes themselves.
MOST_LINKS: Final = 120 if IS_FULL else 50
#: With every change a caller asks one address in so many; callers that begin at different ones
#: ask every address between them.
ONE_IN: Final = 3
MOST_OF_A_KIND: Final = 5
STREAM_S: Final = 3.0
_LINK: Final = re.compile(r"""(?:href|src|data-url|data-href|action)=["']([^"'#]+)""")
#: These end what the walk needs: the sign-in itself.
ENDS: Final = re.compile(
    r"sign_out|end_|delete_|revoke|disable|password|reset|lock|factor|elder|choose"
)


@dataclass
class Walk:
    """What a caller asked and what was found in the answers."""

    asked: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    leaks: list[tuple[str, Hit]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def opened(url: str, login: dict[str, Any] | None = None) -> requests.Session:
    """Open a browser's session, signed in where a login is given."""
    web = requests.Session()
    web.trust_env = False
    web.headers["Accept-Language"] = "zh"
    if login:
        form = {"login": login["login"], "password": login["password"]}
        answer = web.post(f"{url}/sign-in", data=form, timeout=60)
        assert "sign-in" not in urlsplit(answer.url).path, f"{login['login']} cannot sign in"
    return web


def addresses(app: Flask, samples: dict[str, list[str]]) -> Iterator[tuple[str, Rule]]:
    """Yield addresses of every rule, one for each of its sample arguments."""
    for rule in app.url_map.iter_rules():
        names = re.findall(r"<(?:(\w+)(?:\(([^)]*)\))?:)?(\w+)>", rule.rule)
        if not names:
            yield rule.rule, rule
            continue
        found = [
            [word.strip() for word in choices.split(",")] if choices else samples.get(
                f"{rule.endpoint}:{name}", samples.get(name, ["1" if kind == "int" else "x"])
            )
            for kind, choices, name in names
        ]  # fmt: skip
        for number in range(max(map(len, found))):
            values = [each[number % len(each)] for each in found]
            path = rule.rule
            for (kind, choices, name), value in zip(names, values, strict=True):
                shown = f"<{kind}{f'({choices})' if choices else ''}{':' if kind else ''}{name}>"
                path = path.replace(shown, str(value), 1)
            yield path, rule


def walk(
    url: str, app: Flask, web: requests.Session, finder: Finder, samples: dict[str, list[str]],
    first: int = 0,
) -> Walk:  # fmt: skip
    """Ask every route with every sample, follow what the pages name, and provoke errors."""
    done = Walk()
    asked = list(share(addresses(app, samples), ONE_IN, first))
    seen: set[str] = set()
    waiting: deque[str] = deque()
    token = ""
    for path, rule in asked:
        if "GET" in (rule.methods or ()) and rule.endpoint != "static" and path not in seen:
            if ENDS.search(rule.endpoint):
                continue
            seen.add(path)
            answer = _ask(done, finder, web, "GET", url + path)
            token = token or _token(answer)
            waiting.extend(_links(answer, url))
    of_a_kind: dict[str, int] = {}
    while waiting and sum(of_a_kind.values()) < MOST_LINKS:
        path = waiting.popleft()
        kind = re.sub(r"[0-9a-f-]{8,}|\d+|=[^&]*", "*", path)
        if path in seen or of_a_kind.get(kind, 0) >= MOST_OF_A_KIND or "sign-out" in path:
            continue
        of_a_kind[kind] = of_a_kind.get(kind, 0) + 1
        seen.add(path)
        waiting.extend(_links(_ask(done, finder, web, "GET", url + path), url))
    _provoke(url, asked, web, finder, done, token)
    return done


def _provoke(
    url: str, found: list[tuple[str, Rule]], web: requests.Session, finder: Finder, done: Walk,
    token: str,
) -> None:  # fmt: skip
    """Send what no route takes: nothing, half a body, the wrong method, a body of another kind."""
    asked: set[tuple[str, str]] = set()
    for path, rule in found:
        for method in sorted((rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}):
            if ENDS.search(rule.endpoint) or (method, rule.rule) in asked:
                continue
            asked.add((method, rule.rule))
            for body in (b"{}", b'{"id": ['):
                _ask(
                    done, finder, web, method, url + path, data=body,
                    headers={"Content-Type": "application/json", "X-CSRF-Token": token},
                )  # fmt: skip
            _ask(done, finder, web, method, url + path, data={"csrf_token": token})
            _ask(done, finder, web, "TRACE", url + path)


def stream(url: str, web: requests.Session, finder: Finder, cause: Callable[[], None]) -> Walk:
    """Listen to the live stream while something happens."""
    done = Walk()
    with suppress(requests.RequestException):
        answer = web.get(f"{url}/live", stream=True, timeout=STREAM_S)
        done.asked = 1
        done.statuses[answer.status_code] = 1
        cause()
        until, heard = time.monotonic() + STREAM_S, b""
        try:
            for piece in answer.iter_content(4096):
                heard += piece
                if time.monotonic() > until:
                    break
        finally:
            done.leaks += [("live stream", hit) for hit in finder.find(heard)]
            answer.close()
    return done


def _ask(
    done: Walk, finder: Finder, web: requests.Session, method: str, url: str, **more: Any
) -> requests.Response:
    answer = web.request(method, url, timeout=120, allow_redirects=False, **more)
    done.asked += 1
    done.statuses[answer.status_code] = done.statuses.get(answer.status_code, 0) + 1
    if answer.status_code == 500:
        done.broken.append(f"{method} {url}")
    heads = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    for hit in (*finder.find(answer.content), *finder.find(heads.encode())):
        done.leaks.append((f"{method} {urlsplit(url).path} {answer.status_code}", hit))
    return answer


def _links(answer: requests.Response, url: str) -> list[str]:
    if "html" not in answer.headers.get("Content-Type", ""):
        return []
    found = []
    for link in _LINK.findall(answer.text):
        parts = urlsplit(urljoin(answer.url, link.replace("&amp;", "&")))
        if f"{parts.scheme}://{parts.netloc}" == url and not parts.path.startswith("/assets/"):
            found.append(parts.path + (f"?{parts.query}" if parts.query else ""))
    return found


def _token(answer: requests.Response) -> str:
    found = re.search(r'name="csrf-token" content="([^"]+)"', answer.text[:5_000])
    return found[1] if found else ""
