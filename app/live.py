"""The live process: server-sent events for thousands of clients, apart from the web workers.

One connection listens for the sealer's wake-up (and polls, should none come), reads what was
sealed since and hands it to every client whose scope holds it. Nothing is read per client:
a thousand open pages cost the database as much as one. The same connection follows who works
on which case at the desk: the table of claims is read whole and compared with the last look,
so that nothing is missed, whatever wake-ups are lost.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
import psycopg
from flask import Flask, Response, g, request
from flask.typing import ResponseReturnValue
from psycopg import sql
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from app.auth import cookie_name
from app.config import Settings
from app.security import dress_live
from app.sign_in_policy import policy_from
from grids import accounts, feed, scope
from grids.accounts import OPEN, Actor, Policy
from grids.db import engine as make_engine
from grids.desk import claims
from grids.desk.claims import LiveClaim

log = logging.getLogger("wangge.live")

#: How late an event may be where every wake-up is lost.
POLL_S: Final = 1.0
RETRY_S: Final = 1.0
KEEP_ALIVE_S: Final = 20.0
#: A sign-out or a changed role ends a stream within this time.
RECHECK_S: Final = 300.0
#: What a client that lagged or was away may be sent again; beyond it loads the page anew.
REMEMBERED: Final = 5_000
QUEUE: Final = 500
STREAMS_PER_ACCOUNT: Final = 20
RELOAD: Final = b"event: reload\ndata: {}\n\n"
HELLO: Final = b"retry: 2000\n: connected\n\n"
KEEP_ALIVE: Final = b": keep-alive\n\n"


@dataclass(frozen=True, eq=False)
class Client:
    """One open stream: what it may see and what waits for it."""

    actor: Actor
    area: str
    language: str
    waiting: queue.Queue[bytes] = field(default_factory=lambda: queue.Queue(QUEUE))

    def sees(self, entry: feed.Entry | LiveClaim) -> bool:
        """Say whether an event lies in the client's scope and in the area it asked for."""
        actor = self.actor
        if actor.department is not None and entry.department_code != actor.department:
            return False
        in_scope = any(entry.area_code.startswith(prefix) for prefix in actor.areas)
        return in_scope and entry.area_code.startswith(self.area)

    def sees_claim(self, claim: LiveClaim) -> bool:
        """Say whether somebody is told who works on a case: seats of the command center."""
        return self.actor.can("command:view") and self.sees(claim)

    def push(self, message: bytes) -> None:
        """Queue a message; a client that does not keep up is told to load the page anew."""
        try:
            self.waiting.put_nowait(message)
        except queue.Full:
            while not self.waiting.empty():
                self.waiting.get_nowait()
            self.waiting.put_nowait(RELOAD)


class Hub:
    """Everybody who listens, and the recent past for those who come back."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("postgresql+psycopg://", "postgresql://")
        self._clients: set[Client] = set()
        self._streams: Counter[int] = Counter()
        self._recent: deque[feed.Entry] = deque(maxlen=REMEMBERED)
        self._claims: dict[UUID, LiveClaim] = {}
        self._last = -1
        self._heard_at = 0.0
        self._is_started = False
        self._lock = threading.Lock()

    @property
    def state(self) -> dict[str, Any]:
        """Return what the health page shows."""
        is_fresh = time.monotonic() - self._heard_at < 3 * POLL_S
        return {"clients": len(self._clients), "feed": self._last, "is_listening": is_fresh}

    def start(self) -> None:
        """Start listening, once, in the process that serves (not in the one that forks it)."""
        with self._lock:
            if not self._is_started:
                self._is_started = True
                threading.Thread(target=self._listen, name="feed", daemon=True).start()

    def join(self, client: Client, last_id: int | None) -> bool:
        """Add a client and queue what it missed; False where it has too many streams."""
        account = client.actor.account_id
        with self._lock:  # an event is either replayed or handed out, never both nor neither
            if self._streams[account] >= STREAMS_PER_ACCOUNT:
                return False
            self._streams[account] += 1
            self._clients.add(client)
            if last_id is not None:
                self._replay(client, last_id)
            for claim in self._claims.values():
                if client.sees_claim(claim):
                    client.push(claim_message(claim))
        return True

    def leave(self, client: Client) -> None:
        """Forget a client whose stream ended."""
        with self._lock:
            self._clients.discard(client)
            self._streams[client.actor.account_id] -= 1

    def _replay(self, client: Client, last_id: int) -> None:
        """Queue what came after an id, or a reload where that is too long ago."""
        if last_id >= self._last >= 0:
            return
        oldest = self._recent[0].no if self._recent else self._last + 1
        if last_id + 1 < oldest:
            client.push(RELOAD)
            return
        for entry in list(self._recent):
            if entry.no > last_id and client.sees(entry):
                client.push(message_of(entry, client.language))

    def _listen(self) -> None:
        """Read the feed as long as the process lives; the database may go and come back."""
        while True:
            try:
                with psycopg.connect(
                    self._url, autocommit=True, application_name="wangge-live"
                ) as conn:
                    scope.state_reader_of_feed(conn)
                    for channel in (feed.CHANNEL, claims.CHANNEL):
                        conn.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                    if self._last < 0:
                        self._remember(conn)
                    while True:
                        self._catch_up(conn)
                        wait_s = self._follow_claims(conn, datetime.now(UTC))
                        self._heard_at = time.monotonic()
                        for _ in conn.notifies(timeout=wait_s, stop_after=1):
                            pass
            except psycopg.Error as error:
                log.warning("the feed cannot be read (%s); trying again", type(error).__name__)
                time.sleep(RETRY_S)

    def _remember(self, conn: psycopg.Connection[Any]) -> None:
        """Load the recent past, so that a restart of this process loses nobody's place."""
        newest = feed.newest(conn)
        self._recent.extend(feed.since(conn, newest - REMEMBERED, limit=REMEMBERED))
        self._last = self._recent[-1].no if self._recent else newest

    def _catch_up(self, conn: psycopg.Connection[Any]) -> None:
        """Hand out everything that was sealed since the last look."""
        while entries := feed.since(conn, self._last, limit=REMEMBERED):
            for entry in entries:
                with self._lock:
                    self._recent.append(entry)
                    self._last = entry.no
                    self._hand_out(entry)
            if len(entries) < REMEMBERED:
                return

    def _follow_claims(self, conn: psycopg.Connection[Any], now: datetime) -> float:
        """Hand out what changed in the claims; returns how long nothing can end by itself."""
        held = claims.claims_now(conn, now)
        with self._lock:
            before, self._claims = self._claims, held
            changed = [(one, False) for key, one in held.items() if before.get(key) != one]
            changed += [(one, True) for key, one in before.items() if key not in held]
            for claim, is_over in changed:
                message = claim_message(claim, is_over=is_over)
                for client in self._clients:
                    if client.sees_claim(claim):
                        client.push(message)
        ends = (one.ends_at for one in held.values())
        first_s = min(((at - now).total_seconds() for at in ends), default=POLL_S)
        return max(0.05, min(POLL_S, first_s))

    def _hand_out(self, entry: feed.Entry) -> None:
        """Write an event once per language and queue it for everybody who may see it."""
        written: dict[str, bytes] = {}
        for client in self._clients:
            if client.sees(entry):
                if client.language not in written:
                    written[client.language] = message_of(entry, client.language)
                client.push(written[client.language])


def message_of(entry: feed.Entry, language: str) -> bytes:
    """Write one event of the stream."""
    payload = entry.payload
    category = payload["category"]
    data = {
        "feed": entry.no,
        **{name: payload[name] for name in (
            "incident", "number", "action", "status", "area", "grid", "lon", "lat", "urgency", "at",
        )},
        "category": {
            "code": category["code"],
            "name": category["zh"] if language == "zh" else category["en"],
        },
    }  # fmt: skip
    return b"id: %d\nevent: incident\ndata: %s\n\n" % (entry.no, msgspec.json.encode(data))


def claim_message(claim: LiveClaim, *, is_over: bool = False) -> bytes:
    """Write who works on a case, or that nobody does any more; it moves no client's place."""
    data: dict[str, Any] = {"id": str(claim.incident_id)}
    if is_over:
        data["free"] = True
    else:
        data |= {"name": claim.name, "account": claim.account_id}
        data["until"] = claim.ends_at.isoformat()
    return b"event: claim\ndata: %s\n\n" % msgspec.json.encode(data)


def create_live_app(settings: Settings | None = None) -> Flask:
    """Make the live application: `/live` and `/healthz`, nothing else."""
    settings = settings or Settings.load()
    app = Flask("live", static_folder=None)
    # A restart brings everybody back at once: they queue for the few connections, they do not fail.
    pool = make_engine(
        settings.database_url, pool_size=8, max_overflow=0, pool_timeout=60, pool_pre_ping=True
    )
    hub = Hub(settings.database_url)
    rules = policy_from(settings)
    app.extensions.update(settings=settings, engine=pool, hub=hub)
    dress_live(app, settings)

    @app.get("/healthz")
    def healthz() -> ResponseReturnValue:
        hub.start()
        return hub.state

    @app.get("/live")
    def live() -> ResponseReturnValue:
        hub.start()
        origin = request.headers.get("Origin")
        if origin is not None and not is_own_page(origin, settings):
            return {"code": "request.forged"}, 403
        token = request.cookies.get(cookie_name(settings), "")
        try:
            actor = caller(pool, token, rules)
        except (OperationalError, PoolTimeout):
            return _allow({"code": "try_again"}, 503, origin)  # the browser tries again
        if actor is None or not actor.can("live:view"):
            return _allow({"code": "sign_in.needed"}, 401 if actor is None else 403, origin)
        client = Client(actor, request.args.get("area", "")[:15], _language())
        if not hub.join(client, _last_id()):
            return _allow({"code": "too_many"}, 429, origin)
        g.client = client
        answer = Response(stream(client, pool, token, rules), mimetype="text/event-stream")
        answer.call_on_close(lambda: hub.leave(client))
        answer.headers.update(
            {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Vary": "Origin"}
        )
        return _with_origin(answer, origin)

    return app


def stream(client: Client, pool: Engine, token: str, rules: Policy = OPEN) -> Iterator[bytes]:
    """Yield what the client may see; ends when the sign-in is over."""
    yield HELLO
    checked_at = time.monotonic()
    while True:
        try:
            yield client.waiting.get(timeout=KEEP_ALIVE_S)
        except queue.Empty:
            yield KEEP_ALIVE
        if time.monotonic() - checked_at > RECHECK_S:
            checked_at = time.monotonic()
            try:
                now = caller(pool, token, rules)
            except (OperationalError, PoolTimeout):
                continue
            if now is None or now != client.actor:
                return


def caller(pool: Engine, token: str, rules: Policy = OPEN) -> Actor | None:
    """Look up who holds the cookie; nothing is written, so listening keeps no sign-in alive."""
    if not token:
        return None
    with Session(pool) as session:
        found = accounts.signed_in(session, token, datetime.now(UTC), rules)
        session.rollback()
    return found.actor.acting("live:view") if found else None


def is_own_page(origin: str, settings: Settings) -> bool:
    """Say whether a page of this site asks: the same host, on the web's port or our own."""
    asking, here = urlsplit(origin), urlsplit(request.host_url)
    if asking.netloc == here.netloc:
        return True
    return asking.hostname == here.hostname and asking.port == settings.web_port


def _last_id() -> int | None:
    """Read where the client left off; browsers send the header, a first page may name it."""
    text = request.headers.get("Last-Event-ID") or request.args.get("last") or ""
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _language() -> str:
    chosen = request.cookies.get("wangge_lang")
    if chosen not in ("zh", "en"):
        chosen = request.accept_languages.best_match(("zh", "en"))
    return chosen or "zh"


def _allow(body: dict[str, str], status: int, origin: str | None) -> Response:
    answer = Response(msgspec.json.encode(body), status, mimetype="application/json")
    return _with_origin(answer, origin)


def _with_origin(answer: Response, origin: str | None) -> Response:
    """Let the page read the answer, cookie and all; no other origin can."""
    if origin is not None:
        answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers["Access-Control-Allow-Credentials"] = "true"
        answer.headers["Vary"] = "Origin"
    return answer
