"""Encrypted residents: exact search over half a million, rotation of all of them, both suites.

At scale 1 the register holds 500,000 persons. The search through HTTP signs in, checks the
purpose, counts, finds, opens, masks and audits; the baseline of SQL is the same question put
to a plain column with an index.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import random
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import psycopg
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.config import as_role
from app.keys import ring_of, vault_of
from bench import Result
from bench.city import BenchCity, bench_city, server
from grids import accounts
from grids.db import engine
from grids.secrets import Vault, fixed_ring, token_hash
from grids.secrets.rotation import reseal

PERSONS = 500_000
CITY = 0.004
REGISTRARS = 10
FINDS_EACH = 50  #: below what an account may in an hour
VALUES = 20_000
CEILING_MS = 50.0


def run(scale: float) -> list[Result]:
    """Time seals, searches and a rotation of everything."""
    size = float(scale)
    results = [result for suite in ("intl", "gm") for result in _seals(suite, size)]
    with bench_city(CITY) as made:
        numbers = _fill(made, round(PERSONS * size))
        in_sql, in_plain = _search_sql(made, numbers)
        results.append(Result("exact search, SQL p95", size, in_sql, in_plain, "ms", 3.0, "lower"))
        with server(made) as port:
            over_http = _search_http(made, port, numbers)
        results.append(
            Result("exact search, HTTP p95", size, over_http, CEILING_MS, "ms", 1.0, "lower")
        )
        results.append(_rotation(made, size))
    return results


def _seals(suite: str, size: float) -> Iterator[Result]:
    """Seal and open a short value, beside the bare cipher of the same library."""
    vault = Vault(fixed_ring({1: bytes(range(32))}, bytes(32), suite))
    texts = [f"3399011990{n:08d}" for n in range(VALUES)]
    bare, nonce = AESGCM(bytes(32)), bytes(12)
    plain = _per_second(lambda: [bare.encrypt(nonce, t.encode(), b"person|1|x") for t in texts])
    sealed: list[bytes] = []
    seals = _per_second(
        lambda: sealed.extend(vault.seal("person", 1, "id_number_sealed", t) for t in texts)
    )
    opens = _per_second(
        lambda: [vault.open("person", 1, "id_number_sealed", s) for s in sealed[:VALUES]]
    )
    yield Result(f"seal, {suite}", size, seals, plain, "values/s", 0.1)
    yield Result(f"open, {suite}", size, opens, plain, "values/s", 0.1)


def _per_second(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return VALUES / (time.perf_counter() - started)


def _fill(made: BenchCity, count: int) -> list[str]:
    """Add residents until there are as many; return some of their numbers."""
    vault, first = vault_of(made.settings), date(1940, 1, 1)
    numbers = []
    with psycopg.connect(made.url, autocommit=True) as conn:
        homes = conn.execute("SELECT id, cell_id, grid_id, area_code FROM household").fetchall()
        row = conn.execute("SELECT max(id), count(*) FROM person").fetchone()
        assert row is not None
        key, there = int(row[0]), int(row[1])
        with conn.cursor().copy(
            "COPY person (id, household_id, name_sealed, id_number_sealed, id_number_index,"
            " phone_sealed, phone_index, birth_sealed, age_band, relation, residency, cell_id,"
            " grid_id, area_code, moved_in_on) FROM STDIN"
        ) as copy:
            for n in range(max(0, count - there)):
                key += 1
                born = first + timedelta(days=n % 25_000)
                # A number is one person's: those of one day of birth follow one another.
                number, phone = f"339901{born:%Y%m%d}{n // 25_000:04d}", f"199{n:08d}"
                home = homes[n % len(homes)]
                copy.write_row((
                    key, home[0], vault.seal("person", key, "name_sealed", "样本人"),
                    vault.seal("person", key, "id_number_sealed", number),
                    vault.blind_index("person", "id_number", number),
                    vault.seal("person", key, "phone_sealed", phone),
                    vault.blind_index("person", "phone", phone),
                    vault.seal("person", key, "birth_sealed", born.isoformat()),
                    "15-59", "head", "registered", home[1], home[2], home[3], date(2020, 1, 1),
                ))  # fmt: skip
                if n % 500 == 0:
                    numbers.append(number)
        conn.execute("CREATE TABLE plain AS SELECT id, area_code, encode(id_number_index, 'hex')"
                     " AS id_number FROM person")  # fmt: skip
        conn.execute("CREATE INDEX ON plain (id_number)")
        conn.execute("VACUUM ANALYZE")
    random.Random(1).shuffle(numbers)
    return numbers


def _search_sql(made: BenchCity, numbers: list[str]) -> tuple[float, float]:
    """Return p95 of the search by blind index and of that in a plain column, in ms."""
    vault = vault_of(made.settings)
    ours, plain = [], []
    with psycopg.connect(made.url, autocommit=True) as conn:
        for number in numbers[: REGISTRARS * FINDS_EACH]:
            started = time.perf_counter()
            indexes = vault.blind_indexes("person", "id_number", number)
            found = conn.execute(
                "SELECT id FROM person WHERE id_number_index = ANY(%s)", (indexes,)
            ).fetchall()
            ours.append(time.perf_counter() - started)
            assert found, "a seeded resident is not found"
            started = time.perf_counter()
            conn.execute(
                "SELECT id FROM plain WHERE id_number = %s", (indexes[0].hex(),)
            ).fetchall()
            plain.append(time.perf_counter() - started)
    return _p95(ours), _p95(plain)


def _search_http(made: BenchCity, port: int, numbers: list[str]) -> float:
    """Return p95 of a search as the registrar makes it, in ms."""
    spans = []
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as web:
        for place in range(REGISTRARS):
            headers = registrar(made)
            for number in numbers[place * FINDS_EACH : (place + 1) * FINDS_EACH]:
                body = json.dumps({"number": number, "purpose": "home_visit"})
                started = time.perf_counter()
                web.request("POST", "/api/people/find", body, headers)
                answer = web.getresponse()
                text = answer.read()
                spans.append(time.perf_counter() - started)
                if answer.status != 200 or not json.loads(text)["persons"]:
                    raise RuntimeError(f"{answer.status}: {text[:200]!r}")
    return _p95(spans)


def _p95(spans: list[float]) -> float:
    return statistics.quantiles(spans, n=20)[18] * 1000


def registrar(made: BenchCity) -> dict[str, str]:
    """Sign a registrar in; return what a browser would send."""
    token, csrf, now = uuid4().hex, uuid4().hex, datetime.now(UTC)
    pool = engine(as_role(made.url, "wangge_owner", "none"))
    with Session(pool) as session, session.begin():
        account = accounts.Account(login=f"bench-{token[:8]}", name="bench", password_hash="-")  # noqa: S106
        session.add(account)
        session.flush()
        county = session.connection().exec_driver_sql("SELECT city_county()").scalar_one()
        accounts.assign(session, account, "registrar", area_code=str(county))
        session.add(
            accounts.SignInSession(
                token_hash=token_hash(token), account_id=account.id, csrf_token=csrf,
                created_at=now, seen_at=now, ends_at=now + timedelta(days=1),
            )
        )  # fmt: skip
    pool.dispose()
    return {
        "Cookie": f"wangge={token}",
        "X-CSRF-Token": csrf,
        "Content-Type": "application/json",
    }


def _rotation(made: BenchCity, size: float) -> Result:
    """Bring everything to new keys and the other suite, beside an update that only copies."""
    ring = ring_of(made.settings)
    now = datetime.now(UTC)
    ring.add("data", at=now)
    ring.add("index", at=now)
    ring.use_provider("gm", at=now)
    pool = engine(as_role(made.url, "wangge_owner", "none"))
    started = time.perf_counter()
    done = reseal(pool, Vault(ring))
    ours = done.rows / (time.perf_counter() - started)
    plain = _plain_update(pool)
    pool.dispose()
    return Result("rotation of data, index and suite", size, ours, plain, "rows/s", 0.05)


def _plain_update(pool: Engine) -> float:
    """Write every resident anew without a cipher: what the database alone takes."""
    started = time.perf_counter()
    with pool.begin() as connection:
        done = connection.exec_driver_sql(
            "UPDATE person SET id_number_index = id_number_index || '\\x00'::bytea"
        )
    return done.rowcount / (time.perf_counter() - started)
