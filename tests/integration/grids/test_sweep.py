"""The sweep of unnamed photos must never shut writers out."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from grids import blobs


@pytest.fixture
def pool(empty_database):
    """A pool that lends its connections in turn, as a worker's does."""
    made = create_engine(empty_database.replace("postgresql:", "postgresql+psycopg:"), pool_size=3)
    yield made
    made.dispose()


def test_a_sweep_leaves_no_lock_behind(pool, tmp_path):
    opened = [pool.connect() for _ in range(3)]
    for connection in opened:
        connection.close()

    with Session(pool) as session:
        blobs.sweep(session, blobs.Store(tmp_path), now=datetime.now(UTC))

    with pool.connect() as connection:
        left = connection.scalar(
            text(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        )
    assert left == 0
