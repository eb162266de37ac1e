"""A day's feeds of fifteen departments: the same each time, told in the manifest, nobody in them."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

import grids.models  # noqa: F401 - a foreign key finds its table whichever is used first
from app.config import as_role
from gis.tables import open_table
from grids import synth
from grids.accounts import Actor
from grids.blobs import Store
from grids.importing.batches import running, service
from grids.importing.batches.models import ImportBatch, ImportRow, ImportSource
from grids.importing.batches.settings import is_personal, refuse_persons, settings_of
from grids.secrets import Vault
from grids.synth.feeds import DEPARTMENTS, MANIFEST, Report, introduce, write_day
from grids.synth.feeds.departments import A_DAY, BY_CODE
from grids.synth.feeds.sources import settings_for

SCALE, SEED, TODAY = 0.004, 5, date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)
STEWARD = Actor(0, "steward", frozenset(), frozenset(), ("",))


@dataclass(frozen=True)
class Fed:
    engine: Engine
    folder: Path
    report: Report

    @property
    def manifest(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((self.folder / MANIFEST).read_text(encoding="utf-8"))
        return told

    def cells(self, code: str) -> tuple[tuple[str, ...], dict[int, list[str]]]:
        """Read a file as the import does: heads, and the cells of each row by its number."""
        file = self.folder / BY_CODE[code].file_name
        found = open_table(file, file.name)
        rows: dict[int, list[str]] = {}
        for block in found.blocks():
            for at, number in enumerate(block.numbers):
                rows[number] = [column[at] for column in block.columns]
        return tuple(found.columns), rows


@pytest.fixture(scope="module")
def fed(server, schema_template, tmp_path_factory) -> Iterator[Fed]:
    name = server.clone(schema_template, "feeds")
    engine = create_engine(as_role(server.url(name), "wangge_owner", "none"), poolclass=NullPool)
    vault = Vault({1: b"k" * 32}, b"i" * 32)
    synth.build(engine, scale=SCALE, seed=SEED, vault=vault, today=TODAY, now=NOW)
    folder = tmp_path_factory.mktemp("day")
    with engine.connect() as connection:
        report = write_day(connection, folder, seed=SEED, day=1, today=TODAY)
    yield Fed(engine, folder, report)
    engine.dispose()
    server.drop(name)


def test_a_whole_day_of_all_departments_has_three_hundred_thousand_records():
    assert len(DEPARTMENTS) == 15
    assert sum(one.rows for one in DEPARTMENTS) == A_DAY


def test_the_same_seed_and_day_give_the_same_records_and_another_day_others(fed, tmp_path):
    with fed.engine.connect() as connection:
        again = write_day(connection, tmp_path / "again", seed=SEED, day=1, today=TODAY)
        later = write_day(connection, tmp_path / "later", seed=SEED, day=2, today=TODAY)

    assert again == fed.report
    assert later.digest != fed.report.digest
    first = (fed.folder / MANIFEST).read_bytes()
    assert (tmp_path / "again" / MANIFEST).read_bytes() == first


def test_every_file_opens_and_has_the_rows_that_the_manifest_counts(fed):
    for about in fed.manifest["departments"]:
        heads, rows = fed.cells(about["department"])

        assert len(rows) == about["rows"] == sum(about["states"].values())
        assert min(rows) == about["first_row"]
        department = BY_CODE[about["department"]]
        wanted = {one.column for one in settings_for(department).mapping.values()}
        assert wanted <= set(heads)


def test_the_manifest_tells_every_fault_at_the_row_that_has_it(fed):
    told = fed.manifest

    assert Counter(fault["kind"] for fault in told["faults"]) == told["planted"]
    assert {"code_mistyped", "code_old", "swapped", "shifted", "twice", "other_name",
            "day_impossible", "figure_impossible", "missing", "stale",
            "contradiction"} <= set(told["planted"])  # fmt: skip
    assert any(kind.startswith("address_") for kind in told["planted"])
    files = {one.code: fed.cells(one.code) for one in DEPARTMENTS}
    for fault in told["faults"]:
        heads, rows = files[fault["department"]]
        named = dict(zip(heads, rows[fault["row"]], strict=True))
        own = BY_CODE[fault["department"]].heads
        assert named[own["own_id"]] == fault["own_id"]
        if fault["kind"] in ("code_mistyped", "code_old"):
            assert named[own[fault["field"]]] not in ("", fault["truth"])
        if fault["kind"] == "missing":
            assert named[own[fault["field"]]].strip() in ("", "无", "暂无", "/")


def test_no_column_and_no_cell_is_about_a_person(fed):
    names = ("身份证", "法定代表人", "联系", "电话", "姓名")
    for department in DEPARTMENTS:
        heads, rows = fed.cells(department.code)
        assert not [head for head in heads if is_personal(head)]
        for row in rows.values():
            for cell in row:
                refuse_persons(cell)
                assert not any(name in cell for name in names)


def test_a_department_that_was_introduced_is_known_by_its_ids_and_read_as_it_writes(fed, tmp_path):
    """Rows that are as they were mean their entries; what is planted for the import is refused."""
    with Session(fed.engine) as session, session.begin():
        sources = introduce(session, STEWARD, seed=SEED, now=NOW)
        assert introduce(session, STEWARD, seed=SEED, now=NOW) == sources
    store = Store(tmp_path)
    seen = {}
    for code in ("market-supervision", "health", "housing", "power", "human-resources"):
        data = (fed.folder / BY_CODE[code].file_name).read_bytes()
        with Session(fed.engine) as session, session.begin():
            source = session.get_one(ImportSource, sources[code])
            batch = service.start(
                session, store, STEWARD, source, data, name=BY_CODE[code].file_name, now=NOW
            )
            key = batch.id
        running.run_look(fed.engine, store, key)
        with Session(fed.engine) as session, session.begin():
            looked = session.get_one(ImportBatch, key)
            service.ask_check(session, looked, settings_of(looked.settings))
        running.run_check(fed.engine, store, key, now=NOW)
        with Session(fed.engine) as session:
            checked = session.get_one(ImportBatch, key)
            assert checked.state == "checked", checked.refusal
            rows = session.query(ImportRow).filter(ImportRow.batch_id == key).all()
            seen[code] = {row.number: row for row in rows}
    refused = {"code_mistyped", "code_old", "swapped", "missing"}
    faulty: dict[tuple[str, int], str] = {}
    for fault in fed.manifest["faults"]:
        at = (fault["department"], fault["row"])
        if fault["department"] in seen and not fault["kind"].startswith("address_"):
            faulty[at] = fault["kind"]
            row = seen[at[0]][at[1]]
            if fault["kind"] in refused:
                assert row.verdict == "rejected", (fault, row.errors)
    about = {one["department"]: one["states"] for one in fed.manifest["departments"]}
    for code, rows in seen.items():
        # What a file rounds, transforms or tells by an address alone has not moved.
        faults = sum(fault["department"] == code for fault in fed.manifest["faults"])
        same = sum(row.verdict == "same" for row in rows.values())
        assert same >= about[code]["same"] - faults > 0
        good = [row for number, row in rows.items() if (code, number) not in faulty]
        rejected = [row.errors for row in good if row.verdict == "rejected"]
        assert not rejected, (code, rejected[:3])
        known = [row for row in good if "-N" not in row.own_id and row.verdict != "held"]
        assert known
        assert all(row.entry_id for row in known)


def test_nothing_is_written_into_the_city_by_making_its_feeds(fed, tmp_path):
    count = text("SELECT count(*), max(id) FROM enterprise")
    with fed.engine.connect() as connection:
        before = connection.execute(count).one()
        write_day(connection, tmp_path, seed=SEED, day=3, today=TODAY)
        assert connection.execute(count).one() == before
