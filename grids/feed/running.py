"""The sealer's process: feed and audit log sealed by one leader, heads signed and carried out."""

from __future__ import annotations

import logging
import signal
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg

from grids import audit
from grids.audit.heads import LATEST_EVERY_S, Signs
from grids.audit.sealing import BEAT_S, BULK_ROWS
from grids.feed.sealing import BATCH, BULK_BATCH, seal

log = logging.getLogger("wangge.sealer")

#: Number of the advisory lock that only one sealer holds.
LEADER_LOCK: Final = 727_002
IDLE_S: Final = 0.25
RETRY_S: Final = 1.0
#: The audit log is looked at so often: a link holds at most this much time (S24: 1 s).
AUDIT_EVERY_S: Final = 0.5
DAY_HEADS: Final = "SELECT body FROM audit_head WHERE kind = 'day' ORDER BY id DESC LIMIT 1"


@dataclass(frozen=True)
class Notary:
    """How the audit log is sealed and where its heads go."""

    algorithm: str = "sha256"
    limit_s: int = 60  #: a sealer silent for longer stops sensitive acts; 0: never
    heads_dir: Path | None = None
    signer: Signs | None = None
    zone: str = "Asia/Shanghai"


def run_sealer(
    worker_url: str, stop: threading.Event | None = None, *, notary: Notary | None = None
) -> None:
    """Seal as long as the process lives; survives restarts of the database.

    Of several sealers one leads, the others wait for its lock. Ends when `stop` is set; run
    without it, on SIGTERM or SIGINT.
    """
    if stop is None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        try:
            with psycopg.connect(
                _plain(worker_url), autocommit=True, application_name="wangge-sealer"
            ) as conn:
                _lead(conn, stop, notary or Notary())
        except psycopg.OperationalError as error:
            log.warning("the database does not answer (%s); trying again", type(error).__name__)
            stop.wait(RETRY_S)


def _lead(conn: psycopg.Connection[Any], stop: threading.Event, notary: Notary) -> None:
    """Wait for the lead, then seal until told to stop."""
    while not stop.is_set():
        row = conn.execute("SELECT pg_try_advisory_lock(%s)", (LEADER_LOCK,)).fetchone()
        if row and row[0]:
            break
        stop.wait(RETRY_S)
    log_of_acts = _AuditRound(conn, notary)
    backlog_since: float | None = None
    while not stop.is_set():
        limit = BULK_BATCH if backlog_since is not None else BATCH
        count = seal(conn, now=datetime.now(UTC), limit=limit)
        log_of_acts.run()
        if count == limit:
            backlog_since = backlog_since or time.monotonic()
            continue
        if backlog_since is not None:
            log.info("sealed a backlog in %.1f s", time.monotonic() - backlog_since)
        backlog_since = None
        stop.wait(IDLE_S)


@dataclass
class _AuditRound:
    """What is due for the audit log at each turn of the sealer."""

    conn: psycopg.Connection[Any]
    notary: Notary
    sealed: float = field(default=-1e9)
    beaten: float = field(default=-1e9)
    latest: float = field(default=-1e9)
    latest_no: int = -1
    day: str = ""

    def run(self) -> None:
        """Seal what is there; a fault of the chain or of the folder is said, and tried again."""
        now = time.monotonic()
        if now - self.sealed < AUDIT_EVERY_S:
            return
        self.sealed = now
        try:
            count = audit.seal(
                self.conn,
                now=datetime.now(UTC),
                algorithm=self.notary.algorithm,
                limit=BULK_ROWS,
            )
        except audit.ClockWentBack as error:
            # No sign of life either: sensitive acts must stop where nothing can be sealed.
            log.critical("the audit log cannot be sealed: %s; see docs/audit.md", error)
            self.sealed = now + BEAT_S
            return
        if count == BULK_ROWS:
            self.sealed = -1e9
        if now - self.beaten > BEAT_S:
            audit.beat(self.conn, self.notary.limit_s)
            self.beaten = now
        if now - self.latest > LATEST_EVERY_S:
            self.latest = now
            self._carry_out()

    def _carry_out(self) -> None:
        """Write the head of a new day, and the latest head where the chain has grown."""
        if self.notary.heads_dir is None or self.notary.signer is None:
            return
        now = datetime.now(ZoneInfo(self.notary.zone)).replace(microsecond=0)
        try:
            self._write_day(now)
            row = self.conn.execute("SELECT no FROM audit_state").fetchone()
            if row and row[0] != self.latest_no:
                self._write("latest", now, now)
                self.latest_no = row[0]
        except OSError as error:
            log.critical("no head of the audit log was written: %s", error)

    def _write_day(self, now: datetime) -> None:
        """Sign the day that ended; after a long stop, once for all the days between."""
        ended = now - timedelta(days=1)
        if self.day == ended.date().isoformat():
            return
        row = self.conn.execute(DAY_HEADS).fetchone()
        newest = audit.parsed(row[0]).day if row else None
        if newest is None or newest < ended.date():
            self._write("day", ended, now)
        self.day = ended.date().isoformat()

    def _write(self, kind: Any, day: datetime, now: datetime) -> None:
        notary = self.notary
        if notary.heads_dir is not None and notary.signer is not None:
            audit.export_head(
                self.conn, notary.heads_dir, notary.signer, kind=kind, day=day.date(), now=now
            )


def _plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")
