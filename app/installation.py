"""One installation: its database brought up to date and filled, by the owner role."""

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app import cluster, roles
from app.config import ROOT, Settings

CODES = ROOT / "data/codes"

Progress = Callable[[str], None]


def start_database(settings: Settings) -> None:
    """Start the private cluster where it is down; make roles, database and extensions."""
    if settings.is_private_cluster:
        cluster.start(cluster.private(settings))
    roles.prepare(settings.admin_url, settings.passwords())
    with psycopg.connect(settings.admin_url, autocommit=True) as conn:
        roles.check_durability(conn, is_override=settings.allow_unsafe_server)


def prepare(settings: Settings, progress: Progress) -> None:
    """Start the database, migrate it and load the code lists."""
    from grids import migrate

    progress("database")
    start_database(settings)
    progress("schema and code lists")
    migrate.upgrade(settings.owner_url, node=settings.node)
    load_codes(settings)


def load_codes(settings: Settings) -> None:
    """Load the code lists that the project ships."""
    from grids import codes

    with owner_session(settings) as session:
        codes.load(session, CODES, on=datetime.now(ZoneInfo(settings.city_zone)).date())


def has_city(settings: Settings) -> bool:
    """Say whether a city was imported or simulated."""
    from grids.city import City

    with owner_session(settings) as session:
        return session.scalar(select(City.county_code)) is not None


def build_city(settings: Settings, *, scale: float, seed: int, progress: Progress) -> None:
    """Fill the database with a simulated city."""
    from grids import synth

    with owner_engine(settings) as engine:
        synth.build(engine, scale=scale, seed=seed, progress=progress)


def import_city(settings: Settings, extract: Path, progress: Progress) -> None:
    """Fill the database from an OpenStreetMap extract."""
    from grids.importing import osm

    with owner_engine(settings) as engine:
        osm.import_osm(engine, extract, settings.county_code, progress=progress)


@contextlib.contextmanager
def owner_engine(settings: Settings) -> Iterator[Engine]:
    """Open an engine of the owner role, closed with all its connections at the end."""
    import grids.models  # noqa: F401 - a foreign key finds its table whichever is used first

    engine = create_engine(settings.owner_url, poolclass=NullPool)
    try:
        yield engine
    finally:
        engine.dispose()


@contextlib.contextmanager
def owner_session(settings: Settings) -> Iterator[Session]:
    """Open a session of the owner role in one transaction, committed at the end."""
    with owner_engine(settings) as engine, Session(engine) as session, session.begin():
        yield session
