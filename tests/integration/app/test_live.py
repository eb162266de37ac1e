"""The live process as it runs: scope, gaps, a database that goes away, other sites' pages."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy.orm import Session

from app import live as module
from app.config import ROOT, Settings, as_role
from app.processes import free_port
from grids import accounts, feed
from grids.accounts import Actor
from grids.db import engine
from grids.desk import claims
from tests.support.cases import Desk, build_city, make_actor, make_staff
from tests.support.database import environment_for

FIRST_PORT = 18_200


@dataclass
class Live:
    """A running live process, the sealer beside it, and people who report."""

    port: int
    web_port: int
    desk: Desk
    admin_url: str

    def report(self, count: int = 1, **more: Any) -> list[str]:
        ids = [str(self.desk.submit(**more)) for _ in range(count)]
        self.desk.session.commit()
        return ids

    def cookie(self, actor: Actor) -> str:
        """Open a session for an account, as the sign-in does."""
        token = uuid4().hex
        now = datetime.now(UTC)
        self.desk.session.add(
            accounts.SignInSession(
                token_hash=accounts.token_hash(token), account_id=actor.account_id,
                csrf_token="-", created_at=now, seen_at=now, ends_at=now + accounts.LONGEST,
            )
        )  # fmt: skip
        self.desk.session.commit()
        return token

    def listen(self, actor: Actor, **headers: str) -> "Stream":
        return Stream(self.port, self.cookie(actor), headers)


class Stream:
    """One open stream of server-sent events."""

    def __init__(self, port: int, token: str, headers: dict[str, str], area: str = "") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        sent = {"Cookie": f"wangge={token}; wangge_lang=en", **headers}
        self.connection.request("GET", f"/live?area={area}", headers=sent)
        self.answer = self.connection.getresponse()

    def events(self, count: int, within_s: float = 20.0) -> list[dict[str, Any]]:
        """Read events until there are so many; reloads count too."""
        found: list[dict[str, Any]] = []
        current: dict[str, Any] = {}
        deadline = time.monotonic() + within_s
        while len(found) < count and time.monotonic() < deadline:
            line = self.answer.readline().decode().rstrip("\n")
            if line.startswith(("id:", "event:", "data:")):
                name, _, value = line.partition(": ")
                current[name] = value
            elif not line and current:
                found.append(current)
                current = {}
        return found

    def incidents(self, count: int) -> list[str]:
        return [json.loads(event["data"])["incident"] for event in self.events(count)]

    def close(self) -> None:
        self.connection.close()


@pytest.fixture(scope="module")
def live(server: Any, schema_template: str, tmp_path_factory: Any) -> Iterator[Live]:
    name = server.clone(schema_template, "live")
    admin_url = server.url(name)
    web_port = free_port(FIRST_PORT + os.getpid() % 40)
    port = free_port(web_port + 1)
    env = environment_for(
        admin_url, tmp_path_factory.mktemp("var"),
        WANGGE_WEB_PORT=str(web_port), WANGGE_LIVE_PORT=str(port),
    )  # fmt: skip
    settings = Settings.load(env)
    command = (sys.executable, "-m", "gunicorn", "--config", str(ROOT / "deploy/gunicorn_live.py"),
               "app.live:create_live_app()")  # fmt: skip
    log = (Path(env["WANGGE_VAR_DIR"]) / "live.log").open("wb")
    made = engine(as_role(admin_url, "wangge_owner", "none"))
    stop = threading.Event()
    sealer = threading.Thread(target=feed.run_sealer, args=(settings.worker_url, stop))
    with Session(made, expire_on_commit=False) as session:
        build_city(session)
        desk = Desk(session, make_staff(session))
        session.commit()
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **env}, stdout=log, stderr=log
        )
        sealer.start()
        try:
            wait_for(port)
            yield Live(port, web_port, desk, admin_url)
        finally:
            stop.set()
            process.terminate()
            process.wait(20)
            sealer.join(20)
            log.close()
    made.dispose()
    server.drop(name)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
            try:
                connection.request("GET", "/healthz")
                if json.loads(connection.getresponse().read())["is_listening"]:
                    return
            except OSError:
                pass
        time.sleep(0.1)
    pytest.fail("the live process does not answer")


def test_a_committed_report_arrives_with_its_place_and_category(live: Live) -> None:
    with closing(live.listen(live.desk.staff["commander"])) as stream:
        started = time.monotonic()
        [case] = live.report()
        [event] = stream.events(1)
        took_s = time.monotonic() - started

    data = json.loads(event["data"])
    assert event["event"] == "incident"
    assert int(event["id"]) == data["feed"]
    assert (data["incident"], data["action"], data["status"]) == (case, "submit", "pending_accept")
    assert (data["lon"], data["lat"], data["grid"]) == (120.05, 29.3, "339901001001001")
    assert data["category"]["name"].isascii()
    assert "digest" not in data
    assert took_s < 10  # under 1 s on a quiet machine; the story in the browser holds 2 s


def test_nobody_hears_of_another_area_or_department(live: Live) -> None:
    east = make_actor(live.desk.session, "intake", area="339901002")
    with (
        closing(live.listen(east)) as stream,
        closing(live.listen(live.desk.staff["handler"])) as handler,
    ):
        live.report()
        [wanted] = live.report(lon=120.15)
        heard = stream.incidents(1)
        [mine] = live.report()
        live.desk.take_to(UUID(mine), "pending_sign")
        live.desk.session.commit()
        [first] = handler.events(1)

    assert heard == [wanted]
    assert json.loads(first["data"])["action"] == "dispatch"


def test_a_client_that_was_away_gets_what_it_missed_once(live: Live) -> None:
    actor = live.desk.staff["commander"]
    with closing(live.listen(actor)) as stream:
        live.report()
        last = stream.events(1)[-1]["id"]
    missed = live.report(50)
    wait_until_sealed(live)

    with closing(live.listen(actor, **{"Last-Event-ID": last})) as stream:
        heard = stream.incidents(50)
        after = live.report()
        heard += stream.incidents(1)

    assert heard == [*sorted_by_feed(live, missed), *after]


def test_an_id_that_is_too_old_asks_for_a_reload(live: Live) -> None:
    hub = module.Hub(as_role(live.admin_url, "wangge_app", "none"))
    hub._recent.extend(feed.Entry(no, "339901", None, {}) for no in range(100, 120))
    hub._last = 119
    client = module.Client(live.desk.staff["commander"], "", "zh")

    hub.join(client, 50)

    assert client.waiting.get_nowait() == module.RELOAD


def test_a_client_that_does_not_read_is_told_to_reload_and_holds_no_memory() -> None:
    actor = Actor(1, "x", frozenset(), frozenset(), ("339901",))
    client = module.Client(actor, "", "zh")

    for no in range(module.QUEUE * 3):
        client.push(b"%d" % no)

    waiting = [client.waiting.get_nowait() for _ in range(client.waiting.qsize())]
    assert module.RELOAD in waiting
    assert len(waiting) <= module.QUEUE


def test_the_stream_goes_on_after_the_database_cut_the_listener(live: Live) -> None:
    with closing(live.listen(live.desk.staff["commander"])) as stream:
        with psycopg.connect(live.admin_url, autocommit=True) as conn:
            conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'wangge-live' AND datname = current_database()"
            )
        sent = live.report()

        assert stream.incidents(1) == sent


def test_polling_alone_is_enough(live: Live) -> None:
    with psycopg.connect(live.admin_url, autocommit=True) as conn:
        with closing(live.listen(live.desk.staff["commander"])) as stream:
            [case] = live.report()
            stream.incidents(1)
            # What nobody was notified of: an entry that appears without the sealer's wake-up.
            conn.execute(
                "INSERT INTO feed SELECT sealed_at, no + 1, incident_id, seq + 1, area_code,"
                " department_code, payload, hash FROM feed ORDER BY no DESC LIMIT 1"
            )
            heard = stream.incidents(1)
        conn.execute("DELETE FROM feed WHERE no > (SELECT no FROM feed_state)")

    assert heard == [case]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://evil.example", 403),
        ("http://127.0.0.1:1", 403),
        ("null", 403),
        ("http://127.0.0.1:{web}", 200),
        (None, 200),
    ],
)
def test_only_our_own_pages_may_listen(live: Live, origin: str | None, status: int) -> None:
    headers = {"Origin": origin.format(web=live.web_port)} if origin else {}
    with closing(live.listen(live.desk.staff["commander"], **headers)) as stream:
        answer = stream.answer

    assert answer.status == status
    if status == 200:
        assert answer.getheader("X-Accel-Buffering") == "no"
        assert answer.getheader("Access-Control-Allow-Origin") == headers.get("Origin")


def test_who_is_not_signed_in_hears_nothing(live: Live) -> None:
    with closing(Stream(live.port, "no-such-token", {})) as stream:
        assert stream.answer.status == 401


def wait_until_sealed(live: Live) -> None:
    with psycopg.connect(live.admin_url, autocommit=True) as conn:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            row = conn.execute(
                "SELECT (SELECT count(*) FROM incident_event) = (SELECT no FROM feed_state)"
            ).fetchone()
            if row == (True,):
                return
            time.sleep(0.1)


def sorted_by_feed(live: Live, cases: list[str]) -> list[str]:
    with psycopg.connect(live.admin_url, autocommit=True) as conn:
        rows = conn.execute(
            "SELECT incident_id::text FROM feed WHERE incident_id = ANY(%s::uuid[]) ORDER BY no",
            (cases,),
        )
        return [row[0] for row in rows]


def test_who_works_on_a_case_is_told_to_the_seats_around_it(live: Live) -> None:
    session, staff = live.desk.session, live.desk.staff
    east = make_actor(session, "town_seat", area="339901002")
    [in_west], [in_east] = live.report(), live.report(lon=120.15)
    wait_until_sealed(live)
    with (
        closing(live.listen(staff["dispatcher"])) as county,
        closing(live.listen(east)) as other_town,
        closing(live.listen(staff["worker"])) as worker,
    ):
        claim(live, "intake", in_west)
        [heard] = county.events(1)
        claims.release(session, staff["intake"], UUID(in_west))
        session.commit()
        [freed] = county.events(1)
        claim(live, "shift_leader", in_east)
        [first_of_east] = other_town.events(1)
        [report] = live.report()
        [first_of_worker] = worker.events(1)

    data = json.loads(heard["data"])
    assert (heard["event"], data["id"], "id" in heard) == ("claim", in_west, False)
    assert (data["name"], data["account"]) == ("intake", staff["intake"].account_id)
    assert datetime.fromisoformat(data["until"]) > datetime.now(UTC)
    assert json.loads(freed["data"]) == {"id": in_west, "free": True}
    assert json.loads(first_of_east["data"])["id"] == in_east
    assert json.loads(first_of_worker["data"])["incident"] == report


def test_a_claim_ends_on_the_stream_by_itself_without_any_wake_up(live: Live) -> None:
    [case] = live.report()
    wait_until_sealed(live)
    with closing(live.listen(live.desk.staff["dispatcher"])) as stream:
        # Told to those who come after it too; it ends a second from now.
        claim(live, "intake", case, ago_s=claims.LASTS.total_seconds() - 2)
        events = [json.loads(event["data"]) for event in stream.events(3, within_s=6)]

    assert [one.get("free", False) for one in events if one.get("id") == case] == [False, True]


def claim(live: Live, role: str, case: str, *, ago_s: float = 0.0) -> None:
    now = datetime.now(UTC) - timedelta(seconds=ago_s)
    claims.claim(live.desk.session, live.desk.staff[role], UUID(case), now=now)
    live.desk.session.commit()
