"""Base numbers: live counts, and a month's change that its reasons add up to."""

from datetime import UTC, date, datetime
from random import Random
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from grids.accounts import Actor
from grids.area_tree import area_node
from grids.base_numbers import signing
from grids.base_numbers.sheet import Change, Line, Sheet, keep, sheet
from tests.support.cases import EAST, WEST, build_city, make_actor

TODAY, MONTH = date(2026, 11, 22), date(2026, 11, 1)
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
COUNTY, WEST_TOWN, GRID = "339901", "339901001", "339901001001001"


def _at(lonlat: tuple[float, float]) -> str:
    return f"ST_SetSRID(ST_MakePoint({lonlat[0]}, {lonlat[1]}), 4490)"


@pytest.fixture
def city(session: Session) -> Session:
    """Store a city with nothing in its registers."""
    build_city(session)
    return session


@pytest.fixture
def leader(city: Session) -> Actor:
    """Return the leader of the west's community."""
    return make_actor(city, "grid_leader", area="339901001001")


def _firm(session: Session, at: tuple[float, float] = WEST, **values: Any) -> int:
    row = {"name": "示例百货店", "kind": "company", "industry": "F", "valid_from": date(2026, 6, 1),
           "source": "local"} | values  # fmt: skip
    names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
    return int(
        session.execute(
            text(f"INSERT INTO enterprise ({names}, geom) VALUES ({marks}, {_at(at)})"
                 " RETURNING id"), row
        ).scalar_one()
    )  # fmt: skip


def _sheet(session: Session, actor: Actor, code: str = GRID) -> Sheet:
    session.flush()
    node = area_node(session, code)
    assert node is not None
    return sheet(session, actor, node, today=TODAY)


def _line(found: Sheet, register: str = "enterprise") -> Line:
    return next(line for line in found.lines if line.register == register)


def _change(found: Sheet, register: str = "enterprise") -> Change:
    change = _line(found, register).change
    assert change is not None
    return change


def _status(session: Session, key: int, status: str) -> None:
    session.execute(
        text("UPDATE enterprise SET status = :status WHERE id = :id"), {"status": status, "id": key}
    )
    # The month's work: triggers write the clock of the database.
    session.execute(text("UPDATE register_change SET changed_at = '2026-11-10'"))


def test_each_reason_is_counted_by_itself(city: Session, leader: Actor) -> None:
    stays, leaves, closes, reopens = (_firm(city) for _ in range(4))
    city.execute(text("UPDATE enterprise SET status = 'closed' WHERE id = :id"), {"id": reopens})
    city.execute(text("UPDATE register_change SET changed_at = '2026-09-10'"))
    keep(city.connection(), MONTH)
    _firm(city, valid_from=date(2026, 11, 5), source="gongshang:9")
    _firm(city, valid_from=date(2026, 11, 6), source="gongshang:9")
    _firm(city, valid_from=date(2026, 11, 6))
    _firm(city, valid_from=date(2026, 3, 1))  # nobody had entered it until now
    city.execute(
        text("UPDATE enterprise SET valid_to = '2026-11-09' WHERE id = :id"), {"id": leaves}
    )
    city.execute(text("UPDATE enterprise SET status = 'closed' WHERE id = :id"), {"id": closes})
    city.execute(text("UPDATE enterprise SET status = 'open' WHERE id = :id"), {"id": reopens})
    city.execute(
        text("UPDATE register_change SET changed_at = '2026-11-10' WHERE changed_at > '2026-10-01'")
    )

    found = _sheet(city, leader)

    assert stays
    assert _change(found) == Change(
        kept=3, added=(("gongshang", 2), ("local", 1)), left=1, closed=1, reopened=1, other=1
    )
    assert _line(found).now == 6 == 3 + _change(found).sum


def test_closed_and_opened_again_within_the_month_is_no_change(
    city: Session, leader: Actor
) -> None:
    key = _firm(city)
    keep(city.connection(), MONTH)
    _status(city, key, "closed")
    _status(city, key, "open")

    assert _change(_sheet(city, leader)) == Change(1, (), 0, 0, 0, 0)


def test_figures_of_areas_add_up_and_equal_live_counts(city: Session, leader: Actor) -> None:
    """A month of random work: at every level now = kept + change, and now is the live count."""
    chance = Random(7)
    firms = [_firm(city, chance.choice((WEST, EAST))) for _ in range(60)]
    keep(city.connection(), MONTH)
    for _ in range(40):
        _firm(city, chance.choice((WEST, EAST)),
              valid_from=chance.choice((date(2026, 11, 3), date(2026, 4, 1))))  # fmt: skip
    for key in chance.sample(firms, 25):
        city.execute(
            text(chance.choice((
                "UPDATE enterprise SET status = 'closed' WHERE id = :id",
                "UPDATE enterprise SET valid_to = '2026-11-20' WHERE id = :id",
            ))), {"id": key},
        )  # fmt: skip
    city.execute(text("UPDATE register_change SET changed_at = '2026-11-10'"))
    commander = make_actor(city, "commander")
    sheets = {
        code: _sheet(city, commander, code) for code in (COUNTY, WEST_TOWN, "339901002", GRID)
    }

    for code, found in sheets.items():
        live = city.scalar(
            text("SELECT count(*) FROM enterprise WHERE area_code ^@ :code AND valid_to IS NULL"
                 " AND status <> 'closed'"), {"code": code}
        )  # fmt: skip
        change = _change(found)
        assert change.kept is not None
        assert _line(found).now == live == change.kept + change.sum
    towns = [_line(sheets[code]).now for code in (WEST_TOWN, "339901002")]
    assert _line(sheets[COUNTY]).now == sum(towns)  # type: ignore[arg-type]


def test_a_month_is_kept_once_and_by_its_dates(city: Session, leader: Actor) -> None:
    _firm(city)
    _firm(city, valid_from=date(2026, 11, 3))
    first = keep(city.connection(), MONTH)
    _firm(city)

    assert (first, keep(city.connection(), MONTH)) == (4, 0)  # county, town, community, grid
    assert _change(_sheet(city, leader)).kept == 1


def test_completeness_is_told_live(city: Session, leader: Actor) -> None:
    _firm(city)  # neither code nor address nor day nor staff
    _firm(city, staff=3, registered_on=date(2020, 1, 1))

    assert _line(_sheet(city, leader)).complete == pytest.approx(2 / 8)
    assert _line(_sheet(city, leader), "component").complete is None


def test_a_leader_signs_what_was_shown_and_later_changes_are_told(
    city: Session, leader: Actor
) -> None:
    _firm(city)
    shown = _sheet(city, leader)
    _sign(city, leader, shown, shown.digest)

    holding = signing.signatures(city, leader, _sheet(city, leader))
    _firm(city)
    moved = signing.signatures(city, leader, _sheet(city, leader))

    assert [(one.by, one.holds, one.figures["enterprise"]) for one in holding] == [
        (leader.name, True, 1)
    ]
    assert [one.holds for one in moved] == [False]
    with pytest.raises(signing.FiguresMoved):
        _sign(city, leader, shown, shown.digest)
    noted = city.scalar(text("SELECT count(*) FROM audit_event WHERE action = 'base_signed'"))
    assert noted == 1


def test_a_signature_of_another_area_holds_for_none_but_it(city: Session) -> None:
    commander = make_actor(city, "commander")
    west, east = (_sheet(city, commander, code) for code in (WEST_TOWN, "339901002"))

    assert west.figures == east.figures
    assert west.digest != east.digest


def _sign(session: Session, actor: Actor, shown: Sheet, digest: str) -> None:
    signing.sign(
        session, actor, shown.area, digest, "核对无误", today=TODAY, now=NOW, source_ip="127.0.0.1"
    )
    session.flush()
