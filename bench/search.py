"""One box over the full city: addresses, enterprises, components, initials, a person; grids' profiles.

Every figure is an answer of the application, signed in, in scope, to words taken from the city
itself, each asked once: first whole, then as people type them, cut short and misspelt. A word
that does not find what it was taken from ends the run. The base numbers of every grid are
compared with what stands in the tables.
"""

from __future__ import annotations

import gc
import math
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

import psycopg
from flask import Flask
from flask.testing import FlaskClient
from psycopg import sql
from pypinyin import Style, lazy_pinyin
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import create_app
from app.auth import cookie_name
from app.config import as_role
from app.keys import vault_of
from bench import Result
from bench.addresses import CLEAN
from bench.city import BenchCity
from bench.kept import kept_city
from bench.queue import get
from bench.secrets import registrar
from grids.accounts import Actor
from grids.area_tree import area_node
from grids.base_numbers.sheet import sheet
from grids.city import City, the_city
from grids.db import engine
from grids.registers.overview import THINGS
from grids.synth.dirty import Clean, dirty

ASKED: Final = 200
AREAS: Final = 100
GRIDS: Final = 300
SHEETS: Final = 40
SEARCH_MS, PROFILE_MS, SHEET_MS = 300.0, 100.0, 2_000.0
#: An account may look for so many persons an hour.
FOUND_BY_ONE, REGISTRARS = 50, 4
SEED: Final = 5
#: Grids of today by code.
GRIDS_TODAY: Final = """
    SELECT g.code FROM grid AS g JOIN grid_version AS v ON v.grid_id = g.id
    WHERE v.valid @> current_date ORDER BY g.code
"""
#: Names of several enterprises: the box shows some of them, the list of the register all.
SHARED: Final = "SELECT name FROM enterprise WHERE valid_to IS NULL GROUP BY 1 HAVING count(*) > 1"
WIDE: Final = Actor(0, "bench", frozenset(), frozenset({"enterprise:view"}), ("",))


@dataclass(frozen=True)
class Question:
    """Words for the box, and the key of what must be among the answers; none where many are alike."""

    words: str
    wanted: str | None = None


def run(scale: float) -> list[Result]:
    """Time searches, profiles and base numbers; the kept city of this scale is made if missing."""
    with kept_city(scale) as made:
        app = create_app(made.settings)
        gc.freeze()  # as `app.wsgi` does
        client = _client(app, made)
        with psycopg.connect(made.url) as conn:
            asked = _questions(conn)
            codes = [str(code) for (code,) in conn.execute(GRIDS_TODAY)]
        results = []
        for name, questions in asked.items():
            spent = [_searched(client, one) for one in questions]
            results.append(_result(f"search: {name}", scale, spent, SEARCH_MS))
        persons = list(_persons(app, made))
        results.append(_result("search: a person's number, in scope", scale, persons, SEARCH_MS))
        chosen = random.Random(SEED).sample(codes, min(GRIDS, len(codes)))
        profiles = [_timed(client, f"/api/grids/{code}") for code in chosen]
        results.append(_result("profile of a grid", scale, profiles, PROFILE_MS))
        results.append(
            Result(
                "profile of a grid, longest", scale, max(profiles), PROFILE_MS, "ms", 1.0, "lower"
            )
        )
        results += _base_numbers(made, codes, scale)
        app.extensions["engine"].dispose()
        gc.unfreeze()
    return results


def _questions(conn: psycopg.Connection[Any]) -> dict[str, list[Question]]:
    """Take words from the city: the same city gives the same words."""
    rng = random.Random(SEED)
    addresses = _some(conn, "address", "text")
    firms = _some(conn, "enterprise", "name")
    codes = _some(conn, "enterprise", "uscc")
    components = _some(conn, "component", "identifier")
    areas = [
        str(name) for (name,) in conn.execute(
            "SELECT name_zh FROM area WHERE valid_to IS NULL AND length(code) >= 9 ORDER BY code"
        )
    ]  # fmt: skip
    clean = [Clean(*row) for row in conn.execute(CLEAN)]
    shared = {name for (name,) in conn.execute(SHARED)}
    return {
        "an address": [Question(text, str(key)) for key, text in addresses],
        "the end of an address": [Question(text[-8:]) for _, text in addresses],
        "an address as people write it": [Question(one.text) for one in dirty(clean, ASKED, SEED)],
        "an address by initials": [Question(_initials(text[-9:])) for _, text in addresses],
        "an enterprise": [
            Question(name, str(key) if name not in shared else None) for key, name in firms
        ],
        "two or three signs of an enterprise": [
            Question(name[at : at + 2 + k % 2])
            for k, (_, name) in enumerate(firms)
            for at in (rng.randrange(max(1, len(name) - 3)),)
        ],
        "an enterprise by initials": [Question(_initials(name)[:12]) for _, name in firms],
        "three letters of initials": [Question(_initials(name)[-3:]) for _, name in firms],
        "a credit code": [Question(code, str(key)) for key, code in codes if code],
        "a component": [Question(number, number) for _, number in components],
        "the beginning of a component's number": [Question(number[:9]) for _, number in components],
        "an area by initials": [
            Question(_initials(name)) for name in rng.sample(areas, min(AREAS, len(areas)))
        ],
    }


def _some(conn: psycopg.Connection[Any], table: str, column: str) -> list[tuple[int, str]]:
    """Return some entries that stand, spread over the whole register."""
    statement = sql.SQL(
        "SELECT id, {column} FROM {table} WHERE valid_to IS NULL AND {column} IS NOT NULL"
        " ORDER BY md5(id::text) LIMIT {asked}"
    ).format(
        column=sql.Identifier(column), table=sql.Identifier(table), asked=sql.Literal(ASKED)
    )  # fmt: skip
    return [(int(key), str(value)) for key, value in conn.execute(statement)]


def _initials(name: str) -> str:
    """Return what somebody types for a name."""
    bare = "".join(sign for sign in name if sign.isalnum())
    return "".join(lazy_pinyin(bare, style=Style.FIRST_LETTER)).lower()


def _client(app: Flask, made: BenchCity) -> FlaskClient:
    client: FlaskClient = app.test_client()
    client.set_cookie(cookie_name(made.settings), made.token)
    return client


def _searched(client: FlaskClient, one: Question) -> float:
    started = time.perf_counter()
    found = get(client, f"/api/search?q={quote(one.words)}")["items"]
    spent = 1000 * (time.perf_counter() - started)
    if one.wanted and one.wanted not in {hit["id"] for hit in found}:
        raise RuntimeError(f"{one.words} is not found: {found}")
    return spent


def _timed(client: FlaskClient, address: str) -> float:
    started = time.perf_counter()
    get(client, address)
    return 1000 * (time.perf_counter() - started)


def _persons(app: Flask, made: BenchCity) -> Iterator[float]:
    """Find persons by their number, as a registrar does, with the purpose and all that is kept."""
    vault = vault_of(made.settings)
    with psycopg.connect(made.url) as conn:
        rows = conn.execute(
            "SELECT id, id_number_sealed FROM person WHERE id_number_sealed IS NOT NULL"
            " AND moved_out_on IS NULL ORDER BY md5(id::text) LIMIT %s", (FOUND_BY_ONE * REGISTRARS,)
        ).fetchall()  # fmt: skip
    for place in range(REGISTRARS):
        headers = registrar(made)
        client: FlaskClient = app.test_client()
        client.set_cookie(cookie_name(made.settings), headers["Cookie"].partition("=")[2])
        for key, sealed in rows[place * FOUND_BY_ONE : (place + 1) * FOUND_BY_ONE]:
            number = vault.open("person", key, "id_number_sealed", sealed)
            body = {"number": number, "purpose": "home_visit"}
            started = time.perf_counter()
            answer = client.post(
                "/api/people/find", json=body, headers={"X-CSRF-Token": headers["X-CSRF-Token"]}
            )
            spent = 1000 * (time.perf_counter() - started)
            found = answer.get_json()["persons"] if answer.status_code == 200 else []
            if key not in {one["id"] for one in found}:
                raise RuntimeError(f"a person is not found: {answer.status_code}")
            yield spent


def _base_numbers(made: BenchCity, codes: Sequence[str], scale: float) -> list[Result]:
    """Compare the sheets of grids, of every town and of the county with what stands there."""
    pool = engine(as_role(made.url, "wangge_owner", "none"))
    spent, wrong, compared = [], 0, 0
    with Session(pool) as session, psycopg.connect(made.url) as conn:
        county = str(session.scalar(select(City.county_code)))
        towns = sorted({code[:9] for code in codes})
        chosen = [*random.Random(SEED).sample(list(codes), min(SHEETS, len(codes))), *towns, county]
        today = datetime.now(ZoneInfo(the_city(session).city_zone)).date()
        for code in chosen:
            node = area_node(session, code)
            assert node is not None
            started = time.perf_counter()
            lines = sheet(session, WIDE, node, today=today).lines
            spent.append(1000 * (time.perf_counter() - started))
            for line in lines:
                if line.register in THINGS:
                    compared += 1
                    wrong += line.now != _standing(conn, line.register, code)
    pool.dispose()
    if wrong:
        raise RuntimeError(f"{wrong} of {compared} base numbers are not what stands there")
    print(f"  {compared} base numbers of {len(chosen)} areas equal the live counts")
    return [
        _result("base numbers of a grid", scale, spent[: -len(towns) - 1], SEARCH_MS),
        _result("base numbers of a town or the county", scale, spent[-len(towns) - 1 :], SHEET_MS),
    ]


def _standing(conn: psycopg.Connection[Any], register: str, area: str) -> int:
    """Count what stands in an area by plain SQL."""
    gone = {"enterprise": " AND status <> 'closed'", "component": " AND state <> 'removed'"}
    statement = sql.SQL("SELECT count(*) FROM {} WHERE valid_to IS NULL AND area_code LIKE %s").format(
        sql.Identifier(register)
    ) + sql.SQL(gone.get(register, ""))  # fmt: skip
    row = conn.execute(statement, (f"{area}%",)).fetchone()
    return int(row[0]) if row else 0


def _result(name: str, scale: float, spent: Sequence[float], limit: float) -> Result:
    ordered = sorted(spent)
    print(f"  {name:44} median {statistics.median(ordered):7.1f} ms, longest {ordered[-1]:7.1f} ms")
    at = ordered[math.ceil(0.95 * len(ordered)) - 1]
    return Result(f"{name}, p95", scale, at, limit, "ms", 1.0, "lower")
