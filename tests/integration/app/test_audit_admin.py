"""The audit administrator: the log is narrowed, paged, taken away and verified."""

import csv
import io
from datetime import UTC, datetime

from sqlalchemy import text

from grids import accounts
from grids.audit import AuditEvent
from tests.support.admins import (
    PASSWORD,
    PERSON,
    PROGRAM,
    grow_old,
    make_account,
    noted,
)

# --- The audit administrator -----------------------------------------------------------------


def test_the_log_is_narrowed_and_its_reading_is_noted(sign_in, session):
    person = make_account(session)
    accounts.sign_in(session, "lin", "wrong", now=datetime.now(UTC), source_ip="10.7.7.7")
    accounts.sign_in(session, "lin", PASSWORD, now=datetime.now(UTC), source_ip="10.8.8.8")
    client = sign_in("audit_admin")

    failed = client.get("/admin/audit?who=lin&success=no").text
    by_kind = client.get("/admin/audit?who=lin&action=kind:sign_in").text
    by_act = client.get("/admin/audit?who=lin&action=sign_in").text
    nobody = client.get("/admin/audit?who=nobody-here").text

    assert ("10.7.7.7" in failed, "10.8.8.8" in failed) == (True, False)
    assert ("10.7.7.7" in by_kind, "10.8.8.8" in by_kind) == (True, True)
    assert ("10.7.7.7" in by_act, "10.8.8.8" in by_act) == (False, True)
    assert "10.8.8.8" not in nobody
    read = noted(session, "audit_read")
    assert len(read) == 4
    assert read[-1].detail["actor"] == person.id


def test_days_are_those_of_the_city(sign_in, session):
    make_account(session)
    session.add(
        AuditEvent(at=datetime(2026, 3, 4, 16, 30, tzinfo=UTC), action="sign_out",
                   source_ip="10.5.5.5", is_success=True, subject="", detail={})
    )  # fmt: skip
    session.flush()
    client = sign_in("audit_admin")

    that_day = client.get("/admin/audit?from=2026-03-05&to=2026-03-05").text
    day_before = client.get("/admin/audit?from=2026-03-04&to=2026-03-04").text

    assert "2026-03-05 00:30:00 +08:00" in that_day
    assert "10.5.5.5" not in day_before


def test_the_log_is_paged_without_a_gap(sign_in, session, monkeypatch):
    monkeypatch.setattr("app.admin.log.PAGE", 2)
    for number in range(5):
        session.add(
            AuditEvent(at=datetime(2026, 3, 4, 1, number, tzinfo=UTC), action="sign_out",
                       source_ip=f"10.6.6.{number}", is_success=True, subject="", detail={})
        )  # fmt: skip
    session.flush()
    client = sign_in("audit_admin")
    seen, url = [], "/admin/audit?from=2026-03-04&to=2026-03-04"
    for _ in range(4):
        page = client.get(url).text
        seen += [n for n in range(5) if f"10.6.6.{n}" in page]
        after = page.partition("after=")[2].partition('"')[0]
        if not after:
            break
        url = f"/admin/audit?from=2026-03-04&to=2026-03-04&after={after}"

    assert sorted(seen) == [0, 1, 2, 3, 4]


def test_the_log_is_exported_with_a_reason_and_without_formulas(sign_in, session):
    session.add(
        AuditEvent(at=datetime(2026, 3, 4, 1, tzinfo=UTC), action="sign_out",
                   source_ip="=cmd|' /C calc'!A0", is_success=True, subject="", detail={"a": True})
    )  # fmt: skip
    session.flush()
    client = sign_in("audit_admin")
    url = "/admin/audit/export?from=2026-03-04&to=2026-03-04"

    refused = client.post(url, data={"reason": " "}, headers=PERSON)
    answer = client.post(url, data={"reason": "年度检查"})

    rows = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert refused.status_code == 422
    assert [row["action"] for row in rows] == ["sign_out"]
    assert rows[0]["source"].startswith("'=")
    assert rows[0]["at"] == "2026-03-04T01:00:00+00:00"
    assert noted(session, "audit_exported")[0].detail["reason"] == "年度检查"


def test_exporting_the_log_asks_for_a_fresh_proof(sign_in, session):
    client = sign_in("audit_admin")
    grow_old(session, client)

    answer = client.post("/admin/audit/export", data={"reason": "年度检查"}, headers=PROGRAM)

    assert answer.status_code == 401


def test_a_verification_is_asked_for_and_its_result_is_shown(sign_in, session):
    client = sign_in("audit_admin")

    client.post("/admin/audit/chain/verify")
    waits = client.get("/admin/audit/chain").text
    session.execute(
        text(
            "UPDATE audit_check SET ended_at = now(), events = 12, problem = 'changed', row_id = 7"
        )
    )
    done = client.get("/admin/audit/chain").text

    jobs = session.scalars(
        text("SELECT task_name FROM procrastinate_jobs WHERE task_name LIKE '%verify_audit'")
    )
    assert len(jobs.all()) == 1
    assert "disabled" in waits
    assert "内容被改动" in done
    assert noted(session, "audit_verified")[0].actor_id == client.account_id
