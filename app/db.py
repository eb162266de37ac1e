"""Engine and session of a request."""

from __future__ import annotations

from flask import Flask, g
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

import grids.models  # noqa: F401 - a foreign key finds its table whichever module is first
from app.config import Settings
from grids import scope
from grids.db import engine


def make_engine(url: str) -> Engine:
    """Make the pool of a serving process: one connection per thread, checked before use."""
    return engine(url, pool_size=8, max_overflow=8, pool_pre_ping=True, pool_timeout=5)


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
