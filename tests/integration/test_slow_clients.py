"""Slow clients (slowloris) against the real web server: the others are answered, they are not."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from app.config import ROOT
from app.processes import free_port
from app.slow_clients import MOST_SLOW, PatientUnreader, Seats, SlowClient
from tests.support.database import Server, environment_for

FIRST_PORT = 21_760
THREADS = 8
SLOW = 60
PATIENCE_S = 90.0
HEAD = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: "
BODY = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 4000\r\n\r\nlogin="


@pytest.fixture(scope="module")
def port(
    server: Server, schema_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """The server as it is delivered, with one process and few threads.

    One for all: whoever was slow must have left nothing behind that holds up the next test.
    """
    name, tmp_path = server.clone(schema_template, "slow"), tmp_path_factory.mktemp("slow")
    found = free_port(FIRST_PORT + os.getpid() % 30)
    env = environment_for(server.url(name), tmp_path / "var", WANGGE_WEB_PORT=str(found),
                          WANGGE_WEB_WORKERS="1", WANGGE_WEB_THREADS=str(THREADS))  # fmt: skip
    command = (sys.executable, "-m", "gunicorn", "--config", str(ROOT / "deploy/gunicorn_web.py"),
               "--worker-class", "tests.support.slow.QuickWorker", "app.wsgi:app")  # fmt: skip
    with (tmp_path / "web.log").open("ab") as log:
        web = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **env}, stdout=log, stderr=log,
            start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not _answers(found):
            assert time.monotonic() < deadline, (tmp_path / "web.log").read_text()[-2000:]
            time.sleep(0.2)
        yield found
    finally:
        os.killpg(web.pid, signal.SIGKILL)
        web.wait()
        server.drop(name)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    with contextlib.closing(connection):
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False


class Slow:
    """Many connections that send a byte now and then and never come to an end."""

    def __init__(self, port: int, beginning: bytes) -> None:
        self.open = [socket.create_connection(("127.0.0.1", port)) for _ in range(SLOW)]
        for one in self.open:
            one.sendall(beginning)
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._drip, daemon=True)
        self.thread.start()

    def _drip(self) -> None:
        while not self.is_over.wait(0.2):
            for one in list(self.open):
                try:
                    one.sendall(b"a")
                except OSError:
                    self.open.remove(one)
                    one.close()

    def __enter__(self) -> Slow:
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.thread.join()
        for one in self.open:
            one.close()


#: A whole request whose sender goes on sending after its answer.
TAIL = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("beginning", [HEAD, BODY, TAIL], ids=["headers", "body", "after"])
def test_slow_clients_hold_up_nobody_and_are_sent_away(port: int, beginning: bytes) -> None:
    with Slow(port, beginning) as slow:
        answered = [_answers(port) for _ in range(20)]
        deadline = time.monotonic() + PATIENCE_S
        while slow.open and time.monotonic() < deadline:
            time.sleep(0.1)

        assert answered == [True] * 20
        assert slow.open == []
    assert _answers(port)


def test_connections_that_say_nothing_hold_no_thread(port: int) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(SLOW):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))

        assert all(_answers(port) for _ in range(5))


class Line:
    """A socket on which pieces arrive after a while each."""

    def __init__(self, *pieces: bytes) -> None:
        self.pieces = list(pieces)
        self.patience: float | None = None

    def settimeout(self, seconds: float | None) -> None:
        self.patience = seconds

    def recv(self, _size: int) -> bytes:
        if not self.pieces:
            time.sleep(0.01)
            raise TimeoutError
        return self.pieces.pop(0)


def test_what_has_come_buys_time_for_the_rest() -> None:
    reader = PatientUnreader(Line(b"x" * 4_096), "10.0.0.1", Seats(1), 0.03)
    assert len(reader.chunk()) == 4_096
    reader._waited_s = 1.0  # two seconds are bought by 4 KiB at 2 KiB/s

    reader.sock.pieces = [b"y"]
    assert reader.chunk() == b"y"
    reader._waited_s = 3.0
    with pytest.raises(SlowClient):
        reader.chunk()


def test_one_source_has_few_seats_and_gives_them_back() -> None:
    seats = Seats(MOST_SLOW)
    readers = [PatientUnreader(Line(b"x"), "10.0.0.1", seats, 15.0) for _ in range(MOST_SLOW + 1)]
    for reader in readers:
        reader._waited_s = 2.0
    for reader in readers[:MOST_SLOW]:
        assert reader.chunk() == b"x"

    with pytest.raises(SlowClient):
        readers[-1].chunk()
    other = PatientUnreader(Line(b"x"), "10.0.0.2", seats, 15.0)
    other._waited_s = 2.0
    assert other.chunk() == b"x"
    readers[0].end()
    assert readers[-1].chunk() == b"x"
