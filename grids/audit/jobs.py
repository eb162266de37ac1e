"""Verifications that somebody asked for on a page, done where no request waits for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from procrastinate import JobContext
from sqlalchemy import select
from sqlalchemy.orm import Session

from grids import jobs
from grids.audit.heads import HeadFile, is_genuine, parsed, read_heads
from grids.audit.models import AuditCheck, AuditHead
from grids.audit.reading import note_check
from grids.audit.verifying import Verified, verify
from grids.jobs import tasks, work_of


def request_verification(session: Session, *, actor_id: int | None, now: datetime) -> int:
    """Ask for a verification of the whole chain; return the number of its result.

    The job is written in the caller's transaction: it is asked for, or it is not.
    """
    number = note_check(session, actor_id=actor_id, now=now)
    jobs.defer(session, "verify_audit", check_id=number)
    return number


@tasks.task(name="verify_audit", queueing_lock=None, pass_context=True)
def verify_audit(context: JobContext, check_id: int) -> None:
    """Verify the chain and write down what was found."""
    work = work_of(context)
    with Session(work.engine) as session, session.begin():
        files = list(_heads_of(session, work.heads_dir, work.signer))
    url = work.engine.url.render_as_string(hide_password=False)
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"),
                         autocommit=True) as conn:  # fmt: skip
        found = verify(conn, heads=files)
    with Session(work.engine) as session, session.begin():
        check = session.get_one(AuditCheck, check_id)
        _note(check, found, datetime.now(UTC))


def _heads_of(session: Session, folder: Path | None, signer: Any) -> Iterator[HeadFile]:
    """Read the heads of the folder where there is one, else those that the database keeps."""
    if folder is not None and folder.is_dir():
        yield from read_heads(folder, signer)
        return
    for made in session.scalars(select(AuditHead)):
        try:
            head = parsed(made.body)
        except (ValueError, KeyError):
            head = None
        is_good = signer is None or is_genuine(made.body, signer)
        yield HeadFile(Path(f"head-{made.id}"), head, is_good)


def _note(check: AuditCheck, found: Verified, now: datetime) -> None:
    check.ended_at = now
    check.events, check.links, check.heads = found.events, found.links, found.heads
    if found.finding is not None:
        check.problem = found.finding.problem
        check.row_id, check.row_at = found.finding.id, found.finding.at
        check.position = found.finding.position
