"""The one door for calls to other servers: base maps, webhooks, a sign-in provider.

Where a call may go is the deployer's list, by an id; what a person types never chooses a host.
The name is resolved once and the connection is made to the address that was checked, so a name
that answers differently the second time (DNS rebinding) gains nothing. Nothing is followed.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlencode, urlsplit

import requests
from requests.adapters import BaseAdapter

from grids.errors import GridsError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MOST_BYTES: Final = 5 * 1024 * 1024
LONGEST_S: Final = 10.0
CONNECT_S: Final = 3.0
_PIECE: Final = 64 * 1024
_PORTS: Final = {"http": 80, "https": 443}
#: Host names as DNS has them; every other way of writing a number or a name is refused.
_NAME: Final = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)
_NUMBER: Final = re.compile(r"(0x[0-9a-f]*|\d+)(\.(0x[0-9a-f]*|\d+))*")
_PATH: Final = re.compile(r"[A-Za-z0-9/._~!$&'()*+,;=:@%-]*")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")


class OutgoingRefused(GridsError):
    """The address is not one that this installation may call."""

    code = "outgoing.refused"


class OutgoingFailed(GridsError):
    """The other server does not answer, answers too much, or sends us elsewhere."""

    code = "outgoing.failed"


@dataclass(frozen=True)
class Door:
    """One place that may be called: scheme, host and port are fixed, and where the path begins."""

    id: str
    scheme: str
    host: str
    port: int
    path: str
    #: Networks inside the house in which the host may lie; empty: public addresses only.
    networks: tuple[Network, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Doors:
    """The deployer's list."""

    by_id: Mapping[str, Door] = field(default_factory=dict)

    def get(self, door_id: str) -> Door:
        """Return a door by its id. Raises `OutgoingRefused`."""
        if door_id not in self.by_id:
            raise OutgoingRefused("no such address is listed", field="id")
        return self.by_id[door_id]

    def of_url(self, url: str) -> tuple[Door, str, str]:
        """Return the door that an address goes through, with path and query within it.

        Raises `OutgoingRefused` for every address that is not written as the list has it.
        """
        parts = _strict(url)
        host, port = _host_port(parts)
        for door in self.by_id.values():
            here = (parts.scheme, host, port) == (door.scheme, door.host, door.port)
            if here and (parts.path == door.path or parts.path.startswith(f"{door.path}/")):
                rest = parts.path.removeprefix(door.path)
                _check_path(rest)
                return door, rest, parts.query
        raise OutgoingRefused("no such address is listed", field="url")


def doors_from(text: str) -> Doors:
    """Read the setting: `id=address [network ...]`, entries with commas between.

    >>> doors = doors_from("hook=https://hooks.city.cn/wangge, maps=http://10.1.2.3:81 10.1.2.3/32")
    >>> doors.get("maps").port
    81

    Raises `OutgoingRefused` for an entry that is not written plainly.
    """
    found: dict[str, Door] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        door_id, _, rest = entry.partition("=")
        url, *networks = rest.split()
        parts = _strict(url)
        host, port = _host_port(parts)
        _check_path(parts.path)
        if parts.query or not door_id.isidentifier() or door_id in found:
            raise OutgoingRefused(f"{door_id[:40]!r} is listed twice or not well", field="outgoing")
        try:
            inside = tuple(ipaddress.ip_network(network) for network in networks)
        except ValueError:
            raise OutgoingRefused(f"{door_id}: no network", field="outgoing") from None
        found[door_id] = Door(door_id, parts.scheme, host, port, parts.path.rstrip("/"), inside)
    return Doors(found)


def call(
    door: Door,
    path: str = "",
    *,
    query: Mapping[str, str] | str = "",
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    most_bytes: int = MOST_BYTES,
    longest_s: float = LONGEST_S,
) -> Answer:
    """Call a listed place. Raises `OutgoingRefused` and `OutgoingFailed`.

    The time limit holds for the whole call: a server that sends a byte a second is left.
    """
    _check_path(path)
    text = query if isinstance(query, str) else urlencode(query)
    target = f"{door.path}{path}" or "/"
    until = time.monotonic() + longest_s
    connection = _Checked(door, until)
    try:
        connection.request(
            method,
            f"{target}?{text}" if text else target,
            body=body,
            # Packed answers would have to be unpacked before their size is known.
            headers={"Accept-Encoding": "identity", "User-Agent": "wangge", **(headers or {})},
        )
        answer = connection.getresponse()
        if 300 <= answer.status < 400:
            raise OutgoingFailed("the server sends us elsewhere", door=door.id)
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise OutgoingFailed("the server packs its answer", door=door.id)
        return Answer(answer.status, dict(answer.headers), _read(connection, answer, most_bytes))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise OutgoingFailed(f"no answer ({type(error).__name__})", door=door.id) from error
    finally:
        connection.close()


class _Checked(http.client.HTTPConnection):
    """A connection to the address that was checked, whatever the name says a moment later."""

    def __init__(self, door: Door, until: float) -> None:
        super().__init__(door.host, door.port, timeout=CONNECT_S)
        self.door = door
        self.until = until

    def connect(self) -> None:
        """Resolve once, check, and connect to that very address."""
        address = resolve(self.door)
        self.sock = socket.create_connection((str(address), self.door.port), timeout=CONNECT_S)
        if self.door.scheme == "https":
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.door.host)
        self.hurry()

    def hurry(self) -> None:
        """Let the next read end when the time of the whole call is over."""
        left_s = self.until - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        if self.sock is not None:
            self.sock.settimeout(left_s)


def _read(connection: _Checked, answer: http.client.HTTPResponse, most: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        connection.hurry()
        piece = answer.read1(_PIECE)
        if not piece:
            return b"".join(pieces)
        size += len(piece)
        if size > most:
            raise OutgoingFailed(f"the answer has more than {most} bytes")
        pieces.append(piece)


def resolve(door: Door) -> Address:
    """Return the address to connect to. Raises `OutgoingRefused` where any of them is not allowed.

    A host of a list may lie inside the house only in a network that its entry names.
    """
    try:
        rows = socket.getaddrinfo(door.host, door.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise OutgoingFailed("the name is not known", door=door.id) from error
    addresses = [ipaddress.ip_address(str(row[4][0]).partition("%")[0]) for row in rows]
    if not addresses or not all(is_allowed(address, door.networks) for address in addresses):
        raise OutgoingRefused("the name leads to an address that may not be called", door=door.id)
    return addresses[0]


def is_allowed(address: Address, networks: tuple[Network, ...] = ()) -> bool:
    """Say whether an address may be called: public, or in a network that is listed."""
    plain = _embedded(address)
    if networks:
        return any(plain.version == one.version and plain in one for one in networks)
    return plain.is_global and not plain.is_multicast and not plain.is_reserved


def _embedded(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one stands for, through whatever gateway."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo or address


# --- Addresses as text --------------------------------------------------------------------


def _strict(url: str) -> SplitResult:
    """Take an address apart; refuse what two parsers could read in two ways."""
    is_plain = url.isascii() and url.isprintable() and not set(url) & set(' \\<>"{}|^`#')
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        is_plain = False
    if not is_plain or parts.scheme not in _PORTS or not url.startswith(f"{parts.scheme}://"):
        raise OutgoingRefused("the address is not written plainly", field="url")
    if "@" in parts.netloc or parts.netloc.endswith(":") or not parts.hostname:
        raise OutgoingRefused("the address is not written plainly", field="url")
    return parts


def _host_port(parts: SplitResult) -> tuple[str, int]:
    """Return host and port; numbers only as four decimals or as IPv6 in brackets."""
    host = parts.hostname or ""
    netloc = parts.netloc.rpartition(":")[0] if parts.port is not None else parts.netloc
    try:
        number = ipaddress.ip_address(host)
        is_plain = netloc == (f"[{number}]" if number.version == 6 else str(number))
    except ValueError:
        is_plain = bool(_NAME.fullmatch(host)) and not _NUMBER.fullmatch(host)
        is_plain = is_plain and netloc.lower() == host
    if not is_plain:
        raise OutgoingRefused("the host is not written plainly", field="url")
    if parts.port is not None and not parts.netloc.endswith(f":{parts.port}"):
        raise OutgoingRefused("the port is not written plainly", field="url")
    return host, parts.port if parts.port is not None else _PORTS[parts.scheme]


def _check_path(path: str) -> None:
    """Refuse a path that leaves where its door begins, written in whatever way."""
    decoded = unquote(unquote(path))
    is_plain = _PATH.fullmatch(path) and (not path or path.startswith("/"))
    is_out = (
        "//" in decoded
        or "\\" in decoded
        or any(part.partition(";")[0] in (".", "..") for part in decoded.split("/"))
        or re.search(r"%(2f|5c|00)", path, re.IGNORECASE)
        or any(ord(letter) < 32 for letter in decoded)
    )
    if not is_plain or is_out:
        raise OutgoingRefused("the path is not written plainly", field="path")


class DoorAdapter(BaseAdapter):
    """Lets a library that speaks through `requests` use the door and nothing else."""

    def __init__(self, doors: Doors) -> None:
        super().__init__()
        self._doors = doors

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Send a prepared request through its door."""
        door, path, query = self._doors.of_url(request.url or "")
        body = request.body.encode() if isinstance(request.body, str) else request.body
        kept = {k: str(v) for k, v in request.headers.items() if k.lower() != "accept-encoding"}
        answer = call(
            door, path, query=query, method=request.method or "GET", body=body, headers=kept
        )
        made = requests.Response()
        made.status_code, made.url, made.request = answer.status, request.url or "", request
        made.reason = HTTPStatus(answer.status).phrase if answer.status in list(HTTPStatus) else ""
        made.headers.update(answer.headers)
        made._content = answer.body  # noqa: SLF001 - requests offers no other way in
        return made

    def close(self) -> None:
        """Nothing is kept open."""


def session(doors: Doors) -> requests.Session:
    """Make a `requests` session that can reach listed places only."""
    made = requests.Session()
    made.trust_env = False  # no proxy and no .netrc of the machine
    made.mount("http://", DoorAdapter(doors))
    made.mount("https://", DoorAdapter(doors))
    made.max_redirects = 0
    return made
