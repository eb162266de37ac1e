"""An audit log with a chain, and hands that tamper with it as a superuser would."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg

from app.config import as_role
from grids import audit

NOW = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
FILL = """
    INSERT INTO audit_event (action, actor_id, subject, source_ip, detail)
    SELECT (ARRAY['sign_in', 'export', 'access_denied'])[1 + n %% 3], n %% 17, 'incident ' || n,
           '10.0.0.' || n %% 250, jsonb_build_object('rows', n, 'words', '第' || n || '行')
    FROM generate_series(%s::int, %s::int) AS n
"""


def as_worker(admin_url: str) -> str:
    """Write the address as the sealer uses it."""
    return as_role(admin_url, "wangge_worker", "none")


def write(admin_url: str, first: int, last: int, *, a_commit: int = 7) -> None:
    """Write acts, some to a transaction, as people at work do."""
    with psycopg.connect(as_role(admin_url, "wangge_owner", "none"), autocommit=True) as conn:
        for start in range(first, last + 1, a_commit):
            conn.execute(FILL, (start, min(last, start + a_commit - 1)))


def seal_all(admin_url: str, *, algorithm: str = "sha256", wanted: int | None = None) -> int:
    """Seal what is committed; other databases of the server may hold the watermark back."""
    with psycopg.connect(as_worker(admin_url), autocommit=True) as conn:
        total = audit.seal_all(conn, now=NOW, algorithm=algorithm)
        while wanted is not None and total < wanted:
            total += audit.seal_all(conn, now=NOW, algorithm=algorithm)
    return total


def verify(admin_url: str, **more: Any) -> audit.Verified:
    """Verify with the auditor's rights."""
    url = as_role(admin_url, "wangge_auditor", "none")
    with psycopg.connect(url, autocommit=True) as conn:
        return audit.verify(conn, **more)


@contextmanager
def tampering(admin_url: str) -> Iterator[psycopg.Connection[Any]]:
    """Connect as superuser with every trigger off; the changes are kept."""
    with psycopg.connect(admin_url) as conn:
        conn.execute("SET session_replication_role = replica")
        yield conn
