"""R43: whatever a file is, its page answers, says why in Chinese and English, and nothing breaks."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from app.config import Settings
from grids.blobs import Store
from grids.importing.batches.models import ImportBatch
from grids.importing.batches.settings import settings_of
from tests.integration.app.test_imports import Desk
from tests.support.bad_tables import TABLES, BadTable
from tests.support.cases import build_city

HAN = r"[\u4e00-\u9fff]"
NAMES = sorted(TABLES)


@pytest.fixture
def desk(
    session: Session, connection: Connection, sign_in: Callable[..., Any], settings: Settings
) -> Desk:
    build_city(session)
    session.flush()
    return Desk(sign_in("steward"), session, connection, Store(settings.blob_dir))


def test_the_corpus_holds_sixty_files() -> None:
    assert len(TABLES) >= 60


# Some at a time: a city for each file would take longer than all the files.
@pytest.mark.parametrize("part", range(6))
def test_every_bad_file_is_answered_with_its_cause(desk: Desk, part: int) -> None:
    wrong = []
    for number, name in enumerate(NAMES[part::6]):
        try:
            check(desk, TABLES[name], f"source-{number}")
        except AssertionError as found:
            wrong.append(f"{name}: {found}")

    assert wrong == [], "\n\n".join(wrong)


def check(desk: Desk, bad: BadTable, source: str) -> None:
    path = sent(desk, bad, source)
    batch = desk.session.get_one(ImportBatch, int(path.rpartition("/")[2]))
    pages = [desk.page(path, lang) for lang in ("zh", "en")]
    if batch.state == "looked":
        settings = settings_of(batch.settings)
        form = {"mode": settings.mode}
        form |= {f"c.{field}": given.column for field, given in settings.mapping.items()}
        answer = desk.step(path, "check", **form)
        assert answer.status_code == (422 if bad.missing else 303)
        if bad.missing:
            assert tuple(batch.look["missing"]) == bad.missing
            return
    if bad.refused:
        assert batch.state == "refused", (batch.state, faults(desk, batch))
        assert bad.refused in (batch.refusal.get("why"), batch.refusal["code"]), batch.refusal
        pages = [desk.page(path, lang) for lang in ("zh", "en")]
        assert all('role="alert"' in page for page in pages)
        return
    assert batch.state == "checked", batch.refusal
    assert faults(desk, batch) == dict(bad.rows)
    assert batch.rows_new == bad.good
    last = desk.page(path)
    report = list(csv.reader(io.StringIO(
        desk.client.get(f"{path}/errors.csv").data.decode("utf-8-sig"), newline="")))  # fmt: skip
    assert {int(row[0]): row[3] for row in report[1:]} == dict(bad.rows)
    assert all(any("\u4e00" <= sign <= "\u9fff" for sign in row[4]) for row in report[1:])
    assert all("import.rule" not in page for page in (last, *pages))


def faults(desk: Desk, batch: ImportBatch) -> dict[int, str]:
    rows = desk.session.execute(
        text("SELECT number, errors -> 0 ->> 'rule' AS rule FROM import_row"
             " WHERE batch_id = :batch AND errors IS NOT NULL"), {"batch": batch.id}
    )  # fmt: skip
    return {row.number: row.rule for row in rows}


def sent(desk: Desk, bad: BadTable, source: str) -> str:
    answer = desk.client.post(
        "/data/imports",
        data={"code": source, "name": source, "target": bad.target,
              "file": (io.BytesIO(bad.made()), bad.file)},
        content_type="multipart/form-data",
    )  # fmt: skip
    assert answer.status_code == 303, answer.status_code
    desk.work()
    return str(answer.headers["Location"])


def test_a_file_of_no_byte_is_refused_at_the_door(desk: Desk) -> None:
    answer = desk.client.post(
        "/data/imports", data={"code": "nothing", "name": "空", "target": "facility",
                               "file": (io.BytesIO(b""), "a.csv")},
        content_type="multipart/form-data",
    )  # fmt: skip

    assert answer.status_code == 422
    assert "form-error" in answer.get_data(as_text=True)
