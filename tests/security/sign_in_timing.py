"""Does the time of a refused sign-in tell whether there is such an account (S04)?

    .venv/bin/python -m tests.security.sign_in_timing [--tries 200]

Tries wrong passwords in turn on an account with a password, on one that is locked, on one that
is disabled, on a simulated one without a password and on logins that do not exist; compares the
medians. Works in the database of the settings, in one transaction that is rolled back. Answers
with status 1 where two medians differ by 10 % or more.
"""

import argparse
import statistics
import sys
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from sqlalchemy import create_engine, update
from sqlalchemy.orm import Session

import grids.models  # noqa: F401 - a foreign key finds its table whichever is used first
from app.config import Settings
from grids import accounts
from grids.accounts import passwords
from grids.accounts.models import Account
from grids.accounts.policy import Policy

MOST_DIFFERENCE = 0.10
#: The locks are what another test looks at; here they would end the measurement.
NEVER_LOCKED = Policy(failures_per_source=10**9)
KINDS = ("known", "locked", "disabled", "simulated", "unknown")


def measure(session: Session, tries: int) -> dict[str, float]:
    """Return the median time of a refused sign-in by kind of login, in milliseconds."""
    passwords.no_account_hash()  # a process makes it once
    logins = {kind: f"timing-{kind}-{uuid4().hex[:8]}" for kind in KINDS}
    for kind in KINDS[:-1]:
        _make(session, kind, logins[kind])
    now = datetime.now(UTC)
    took: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for number in range(tries):
        for kind in KINDS:
            began = time.perf_counter()
            token = accounts.sign_in(
                session,
                logins[kind],
                f"wrong {number}",
                now=now,
                source_ip="192.0.2.1",
                policy=NEVER_LOCKED,
            )
            session.flush()
            took[kind].append(time.perf_counter() - began)
            assert token is None
            session.execute(
                update(Account).where(Account.login == logins["known"]).values(failed_count=0)
            )
    return {kind: statistics.median(times) * 1000 for kind, times in took.items()}


def _make(session: Session, kind: str, login: str) -> None:
    made = accounts.create_account(
        session, login=login, name=login, password="several words that nobody lists"
    )
    if kind == "locked":
        made.locked_until = datetime.now(UTC) + timedelta(hours=1)
    if kind == "disabled":
        made.is_active = False
    if kind == "simulated":
        made.password_hash = accounts.NO_PASSWORD
    session.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=200)
    tries = parser.parse_args().tries
    url = Settings.load().owner_url.replace("postgresql://", "postgresql+psycopg://")
    with Session(create_engine(url)) as session:
        medians = measure(session, tries)
        session.rollback()
    for kind, ms in medians.items():
        sys.stdout.write(f"{kind:<12}{ms:8.2f} ms\n")
    low, high = min(medians.values()), max(medians.values())
    difference = (high - low) / low
    sys.stdout.write(f"largest difference {difference:.1%} over {tries} tries, at most 10 %\n")
    return 0 if difference < MOST_DIFFERENCE else 1


if __name__ == "__main__":
    sys.exit(main())
