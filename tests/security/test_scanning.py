"""The scan of a running city asks each address as somebody whom it answers."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.security.scan import running
from tests.security.scan.city import Caller

#: Path -> who is answered, and how everybody else is sent away.
OPEN_TO = {
    "/desk": ("handler", 403),
    "/planner": ("planner", 302),
    "/closed": ("", 403),
    "/wrong": ("", 422),
}


class City(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        role, otherwise = OPEN_TO[self.path.partition("?")[0]]
        self.send_response(200 if self.headers["Cookie"] == role else otherwise)
        self.send_header("Location", "/sign-in")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), City) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_address_is_asked_as_the_first_role_that_it_answers(url: str) -> None:
    asked = [f"{url}/{one}?q=a" for one in ("desk", "planner", "closed", "wrong")]
    signed_in: list[str] = []

    def caller(role: str) -> Caller:
        signed_in.append(role)
        return Caller(role, role, "token")

    given, unread = running.share_out(caller, ("commander", "planner", "handler"), asked)

    assert {one.role: theirs for one, theirs in given.items()} == {
        "handler": asked[:1],
        "planner": asked[1:2],
        "commander": asked[3:],
    }
    assert unread == asked[2:3]
    assert sorted(signed_in) == ["commander", "handler", "planner"], "once each"
