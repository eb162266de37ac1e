"""The departments as sources of imports: settings as remembered, and what each calls the entries."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import insert
from sqlalchemy.orm import Session

from grids.accounts import Actor
from grids.importing.batches import service
from grids.importing.batches.models import ImportBatch, ImportKey, ImportSource
from grids.importing.batches.settings import Given, Settings
from grids.synth.feeds.cells import SHAPED
from grids.synth.feeds.day import rows_of
from grids.synth.feeds.departments import DEPARTMENTS, Department
from grids.synth.feeds.records import known, own_id
from grids.synth.feeds.registers import Registers

_AT_ONCE: Final = 10_000


def introduce(session: Session, actor: Actor, *, seed: int, now: datetime) -> dict[str, int]:
    """Set up the departments as sources that have delivered before; return source keys by code.

    What a first delivery would have left is written: how the files are read, and which entry the
    department calls by which id. Departments that are there already are left as they are.
    """
    registers = Registers(session.connection())
    scale = registers.scale()
    found: dict[str, int] = {}
    for department in DEPARTMENTS:
        source = service.known_source(session, actor, department.code)
        if source is None:
            source = service.make_source(
                session, actor, code=department.code, name=department.name,
                target=department.target, department=department.seat or None,
            )  # fmt: skip
            source.settings = settings_for(department).as_json()
            _remember(session, actor, source, registers, department, seed, scale, now)
        found[department.code] = source.id
    return found


def settings_for(department: Department) -> Settings:
    """Return how a department's files are read."""
    return Settings(
        crs=department.crs, mode="good",
        mapping={
            name: Given(column=head) for name, head in department.heads.items()
            if not (department.format in SHAPED and name in ("lon", "lat"))
        },
    )  # fmt: skip


def _remember(
    session: Session, actor: Actor, source: ImportSource, registers: Registers,
    department: Department, seed: int, scale: float, now: datetime,
) -> None:  # fmt: skip
    first = ImportBatch(
        source_id=source.id, account_id=None, area_code=service.common_area(actor.areas),
        areas=list(actor.areas), file_sha256="", file_name="first delivery", file_size=0,
        settings=source.settings, state="committed", created_at=now, committed_at=now,
        cleared_at=now,
    )  # fmt: skip
    session.add(first)
    session.flush()
    keys = known(registers, department, seed, rows_of(department, scale)).tolist()
    for start in range(0, len(keys), _AT_ONCE):
        session.execute(
            insert(ImportKey),
            [{"source_id": source.id, "own_id": own_id(department, key), "batch_id": first.id,
              "target": department.target, "entry_id": key} for key in keys[start : start + _AT_ONCE]],
        )  # fmt: skip
