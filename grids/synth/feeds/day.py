"""A day's files of all departments, and the manifest of what was planted in them."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import shapely
from sqlalchemy import Connection

from grids.synth.dirty import Writer, by_sound
from grids.synth.feeds import cells, files
from grids.synth.feeds.departments import A_DAY, DEPARTMENTS, Department
from grids.synth.feeds.faults import Faulter, values_of
from grids.synth.feeds.records import Record, newcomers, records, stream
from grids.synth.feeds.registers import Entry, Registers

MANIFEST: Final = "manifest.json"
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Report:
    """What was written: rows by department, faults by kind, and a digest of every cell."""

    rows: dict[str, int]
    planted: dict[str, int]
    digest: str


def rows_of(department: Department, scale: float) -> int:
    """Return how many records a department sends on a day."""
    return max(20, round(department.rows * scale))


def write_day(
    connection: Connection, folder: Path, *, seed: int, day: int, today: date,
    progress: Progress = lambda _text: None,
) -> Report:  # fmt: skip
    """Write the files of a day into a folder, one department after the other, and the manifest.

    The same registers, seed and day give the same cells and the same manifest. Nothing is
    written into the database.
    """
    registers = Registers(connection)
    scale = registers.scale()
    folder.mkdir(parents=True, exist_ok=True)
    # The first department is the one where every enterprise begins.
    opened = newcomers(registers, seed, day, _opened(scale))
    digest = hashlib.sha256()
    rows: dict[str, int] = {}
    planted: Counter[str] = Counter()
    with (folder / MANIFEST).open("w", encoding="utf-8") as out:
        head = {"seed": seed, "day": day, "scale": scale, "whole_day": A_DAY}
        out.write(json.dumps(head)[:-1] + ', "faults": [')
        about = []
        told: set[int] = set()
        for n, department in enumerate(DEPARTMENTS):
            made = _records(registers, department, seed, day, scale, opened, today, told)
            if department.target == "enterprise" and not told:
                told = {r.entry for r in made if r.entry and r.state == "same" and not r.planted}
            sheet = cells.sheet(department, made)
            files.write(folder, department, sheet)
            for row in (sheet.heads, *sheet.rows):
                digest.update("\x1f".join(row).encode() + b"\n")
            if sheet.shapes is not None:
                digest.update(b"".join(shapely.to_wkb(sheet.shapes).tolist()))
            for k, fault in enumerate(_faults(department, made)):
                out.write((",\n" if n or k else "\n") + json.dumps(fault, ensure_ascii=False))
                planted[fault["kind"]] += 1
            rows[department.code] = len(made)
            about.append(_about(department, made))
            progress(f"{department.name}: {len(made):,} records")
        end = {"departments": about, "planted": dict(sorted(planted.items())),
               "digest": digest.hexdigest()}  # fmt: skip
        out.write("\n], " + json.dumps(end, ensure_ascii=False)[1:] + "\n")
    return Report(rows, dict(planted), digest.hexdigest())


def _opened(scale: float) -> int:
    first = DEPARTMENTS[0]
    return round(rows_of(first, scale) * first.new)


def _records(
    registers: Registers, department: Department, seed: int, day: int, scale: float,
    opened: Sequence[Entry], today: date, told: Collection[int],
) -> list[Record]:  # fmt: skip
    # What is there twice counts as records too.
    wanted = rows_of(department, scale)
    base = wanted - round(wanted * department.share("twice"))
    made = records(registers, department, seed, day, base, opened)
    rng = stream(seed, department.code, day, "faults")
    return Faulter(department, rng, today, Writer(rng, by_sound()), told).plant(made)


def _faults(department: Department, made: Sequence[Record]) -> Iterator[dict[str, Any]]:
    first = files.first_row(department)
    for at, record in enumerate(made):
        for planted in record.planted:
            yield {"department": department.code, "file": department.file_name, "row": first + at,
                   "own_id": record.own_id, "entry": record.entry, **values_of(planted)}  # fmt: skip


def _about(department: Department, made: Sequence[Record]) -> dict[str, Any]:
    return {
        "department": department.code, "file": department.file_name, "target": department.target,
        "crs": department.crs, "rows": len(made), "first_row": files.first_row(department),
        "states": dict(sorted(Counter(record.state for record in made).items())),
    }  # fmt: skip
