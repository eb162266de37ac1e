"""What one caller may take of the server, so that the others are still answered.

Two walls. A caller holds few threads at once: the worst fifty requests of one stand in a line of
their own while everybody else walks past. And the time that requests take is drawn from a purse
that fills slowly: who asks one thing after the other never empties it, whatever it costs.
Both are kept per process, where the threads are; hourly limits are kept in PostgreSQL.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from flask import Flask, Response, g, request

from app.config import Settings
from grids import limits

#: Requests that cost next to nothing, and those that must work when nothing else does.
FREE: Final = frozenset({"static", "health.alive", "health.ready", "auth.sign_out", "i18n.choose"})
#: Seconds of a thread that a caller may use in a burst, and what comes back each second: one
#: browser that waits for its answers never uses more than one a second.
PURSE_S: Final = 60.0
REFILL: Final = 2.0
LONGEST_WAIT_S: Final = 10.0
#: Callers that are remembered; the longest unseen is forgotten first and starts with a full purse.
MOST_CALLERS: Final = 20_000


@dataclass(frozen=True)
class Rate:
    """How often a thing may be asked in an hour, by one account and by one source.

    A source is an address: a hall full of colleagues, or a carrier full of citizens.
    """

    account: int
    source: int


#: Endpoint -> rate. What is not listed here is bounded by the lanes alone.
RATES: Final[Mapping[str, Rate]] = {
    "command.find": Rate(account=3_000, source=30_000),
    "portal.name_place": Rate(account=1_000, source=1_000),
    # Codes of 128 bits cannot be guessed; whoever tries is stopped all the same.
    "portal.follow": Rate(account=600, source=600),
    "portal.get_report": Rate(account=600, source=600),
    "portal.track": Rate(account=600, source=600),
    "incidents.put_blob": Rate(account=400, source=4_000),
    "planner.export": Rate(account=120, source=1_200),
    "planner.export_form": Rate(account=120, source=1_200),
    "people.find_page": Rate(account=200, source=1_000),
    "people.post_find": Rate(account=200, source=1_000),
    "people.post_reporter": Rate(account=60, source=300),
    "people.post_reveal": Rate(account=60, source=300),
    "people.reveal_page": Rate(account=60, source=300),
}


class TooCostly(limits.TooMany):
    """The caller has too much under way, or used more of the server than is its share."""

    code = "too_costly"


@dataclass
class Caller:
    """What one caller has under way and how much is left in the purse."""

    purse_s: float = PURSE_S
    filled_at: float = 0.0
    running: int = 0
    waiting: int = 0
    free: threading.Condition = field(default_factory=threading.Condition)


class Lanes:
    """A line for each caller, in front of the threads of this process."""

    def __init__(self, threads: int) -> None:
        self.most_running = max(2, threads // 4)
        self.most_waiting = max(2, threads - self.most_running - 2)
        #: All lines together: some threads are always left to who comes anew.
        self.most_waiting_of_all = max(2, threads * 3 // 4)
        self._waiting = 0
        self._callers: OrderedDict[str, Caller] = OrderedDict()
        self._lock = threading.Lock()

    def enter(self, name: str) -> Caller:
        """Wait for a place in the caller's lane. Raises `TooCostly`."""
        with self._lock:
            caller = self._of(name)
            self._fill(caller)
            if caller.purse_s <= 0:
                raise TooCostly("the purse is empty", wait_s=round(1 - caller.purse_s / REFILL))
            if caller.running < self.most_running:
                caller.running += 1
                return caller
            is_full = self._waiting >= self.most_waiting_of_all
            if is_full or caller.waiting >= self.most_waiting:
                raise TooCostly("too much is under way", wait_s=1)
            caller.waiting += 1
            self._waiting += 1
        return self._wait(caller)

    def leave(self, caller: Caller, took_s: float) -> None:
        """Give the place to who waits next, and pay."""
        with self._lock:
            caller.running -= 1
            caller.purse_s -= took_s
        with caller.free:
            caller.free.notify()

    def _wait(self, caller: Caller) -> Caller:
        until = time.monotonic() + LONGEST_WAIT_S
        try:
            while True:
                with self._lock:
                    if caller.running < self.most_running:
                        caller.running += 1
                        return caller
                left_s = until - time.monotonic()
                if left_s <= 0:
                    raise TooCostly("too much is under way", wait_s=2)
                with caller.free:
                    # A call to wake up that came just before is made good by looking again.
                    caller.free.wait(min(left_s, 0.05))
        finally:
            with self._lock:
                caller.waiting -= 1
                self._waiting -= 1

    def _of(self, name: str) -> Caller:
        caller = self._callers.get(name)
        if caller is None:
            caller = self._callers[name] = Caller(filled_at=time.monotonic())
        self._callers.move_to_end(name)
        while len(self._callers) > MOST_CALLERS:
            self._callers.popitem(last=False)
        return caller

    def _fill(self, caller: Caller) -> None:
        now = time.monotonic()
        caller.purse_s = min(PURSE_S, caller.purse_s + (now - caller.filled_at) * REFILL)
        caller.filled_at = now


def init_app(app: Flask, settings: Settings) -> None:
    """Let each request through its caller's lane, and count what has an hourly limit."""
    lanes = Lanes(settings.web_threads)
    app.extensions["lanes"] = lanes

    @app.before_request
    def enter() -> None:
        if request.endpoint in FREE:
            return
        g.lane = lanes.enter(caller_name())
        g.lane_since = time.monotonic()
        rate = RATES.get(request.endpoint or "")
        if rate is not None and request.method != "OPTIONS":
            count(request.endpoint or "", rate)

    @app.after_request
    def keep_while_streaming(answer: Response) -> Response:
        caller = g.get("lane")
        if caller is not None and answer.is_streamed:
            # An export holds its thread until the last byte is sent.
            g.lane = None
            since = g.lane_since
            answer.call_on_close(lambda: lanes.leave(caller, time.monotonic() - since))
        return answer

    @app.teardown_request
    def leave(_error: BaseException | None) -> None:
        caller = g.pop("lane", None)
        if caller is not None:
            lanes.leave(caller, time.monotonic() - g.lane_since)


def caller_name() -> str:
    """Name who asks: the account, else the source."""
    actor = g.get("actor")
    return f"a{actor.account_id}" if actor else f"s{limits.source_of(request.remote_addr or '')}"


def count(endpoint: str, rate: Rate) -> None:
    """Count one use of a limited thing, by account and by source. Raises `TooMany`."""
    now = datetime.now(UTC)
    source = limits.source_of(request.remote_addr or "")
    actor = g.get("actor")
    with g.session.begin():
        if actor is not None:
            limits.count_use(
                g.session, f"{endpoint}:a{actor.account_id}", most=rate.account, now=now
            )
        limits.count_use(g.session, f"{endpoint}:s{source}", most=rate.source, now=now)


def retry_after(error: Exception) -> str:
    """Say in seconds when to try again."""
    params: Mapping[str, object] = getattr(error, "params", {})
    with suppress(TypeError, ValueError):
        return str(max(1, int(str(params["wait_s"])))) if "wait_s" in params else "600"
    return "600"
