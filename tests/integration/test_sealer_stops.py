"""The sealer really dies: sensitive functions stop, public reports go on; and what logs hold.

A city of its own with all four processes, for it is hurt.
"""

import http.client
import http.cookiejar
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import requests

from app.config import as_role
from tests.support.cases import photo_bytes
from tests.support.city import CityServer

#: Made up, with the right check digit; and a mobile number.
ID_NUMBER = "330724198806150013"
PHONE = "13957912345"


@pytest.fixture(scope="module")
def city(run_city: Callable[[str], Any]) -> Iterator[CityServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANGGE_AUDIT_LIMIT_S", "3")
        with run_city("sealer") as made:
            made.env["WANGGE_AUDIT_LIMIT_S"] = "3"
            yield made


class Person:
    """Somebody with a browser: cookies, the token of the form, and answers as they are."""

    def __init__(self, city: CityServer, role: str = "") -> None:
        self.city = city
        self.open_url = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )
        self.csrf = ""
        if role:
            login = city.login(role)
            self.post("/sign-in", {"login": login["login"], "password": login["password"]})
            page = self.get("/planner" if role == "planner" else "/command")[1]
            self.csrf = page.split('name="csrf-token" content="')[1].split('"')[0]

    def send(self, request: urllib.request.Request) -> tuple[int, str]:
        try:
            with self.open_url.open(request, timeout=60) as answer:
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.read().decode(errors="replace")
        except http.client.IncompleteRead:
            return 0, ""  # begun before the limit, and cut when its end could not be written

    def get(self, path: str) -> tuple[int, str]:
        return self.send(urllib.request.Request(self.city.url + path))

    def post(self, path: str, form: dict[str, str]) -> tuple[int, str]:
        body = urllib.parse.urlencode({**form, "csrf_token": self.csrf}).encode()
        return self.send(
            urllib.request.Request(self.city.url + path, body, {"Origin": self.city.url})
        )

    def put(self, path: str, value: dict[str, Any]) -> tuple[int, str]:
        headers = {"Content-Type": "application/json", "Origin": self.city.url}
        return self.send(
            urllib.request.Request(
                self.city.url + path, json.dumps(value).encode(), headers, method="PUT"
            )
        )


def place(city: CityServer) -> dict[str, float]:
    with psycopg.connect(city.settings.admin_url) as conn:
        row = conn.execute(
            "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_PointOnSurface(geom) AS p FROM grid_version"
            " ORDER BY id LIMIT 1) AS g"
        ).fetchone()
    assert row is not None
    return {"lon": row[0], "lat": row[1]}


def report(city: CityServer, text: str = "路灯不亮") -> int:
    """Send a report as a citizen does: the form with a photo."""
    form = {"category": "03001", "text": text, "name": "张三", "phone": PHONE, "address": text,
            **{name: str(value) for name, value in place(city).items()}}  # fmt: skip
    answer = requests.put(
        f"{city.url}/api/public/reports/{uuid4()}", form,
        files={"photos": ("one.jpg", photo_bytes(), "image/jpeg")},
        headers={"Accept": "application/json", "Origin": city.url}, timeout=30,
    )  # fmt: skip
    assert answer.status_code == 201, answer.text
    return answer.status_code


def wait_until(city: CityServer, check: Callable[[], bool], limit_s: float = 40) -> None:
    deadline = time.monotonic() + limit_s
    while not check():
        assert time.monotonic() < deadline, city.log("web")
        time.sleep(0.2)


def test_a_dead_sealer_stops_exports_and_grants_and_nothing_else(city: CityServer) -> None:
    planner = Person(city, "planner")
    wait_until(city, lambda: planner.get("/api/export/area.csv")[0] == 200)

    city.kill("sealer")
    wait_until(city, lambda: planner.get("/api/export/area.csv")[0] == 503)
    stopped = json.loads(planner.get("/api/export/area.csv")[1])
    asked = planner.post("/planner/exports/new", {
        "layer": "incident", "format": "csv", "reason": "planning", "note": "积水点整治方案",
    })  # fmt: skip
    reported, signed_in = report(city), Person(city, "planner").csrf
    city.start("sealer")
    wait_until(city, lambda: planner.get("/api/export/area.csv")[0] == 200)

    assert stopped["code"] == "audit.stopped"
    assert asked[0] == 503
    assert reported == 201
    assert signed_in


def test_no_number_of_a_person_reaches_a_log(city: CityServer) -> None:
    planner, nobody = Person(city, "planner"), Person(city)
    evil = f"{ID_NUMBER}\r\nInjected: yes\x1b[31m\u202e{PHONE}"
    word = urllib.parse.quote(evil)
    nobody.post("/sign-in", {"login": evil, "password": ID_NUMBER})
    report(city, f"住户{ID_NUMBER}电话{PHONE}")
    nobody.get(f"/track?number={word}&code={word}")
    for person in (planner, nobody):
        person.get(f"/api/search?q={word}")
        person.get(f"/api/export/area.csv?area={word}&bbox={word}&columns={word}")
        person.get(f"/{word}")
        person.get(f"/api/incidents/{word}")
        person.post("/planner/exports/new", {
            "layer": "area", "format": "csv", "reason": "planning", "note": evil, "area": word,
        })  # fmt: skip
        person.put(f"/api/incidents/{uuid4()}", {"text": evil})
    planner.get(f"/api/export/area.csv?note={word}&reason=planning")

    logs = {path.name: path.read_bytes().decode(errors="replace")
            for path in (city.settings.var_dir / "log").iterdir()}  # fmt: skip
    with psycopg.connect(as_role(city.settings.admin_url, "wangge_auditor", "none")) as conn:
        rows = [
            str(row) for row in conn.execute("SELECT subject, source_ip, detail FROM audit_event")
        ]

    assert rows
    for name, text in [*logs.items(), *(("audit_event", row) for row in rows)]:
        assert ID_NUMBER not in text, name
        assert PHONE not in text, name
        assert "\x1b" not in text, name
        assert "\u202e" not in text, name
        assert not any(line.startswith("Injected") for line in text.splitlines()), name
