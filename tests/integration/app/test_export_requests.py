"""Exports by their level: free, for a purpose, by a second person; handed out until they expire."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from app.config import Settings
from grids import exports
from grids.exports import jobs
from grids.exports.models import ExportRequest
from tests.support.maps import TOWNS

ASKED = {
    "layer": "incident", "format": "csv", "columns": "number,text,received_at",
    "reason": "planning", "note": "积水点整治方案需要",
}  # fmt: skip


@pytest.fixture
def folder(settings: Settings) -> Path:
    return settings.exports_dir


def ask(client, **more: str) -> int:
    answer = client.post("/planner/exports/new", data={**ASKED, **more})
    assert answer.status_code == 303, answer.get_data(as_text=True)[:500]
    return 0


def last(session) -> ExportRequest:
    return session.query(ExportRequest).order_by(ExportRequest.id.desc()).first()


def decide(client, request_id: int, answer: str, note: str = ""):
    return client.post(f"/exports/approvals/{request_id}", data={"answer": answer, "note": note})


def make(session, request: ExportRequest, folder: Path) -> None:
    jobs.make_file(session, request, folder, now=datetime.now(UTC))
    session.flush()


def actions(session) -> list[str]:
    return list(session.scalars(text("SELECT action FROM audit_event ORDER BY id")))


def test_internal_data_asks_for_a_purpose_and_keeps_it(map_app, sign_in, mapped) -> None:
    client = sign_in("planner")
    mapped.execute(text("INSERT INTO assignment (account_id, role, area_code) VALUES"
                        " (:a, 'commander', '339901')"), {"a": client.account_id})  # fmt: skip

    bare = client.get("/api/export/enterprise.csv")
    short = client.get("/api/export/enterprise.csv?reason=planning&note=x")
    free = client.get("/api/export/enterprise.csv?columns=kind,industry")
    full = client.get("/api/export/enterprise.csv?reason=planning&note=for the plan")

    assert (bare.status_code, bare.json["code"]) == (422, "export.reason_needed")
    assert short.status_code == 422
    assert (free.status_code, full.status_code) == (200, 200)
    kept = last(mapped)
    assert (kept.level, kept.reason, kept.note, kept.state) == (
        "L2", "planning", "for the plan", "direct",
    )  # fmt: skip


def test_an_export_takes_the_highest_level_of_its_columns(map_app, sign_in, mapped) -> None:
    client = sign_in("planner")
    mapped.execute(text("INSERT INTO assignment (account_id, role, area_code) VALUES"
                        " (:a, 'commander', '339901')"), {"a": client.account_id})  # fmt: skip

    levels = {
        columns: client.get(f"/api/export/incident/preview?columns={columns}").json["level"]
        for columns in ("status", "status,address", "status,address,text")
    }
    refused = client.get("/api/export/incident.csv?columns=text&reason=planning&note=for the plan")

    assert list(levels.values()) == ["L1", "L2", "L3"]
    assert (refused.status_code, refused.json["code"]) == (403, "export.approval_needed")


def test_a_layer_that_the_planner_may_not_see_is_counted_and_not_shown(map_app, sign_in) -> None:
    found = sign_in("planner").get("/api/export/incident/preview").json

    assert found["level"] == "L3"
    assert found["rows"] == 4
    assert (found["first"], found["shown"]) == ([], 0)


def test_a_sensitive_export_goes_its_whole_way(map_app, sign_in, mapped, folder) -> None:
    planner, commander = sign_in("planner"), sign_in("commander")
    ask(planner)
    request = last(mapped)
    early = planner.get(
        f"/planner/exports/{request.id}/file", headers={"Accept": "application/json"}
    )
    queue = commander.get("/exports/approvals").get_data(as_text=True)

    done = decide(commander, request.id, "approve", "同意")
    make(mapped, request, folder)
    file = planner.get(f"/planner/exports/{request.id}/file")

    assert (early.status_code, early.json["code"]) == (409, "export.not_ready")
    assert request.note in queue
    assert commander.get("/api/exports/waiting").json == {"waiting": 0}
    assert done.status_code == 303
    assert file.status_code == 200
    rows = list(csv.DictReader(io.StringIO(file.data.decode("utf-8-sig"))))
    assert len(rows) == 4 == int(file.headers["X-Row-Count"])
    assert set(rows[0]) == {"id", "number", "text", "received_at", "export_mark", "lon", "lat"}
    assert request.number in rows[0]["export_mark"]
    assert oct(exports.path_of(folder, request).stat().st_mode & 0o777) == "0o600"
    assert [name for name in actions(mapped) if "export" in name] == [
        "export_requested", "export_approved", "export",
    ]  # fmt: skip
    assert mapped.scalar(text("SELECT count(*) FROM procrastinate_jobs"
                              " WHERE task_name = 'wangge:make_export'")) == 1  # fmt: skip


def test_only_the_one_who_asked_takes_the_file(map_app, sign_in, mapped, folder) -> None:
    planner, other, commander = sign_in("planner"), sign_in("planner"), sign_in("commander")
    ask(planner)
    request = last(mapped)
    decide(commander, request.id, "approve")
    make(mapped, request, folder)

    taken = other.get(f"/planner/exports/{request.id}/file")

    assert taken.status_code == 404
    assert request.number not in other.get("/planner/exports").get_data(as_text=True)


def test_nobody_decides_on_their_own_request(map_app, sign_in, mapped) -> None:
    both = sign_in("planner")
    mapped.execute(text("INSERT INTO assignment (account_id, role, area_code) VALUES"
                        " (:a, 'commander', '339901')"), {"a": both.account_id})  # fmt: skip
    ask(both)
    request = last(mapped)

    answer = decide(both, request.id, "approve")

    assert answer.status_code == 403
    mapped.refresh(request)
    assert request.state == "waiting"
    with pytest.raises(IntegrityError, match="second_person"), mapped.begin_nested():
        mapped.execute(text("UPDATE export_request SET decided_by = account_id WHERE id = :i"),
                       {"i": request.id})  # fmt: skip
    with pytest.raises(IntegrityError, match="sensitive"), mapped.begin_nested():
        mapped.execute(text("UPDATE export_request SET state = 'ready' WHERE id = :i"),
                       {"i": request.id})  # fmt: skip


def test_an_approver_of_one_town_does_not_see_the_whole_county(map_app, sign_in, mapped) -> None:
    ask(sign_in("planner"))
    whole = last(mapped)
    ask(sign_in("planner"), area=TOWNS[0])
    part = last(mapped)
    town = sign_in("commander", area=TOWNS[0])

    page = town.get("/exports/approvals").get_data(as_text=True)

    assert part.note in page
    assert f"/exports/approvals/{whole.id}" not in page
    assert decide(town, whole.id, "approve").status_code == 404
    assert decide(town, part.id, "approve").status_code == 303


def test_a_refusal_says_why_and_ends_the_request(map_app, sign_in, mapped) -> None:
    planner, commander = sign_in("planner"), sign_in("commander")
    ask(planner)
    request = last(mapped)

    mute = decide(commander, request.id, "refuse")
    done = decide(commander, request.id, "refuse", "范围过大，请缩小")
    again = decide(commander, request.id, "approve")

    assert (mute.status_code, done.status_code, again.status_code) == (422, 303, 409)
    assert "范围过大" in planner.get("/planner/exports").get_data(as_text=True)
    assert "export_refused" in actions(mapped)


def test_a_file_expires_and_is_removed(map_app, sign_in, mapped, folder) -> None:
    planner, commander = sign_in("planner"), sign_in("commander")
    ask(planner)
    request = last(mapped)
    decide(commander, request.id, "approve")
    make(mapped, request, folder)
    path = exports.path_of(folder, request)
    assert path.exists()

    mapped.execute(text("UPDATE export_request SET expires_at = now() - interval '1 s'"))
    late = planner.get(
        f"/planner/exports/{request.id}/file", headers={"Accept": "application/json"}
    )
    mapped.expire_all()
    removed = exports.expire(mapped, folder, datetime.now(UTC) + timedelta(seconds=5))

    assert (late.status_code, late.json["code"]) == (410, "export.expired")
    assert (removed, path.exists(), request.state) == (1, False, "expired")


def test_an_asker_who_lost_the_role_gets_nothing(map_app, sign_in, mapped, folder) -> None:
    planner, commander = sign_in("planner"), sign_in("commander")
    ask(planner)
    request = last(mapped)
    decide(commander, request.id, "approve")
    mapped.execute(text("UPDATE assignment SET valid_to = current_date WHERE account_id = :a"),
                   {"a": planner.account_id})  # fmt: skip
    mapped.expire_all()

    make(mapped, request, folder)

    assert request.state == "failed"
    assert not exports.path_of(folder, request).exists()


@pytest.mark.parametrize("ending", ["geojson", "gpkg", "xlsx", "html"])
def test_every_format_says_who_took_it(map_app, sign_in, mapped, folder, ending, tmp_path) -> None:
    planner, commander = sign_in("planner"), sign_in("commander")
    ask(planner, format=ending)
    request = last(mapped)
    decide(commander, request.id, "approve")
    make(mapped, request, folder)

    data = planner.get(f"/planner/exports/{request.id}/file").data

    assert request.number in visible(data, ending, tmp_path)


def visible(data: bytes, ending: str, folder: Path) -> str:
    """Read the mark where a reader of the format finds it."""
    if ending == "geojson":
        return str(json.loads(data)["watermark"])
    if ending == "html":
        page = data.decode()
        return page[page.index('<div class="watermark"') :][:400]
    if ending == "xlsx":
        from openpyxl import load_workbook

        book = load_workbook(io.BytesIO(data))
        sheet = book.worksheets[0]
        assert sheet.oddHeader.center.text == sheet.oddFooter.left.text
        assert book.properties.creator == sheet.oddHeader.center.text
        return str(sheet.oddHeader.center.text)
    import sqlite3

    path = folder / "one.gpkg"
    path.write_bytes(data)
    with sqlite3.connect(path) as base:
        return str(base.execute("SELECT metadata FROM gpkg_metadata").fetchall())


def test_exports_stop_while_the_log_cannot_be_written(map_app, sign_in, mapped) -> None:
    client = sign_in("planner")
    mapped.execute(text("UPDATE audit_state SET seen_at = now() - interval '5 min', limit_s = 60"))

    stopped = client.get("/api/export/grid.csv")
    asked = client.post("/planner/exports/new", data=ASKED, headers={"Accept": "application/json"})
    mapped.execute(text("UPDATE audit_state SET seen_at = clock_timestamp()"))
    again = client.get("/api/export/grid.csv")

    assert (stopped.status_code, stopped.json["code"]) == (503, "audit.stopped")
    assert (asked.status_code, asked.json["code"]) == (503, "audit.stopped")
    assert again.status_code == 200
