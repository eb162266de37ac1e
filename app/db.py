"""Engine and session of a request."""

from __future__ import annotations

import contextlib
import select
from collections.abc import Iterator
from typing import Any

import psycopg
from flask import Flask, current_app, g
from sqlalchemy import Engine, PoolProxiedConnection, event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import Session, sessionmaker

import grids.models  # noqa: F401 - a foreign key finds its table whichever module is first
from app.config import Settings
from grids import scope
from grids.db import engine


def make_engine(url: str) -> Engine:
    """Make the pool of a serving process: one connection per thread, looked at before use."""
    made = engine(url, pool_size=8, max_overflow=8, pool_timeout=5)
    event.listen(made, "checkout", _refuse_dead)
    return made


def _refuse_dead(driver: psycopg.Connection[Any], *_: object) -> None:
    """Have a connection replaced, with all that are older, whose server has gone.

    Nobody speaks on an idle connection: what can be read there is its end. To ask the server
    instead would cost every request a round trip.
    """
    look = select.poll()
    look.register(driver.fileno(), select.POLLIN)
    if look.poll(0):
        raise InvalidatePoolError


@contextlib.contextmanager
def alone() -> Iterator[psycopg.Connection[Any]]:
    """Lend a connection on which each statement is a transaction of its own: one round trip.

    For what asks or writes everything in one statement that tells the policies itself.
    """
    make_session = current_app.extensions.get("make_session")
    if make_session is not None:  # everything happens in a transaction that somebody else ends
        with make_session() as session, session.begin():
            yield session.connection().connection.driver_connection
        return
    lent: PoolProxiedConnection = current_app.extensions["engine"].raw_connection()
    driver: Any = lent.driver_connection
    try:
        driver.autocommit = True
        try:
            yield driver
        finally:
            if not driver.closed:
                driver.autocommit = False
    except psycopg.OperationalError:
        lent.invalidate()
        raise
    finally:
        lent.close()


def init_app(app: Flask, settings: Settings) -> None:
    """Give each request a session, made on first use and closed at the end."""
    pool = make_engine(settings.database_url)
    # Rows stay readable after the commit: a view answers from what it has just written.
    make_session = sessionmaker(pool, expire_on_commit=False)
    app.extensions["engine"] = pool

    @app.before_request
    def open_session() -> None:
        g.session = app.extensions.get("make_session", make_session)()
        scope.follow_caller(g.session, lambda: g.get("actor"))

    @app.teardown_request
    def close_session(_error: BaseException | None) -> None:
        session: Session | None = g.pop("session", None)
        if session is not None:
            session.close()
