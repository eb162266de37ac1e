"""The web's worker: a client that sends slowly holds no thread for long, and few of them at once.

A thread reads a request to its end, so a few hundred connections that send a byte now and then
would hold them all (slowloris). A proxy in front collects requests first; without one, or with
one that does not, this bounds it: nobody waits in a thread who has sent nothing yet, a request
may keep a thread waiting for `GRACE_S` and what its bytes take on a poor line, and one source
holds `MOST_SLOW` threads this way and no more. gunicorn names this class by its path.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.http.unreader import SocketUnreader  # type: ignore[import-untyped]
from gunicorn.workers import gthread  # type: ignore[import-untyped]

#: What a request may keep its thread waiting, and the slowest line that still gets through: a
#: photo of 15 MiB over an edge network comes at ten times that.
GRACE_S: Final = 15.0
SLOWEST_BYTES_PER_S: Final = 2_048
#: Waiting in all that is nothing unusual, and how many requests of one source may go beyond it.
USUAL_S: Final = 0.5
MOST_SLOW: Final = 4
#: Threads that see connections to their end, and how many of those may wait for them.
CLOSERS: Final = 2
MOST_CLOSING: Final = 16
#: Behind proxies of ours every client has the address of the proxy, which collects requests.
HAS_PROXY: Final = os.environ.get("WANGGE_TRUSTED_PROXIES", "0") not in ("", "0")


class SlowClient(ConnectionResetError):
    """The client sends too slowly; gunicorn closes its connection without a word."""

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "the client sends too slowly")


class Seats:
    """How many slow requests each source has in the threads of this process."""

    def __init__(self, most: int) -> None:
        self._most, self._held = most, Counter[str]()
        self._lock = threading.Lock()

    def take(self, source: str) -> bool:
        """Take a seat; False where the source has all of its own."""
        with self._lock:
            if self._held[source] >= self._most:
                return False
            self._held[source] += 1
            return True

    def leave(self, source: str) -> None:
        """Give a seat back."""
        with self._lock:
            self._held[source] -= 1
            if self._held[source] <= 0:
                del self._held[source]


class PatientUnreader(SocketUnreader):  # type: ignore[misc]
    """Reads a request from its socket and counts how long it waited for it."""

    def __init__(self, sock: Any, source: str, seats: Seats, grace_s: float) -> None:
        super().__init__(sock)
        self._source, self._seats, self._grace_s = source, seats, grace_s
        self._waited_s, self._got, self._is_seated = 0.0, 0, False
        self.is_given_up = False  #: it was too slow: nothing more is read or said

    def begin(self) -> None:
        """Start counting anew, for the next request of the connection."""
        self.end()
        self._waited_s, self._got = 0.0, 0

    def end(self) -> None:
        """Give back the seat of a slow request."""
        if self._is_seated:
            self._is_seated = False
            self._seats.leave(self._source)

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Return the next piece. Raises `SlowClient`."""
        while True:
            left_s = self._grace_s + self._got / SLOWEST_BYTES_PER_S - self._waited_s
            if left_s <= 0:
                self.is_given_up = True
                raise SlowClient
            if self._waited_s >= USUAL_S and not self._is_seated and not HAS_PROXY:
                self._is_seated = self._seats.take(self._source)
                if not self._is_seated:
                    self.is_given_up = True
                    raise SlowClient
            began = time.monotonic()
            self.sock.settimeout(min(left_s, USUAL_S))
            try:
                data: bytes = super().chunk(size_hint)
            except TimeoutError:
                continue
            finally:
                self._waited_s += time.monotonic() - began
                self.sock.settimeout(None)
            self._got += len(data)
            return data


class Closer:
    """Closes connections beside the main loop.

    gunicorn waits up to two seconds in its main loop for a client that goes on sending after its
    answer: a few dozen of those would stop the process.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=CLOSERS, thread_name_prefix="closer")
        self._room = threading.BoundedSemaphore(MOST_CLOSING)

    def close(self, sock: socket.socket, *, graceful: bool) -> None:
        """Close a connection; without grace, or where too many wait, at once."""
        if graceful and self._room.acquire(blocking=False):
            self._pool.submit(self._linger, sock)
        else:
            cut(sock)

    def _linger(self, sock: socket.socket) -> None:
        try:
            util.close_graceful(sock)
        finally:
            self._room.release()


def cut(sock: socket.socket) -> None:
    """Close a connection so that the other side's next byte is refused."""
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with suppress(OSError):
        sock.close()


class PatientWorker(gthread.ThreadWorker):  # type: ignore[misc]
    """gunicorn's worker with threads, patient up to a point."""

    grace_s = GRACE_S

    def init_process(self) -> None:
        """Set up what belongs to this process, then serve."""
        self.seats, self.closer = Seats(MOST_SLOW), Closer()
        super().init_process()

    def handle(self, conn: Any) -> Any:
        """Read and answer one request, as gunicorn does, with an eye on the clock."""
        # gunicorn lets a thread wait five seconds for the first byte.
        if not conn.initialized and not conn.data_ready and not conn.wait_for_data(0):
            return gthread._DEFER  # noqa: SLF001 - what gunicorn itself answers then
        conn.sock.setblocking(True)
        try:
            conn.init()
        except OSError:
            return False
        unreader = getattr(conn.parser, "unreader", None)
        if type(unreader) is SocketUnreader:
            unreader = conn.parser.unreader = self._patient(conn, unreader)
        if not isinstance(unreader, PatientUnreader):
            return super().handle(conn)
        unreader.begin()
        try:
            return super().handle(conn)
        finally:
            unreader.end()

    def _patient(self, conn: Any, before: SocketUnreader) -> PatientUnreader:
        source = conn.client[0] if isinstance(conn.client, tuple) else ""
        made = PatientUnreader(conn.sock, source, self.seats, self.grace_s)
        made.buf = before.buf

        def close(*, graceful: bool = False) -> None:
            self.closer.close(conn.sock, graceful=graceful and not made.is_given_up)

        conn.close = close
        return made
