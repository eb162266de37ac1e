"""The three base libraries: dictionary, completeness, figures of the economy as of a day (S0-163)."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grids.audit import AuditEvent
from grids.libraries import macro
from grids.libraries.indicators import BY_CODE, INDICATORS
from grids.libraries.models import MacroFigure
from tests.support.cases import build_city, make_actor, today

SignIn = Callable[..., FlaskClient]
TODAY = date(2026, 11, 23)
EAST, WEST = "339901002", "339901001"
REVENUE = BY_CODE["budget_revenue"]
PERIOD = date(2026, 10, 1)


@pytest.fixture
def city(session: Session) -> Session:
    build_city(session)
    return session


def record(session: Session, given: dict[str, str], at: int = 1, **more: Any) -> int:
    now = datetime(2026, 11, at, 8, tzinfo=UTC)
    who = make_actor(session, "steward")
    return macro.record(session, who, REVENUE, PERIOD, given, today=TODAY, now=now, **more)


def test_every_library_has_a_dictionary_without_holes(city, sign_in: SignIn) -> None:
    steward = sign_in("steward")

    for name in ("population", "space", "macro"):
        body = steward.get(f"/data/libraries/{name}").get_data(as_text=True)
        assert "library." not in body
    assert "id_number_sealed" in steward.get("/data/libraries/population").text
    assert steward.get("/data/libraries/none").status_code == 404
    assert "完整度" in steward.get("/data/libraries").text


def test_a_revision_is_kept_and_a_day_shows_what_was_known_then(city: Session) -> None:
    who = make_actor(city, "steward")
    assert record(city, {EAST: "1,200", WEST: "800"}, at=3) == 2
    assert record(city, {EAST: "1,250", WEST: "800", "339901": ""}, at=20) == 1

    now = macro.known(city, who, REVENUE, today=TODAY)
    then = macro.known(city, who, REVENUE, today=TODAY, as_of=datetime(2026, 11, 10, tzinfo=UTC))

    assert now.figures[EAST][PERIOD] == Decimal(1250)
    assert then.figures[EAST][PERIOD] == Decimal(1200)
    assert now.figures[WEST] == then.figures[WEST] == {PERIOD: Decimal(800)}
    assert len(city.scalars(select(MacroFigure)).all()) == 3
    acts = city.scalars(select(AuditEvent).where(AuditEvent.action == "macro_recorded")).all()
    assert [act.detail["areas"] for act in acts] == [2, 1]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({EAST: "12", WEST: "viel"}, "macro.bad_figure"),
        ({EAST: "12", WEST: "-1"}, "macro.bad_figure"),
        ({EAST: "12", WEST: "NaN"}, "macro.bad_figure"),
        ({EAST: "12", "339901001001": "1"}, "macro.bad_figure"),
    ],
)
def test_one_bad_figure_and_nothing_is_recorded(city, sign_in, given, code) -> None:
    steward = sign_in("steward")
    form = {f"v.{area}": value for area, value in given.items()}

    answer = steward.post("/data/macro", data={
        "csrf_token": steward.csrf_token, "indicator": "budget_revenue",
        "period": REVENUE.before(REVENUE.begins(today())).isoformat(), **form,
    })  # fmt: skip

    assert answer.status_code == 422
    assert "全部未保存" in answer.text
    assert city.scalars(select(MacroFigure)).all() == []
    assert code.startswith("macro.")


def test_a_period_is_recorded_on_the_page(city: Session, sign_in: SignIn) -> None:
    steward = sign_in("steward", area=EAST)
    period = REVENUE.before(REVENUE.begins(today())).isoformat()
    form = {"csrf_token": steward.csrf_token, "indicator": "budget_revenue", "period": period}

    done = steward.post("/data/macro", data={**form, f"v.{EAST}": "77"})
    refused = steward.post("/data/macro", data={**form, f"v.{WEST}": "77"})

    assert (done.status_code, refused.status_code) == (303, 422)
    assert "77" in steward.get(done.location).text
    assert city.execute(text("SELECT area_code, value FROM macro_figure")).all() == [(EAST, 77)]


def test_periods_begin_where_they_should() -> None:
    by = {one.every: one for one in INDICATORS}

    assert by["month"].begins(date(2026, 11, 23)) == date(2026, 11, 1)
    assert by["quarter"].begins(date(2026, 11, 23)) == date(2026, 10, 1)
    assert by["quarter"].before(date(2026, 1, 1)) == date(2025, 10, 1)
    assert by["month"].before(date(2026, 1, 1), -1) == date(2026, 2, 1)


def test_who_may_not_decide_records_nothing(city, sign_in: SignIn) -> None:
    client = sign_in("commander")
    answer = client.post("/data/macro", data={"csrf_token": client.csrf_token})
    assert answer.status_code == 403
