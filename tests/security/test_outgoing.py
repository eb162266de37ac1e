"""Calls to other servers go where the deployer's list says, and nowhere else (S54)."""

import contextlib
import http.server
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import requests

from app import outgoing
from app.outgoing import (
    Doors,
    OutgoingFailed,
    OutgoingRefused,
    call,
    doors_from,
    is_allowed,
    session,
)


class Server(http.server.BaseHTTPRequestHandler):
    """Answers as its path asks; keeps what was asked."""

    seen: list[str]

    def do_GET(self) -> None:
        self.server.seen.append(self.path)  # type: ignore[attr-defined]
        act = self.path.partition("?")[0].rsplit("/", 1)[-1]
        if act == "elsewhere":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.2/secret")
            self.end_headers()
            return
        self.send_response(200)
        if act == "packed":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        if act == "endless":
            for _ in range(200):
                self.wfile.write(bytes(100_000))
        elif act == "slow":
            for _ in range(100):
                self.wfile.write(b".")
                self.wfile.flush()
                time.sleep(0.05)
        else:
            self.wfile.write(b"map")

    def log_message(self, *_: object) -> None:
        pass


def serve(host: str, port: int) -> http.server.ThreadingHTTPServer:
    made = http.server.ThreadingHTTPServer((host, port), Server)
    made.daemon_threads = True
    made.handle_error = lambda *_: None  # type: ignore[method-assign]
    made.seen = []  # type: ignore[attr-defined]
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    return made


@pytest.fixture
def listed() -> Iterator[http.server.ThreadingHTTPServer]:
    """A server of the intranet that the deployer lists."""
    made = serve("127.0.0.1", 0)
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def secret(listed) -> Iterator[http.server.ThreadingHTTPServer]:
    """Another one, at the same port of another address, that nobody may reach through us."""
    made = serve("127.0.0.2", listed.server_port)
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def doors(listed) -> Doors:
    return doors_from(
        f"maps=http://127.0.0.1:{listed.server_port}/wms 127.0.0.1/32,"
        f" named=http://tiles.city.test:{listed.server_port}/wms 127.0.0.1/32,"
        " public=https://maps.city.example/wmts"
    )


#: Ways to write somewhere else, or our own place in a way that another parser reads differently.
BYPASSES = (
    "http://127.0.0.2:{p}/wms", "http://2130706433:{p}/wms", "http://0177.0.0.1:{p}/wms",
    "http://0x7f.0.0.1:{p}/wms", "http://0x7f000001:{p}/wms", "http://127.1:{p}/wms",
    "http://127.0.1:{p}/wms", "http://017700000001:{p}/wms", "http://127.0.0.1.:{p}/wms",
    "http://[::1]:{p}/wms", "http://[::ffff:127.0.0.1]:{p}/wms", "http://[::ffff:7f00:1]:{p}/wms",
    "http://[0:0:0:0:0:ffff:127.0.0.1]:{p}/wms", "http://[::127.0.0.1]:{p}/wms",
    "http://[fe80::1%25eth0]:{p}/wms", "http://0:{p}/wms", "http://0.0.0.0:{p}/wms",
    "http://localhost:{p}/wms", "http://localhost.:{p}/wms", "http://LOCALHOST:{p}/wms",
    "http://127.0.0.1:{p}@127.0.0.2/wms", "http://127.0.0.2@127.0.0.1:{p}/wms",
    "http://user:pass@127.0.0.1:{p}/wms", "http://127.0.0.1:{p}\\@127.0.0.2/wms",
    "http://127.0.0.1%00.evil.example:{p}/wms", "http://127.0.0.1%2eevil.example:{p}/wms",
    "http://①②⑦.0.0.1:{p}/wms", "http://127。0。0。1:{p}/wms", "http://ⓛocalhost:{p}/wms",
    "http://127.0.0.1:{p}#@127.0.0.2/wms", "http://127.0.0.1:{p}/wms#x", "http:/127.0.0.1:{p}/wms",
    "http:127.0.0.1:{p}/wms", "//127.0.0.1:{p}/wms", "https://127.0.0.1:{p}/wms",
    "ftp://127.0.0.1:{p}/wms", "file:///etc/passwd", "gopher://127.0.0.1:{p}/_GET", "data:,x",
    "dict://127.0.0.1:{p}/", "jar:http://127.0.0.1:{p}!/wms", "http://127.0.0.1:22/wms",
    "http://127.0.0.1:/wms", "http://127.0.0.1/wms", "http://127.0.0.1:{p}/", "http://127.0.0.1:{p}",
    "http://127.0.0.1:{p}/wmsx", "http://127.0.0.1:{p}/wms/../admin", "http://127.0.0.1:{p}/WMS",
    "http://127.0.0.1:{p}/wms/%2e%2e/admin", "http://127.0.0.1:{p}/wms/%252e%252e/admin",
    "http://127.0.0.1:{p}/wms/..%2fadmin", "http://127.0.0.1:{p}/wms/..;/admin/../x",
    "http://127.0.0.1:{p}/wms\r\nHost: evil", "http://127.0.0.1:{p}/wms /x", "http://169.254.169.254/latest",
    "http://metadata.google.internal/", "http://[fd00:ec2::254]/latest", "http://10.0.0.1/", "",
    "http://tiles.city.test.evil.example:{p}/wms", "http://tiles.city.test.:{p}/wms",
    "http://tıles.city.test:{p}/wms", "http://127.0.0.1:{p}/wms/%00", "http://127.0.0.1:+{p}/wms",
    "http://127.0.0.1:0{p}/wms", "http://maps.city.example/wmts", "https://maps.city.example:8443/wmts",
)  # fmt: skip


@pytest.mark.parametrize("url", BYPASSES)
def test_an_address_that_is_not_listed_is_refused(doors: Doors, listed, secret, url: str) -> None:
    asked = url.format(p=listed.server_port)

    with pytest.raises(OutgoingRefused):
        doors.of_url(asked)
    # The library tidies an address before it is sent; what it then asks is within the door.
    with contextlib.suppress(OutgoingRefused, requests.exceptions.RequestException):
        session(doors).get(asked)

    assert secret.seen == []
    assert [path for path in listed.seen if path.split("/")[1] != "wms" or ".." in path] == []


def test_what_is_listed_is_reached(doors: Doors, listed) -> None:
    answer = call(doors.get("maps"), "/capabilities", query={"name": "天 地"})

    assert (answer.status, answer.body) == (200, b"map")
    assert listed.seen == ["/wms/capabilities?name=%E5%A4%A9+%E5%9C%B0"]


def test_a_library_reaches_it_through_its_session(doors: Doors, listed) -> None:
    with session(doors) as web:
        answer = web.get(f"http://127.0.0.1:{listed.server_port}/wms/x", params={"a": "b"})

    assert (answer.status_code, answer.content) == (200, b"map")
    assert listed.seen == ["/wms/x?a=b"]


@pytest.mark.parametrize(
    "path", ["/../admin", "/./x", "//x", "/%2e%2e/x", "/a%2fb", "x", "/x?y", "/a\\b", "/\r\nX: y", "/网"]
)  # fmt: skip
def test_a_path_never_leaves_its_door(doors: Doors, listed, path: str) -> None:
    with pytest.raises(OutgoingRefused):
        call(doors.get("maps"), path)

    assert listed.seen == []


def test_nobody_is_followed(doors: Doors, listed, secret) -> None:
    with pytest.raises(OutgoingFailed):
        call(doors.get("maps"), "/elsewhere")
    with pytest.raises(OutgoingFailed):
        session(doors).get(f"http://127.0.0.1:{listed.server_port}/wms/elsewhere")

    assert secret.seen == []


@pytest.mark.parametrize("act", ["/endless", "/slow", "/packed"])
def test_size_and_time_have_an_end(doors: Doors, act: str) -> None:
    with pytest.raises(OutgoingFailed):
        call(doors.get("maps"), act, longest_s=0.4, most_bytes=1_000_000)


def test_a_name_is_resolved_once_and_that_address_is_called(
    doors: Doors, listed, secret, monkeypatch
) -> None:
    """The second answer of the name would lead to the secret server (DNS rebinding)."""
    real, asked = socket.getaddrinfo, []

    def lookup(host, port, *args, **kwargs):
        if host != "tiles.city.test":
            return real(host, port, *args, **kwargs)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "127.0.0.2", port, *args, **kwargs)

    monkeypatch.setattr(outgoing.socket, "getaddrinfo", lookup)

    answer = call(doors.get("named"))
    with pytest.raises(OutgoingRefused):
        call(doors.get("named"))

    assert answer.body == b"map"
    assert asked == ["tiles.city.test"] * 2
    assert secret.seen == []


@pytest.mark.parametrize(
    "answers", [["10.0.0.1"], ["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["169.254.169.254"],
                ["::1"], ["::ffff:10.0.0.1"], ["fe80::1"], ["64:ff9b::a00:1"], ["2002:7f00:1::"]],
)  # fmt: skip
def test_a_public_name_that_leads_inside_is_refused(doors: Doors, monkeypatch, answers) -> None:
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in answers]
    monkeypatch.setattr(outgoing.socket, "getaddrinfo", lambda *_, **__: rows)

    with pytest.raises(OutgoingRefused):
        call(doors.get("public"))


@pytest.mark.parametrize(
    "address", ["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1",
                "192.168.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
                "::", "::1", "fc00::1", "fe80::1", "ff02::1", "::ffff:192.168.0.1", "64:ff9b::7f00:1",
                "2002:c0a8:1::", "2001:db8::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"],
)  # fmt: skip
def test_addresses_inside_are_not_public(address: str) -> None:
    assert not is_allowed(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "::ffff:93.184.216.34"])
def test_public_addresses_are(address: str) -> None:
    assert is_allowed(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "text", ["x=file:///etc/passwd", "x=http://a:b@c/", "x=http://h/?q=1", "x y=http://h/", "x=http://h/ no",
             "x=http://h/,x=http://i/", "x=http://0x7f.1/", "x=http://h/../y"],
)  # fmt: skip
def test_a_list_with_a_mistake_is_refused_at_start(text: str) -> None:
    with pytest.raises(OutgoingRefused):
        doors_from(text)
