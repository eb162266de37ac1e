"""The courier: one lane per receiver, so that a dead one holds nobody up.

It runs beside the jobs of the worker, not as one of them: two receivers that take ten seconds
to fail would otherwise hold both places of the queue.
"""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Engine, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from grids.outbox.models import MAIL, SMS, Receiver
from grids.outbox.outside import Outside
from grids.outbox.sending import LEASE, deliver_one

log = logging.getLogger("wangge.outbox")

IDLE_S: Final = 0.5
LOOK_S: Final = 2.0
BROKEN_S: Final = 3.0


class Courier:
    """Delivers what is due until told to stop."""

    def __init__(
        self,
        engine: Engine,
        outside: Outside,
        *,
        lease: timedelta = LEASE,
        stop: threading.Event | None = None,
    ) -> None:
        self._engine = engine
        self._outside = outside
        self._lease = lease
        self._stop = stop or threading.Event()
        self._lanes: dict[str, threading.Thread] = {}

    def run(self) -> None:
        """Open a lane for each receiver, for new ones too; returns after `stop`."""
        is_connected = False
        while not self._stop.is_set():
            try:
                if not is_connected:
                    connect_usual(self._engine, self._outside)
                    is_connected = True
                for code in self._active():
                    self._open(code)
            except SQLAlchemyError as error:
                log.warning("the outbox cannot be read (%s); again", type(error).__name__)
            self._stop.wait(LOOK_S)
        for lane in self._lanes.values():
            lane.join(15)

    def stop(self) -> None:
        """Let what is being sent end, and send nothing more."""
        self._stop.set()

    def _active(self) -> list[str]:
        with Session(self._engine) as session:
            return list(session.scalars(select(Receiver.code).where(Receiver.is_active)))

    def _open(self, code: str) -> None:
        if code in self._lanes and self._lanes[code].is_alive():
            return
        lane = threading.Thread(target=self._drive, args=(code,), name=f"lane-{code}", daemon=True)
        self._lanes[code] = lane
        lane.start()

    def _drive(self, code: str) -> None:
        while not self._stop.is_set():
            try:
                outcome = deliver_one(
                    self._engine, code, self._outside, now=datetime.now(UTC), lease=self._lease
                )
            except SQLAlchemyError as error:
                log.warning("%s: the outbox cannot be read (%s)", code, type(error).__name__)
                self._stop.wait(BROKEN_S)
                continue
            if outcome in ("failed", "given_up"):
                log.warning("a message for %s was not taken (%s)", code, outcome)
            if outcome is None:
                self._stop.wait(IDLE_S)


def connect_usual(engine: Engine, outside: Outside) -> None:
    """Switch text messages and e-mail on or off, as the settings say."""
    with Session(engine) as session, session.begin():
        session.execute(
            update(Receiver).where(Receiver.code == MAIL).values(is_active=outside.mail is not None)
        )
        session.execute(
            update(Receiver)
            .where(Receiver.code == SMS)
            .values(is_active=bool(outside.sms_door), door=outside.sms_door)
        )
