"""S14: which fields of a case each role reads, and that none can be written from outside."""

from typing import Any
from uuid import uuid4

import pytest

from tests.support.cases import COUNTY, DEPARTMENT, WEST_GRID, Desk, make_staff

ROW = {
    "id", "number", "category", "address", "grid", "area", "area_name", "status", "status_name",
    "stage", "holder", "department", "reported_at", "received_at", "stage_at", "due_at",
    "handling_due_at", "risk", "rework_count", "lon", "lat", "source", "source_name", "urgency",
    "urgency_name",
}  # fmt: skip
DETAIL = ROW | {
    "text", "accuracy_m", "photos", "events", "actions", "origin", "hand_over", "ways", "flags", "moratorium",
}  # fmt: skip
READERS = {
    "commander": (COUNTY, None), "intake": (COUNTY, None), "worker": (WEST_GRID, None),
    "handler": (COUNTY, DEPARTMENT),
}  # fmt: skip
#: Columns that nobody may set by sending them.
NOT_YOURS = ("status", "number", "reporter_id", "area_code", "department_code", "received_at",
             "track_hash", "holder_id", "closed_at", "flags", "contact", "phone")  # fmt: skip


@pytest.fixture
def case(mapped: Any) -> Any:
    desk = Desk(mapped, make_staff(mapped))
    made = desk.submit()
    desk.take_to(made, "handling")
    return made


@pytest.mark.parametrize("role", READERS)
def test_a_role_reads_exactly_these_fields(
    map_app: Any, sign_in: Any, case: Any, role: str
) -> None:
    reader = sign_in(role, *READERS[role])

    listed = reader.get("/api/incidents?limit=500").json["items"]
    detail = reader.get(f"/api/incidents/{case}").json

    assert {frozenset(row) for row in listed} == {frozenset(ROW)}
    assert set(detail) - {"has_contact"} == DETAIL  # whether somebody can be called back


@pytest.mark.parametrize("name", NOT_YOURS)
def test_a_field_that_is_not_the_reporters_is_refused(
    map_app: Any, mapped: Any, sign_in: Any, name: str
) -> None:
    body = {"category": "03001", "lon": 120.05, "lat": 29.3, "text": "x", name: "closed"}

    answer = sign_in("worker", WEST_GRID).put(f"/api/incidents/{uuid4()}", json=body)

    assert answer.status_code == 422
    assert answer.json["code"] == "body.invalid"
