"""A thousand planted people, looked for as every role, everywhere: nobody is found (S40, S67).

Only who reveals with a purpose sees one, one at a time; that answer is the proof that the search
sees what is there. Slow: a whole running city is walked.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from flask import Flask
from sqlalchemy import text

from app import cluster, create_app, installation, keys
from grids import accounts, layers
from grids.accounts import ROLES
from grids.channels.systems import NewSystem, register
from tests.security.leaks.crawl import ONE_IN, Walk, opened, stream, walk
from tests.security.leaks.finder import Finder
from tests.security.leaks.seeds import MARK, NUMBER, Seeds, plant
from tests.support.cases import photo_bytes
from tests.support.city import CityServer

#: Typed by the test into every form that takes a number: these must not reach a log or a dump.
TYPED_ID, TYPED_PHONE, TYPED_NAME = "110101199003078515", "13812340987", f"{MARK}乙丙"
STRANGER = "stranger"


@dataclass
class Planted:
    """A running city with people in it whom nobody may find."""

    city: CityServer
    app: Flask
    seeds: Seeds
    finder: Finder
    samples: dict[str, list[str]]


@pytest.fixture(scope="module")
def planted(run_city) -> Iterator[Planted]:
    with run_city("leaks") as city:
        with installation.owner_session(city.settings) as session:
            seeds = plant(session, keys.vault_of(city.settings))
            samples = sample_arguments(session)
        app = create_app(city.settings)
        yield Planted(city, app, seeds, Finder(seeds.ids, seeds.phones, seeds.names), samples)
        app.extensions["engine"].dispose()


def sample_arguments(session: Any) -> dict[str, list[str]]:
    """Read arguments that lead to real things."""

    def some(statement: str) -> list[str]:
        return [str(row[0]) for row in session.execute(text(statement))]

    cases = some("SELECT id FROM incident ORDER BY received_at DESC LIMIT 5")
    tiles = [(12, 3413, 1697), (14, 13653, 6789)]
    return {
        "incident_id": cases,
        "report_id": cases[:1],
        "layer_id": [layer.id for layer in layers.LAYERS],
        "ending": ["csv", "geojson", "gpkg", "html"],
        "z": [str(tile[0]) for tile in tiles],
        "x": [str(tile[1]) for tile in tiles],
        "y": [str(tile[2]) for tile in tiles],
        "code": some("SELECT code FROM grid ORDER BY code LIMIT 2")
        + some("SELECT code FROM area ORDER BY code LIMIT 2"),
        "sha256": some("SELECT public_sha256 FROM blob LIMIT 3") or ["0" * 64],
        "person_id": some("SELECT id FROM person ORDER BY id LIMIT 3"),
        "account_id": some("SELECT id FROM account ORDER BY id LIMIT 3"),
    }


def forget_limits(city: CityServer) -> None:
    """Hourly limits are another test's business."""
    with psycopg.connect(city.settings.admin_url, autocommit=True) as conn:
        conn.execute("TRUNCATE rate_count, sign_in_failure")
        conn.execute("UPDATE account SET failed_count = 0, locked_until = NULL")


def shown(done: Walk) -> list[str]:
    return [f"{where}: {hit.kind} {hit.form}" for where, hit in done.leaks][:20]


#: Other systems have a token and no sign-in.
CALLERS = (STRANGER, *(role for role in ROLES if role != "system"))


@pytest.mark.parametrize("role", CALLERS)
def test_no_role_finds_anybody(planted: Planted, role: str) -> None:
    forget_limits(planted.city)
    login = None if role == STRANGER else planted.city.login(role)
    web = opened(planted.city.url, login)

    first = CALLERS.index(role)
    done = walk(planted.city.url, planted.app, web, planted.finder, planted.samples, first)
    heard = stream(planted.city.live_url, web, planted.finder, lambda: report(planted.city.url))

    assert shown(done) == []
    assert shown(heard) == []
    assert done.asked > 100, done.statuses
    assert role == STRANGER or done.statuses.get(200, 0) > 10, done.statuses
    assert done.broken == []


def test_a_token_finds_nobody_either(planted: Planted) -> None:
    forget_limits(planted.city)
    now = datetime.now(UTC)
    signed_in = opened(planted.city.url, planted.city.login("commander"))
    cookie = next(one.value for one in signed_in.cookies if one.name.endswith("wangge"))
    with installation.owner_session(planted.city.settings) as session:
        found = accounts.signed_in(session, str(cookie), now)
        assert found is not None
        token = accounts.create_token(
            session, found.actor, name="walk", scopes=sorted(ROLES["commander"]),
            expires_at=now + timedelta(days=1), now=now,
        )  # fmt: skip
    web = opened(planted.city.url)
    web.headers["Authorization"] = f"Bearer {token}"

    done = walk(planted.city.url, planted.app, web, planted.finder, planted.samples)

    assert shown(done) == []
    assert done.statuses.get(200, 0) > 20, done.statuses


def test_another_system_finds_nobody(planted: Planted) -> None:
    forget_limits(planted.city)
    there = NewSystem("walk", "行走", "Walk")
    with installation.owner_session(planted.city.settings) as session:
        token = register(session, there, now=datetime.now(UTC))
    web = opened(planted.city.url)
    web.headers["Authorization"] = f"Bearer {token}"

    done = walk(planted.city.url, planted.app, web, planted.finder, planted.samples)

    assert shown(done) == []
    assert done.statuses.get(403, 0) > 20, done.statuses


def test_only_who_reveals_for_a_purpose_sees_one_field(planted: Planted) -> None:
    """The search sees what is really there: the entitled answer holds it."""
    forget_limits(planted.city)
    web = opened(planted.city.url, planted.city.login("registrar"))
    page = web.get(f"{planted.city.url}/people", timeout=60)
    token = page.text.partition('name="csrf-token" content="')[2].partition('"')[0]
    person_id, (number, phone) = next(iter(planted.seeds.persons.items()))
    send = {"headers": {"X-CSRF-Token": token}, "timeout": 60}
    address = f"{planted.city.url}/api/people"

    masked = web.post(f"{address}/find", json={"number": number, "purpose": "registration"}, **send)
    bare = web.post(f"{address}/{person_id}/reveal", json={"field": "id_number"}, **send)
    told = web.post(
        f"{address}/{person_id}/reveal",
        json={"field": "id_number", "purpose": "registration"},
        **send,
    )

    assert (masked.status_code, len(masked.json()["persons"])) == (200, 1)
    assert planted.finder.find(masked.content) == []
    assert bare.status_code == 403
    assert planted.finder.find(bare.content) == []
    assert told.status_code == 200, told.text
    assert {hit.value for hit in planted.finder.find(told.content)} == {number}
    assert phone not in told.text


def report(url: str) -> None:
    """Report as a citizen with a name and a number, through the form."""
    page = requests.get(url, timeout=60).text
    report_id = page.partition('name="id" value="')[2].partition('"')[0]
    requests.post(
        url, timeout=60, allow_redirects=False, files={"photos": ("a.jpg", photo_bytes(), "image/jpeg")},
        data={"id": report_id, "category": "01002", "text": "井盖松动", "lon": "120.05", "lat": "29.3",
              "name": TYPED_NAME, "phone": TYPED_PHONE},
    )  # fmt: skip


def type_everywhere(city: CityServer) -> None:
    """Type a number where people type numbers, rightly and wrongly, as strangers and signed in."""
    forget_limits(city)
    report(city.url)
    # Signed in first: the wrong sign-ins below lock the source.
    browsers = (
        opened(city.url),
        opened(city.url, city.login("registrar")),
        opened(city.url, city.login("commander")),
    )
    for value in (TYPED_ID, TYPED_PHONE, TYPED_NAME):
        for web in browsers:
            for path in (
                "/api/search",
                "/track",
                "/api/public/place",
                "/desk",
                "/people",
                "/no-such",
            ):
                web.get(
                    city.url + path, params={"q": value, "code": value, "lon": value}, timeout=60
                )
            for path in (f"/track/{value}", f"/api/areas/{value}", f"/tiles/{value}/1/0/0.mvt"):
                web.get(city.url + path, timeout=60)
            web.post(f"{city.url}/sign-in", data={"login": value, "password": value}, timeout=60)
            web.post(f"{city.url}/api/people/find", json={"number": value}, timeout=60)
            web.put(f"{city.url}/api/public/reports/{value}", json={"phone": [value]}, timeout=60)
            web.get(
                city.url, headers={"User-Agent": value.encode(), "X-Id": value.encode()}, timeout=60
            )


def test_nobody_stands_in_logs_files_or_a_dump(planted: Planted) -> None:
    city = planted.city
    forget_limits(city)
    type_everywhere(city)
    seeds = planted.seeds
    finder = Finder([*seeds.ids, TYPED_ID], [*seeds.phones, TYPED_PHONE], [*seeds.names, MARK])
    found = []

    files = [path for path in city.settings.var_dir.rglob("*") if path.is_file()]
    for path in (*files, *database_logs(city)):
        found += [(path.name, hit) for hit in finder.find(path.read_bytes())]
    dump = dumped(city)
    found += [("dump", hit) for hit in finder.find(dump)]

    assert found == []
    assert len(files) > 4
    assert len(dump) > 1_000_000


def database_logs(city: CityServer) -> list[Path]:
    with psycopg.connect(city.settings.admin_url) as conn:
        row = conn.execute("SELECT current_setting('log_directory')").fetchone()
    return [path for path in Path(str(row[0]) if row else "").glob("*.log") if path.is_file()]


def dumped(city: CityServer) -> bytes:
    done = subprocess.run(
        [cluster.server_bin() / "pg_dump", city.settings.admin_url], capture_output=True, check=True,
        env=cluster.server_environment() or None,
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("place", ["facility", "category"])
def test_a_leak_that_is_planted_is_found(planted: Planted, place: str) -> None:
    """Twin of the walk: one number in one public name, and the walk names it."""
    number = planted.seeds.ids[7]
    statement = {
        "facility": "UPDATE facility SET name = name || %s",
        "category": "UPDATE category SET name_zh = name_zh || %s",
    }[place]
    undo = statement.replace("= name || %s", "= replace(name, %s, '')").replace(
        "= name_zh || %s", "= replace(name_zh, %s, '')"
    )
    forget_limits(planted.city)
    with psycopg.connect(planted.city.settings.admin_url, autocommit=True) as conn:
        conn.execute(statement, (f" {number[:6]}-{number[6:14]}-{number[14:]}",))
        try:
            web = opened(planted.city.url, planted.city.login("commander"))
            found: set[str] = set()
            for first in range(ONE_IN):  # which share meets the name changes with each new page
                done = walk(
                    planted.city.url, planted.app, web, planted.finder, planted.samples, first
                )
                found |= {hit.value for _, hit in done.leaks}
                if found:
                    break
        finally:
            conn.execute(undo, (f" {number[:6]}-{number[6:14]}-{number[14:]}",))

    assert found == {number}
    assert len(planted.seeds.ids) == NUMBER
