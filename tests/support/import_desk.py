"""A desk that imports tables into a committed city: sent, looked at, checked, taken over and back."""

import csv
import io
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.orm import Session

from app.config import ROOT, as_role, read_secrets
from grids.accounts import Actor
from grids.blobs import Store
from grids.enterprises import Enterprise
from grids.importing.batches import committing, running, service
from grids.importing.batches.models import ImportBatch, ImportRow
from grids.importing.batches.settings import Given, settings_of
from tests.support.cases import COUNTY, build_city, make_actor
from tests.support.database import VAR, Server

NOW = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
#: A worker of its own, to be killed: takes a batch over in chunks of so many rows.
RUN = """
import sys
from sqlalchemy import create_engine
import grids.models
from grids.importing.batches import running
running.run_commit(create_engine(sys.argv[1]), int(sys.argv[2]), chunk=int(sys.argv[3]))
"""


@dataclass
class Desk:
    """A committed city, a store of files and somebody who imports."""

    owner: Engine
    worker: Engine
    store: Store
    actor: Actor

    def send(
        self, data: bytes, *, name: str = "企业.csv", source: str = "shichang", target: str = "enterprise",
        actor: Actor | None = None, department: str | None = None, at: datetime = NOW,
    ) -> int:  # fmt: skip
        who = actor or self.actor
        with Session(self.owner) as session, session.begin():
            found = service.known_source(session, who, source) or service.make_source(
                session, who, code=source, name="市场监管局", target=target, department=department
            )
            made = service.start(session, self.store, who, found, data, name=name, now=at)
            batch_id = made.id
        running.run_look(self.worker, self.store, batch_id)
        return batch_id

    @contextmanager
    def batch(self, batch_id: int) -> Iterator[tuple[Session, ImportBatch]]:
        with Session(self.owner) as session, session.begin():
            yield session, session.get_one(ImportBatch, batch_id, populate_existing=True)

    def check(
        self, batch_id: int, mode: Literal["", "good", "all"] = "", **mapping: Given
    ) -> ImportBatch:
        with self.batch(batch_id) as (session, batch):
            settings = settings_of(batch.settings)
            service.ask_check(session, batch, replace(
                settings, mode=mode or settings.mode, mapping={**settings.mapping, **mapping}
            ))  # fmt: skip
        running.run_check(self.worker, self.store, batch_id, now=NOW)
        return self.state(batch_id)

    def commit(self, batch_id: int, *, chunk: int = 4) -> ImportBatch:
        with self.batch(batch_id) as (session, batch):
            service.ask_commit(session, batch, self.actor, now=NOW)
        running.run_commit(self.worker, batch_id, chunk=chunk)
        return self.state(batch_id)

    def cut_off(self, batch_id: int, *, chunk: int, when: Callable[[int, bool], bool]) -> None:
        """Let a process of its own take a batch over, and kill it with -9.

        `when` hears how many rows are noted as done and whether the process is writing.
        """
        with self.batch(batch_id) as (session, batch):
            service.ask_commit(session, batch, self.actor, now=NOW)
        url = self.worker.url.render_as_string(hide_password=False)
        worker = subprocess.Popen(
            [sys.executable, "-c", RUN, url, str(batch_id), str(chunk)], cwd=ROOT
        )
        noted = select(ImportBatch.rows_done).where(ImportBatch.id == batch_id)
        writes = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = :lock")
        with Session(self.owner) as session:
            while worker.poll() is None:
                with suppress(subprocess.TimeoutExpired):
                    worker.wait(0.02)
                done = session.scalar(noted) or 0
                is_writing = bool(session.scalar(writes, {"lock": committing.LOCK}))
                session.rollback()
                if when(done, is_writing):
                    break
        worker.kill()
        assert worker.wait() == -9

    def undo(self, batch_id: int) -> ImportBatch:
        with self.batch(batch_id) as (session, batch):
            service.ask_undo(session, batch, self.actor, now=NOW)
        running.run_undo(self.worker, batch_id)
        return self.state(batch_id)

    def whole(self, data: bytes, **how: Any) -> ImportBatch:
        batch_id = self.send(data, **how)
        checked = self.check(batch_id)
        assert checked.state == "checked", checked.refusal
        return self.commit(batch_id)

    def state(self, batch_id: int) -> ImportBatch:
        with self.batch(batch_id) as (session, batch):
            session.expunge(batch)
            return batch

    def faults(self, batch_id: int) -> dict[int, list[tuple[str, str]]]:
        """Row -> its rules with the columns."""
        with Session(self.owner) as session:
            rows = session.scalars(select(ImportRow).where(
                ImportRow.batch_id == batch_id, ImportRow.errors.is_not(None)))  # fmt: skip
            return {
                row.number: [(e["rule"], e["column"]) for e in row.errors or ()] for row in rows
            }

    def firms(self) -> dict[str, Enterprise]:
        with Session(self.owner, expire_on_commit=False) as session:
            return {str(row.uscc): row for row in session.scalars(select(Enterprise))}


@pytest.fixture(scope="module")
def import_base(server: Server, schema_template: str) -> Iterator[str]:
    """A city of two towns, committed: batches have transactions of their own."""
    name = server.clone(schema_template, "imports")
    engine = create_engine(as_role(server.url(name), "wangge_owner", "none"))
    with Session(engine) as session, session.begin():
        build_city(session)
    engine.dispose()
    yield server.url(name)
    server.drop(name)


@contextmanager
def opened_desk(base: str, store: Path) -> Iterator[Desk]:
    """Empty the registers of a city and give its desk."""
    owner = create_engine(as_role(base, "wangge_owner", "none"))
    worker = create_engine(as_role(base, "wangge_worker", read_secrets(VAR)["wangge_worker"]))
    empty(owner)
    with Session(owner) as session, session.begin():
        actor = make_actor(session, "steward", COUNTY)
    yield Desk(owner, worker, Store(store), actor)
    owner.dispose()
    worker.dispose()


def empty(owner: Engine) -> None:
    """Empty the registers and forget what was imported."""
    with owner.begin() as connection:
        connection.execute(text(
            "TRUNCATE import_source, enterprise, premises, building, facility, component, address,"
            " fact, register_change CASCADE"))  # fmt: skip


@pytest.fixture
def import_desk(import_base: str, tmp_path: Path) -> Iterator[Desk]:
    """A desk with empty registers."""
    with opened_desk(import_base, tmp_path) as found:
        yield found


def table(
    rows: Sequence[tuple[object, ...]], head: tuple[str, ...], encoding: str = "utf-8"
) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([head, *rows])
    return out.getvalue().encode(encoding)
