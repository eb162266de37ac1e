"""Taking back: a step for many cases by its token, a single one by case and event."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.orm import Session

from tests.support import cases

SignIn = Callable[..., Any]


@pytest.fixture
def desk(session: Session) -> cases.Desk:
    """Everybody who works on cases of a small city, today."""
    cases.build_city(session)
    return cases.Desk(session, cases.make_staff(session), now=datetime.now(UTC))


def test_a_step_for_many_is_taken_back_together(desk: cases.Desk, sign_in: SignIn) -> None:
    ids = [str(desk.submit()) for _ in range(2)]
    intake, leader = sign_in("intake"), sign_in("shift_leader")
    token = intake.post(
        "/api/desk/bulk", json={"id": str(uuid4()), "ids": ids, "action": "accept"}
    ).get_json()["undo"]
    leader.post(f"/api/incidents/{ids[1]}/moves", json={"id": str(uuid4()), "action": "file"})
    body = {"id": str(uuid4()), "token": token}

    others = leader.post("/api/desk/undo", json={**body, "id": str(uuid4())})
    undone = intake.post("/api/desk/undo", json=body).get_json()
    again = intake.post("/api/desk/undo", json=body).get_json()

    assert others.get_json()["code"] == "desk.nothing_to_undo"
    assert [one["id"] for one in undone["done"]] == [ids[0]]
    assert [(one["id"], one["code"]) for one in undone["refused"]] == [
        (ids[1], "desk.nothing_to_undo")
    ]
    assert again["done"] == undone["done"]
    assert desk.row(UUID(ids[0])).status == "pending_accept"
    assert desk.row(UUID(ids[1])).status == "pending_dispatch"


def test_a_single_step_is_taken_back_by_case_and_event(
    desk: cases.Desk, session: Session, sign_in: SignIn
) -> None:
    case = desk.submit()
    intake = sign_in("intake")
    step = intake.post(
        f"/api/incidents/{case}/moves", json={"id": str(uuid4()), "action": "accept"}
    ).get_json()
    body = {"id": str(uuid4()), "incident": str(case), "seq": step["seq"]}

    wrong = intake.post("/api/desk/undo", json={**body, "id": str(uuid4()), "seq": 1}).get_json()
    undone = intake.post("/api/desk/undo", json=body).get_json()

    assert wrong["done"] == []
    assert [one["id"] for one in undone["done"]] == [str(case)]
    assert desk.row(case).status == "pending_accept"
    assert desk.row(case).event_count == 3
