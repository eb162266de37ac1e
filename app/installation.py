"""One installation: its database brought up to date and filled, by the owner role."""

import contextlib
import dataclasses
import hashlib
import os
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import psycopg

from app import cluster, roles
from app.config import ROOT, Settings

CODES = ROOT / "data/codes"
#: What a schema with its rights and code lists is made from.
SCHEMA_SOURCES = (
    "grids/migrations", "grids/migrate.py", "grids/privileges.py", "grids/codes", "data/codes",
)  # fmt: skip

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from grids.codes import Change, Loaded
    from grids.synth.feeds import Report

Progress = Callable[[str], None]


def start_database(settings: Settings) -> None:
    """Start the private cluster where it is down; make roles, database and extensions."""
    if settings.is_private_cluster:
        cluster.start(cluster.private(settings))
    roles.prepare(settings.admin_url, settings.passwords())
    with psycopg.connect(settings.admin_url, autocommit=True) as conn:
        roles.check_durability(conn, is_override=settings.allow_unsafe_server)


def prepare(settings: Settings, progress: Progress, *, is_forced: bool = False) -> None:
    """Start the database, migrate it and load the code lists, where they changed."""
    progress("database")
    start_database(settings)
    stamp = settings.var_dir / "prepared"
    if not is_forced and stamp.exists() and stamp.read_text() == _state(settings):
        return
    progress("schema and code lists")
    from grids import migrate  # late: most starts do not need it, and it takes a second

    migrate.upgrade(settings.owner_url, node=settings.node)
    with psycopg.connect(settings.admin_url, autocommit=True) as conn:
        roles.mark_leakproof(conn)  # functions that a migration has just made
    load_codes(settings)
    seed_rules(settings)
    stamp.write_text(_state(settings))


def _state(settings: Settings) -> str:
    """Describe what the schema is made from and which database has it at which version."""
    total = hashlib.sha256()
    for source in SCHEMA_SOURCES:
        top = ROOT / source
        for path in sorted(top.rglob("*.*")) if top.is_dir() else [top]:
            if path.suffix in {".py", ".csv"}:
                total.update(path.name.encode() + path.read_bytes())
    with psycopg.connect(settings.admin_url) as conn:
        number = conn.execute(
            "SELECT oid FROM pg_database WHERE datname = current_database()"
        ).fetchone()
        has_schema = conn.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
        # A restored database may be older than the stamp.
        version = (
            has_schema == (True,)
            and conn.execute("SELECT max(version_num) FROM alembic_version").fetchone()
        )
    return f"{total.hexdigest()} {settings.admin_url.rpartition('@')[2]} {number} {version}\n"


def load_codes(settings: Settings, folder: Path | None = None) -> "Loaded":
    """Load the code lists that the project ships, or those of a folder of the city."""
    from grids import codes, jobs
    from grids.ledgers import loading as ledgers

    with owner_session(settings) as session:
        done = codes.load(session, folder or CODES, on=_today(settings), origin=_origin(folder))
        ledgers.load(session, (folder or CODES) / "forms", on=_today(settings))
        if done.calendar_no is not None:  # open limits follow the calendar
            jobs.defer(session, "recompute_limits", version_no=done.calendar_no)
        return done


def plan_codes(settings: Settings, folder: Path | None = None) -> "tuple[Change, ...]":
    """Say what a load would change, row by row."""
    from grids import codes

    with owner_session(settings) as session:
        found = codes.plan(session, folder or CODES, on=_today(settings), origin=_origin(folder))
        return found.changes


def _today(settings: Settings) -> date:
    return datetime.now(ZoneInfo(settings.city_zone)).date()


def _origin(folder: Path | None) -> str:
    """Name where rows come from: a folder of the city changes its own rows only."""
    is_shipped = folder is None or folder.resolve() == CODES.resolve()
    return "file" if is_shipped or folder is None else folder.resolve().name


def zone_of_city(settings: Settings) -> str | None:
    """Return the time zone of the city that was imported or simulated; None before that."""
    with psycopg.connect(settings.owner_url) as conn:
        row = conn.execute("SELECT city_zone FROM city").fetchone()
    return str(row[0]) if row else None


def build_city(
    settings: Settings, *, scale: float, seed: int, progress: Progress, years: int = 1,
    replace: bool = False,
) -> None:  # fmt: skip
    """Fill the database with a simulated city whose years of cases end now.

    One that was cut off goes on, and ends with the instant it was begun with.
    """
    from app import keys
    from grids import synth

    now = datetime.now(ZoneInfo(settings.city_zone))
    with owner_engine(settings) as engine:
        synth.build(
            engine,
            scale=scale,
            seed=seed,
            vault=keys.vault_of(settings),
            progress=progress,
            today=now.date(),
            now=now,
            years=years,
            replace=replace,
            manifest=settings.var_dir / "city.json",
        )
    seed_rules(settings)


def write_feeds(
    settings: Settings, folder: Path, *, day: int, seed: int, introduce: bool, progress: Progress
) -> "Report":
    """Write a day's files of the departments; the city stays as it is but for new sources."""
    from sqlalchemy.orm import Session

    from grids.accounts import Actor
    from grids.synth import feeds

    now = datetime.now(ZoneInfo(settings.city_zone))
    operator = Actor(0, "operator", frozenset(), frozenset(), ("",))
    with owner_engine(settings) as engine, Session(engine) as session, session.begin():
        report = feeds.write_day(
            session.connection(), folder, seed=seed, day=day, today=now.date(), progress=progress
        )
        if introduce:
            feeds.introduce(session, operator, seed=seed, now=now)
    return report


def is_half_built(settings: Settings) -> bool:
    """Say whether the building of a simulated city was cut off."""
    from grids import synth

    with owner_engine(settings) as engine, engine.connect() as connection:
        return synth.is_unfinished(connection)


def enliven(settings: Settings, *, seed: int, progress: Progress) -> None:
    """Tell cases, disputes and hazards of every kind in a simulated city that has none yet."""
    from app import keys
    from grids.blobs import Store
    from grids.synth import story

    with owner_engine(settings) as engine:
        story.enliven(
            engine, vault=keys.vault_of(settings), store=Store(settings.blob_dir), seed=seed,
            now=datetime.now(ZoneInfo(settings.city_zone)), progress=progress,
        )  # fmt: skip


def import_city(
    settings: Settings, extract: Path, progress: Progress, *, force: bool = False
) -> list[str]:
    """Replace the city's map by an OpenStreetMap extract; return the report's lines."""
    from grids.importing import osm

    with owner_engine(settings) as engine:
        report = osm.import_osm(
            engine,
            extract,
            settings.county_code,
            progress=progress,
            # Derived from the file unless the operator says otherwise.
            city_zone=os.environ.get("WANGGE_CITY_ZONE") or None,
            envelope=settings.envelope_degrees,
            force=force,
        )
    seed_rules(settings)
    return report.lines()


def seed_rules(settings: Settings) -> int:
    """Give a city its first responsibility matrix; one that people have made stays."""
    from grids.responsibility.seed import seed_matrix

    with owner_session(settings) as session:
        return seed_matrix(session, now=datetime.now(ZoneInfo(settings.city_zone)))


def with_city_zone(settings: Settings) -> Settings:
    """Take the time zone of the city that is shown, unless the operator set one."""
    if os.environ.get("WANGGE_CITY_ZONE"):
        return settings
    zone = zone_of_city(settings)
    return dataclasses.replace(settings, city_zone=zone) if zone else settings


def verify_store(settings: Settings) -> list[str]:
    """Return what is wrong with the photos on disk and with the sealed chain of events."""
    from grids import feed
    from grids.blobs import Store
    from grids.blobs import verify_store as verify_photos

    with owner_session(settings) as session:
        problems = verify_photos(session, Store(settings.blob_dir))
    with psycopg.connect(settings.owner_url, autocommit=True) as conn:
        broken = feed.verify_chain(conn)
    return [*problems, *([f"event {broken.no}: {broken.problem}"] if broken else [])]


@contextlib.contextmanager
def owner_engine(settings: Settings) -> "Iterator[Engine]":
    """Open an engine of the owner role, closed with all its connections at the end."""
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    import grids.models  # noqa: F401 - a foreign key finds its table whichever is used first

    engine = create_engine(settings.owner_url, poolclass=NullPool)
    try:
        yield engine
    finally:
        engine.dispose()


@contextlib.contextmanager
def owner_session(settings: Settings) -> "Iterator[Session]":
    """Open a session of the owner role in one transaction, committed at the end."""
    from sqlalchemy.orm import Session

    with owner_engine(settings) as engine, Session(engine) as session, session.begin():
        yield session
