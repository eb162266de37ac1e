"""Work on batches that no request waits for, and the end of what a batch leaves behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from procrastinate import JobContext
from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session, aliased

from grids.blobs import Store
from grids.importing.batches import running
from grids.importing.batches.models import ImportBatch, ImportRow
from grids.importing.batches.service import ROOM
from grids.jobs import tasks, work_of

#: So long a batch can be taken back and its file be read again.
KEPT: Final = timedelta(days=30)
_AT_ONCE: Final = 20


@tasks.task(name="look_import", pass_context=True)
def look_import(context: JobContext, batch_id: int) -> None:
    """Look at the file of a batch."""
    work = work_of(context)
    running.run_look(work.engine, Store(work.blob_dir), batch_id)


@tasks.task(name="check_import", pass_context=True)
def check_import(context: JobContext, batch_id: int) -> None:
    """Stage and judge the rows of a batch."""
    work = work_of(context)
    running.run_check(work.engine, Store(work.blob_dir), batch_id, now=datetime.now(UTC))


@tasks.task(name="mend_import", pass_context=True)
def mend_import(context: JobContext, batch_id: int, numbers: list[int]) -> None:
    """Judge rows of a batch that were put right by hand."""
    running.run_mend(work_of(context).engine, batch_id, numbers, now=datetime.now(UTC))


@tasks.task(name="commit_import", pass_context=True)
def commit_import(context: JobContext, batch_id: int) -> None:
    """Take the good rows of a batch over, or go on with it."""
    running.run_commit(work_of(context).engine, batch_id)


@tasks.task(name="undo_import", pass_context=True)
def undo_import(context: JobContext, batch_id: int) -> None:
    """Take a batch back."""
    running.run_undo(work_of(context).engine, batch_id)


@tasks.periodic(cron="17 3 * * *")
@tasks.task(name="clear_imports", queueing_lock="clear_imports", pass_context=True)
def clear_imports(context: JobContext, timestamp: int) -> None:
    """Remove files and staged rows of old batches; their counts stay."""
    work = work_of(context)
    now = datetime.fromtimestamp(timestamp, UTC)
    with Session(work.engine) as session:
        while clear(session, Store(work.blob_dir), now=now):
            pass


def clear(session: Session, store: Store, *, now: datetime) -> int:
    """Clear some old batches; return how many. Rows go first, files when no batch names them."""
    with session.begin():
        old = session.scalars(
            select(ImportBatch)
            .where(ImportBatch.created_at < now - KEPT, ImportBatch.cleared_at.is_(None))
            .order_by(ImportBatch.id)
            .limit(_AT_ONCE)
            .with_for_update(skip_locked=True)
        ).all()
        for batch in old:
            session.execute(delete(ImportRow).where(ImportRow.batch_id == batch.id))
            batch.cleared_at = now
        session.flush()
        other = aliased(ImportBatch)
        free = [
            batch.file_sha256
            for batch in old
            if not session.scalar(
                select(exists().where(
                    other.file_sha256 == batch.file_sha256, other.cleared_at.is_(None)
                ))
            )
        ]  # fmt: skip
    for sha256 in free:
        store.path(ROOM, sha256).unlink(missing_ok=True)
    return len(old)
