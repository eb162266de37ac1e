"""Connections of the map: the read-only role that sees no person, pooled and warmed."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import structlog
from flask import Flask, Response, current_app, g, request
from psycopg import sql
from psycopg_pool import ConnectionPool

from app.config import Settings
from app.errors import TRY_AGAIN, problem
from app.i18n import translated
from gis.postgis import warm
from grids import scope
from grids.accounts import Actor

log = structlog.get_logger("wangge.reading")

Reader = psycopg.Connection[Any]
_lock = threading.Lock()


@contextlib.contextmanager
def reader() -> Iterator[Reader]:
    """Lend a connection of the tiles role that reads one state of the database.

    For who is signed in, the transaction begins by saying who asks: one round trip for both.
    A stranger's statements are transactions of their own; they see public layers only.
    """
    # Tests put their own connection here, to read what they have not committed.
    make = current_app.extensions.get("make_reader")
    with make() if make else _pool().connection() as conn:
        actor = g.get("actor")
        if conn.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
            if actor is not None:
                scope.state(conn, actor)
            yield conn
        elif actor is None:
            yield conn
        else:
            with _said(conn, actor):
                yield conn


@contextlib.contextmanager
def _said(conn: Reader, actor: Actor) -> Iterator[None]:
    """Hold a read-only transaction in which the database knows the caller."""
    conn.execute(_BEGIN.format(scope.stated(actor)))
    try:
        yield
    finally:
        if not conn.closed:
            conn.rollback()  # nothing was written; a broken connection is the pool's to judge


_BEGIN = sql.SQL("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {}")


@contextlib.contextmanager
def snapshot(conn: Reader) -> Iterator[Reader]:
    """Let several statements read one state of the database."""
    if conn.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
        yield conn
        return
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield conn


def _pool() -> ConnectionPool[Reader]:
    """Return the pool of this process: a server forks after the application was made."""
    with _lock:
        kept: tuple[int, ConnectionPool[Reader]] | None = current_app.extensions.get("map_pool")
        if kept is None or kept[0] != os.getpid():
            kept = (os.getpid(), _open(current_app.extensions["settings"]))
            current_app.extensions["map_pool"] = kept
        return kept[1]


def _open(settings: Settings) -> ConnectionPool[Reader]:
    return ConnectionPool(
        settings.tiles_url.replace("postgresql+psycopg://", "postgresql://"),
        kwargs={"autocommit": True, "application_name": "wangge-map"},
        min_size=1,
        max_size=max(2, settings.web_threads),
        timeout=5,
        configure=_prepare,
        name="map",
        open=True,
    )


def _prepare(conn: Reader) -> None:
    """Ready a new connection: no parallel query (3 to 5 times slower on tiles), no compiling.

    A plan made for unknown values misses the spatial index; the first transformation of a
    connection costs 80 to 180 ms, which no visitor should wait for.
    """
    conn.execute("SET max_parallel_workers_per_gather = 0")
    conn.execute("SET jit = off")
    conn.execute("SET plan_cache_mode = force_custom_plan")
    warm(conn)


def init_app(app: Flask) -> None:
    """Answer 503 where the database is away, full, or a statement took too long."""

    @app.errorhandler(psycopg.OperationalError)
    def not_now(error: psycopg.OperationalError) -> Response:
        log.warning("map_unavailable", kind=type(error).__name__, path=request.path)
        detail = translated("error.try_again", "the database does not answer now, try again")
        answer = problem(TRY_AGAIN, "try_again", detail)
        answer.headers["Retry-After"] = "2"
        return answer
