"""What a serving process does with its connections: none is dead, none keeps a caller's mode."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from app import create_app
from app.config import Settings
from app.db import alone
from tests.support.database import environment_for


@pytest.fixture
def serving(empty_database: str, tmp_path: Path) -> Iterator[Flask]:
    env = environment_for(empty_database, tmp_path)
    made = create_app(Settings.load(env))
    with made.app_context():
        yield made
    made.extensions["engine"].dispose()


def test_connections_whose_server_went_away_are_replaced_unseen(
    serving: Flask, empty_database: str
) -> None:
    engine = serving.extensions["engine"]
    lent = [engine.connect() for _ in range(3)]
    for one in lent:
        one.close()
    with psycopg.connect(empty_database, autocommit=True) as conn:
        gone = conn.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE usename = 'wangge_app' AND datname = current_database()"
        ).fetchall()

    for _ in range(4):
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1
    assert len(gone) == 3


def test_a_statement_alone_is_committed_and_leaves_no_mode_behind(serving: Flask) -> None:
    engine = serving.extensions["engine"]

    with alone() as conn:
        conn.execute("SELECT 1")
        assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    with pytest.raises(psycopg.DataError), alone() as conn:
        conn.execute("SELECT '\\u0000'::jsonb")

    with engine.connect() as connection:
        assert connection.connection.driver_connection.autocommit is False
    assert engine.pool.checkedin() == 1
