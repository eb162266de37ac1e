"""Rules of data quality against planted errors: every rule finds its own, and nothing else."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from stdnum.cn import uscc

from grids.accounts import Actor
from grids.errors import NotFound
from grids.quality import RULES, alarms, findings, run, standing
from grids.quality.rules import STANDS
from tests.support.cases import EAST, WEST, build_city, make_actor

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
GOOD_CODE, OTHER_GOOD = "91339901MA00000154", "91339901MA0000023Y"
FAR = (WEST[0] + 0.02, WEST[1])  # 2 km off, in the same grid
WEST_TOWN, COUNTY = "339901001", "339901"


def _at(lonlat: tuple[float, float]) -> str:
    return f"ST_SetSRID(ST_MakePoint({lonlat[0]}, {lonlat[1]}), 4490)"


class Town:
    """Puts entries that break no rule, but for the values that a test gives."""

    def __init__(self, session: Session) -> None:
        self.session = session
        build_city(session)
        self.address = self._put("address", {"text": "江滨路8号", "quality": 90}, WEST)
        self.building = self._building({"address_id": self.address})
        self.enterprise = self.put("enterprise", uscc=GOOD_CODE)
        self.premises = self.put("premises")

    def put(self, register: str, at: tuple[float, float] = WEST, **values: Any) -> int:
        """Put one entry; a value given here replaces the good one."""
        good: dict[str, Any] = {
            "enterprise": {"name": "示例百货店", "kind": "company", "industry": "F", "staff": 5,
                           "uscc": None, "registered_on": date(2020, 1, 1),
                           "address_id": getattr(self, "address", None)},
            "premises": {"name": "门店", "kind": "shop", "floor_area_m2": 80.0,
                         "building_id": getattr(self, "building", None),
                         "enterprise_id": getattr(self, "enterprise", None)},
            "component": {"identifier": "33990101203000001", "code_system": "GBT47678.5-2026",
                          "code": "01203", "department_code": None},
            "address": {"text": "江滨路9号", "quality": 90},
            "facility": {"name": "学校", "kind": "school"},
        }[register] if register != "building" else {}  # fmt: skip
        if register == "building":
            return self._building({"address_id": self.address} | values, at)
        return self._put(register, good | values, at)

    def say(self, register: str, entry: int, source: str, at: tuple[float, float]) -> None:
        """Let a source say where an entry lies."""
        self.session.execute(
            text("INSERT INTO fact (register, entry_id, field, source, value, observed_at, confidence)"
                 f" SELECT :register, :entry, 'place', :source, ({_at(at)})::text, now(), 0.8"),
            {"register": register, "entry": entry, "source": source},
        )  # fmt: skip

    def _building(self, values: dict[str, Any], at: tuple[float, float] = WEST) -> int:
        row = {"kind": "apartments", "levels": 5, "height_m": 15.0, "built_year": 2001,
               "dwellings": 1, "area_m2": 400} | values  # fmt: skip
        key = self._put("building", row, f"ST_Multi(ST_Buffer({_at(at)}, 0.0001))")
        if row["dwellings"] == 1:
            self.session.execute(
                text("INSERT INTO dwelling (building_id, use) VALUES (:b, 'owner')"), {"b": key}
            )
        return key

    def _put(self, register: str, values: dict[str, Any], at: tuple[float, float] | str) -> int:
        geom = at if isinstance(at, str) else _at(at)
        row = {"valid_from": date(2026, 6, 1), "source": "gongshang:1"} | values
        names = ", ".join(row)
        marks = ", ".join(f":{name}" for name in row)
        return int(
            self.session.execute(
                text(f"INSERT INTO {register} ({names}, geom) VALUES ({marks}, {geom})"
                     " RETURNING id"), row
            ).scalar_one()
        )  # fmt: skip


@pytest.fixture
def town(session: Session) -> Town:
    """Return a town in which every entry keeps every rule that can be kept here."""
    return Town(session)


@pytest.fixture
def steward(town: Town) -> Actor:
    """Return a data steward of the county."""
    return _steward(town, COUNTY)


#: Rule -> entries to put, of which the last alone fails: register, values (and where).
BROKEN: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "enterprise.uscc.missing": (("enterprise", {"name": "另一家"}),),
    "enterprise.address_id.missing": (("enterprise", {"name": "另一家", "address_id": None}),),
    "enterprise.registered_on.missing": (
        ("enterprise", {"name": "另一家", "registered_on": None}),),
    "enterprise.staff.missing": (("enterprise", {"name": "另一家", "staff": None}),),
    "enterprise.uscc.check_digit": (
        ("enterprise", {"name": "另一家", "uscc": "91339901MA00000155"}),),
    "enterprise.registered_on.impossible": (
        ("enterprise", {"name": "另一家", "registered_on": date(2027, 1, 1)}),),
    "enterprise.uscc.other_kind": (
        ("enterprise", {"name": "另一家", "uscc": OTHER_GOOD, "kind": "individual"}),),
    "enterprise.place.far_from_address": (("enterprise", {"name": "另一家", "at": FAR}),),
    "enterprise.status.open_without_premises": (("enterprise", {"name": "另一家"}),),
    "enterprise.place.no_grid": (("enterprise", {"name": "另一家", "at": (120.05, 29.36)}),),
    "enterprise.entry.stale": (
        ("enterprise", {"name": "另一家", "valid_from": date(2024, 1, 1)}),),
    "premises.name.missing": (("premises", {"name": ""}),),
    "premises.floor_area_m2.missing": (("premises", {"floor_area_m2": None}),),
    "premises.building_id.missing": (("premises", {"building_id": None}),),
    "premises.enterprise_id.missing": (("premises", {"enterprise_id": None}),),
    "premises.floor_area_m2.impossible": (("premises", {"floor_area_m2": 0.5}),),
    "premises.place.far_from_building": (("premises", {"at": FAR}),),
    "premises.place.no_grid": (("premises", {"at": (120.05, 29.36)}),),
    "premises.entry.stale": (("premises", {"valid_from": date(2024, 1, 1)}),),
    "building.levels.missing": (("building", {"levels": None}),),
    "building.built_year.missing": (("building", {"built_year": None}),),
    "building.address_id.missing": (("building", {"address_id": None}),),
    "building.built_year.impossible": (("building", {"built_year": 2031}),),
    "building.height_m.other_than_levels": (("building", {"height_m": 90.0}),),
    "building.dwellings.miscounted": (("building", {"dwellings": 4}),),
    "building.place.no_grid": (("building", {"at": (120.05, 29.36)}),),
    "address.text.unclear": (("address", {"quality": 40}),),
    "address.place.no_grid": (("address", {"at": (120.05, 29.36)}),),
    "component.department_code.missing": (("component", {}),),
    "component.identifier.malformed": (("component", {"identifier": "33990101204000001"}),),
    "component.code.unknown": (
        ("component", {"code": "99999", "identifier": "33990199999000001"}),),
    "component.place.no_grid": (("component", {"at": (120.05, 29.36)}),),
    "facility.name.missing": (("facility", {"name": None}),),
    "facility.place.no_grid": (("facility", {"at": (120.05, 29.36)}),),
}  # fmt: skip
#: Two entries fail together, or a visit is needed: tests of their own.
APART = {
    "enterprise.name.twice", "address.text.twice", "component.place.twice",
    "premises.name.twice", "building.place.twice", "facility.name.twice",
    *(f"{register}.place.sources_apart" for register in STANDS),
    "premises.enterprise_id.closed",
    "enterprise.status.found_otherwise", "enterprise.staff.found_otherwise",
    "premises.floor_area_m2.found_otherwise", "building.levels.found_otherwise",
    "component.state.found_otherwise",
}  # fmt: skip


def test_every_rule_is_tried_here() -> None:
    """Those about residents are in `test_quality_residents`."""
    things = {name for name, rule in RULES.items() if not rule.is_counted}
    assert BROKEN.keys() | APART == things


@pytest.mark.parametrize("name", BROKEN)
def test_a_rule_finds_the_entry_that_breaks_it(town: Town, steward: Actor, name: str) -> None:
    rule = RULES[name]
    before = _failing(town, steward, name)
    for register, values in BROKEN[name]:
        given = dict(values)
        key = town.put(register, given.pop("at", WEST), **given)

    assert rule.register in STANDS
    assert _failing(town, steward, name) == [*before, key]
    assert before == []


def test_a_name_entered_twice_in_a_town_fails_for_both(town: Town, steward: Actor) -> None:
    other = town.put("enterprise")
    town.put("enterprise", EAST)  # the same name in another town is another's

    assert _failing(town, steward, "enterprise.name.twice") == [town.enterprise, other]


def test_an_address_entered_twice_fails_for_both(town: Town, steward: Actor) -> None:
    other = town.put("address", text="江滨路8号")

    assert _failing(town, steward, "address.text.twice") == [town.address, other]


def test_a_component_entered_twice_at_one_place_fails_for_both(town: Town, steward: Actor) -> None:
    keys = [
        town.put("component", (WEST[0] + 1e-6 * n, WEST[1]), identifier=f"3399010120300000{n}")
        for n in (1, 2)
    ]
    town.put("component", FAR, identifier="33990101203000003")

    assert _failing(town, steward, "component.place.twice") == keys


def test_premises_buildings_and_facilities_entered_twice_fail_for_both(
    town: Town, steward: Actor
) -> None:
    shop = town.put("premises")
    town.put("premises", name="另一家店")
    house = town.put("building")
    town.put("building", FAR)
    schools = [town.put("facility"), town.put("facility", FAR)]
    town.put("facility", name="另一所学校")

    assert _failing(town, steward, "premises.name.twice") == [town.premises, shop]
    assert _failing(town, steward, "building.place.twice") == [town.building, house]
    assert _failing(town, steward, "facility.name.twice") == schools


@pytest.mark.parametrize("register", STANDS)
def test_what_two_sources_put_far_apart_fails_until_somebody_has_looked(
    town: Town, steward: Actor, register: str
) -> None:
    rule = f"{register}.place.sources_apart"
    given = {"department_code": "D01"} if register == "component" else {}
    entry = town.put(register, **given) if register != "enterprise" else town.enterprise
    for source, where in (("import:a", WEST), ("import:b", WEST)):
        town.say(register, entry, source, where)
    assert _failing(town, steward, rule) == []

    town.say(register, entry, "import:c", FAR)
    assert _failing(town, steward, rule) == [entry]

    town.say(register, entry, "ground", WEST)
    assert _failing(town, steward, rule) == []


def test_premises_of_a_closed_enterprise_fail(town: Town, steward: Actor) -> None:
    town.session.execute(
        text("UPDATE enterprise SET status = 'closed' WHERE id = :id"), {"id": town.enterprise}
    )

    assert _failing(town, steward, "premises.enterprise_id.closed") == [town.premises]


def test_check_digits_are_those_of_the_standard(session: Session) -> None:
    """The function of the database beside python-stdnum, on 3,000 codes, half of them changed."""
    chance = Random(42)
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    codes = []
    for n in range(3000):
        body = "91339901" + "".join(chance.choice(alphabet) for _ in range(9))
        code = body + uscc.calc_check_digit(body)
        if n % 2:
            place = chance.randrange(18)
            code = code[:place] + chance.choice(alphabet + "IOZ*") + code[place + 1 :]
        codes.append(code)
    told = session.execute(
        text("SELECT code, is_credit_code(code) FROM unnest(CAST(:codes AS text[])) AS code"),
        {"codes": codes},
    ).all()

    assert dict(told) == {code: uscc.is_valid(code) for code in codes}
    assert 1000 < sum(said for _, said in told) < 2000


def test_sums_go_up_the_areas_by_source_and_follow_the_scope(town: Town, steward: Actor) -> None:
    town.put("enterprise", name="无码", source="shuiwu:7")
    town.put("enterprise", EAST, name="东边")

    run(town.session.connection(), TODAY)

    name = "enterprise.uscc.missing"
    shares = standing.by_area(
        town.session, steward, [COUNTY, WEST_TOWN, f"{WEST_TOWN}001001"], TODAY, [name]
    )
    assert [(one.checked, one.failed) for one in shares.values()] == [(3, 2), (2, 1), (2, 1)]
    by_source = standing.by_source(town.session, steward, WEST_TOWN, TODAY, [name])
    assert {source: one.failed for source, one in by_source.items()} == {
        "gongshang": 0,
        "shuiwu": 1,
    }
    east = _steward(town, "339901002")
    assert standing.by_area(town.session, east, [COUNTY, WEST_TOWN], TODAY, [name]) == {}
    assert [row.id for row in _rows(town, east, name)] != []
    assert all(row.area_code.startswith("339901002") for row in _rows(town, east, name))


def test_a_day_run_twice_is_kept_once_and_old_days_thin_out(town: Town, steward: Actor) -> None:
    name = "enterprise.uscc.missing"
    for back in (0, 0, 1, 70, 82):  # the 82nd day before is the first of September
        run(town.session.connection(), TODAY - timedelta(days=back))
    run(town.session.connection(), TODAY)

    days = town.session.scalars(text("SELECT DISTINCT day FROM quality_result ORDER BY day")).all()
    assert days == [date(2026, 9, 1), TODAY - timedelta(days=1), TODAY]
    assert [on for on, _ in standing.trend(town.session, steward, COUNTY, TODAY, [name])] == days[
        1:
    ]


def test_an_alarm_opens_where_a_source_gets_worse_and_closes_when_it_is_better(
    town: Town, steward: Actor
) -> None:
    for n in range(30):
        town.put("enterprise", name=f"店{n}", source="shuiwu:1")
    _night(town)
    seen = alarms.open_alarms(town.session, steward)
    mine = [one for one in seen if one.rule == "enterprise.uscc.missing"]

    assert [(one.area_code, one.source, one.why, one.failed) for one in mine] == [
        (WEST_TOWN, "shuiwu", "limit", 30)
    ]
    alarms.see(town.session, steward, mine[0].id, "已告知税务", now=NOW, source_ip="127.0.0.1")
    town.session.execute(text("UPDATE enterprise SET uscc = NULL, valid_to = '2026-11-01'"
                              " WHERE source = 'shuiwu:1'"))  # fmt: skip
    _night(town)
    assert alarms.open_alarms(town.session, steward) == []
    closed = town.session.execute(
        text("SELECT note, closed_at FROM quality_alarm WHERE id = :id"), {"id": mine[0].id}
    ).one()
    assert (closed.note, closed.closed_at) == ("已告知税务", NOW)


def test_a_jump_within_the_limit_is_told(town: Town, steward: Actor) -> None:
    for n in range(100):
        town.put("enterprise", name=f"店{n}", uscc=None, staff=5)
    run(town.session.connection(), TODAY - timedelta(days=7))
    town.session.execute(text("UPDATE enterprise SET staff = NULL WHERE id IN"
                              " (SELECT id FROM enterprise ORDER BY id DESC LIMIT 10)"))  # fmt: skip
    _night(town)

    told = {one.rule: one.why for one in alarms.open_alarms(town.session, steward)}
    assert told["enterprise.staff.missing"] == "jump"  # 10 of 101, where 20 of 100 may


def test_an_alarm_of_another_town_is_not_there(town: Town) -> None:
    for n in range(30):
        town.put("enterprise", name=f"店{n}")
    _night(town)
    east = _steward(town, "339901002")
    key = town.session.scalar(text("SELECT id FROM quality_alarm LIMIT 1"))

    assert alarms.open_alarms(town.session, east) == []
    with pytest.raises(NotFound):
        alarms.see(town.session, east, key, "看过了", now=NOW, source_ip="127.0.0.1")


def test_what_a_visit_found_otherwise_is_not_true(town: Town, steward: Actor) -> None:
    town.session.execute(
        text("INSERT INTO form_question (key, no, subject, type, zh, en, valid_days, level, register)"
             " VALUES ('t.area', 1, 'premises', 'number', '面积', 'Area', 30, 'L2',"
             " 'premises.floor_area_m2')")
    )  # fmt: skip
    others = [town.put("premises") for _ in range(2)]
    worker = make_actor(town.session, "worker")
    for key, replaced in ((town.premises, '{"was": "80"}'), (others[0], None)):
        town.session.execute(
            text("INSERT INTO observation (recorded_at, visit_id, subject, subject_id, area_code,"
                 " question, question_no, version_id, level, value, observed_at, worker_id, source,"
                 " replaced) VALUES ('2026-11-20', gen_random_uuid(), 'premises', :key,"
                 " '339901001001001', 't.area', 1, 1, 'L2', '95', '2026-11-20', :worker, 'visit',"
                 " CAST(:replaced AS jsonb))"),
            {"key": key, "worker": worker.account_id, "replaced": replaced},
        )  # fmt: skip
    run(town.session.connection(), TODAY)

    name = "premises.floor_area_m2.found_otherwise"
    assert _failing(town, steward, name) == [town.premises]
    share = standing.by_area(town.session, steward, [COUNTY], TODAY, [name])[COUNTY]
    assert (share.checked, share.failed) == (2, 1)


def _steward(town: Town, area: str) -> Actor:
    return make_actor(town.session, "steward", area=area)


def _night(town: Town) -> None:
    run(town.session.connection(), TODAY)
    alarms.watch(town.session.connection(), TODAY, NOW)


def _rows(town: Town, actor: Actor, name: str) -> Any:
    town.session.flush()
    return findings.failing(town.session, actor, RULES[name], today=TODAY).rows


def _failing(town: Town, actor: Actor, name: str) -> list[int]:
    return [row.id for row in _rows(town, actor, name)]
