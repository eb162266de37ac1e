"""A simulated city with three years that stays: the full one takes too long for each bench.

It lies in a cluster of its own under `var/bench/`. `./wangge bench registers --scale S` makes it
anew; others bring its tables up to date, and take back what they wrote.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import psycopg

from app import cluster, installation, keys, roles
from app.config import ROOT, Settings, as_role, read_secrets
from bench.city import BenchCity, sign_in
from grids import synth
from grids.migrate import upgrade

FOLDER: Final = ROOT / "var" / "bench"
SEED: Final = 1
YEARS: Final = 3
#: A file that stands where the city was finished.
WHOLE: Final = "whole"


@contextlib.contextmanager
def kept_city(scale: float) -> Iterator[BenchCity]:
    """Start the city of this scale, made first where it is missing."""
    home = _home(scale)
    if not (home / WHOLE).exists():
        with new_city(scale) as (settings, _):
            now = datetime.now(UTC)
            with installation.owner_engine(settings) as engine:
                synth.build(
                    engine, scale=scale, seed=SEED, vault=keys.vault_of(settings),
                    progress=lambda _text: None, today=now.date(), now=now, years=YEARS,
                )  # fmt: skip
    with _running(home) as url:
        settings = Settings.load(environment := _environment(home, url))
        upgrade(settings.owner_url)
        roles.prepare(settings.admin_url, read_secrets(settings.var_dir))
        token = sign_in(as_role(url, "wangge_owner", "none"))
        yield BenchCity(url, settings, environment, token)


@contextlib.contextmanager
def copied_city(scale: float) -> Iterator[BenchCity]:
    """Give a copy of the city of this scale, to be written into; it is gone afterwards."""
    with kept_city(scale) as kept:
        copy, server = (
            urlunsplit(urlsplit(kept.url)._replace(path=f"/{name}"))
            for name in ("copied", "postgres")
        )
        with psycopg.connect(server, autocommit=True) as conn:
            conn.execute("DROP DATABASE IF EXISTS copied")
            conn.execute("CREATE DATABASE copied TEMPLATE wangge OWNER wangge_owner")
        environment = kept.env | {"WANGGE_DATABASE_URL": copy}
        try:
            yield BenchCity(copy, Settings.load(environment), environment, kept.token)
        finally:
            with psycopg.connect(server, autocommit=True) as conn:
                conn.execute("DROP DATABASE IF EXISTS copied WITH (FORCE)")


@contextlib.contextmanager
def new_city(scale: float) -> Iterator[tuple[Settings, str]]:
    """Give an empty database in the place of the kept city; what is built in it is kept."""
    home = _home(scale)
    shutil.rmtree(home, ignore_errors=True)
    with _running(home) as url:
        yield _prepared(home, url), url
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("VACUUM ANALYZE")
    (home / WHOLE).touch()


@contextlib.contextmanager
def empty_database() -> Iterator[tuple[Settings, str]]:
    """Give an empty database with the code lists, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="wangge-bench-") as folder:
        home = Path(folder)
        with _running(home) as url:
            yield _prepared(home, url), url


def _home(scale: float) -> Path:
    return FOLDER / f"city-{scale:g}"


@contextlib.contextmanager
def _running(home: Path) -> Iterator[str]:
    pg = cluster.Cluster(home / "pg", "none", auth="trust")
    cluster.start(pg)
    try:
        yield pg.url("wangge")
    finally:
        cluster.stop(pg)


def _environment(home: Path, url: str) -> dict[str, str]:
    return {
        "WANGGE_DATABASE_URL": url,
        "WANGGE_VAR_DIR": str(home / "var"),
        "WANGGE_SECOND_FACTOR": "offered",
    }


def _prepared(home: Path, url: str) -> Settings:
    """Set an empty database as an installation sets it."""
    settings = Settings.load(_environment(home, url))
    roles.prepare(settings.admin_url, read_secrets(settings.var_dir))
    upgrade(settings.owner_url)
    installation.load_codes(settings)
    return settings
