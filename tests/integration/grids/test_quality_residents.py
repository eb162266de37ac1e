"""Rules about residents: each finds what breaks it, and what leaves are counts of ten and more."""

from datetime import date, timedelta
from random import Random
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from grids.people.counts import publish_areas
from grids.quality import RULES, alarms, findings, run, standing
from grids.quality.residents import judged
from grids.quality.rules import RESIDENTS, NoRule, rules_of
from tests.support.cases import EAST, EAST_GRID, WEST, WEST_GRID, build_city, make_actor
from tests.support.maps import NOW

SUNDAY = date(2026, 11, 22)
COUNTY, WEST_TOWN, WEST_VILLAGE = "339901", "339901001", "339901001001"


class Homes:
    """Puts homes, households and persons that break no rule but for the values that are given."""

    def __init__(self, session: Session) -> None:
        self.session = session
        build_city(session)
        self.building = {WEST_GRID: self._building(WEST), EAST_GRID: self._building(EAST)}

    def home(self, grid: str = WEST_GRID, **values: Any) -> int:
        return self._put(
            "dwelling",
            {"building_id": self.building[grid], "use": "owner", "area_m2": 90.0} | values,
        )

    def household(self, dwelling: int | None = None, grid: str = WEST_GRID, **values: Any) -> int:
        row = {"dwelling_id": dwelling or self.home(grid), "kind": "family"}
        return self._put("household", row | self._place(grid) | values)

    def person(self, household: int | None = None, grid: str = WEST_GRID, **values: Any) -> int:
        row = {
            "household_id": household or self.household(grid=grid), "name_sealed": b"n",
            "id_number_sealed": b"i", "birth_sealed": b"b", "phone_sealed": b"p",
            "id_number_index": None, "age_band": "15-59", "relation": "head",
            "residency": "registered", "moved_in_on": date(2020, 1, 1), "moved_out_on": None,
        }  # fmt: skip
        return self._put("person", row | self._place(grid) | values)

    def people(self, n: int, grid: str = WEST_GRID, **values: Any) -> None:
        """Put so many persons who live alone, all alike."""
        first = self.person(grid=grid, **values)
        for table, key in (
            ("dwelling", None),
            ("household", "dwelling_id"),
            ("person", "household_id"),
        ):
            self._multiply(table, key, first, n - 1)

    def judged(self, register: str) -> dict[str, int]:
        """Return the rules of a register that somebody fails, and how many do."""
        names = [rule.name for rule in rules_of(register)]
        found: dict[str, int] = {}
        for kinds in judged(self.session.connection(), SUNDAY, register).values():
            for kind, n in kinds.items():
                for name, digit in zip(names, kind, strict=True):
                    if digit == "1":
                        found[name] = found.get(name, 0) + n
        return found

    def _place(self, grid: str) -> dict[str, Any]:
        row = self.session.execute(
            text("SELECT cell_id, grid_id, area_code FROM building WHERE id = :id"),
            {"id": self.building[grid]},
        ).one()
        return dict(row._mapping)

    def _building(self, at: tuple[float, float]) -> int:
        return int(
            self.session.execute(
                text("INSERT INTO building (kind, area_m2, dwellings, valid_from, source, geom) VALUES"
                     " ('apartments', 400, 400, '2020-01-01', 'local', ST_Multi(ST_Buffer("
                     " ST_SetSRID(ST_MakePoint(:x, :y), 4490), 0.0001))) RETURNING id"),
                {"x": at[0], "y": at[1]},
            ).scalar_one()
        )  # fmt: skip

    def _put(self, table: str, row: dict[str, Any]) -> int:
        names, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
        return int(
            self.session.execute(
                text(f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING id"), row
            ).scalar_one()
        )

    def _multiply(self, table: str, above: str | None, person: int, n: int) -> None:
        """Copy the row of a person, of the household or of the home; each copy under its own."""
        asked = text(
            "SELECT column_name FROM information_schema.columns WHERE table_name = :t"
            " AND table_schema = current_schema() AND column_name <> 'id'"
        )
        columns = self.session.scalars(asked, {"t": table}).all()
        taken = ", ".join(
            f"(SELECT max(id) FROM {above[:-3]}) - step.n" if name == above else f"row.{name}"
            for name in columns
        ) if above else ", ".join(f"row.{name}" for name in columns)  # fmt: skip
        key = {"person": "row.id = :p",
               "household": "row.id = (SELECT household_id FROM person WHERE id = :p)",
               "dwelling": "row.id = (SELECT dwelling_id FROM household JOIN person"
                           " ON household_id = household.id WHERE person.id = :p)"}[table]  # fmt: skip
        self.session.execute(
            text(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {taken} FROM {table} AS row"
                 f" CROSS JOIN generate_series(0, :n - 1) AS step (n) WHERE {key}"),
            {"n": n, "p": person},
        )  # fmt: skip


@pytest.fixture
def homes(session: Session) -> Homes:
    """Return a city of two towns in which a family lives that breaks no rule."""
    made = Homes(session)
    family = made.household()
    made.person(family)
    made.person(family, relation="child", age_band="0-5", phone_sealed=None)
    return made


def _twice(homes: Homes) -> None:
    for _ in range(2):
        homes.person(id_number_index=b"same")
    homes.person(id_number_index=b"same", moved_out_on=date(2024, 1, 1), household=None)
    homes.person(id_number_index=b"other")


def _household_of(homes: Homes, *relations: str, **values: Any) -> None:
    household = homes.household()
    for relation in relations:
        homes.person(household, relation=relation, **values)


#: Rule -> what breaks it, how many fail, other rules that must fail with it.
BROKEN: dict[str, tuple[Any, int, set[str]]] = {
    "dwelling.area_m2.missing": (lambda h: h.home(area_m2=None), 1, set()),
    "dwelling.use.let_to_nobody": (lambda h: h.home(use="rental"), 1, set()),
    "dwelling.area_m2.crowded": (
        lambda h: h.person(h.household(h.home(area_m2=3.9))), 1, set()),
    "household.head.missing": (lambda h: _household_of(h, "spouse", "child"), 1, set()),
    "household.head.twice": (lambda h: _household_of(h, "head", "head"), 1, set()),
    "household.head.child": (lambda h: _household_of(h, "head", age_band="6-14"), 1, set()),
    "household.entry.nobody": (
        lambda h: h.person(moved_out_on=date(2025, 1, 1)), 1, set()),
    "household.dwelling_id.vacant": (
        lambda h: h.person(h.household(h.home(use="vacant"))), 1, set()),
    "household.place.other_than_building": (
        lambda h: h.person(h.household(grid_id=None), grid_id=None), 1, set()),
    "person.name.missing": (lambda h: h.person(name_sealed=None), 1, set()),
    "person.id_number.missing": (lambda h: h.person(id_number_sealed=None), 1, set()),
    "person.birth.missing": (lambda h: h.person(birth_sealed=None), 1, set()),
    "person.phone.missing": (lambda h: h.person(phone_sealed=None), 1, set()),
    "person.id_number.twice": (_twice, 2, set()),
    "person.moved_in_on.impossible": (
        lambda h: h.person(moved_in_on=date(2026, 11, 23)), 1, set()),
    "person.place.no_grid": (
        lambda h: h.person(grid_id=None), 1, {"person.place.other_than_household"}),
    "person.place.other_than_household": (lambda h: h.person(area_code=EAST_GRID), 1, set()),
}  # fmt: skip


def test_every_rule_about_residents_is_tried_here() -> None:
    assert BROKEN.keys() == {name for name, rule in RULES.items() if rule.is_counted}


@pytest.mark.parametrize("name", BROKEN)
def test_a_rule_counts_what_breaks_it_and_nothing_else(homes: Homes, name: str) -> None:
    assert [homes.judged(register) for register in RESIDENTS] == [{}, {}, {}]
    plant, n, others = BROKEN[name]
    plant(homes)

    found = homes.judged(RULES[name].register)
    assert found == {name: n} | dict.fromkeys(others, 1)


def test_who_left_before_coming_fails_and_who_asked_for_deletion_lacks_nothing(
    homes: Homes,
) -> None:
    family = homes.household()
    homes.person(family)
    homes.person(family, relation="child", moved_out_on=date(2019, 12, 31))
    homes.person(
        family, relation="child", name_sealed=None, id_number_sealed=None, birth_sealed=None,
        phone_sealed=None, anonymised_at=NOW,
    )  # fmt: skip

    assert homes.judged("person") == {"person.moved_in_on.impossible": 1}


def test_only_counts_of_ten_and_more_leave_and_none_of_a_grid(homes: Homes) -> None:
    homes.people(300, phone_sealed=None)
    homes.people(300, EAST_GRID, phone_sealed=None)
    homes.people(9, name_sealed=None)
    _sunday(homes)

    rows = homes.session.execute(
        text("SELECT area_code, rule, source, checked, failed FROM quality_result"
             " WHERE rule ~ '^(person|household|dwelling)'")
    ).all()  # fmt: skip
    assert {row.rule for row in rows} == {"person.phone.missing"}
    assert {len(row.area_code) for row in rows} <= {6, 9, 12}
    assert all(row.failed >= 10 and row.failed % 5 == 0 for row in rows)
    county = next(row for row in rows if row.area_code == COUNTY)
    assert abs(county.failed - 600) <= 2 * 24
    assert abs(county.checked - 610) <= 2 * 28
    assert homes.session.scalar(
        text("SELECT count(*) FROM people_draw WHERE subject = 'quality person'")
    )


def test_what_was_told_stands_for_the_week_and_a_few_more_never_show(homes: Homes) -> None:
    homes.people(600)
    homes.people(300, phone_sealed=None)
    homes.people(300, EAST_GRID, phone_sealed=None)
    _sunday(homes)
    first = _told(homes, SUNDAY)

    homes.people(200, phone_sealed=None)
    run(homes.session.connection(), SUNDAY + timedelta(days=1))
    assert _told(homes, SUNDAY + timedelta(days=1)) == first
    run(homes.session.connection(), SUNDAY + timedelta(days=7))
    assert _told(homes, SUNDAY + timedelta(days=7))[COUNTY] != first[COUNTY]

    homes.session.execute(text("DELETE FROM quality_result"))
    homes.session.execute(text("DELETE FROM people_draw WHERE subject LIKE 'quality%'"))
    run(homes.session.connection(), SUNDAY + timedelta(days=14))
    again = _told(homes, SUNDAY + timedelta(days=14))
    homes.people(9, phone_sealed=None)
    run(homes.session.connection(), SUNDAY + timedelta(days=21))
    assert _told(homes, SUNDAY + timedelta(days=21)) == again


def test_nobody_is_listed_and_a_town_sees_its_own_counts(homes: Homes) -> None:
    homes.people(300, phone_sealed=None)
    homes.people(300, EAST_GRID, phone_sealed=None)
    _sunday(homes)
    name = "person.phone.missing"
    east = make_actor(homes.session, "steward", area="339901002")

    with pytest.raises(NoRule):
        findings.failing(homes.session, east, RULES[name], today=SUNDAY)
    assert standing.by_area(homes.session, east, [COUNTY, WEST_TOWN], SUNDAY, [name]) == {}
    county = make_actor(homes.session, "steward", area=COUNTY)
    rows = standing.by_rule(homes.session, county, COUNTY, SUNDAY)
    assert "person.name.missing" in {rule.name for rule in standing.withheld(rows, COUNTY)}
    assert name not in {rule.name for rule in standing.withheld(rows, COUNTY)}
    assert standing.withheld((), WEST_GRID) == ()
    share = findings.completeness(homes.session, county, "person", COUNTY, today=SUNDAY)
    assert share is not None
    assert share < 0.15


def test_an_alarm_opens_for_a_town_by_the_published_share(homes: Homes) -> None:
    homes.people(300, phone_sealed=None)
    homes.people(100, EAST_GRID, phone_sealed=None)
    homes.people(1000, EAST_GRID)
    _sunday(homes)
    alarms.watch(homes.session.connection(), SUNDAY, NOW)

    county = make_actor(homes.session, "steward", area=COUNTY)
    told = {(one.rule, one.area_code, one.why) for one in alarms.open_alarms(homes.session, county)}
    assert told == {("person.phone.missing", WEST_TOWN, "limit")}


def _sunday(homes: Homes) -> None:
    publish_areas(homes.session.connection(), NOW, Random(5))
    run(homes.session.connection(), SUNDAY)


def _told(homes: Homes, day: date) -> dict[str, int]:
    rows = homes.session.execute(
        text("SELECT area_code, failed FROM quality_result WHERE day = :d"
             " AND rule = 'person.phone.missing'"), {"d": day},
    )  # fmt: skip
    return {row.area_code: row.failed for row in rows}


def test_rules_are_judged_where_statistics_know_of_no_rows(homes: Homes, admin_url: str) -> None:
    homes.people(1200, phone_sealed=None)
    with psycopg.connect(admin_url, autocommit=True) as other:
        for table in ("person", "household", "dwelling", "building"):
            other.execute(f"ANALYZE {table}")  # sees what is committed: nobody
    homes.session.execute(text("SET LOCAL statement_timeout = '30s'"))

    _sunday(homes)

    assert COUNTY in _told(homes, SUNDAY)


def test_no_rule_about_residents_looks_at_a_set_for_each_row() -> None:
    rules = [rule for register in RESIDENTS for rule in rules_of(register)]

    assert [rule.name for rule in rules if "SELECT" in f"{rule.applies} {rule.fails}"] == []
