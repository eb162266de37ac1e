"""A small simulated city in real PostGIS: complete, linked, consistent, and the same each time."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
import shapely
from psycopg import sql
from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool
from stdnum.cn import uscc

import grids.models  # noqa: F401 - a foreign key finds its table whichever is used first
from app.config import as_role
from grids import synth
from grids.accounts import Account, sign_in
from grids.incidents.lifecycle import OPEN, find_move
from grids.incidents.models import Incident, IncidentEvent
from grids.incidents.projection import of_row, rebuild
from grids.secrets import Vault
from grids.synth.plan import plan_for

SCALE, SEED, TODAY = 0.004, 7, date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)
VAULT = Vault({1: b"k" * 32}, b"i" * 32)
LOCATED = (
    "address",
    "building",
    "enterprise",
    "premises",
    "component",
    "facility",
    "site",
    "pipe",
    "incident",
)
WITH_SHAPE = (*LOCATED, "area", "grid_version", "cell", "road", "water", "landuse", "place")


@dataclass(frozen=True)
class Built:
    engine: Engine
    report: synth.SynthReport

    def one(self, statement: str, **values: object) -> object:
        with self.engine.connect() as connection:
            return connection.execute(text(statement), values).scalar_one()

    def count(self, statement: str, table: str) -> object:
        named = sql.SQL(statement).format(table=sql.Identifier(table)).as_string()
        return self.one(named)

    def all(self, statement: str) -> list[tuple[object, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(statement))]


@pytest.fixture(scope="module")
def city(server, schema_template) -> Iterator[Built]:
    name = server.clone(schema_template, "synth")
    engine = create_engine(as_role(server.url(name), "wangge_owner", "none"), poolclass=NullPool)
    report = synth.build(engine, scale=SCALE, seed=SEED, vault=VAULT, today=TODAY, now=NOW)
    yield Built(engine, report)
    engine.dispose()
    server.drop(name)


def test_counts_follow_the_scale(city):
    plan = plan_for(SCALE, SEED, TODAY)

    counts = city.report.counts

    assert city.one("SELECT count(*) FROM person WHERE moved_out_on IS NULL") == plan.persons
    assert plan.persons * 1.02 < counts["person"] < plan.persons * 1.05
    assert counts["enterprise"] == plan.enterprises
    assert counts["component"] == plan.components
    assert counts["incident"] == plan.incidents
    assert counts["grid"] <= plan.grids
    assert counts["cell"] == pytest.approx(plan.area_m2 / 10_000, rel=0.15)


def test_every_located_row_has_its_cell_and_its_grid_by_the_rule_of_single_writes(city):
    for table in LOCATED:
        wrong = city.count(
            "SELECT count(*) FROM {table} AS t, link_place(t.geom) AS l"
            " WHERE (t.cell_id, t.grid_id, t.area_code)"
            " IS DISTINCT FROM (l.cell_id, l.grid_id, l.area_code)",
            table,
        )
        assert wrong == 0, table


def test_nothing_lies_outside_every_grid(city):
    outside = {
        table: city.count("SELECT count(*) FROM {table} WHERE grid_id IS NULL", table)
        for table in LOCATED
    }

    assert outside == dict.fromkeys(LOCATED, 0)


def test_every_organisation_of_the_tree_has_its_site_on_its_own_ground(city):
    plan = plan_for(SCALE, SEED, TODAY)
    kinds = dict(city.all("SELECT kind, count(*) FROM area WHERE level > 6 GROUP BY kind"))
    sites = dict(city.all("SELECT kind, count(*) FROM site GROUP BY kind"))

    assert sites == kinds
    assert kinds["town"] + kinds["street"] + kinds.get("zone", 0) == plan.towns
    assert set(kinds) <= {"street", "town", "zone", "community", "village"}
    assert kinds["community"] == plan.urban
    assert city.one("SELECT count(*) FROM site WHERE NOT area_code ^@ org_code") == 0
    assert city.one("SELECT count(*) FROM site WHERE address_id IS NULL") == 0
    assert city.one("SELECT count(DISTINCT geom) FROM site") == sum(sites.values())


def test_registrars_have_come_as_far_as_the_customers(city):
    found = {
        registrar: (stock, converted, bad)
        for registrar, stock, converted, bad in city.all(
            "SELECT registrar, count(*), count(uscc), count(*) FILTER (WHERE problem <> '')"
            " FROM code_conversion GROUP BY registrar"
        )
    }

    stock, converted, bad = found["market"]
    assert converted == round(0.65 * stock)
    assert bad == 3
    old = "SELECT count(*) FROM enterprise WHERE registered_on < '2015-10-01'"
    assert stock == city.one(old)
    for name in ("civil", "staffing"):
        assert found[name][0] == found[name][1] > 0
        assert found[name][2] == 1
    assert city.one(
        "SELECT count(*) FROM code_conversion AS c JOIN enterprise AS e ON e.id = c.enterprise_id"
        " WHERE c.problem = '' AND c.uscc <> e.uscc"
    ) == 0  # fmt: skip


def test_the_customers_city_has_813_organisations():
    plan = plan_for(1.0, SEED, TODAY)

    assert (plan.towns - plan.zones, plan.zones) == (14, 2)
    assert (plan.urban, plan.communities - plan.urban) == (40, 757)


def test_no_geometry_is_invalid(city):
    for table in WITH_SHAPE:
        wrong = city.count("SELECT count(*) FROM {table} WHERE NOT geom_ok(geom)", table)
        assert wrong == 0, table


def test_grids_tile_the_county_without_gap_or_overlap(city):
    rows = city.all("SELECT ST_AsBinary(geom) FROM grid_version ORDER BY id")
    grids = shapely.from_wkb(np.array([bytes(row[0]) for row in rows], dtype=object))
    county = shapely.from_wkb(bytes(city.one("SELECT ST_AsBinary(geom) FROM area WHERE level = 6")))

    assert shapely.coverage_is_valid(grids)
    assert shapely.union_all(grids).symmetric_difference(county).area < 1e-12


def test_areas_and_grids_carry_the_code_of_what_holds_them(city):
    codes = [row[0] for row in city.all('SELECT code FROM area UNION ALL SELECT code FROM "grid"')]

    assert all(code.startswith("339901") for code in codes)
    assert {code[:-3] for code in codes if len(code) > 6} <= set(codes)


def test_streets_share_a_vertex_wherever_they_cross(city):
    crossing = city.all(
        "SELECT ST_AsBinary(ST_Intersection(a.geom, b.geom)), ST_AsBinary(a.geom),"
        " ST_AsBinary(b.geom) FROM road AS a JOIN road AS b"
        " ON a.id < b.id AND ST_Intersects(a.geom, b.geom)"
        " WHERE 'rail' NOT IN (a.kind, b.kind)"
    )
    assert len(crossing) > 60

    for meet, a, b in crossing:
        here = shapely.get_coordinates(shapely.from_wkb(bytes(meet)))
        for line in (a, b):
            vertices = shapely.get_coordinates(shapely.from_wkb(bytes(line)))
            away = np.abs(vertices[None] - here[:, None]).max(axis=2).min(axis=1)
            assert away.max() < 1e-7  # a centimetre


def test_credit_codes_are_valid_and_of_a_county_that_does_not_exist(city):
    codes = [row[0] for row in city.all("SELECT uscc FROM enterprise")]

    assert all(uscc.is_valid(code) and code[2:8] == "339901" for code in codes)
    assert len(set(codes)) == len(codes)


def test_identifiers_of_components_have_17_digits_and_name_their_sub_class(city):
    rows = city.all("SELECT identifier, code FROM component")

    assert all(len(i) == 17 and i.isdigit() and i[:11] == "339901" + c for i, c in rows)


def test_names_and_numbers_of_people_are_nowhere_in_the_clear(city):
    rows = city.all(
        "SELECT id, name_sealed, id_number_sealed, birth_sealed, id_number_index, p::text"
        " FROM person AS p ORDER BY id LIMIT 200"
    )

    for key, name, number, birth, index, whole in rows:
        plain = VAULT.open("person", key, "id_number_sealed", bytes(number))
        assert plain[:6] == "339901"
        assert plain[6:14] == VAULT.open("person", key, "birth_sealed", bytes(birth)).replace(
            "-", ""
        )
        assert bytes(index) == VAULT.blind_index("person", "id_number", plain)
        called = VAULT.open("person", key, "name_sealed", bytes(name))
        for secret in (plain, called):
            assert secret not in whole
            assert secret.encode().hex() not in whole


def test_people_live_in_homes_that_are_not_vacant(city):
    assert (
        city.one(
            "SELECT count(*) FROM household AS h JOIN dwelling AS d ON d.id = h.dwelling_id"
            " WHERE d.use = 'vacant' AND h.ended_on IS NULL"
        )
        == 0
    )
    assert (
        city.one(
            "SELECT count(*) FROM person AS p JOIN household AS h ON h.id = p.household_id"
            " WHERE (p.cell_id, p.grid_id, p.area_code) <> (h.cell_id, h.grid_id, h.area_code)"
        )
        == 0
    )


def test_every_resident_is_what_the_events_add_up_to(city):
    wrong = city.one(
        "SELECT count(*) FROM person AS p, person_state(p.id) AS s"
        " WHERE (p.household_id, p.moved_in_on, p.moved_out_on, p.relation)"
        " IS DISTINCT FROM (s.household_id, s.since, s.until, s.relation)"
    )
    chained = city.one(
        "SELECT count(*) FROM (SELECT *, lag(to_household_id) OVER past AS was,"
        " lag(occurred_on) OVER past AS was_on, lag(id) OVER past AS before FROM person_event"
        " WINDOW past AS (PARTITION BY person_id ORDER BY occurred_on, id)) AS e"
        " WHERE before IS NOT NULL AND (was, was_on, before < id)"
        " IS DISTINCT FROM (from_household_id, from_since, true)"
    )
    early = city.one(
        "SELECT count(*) FROM person_event WHERE occurred_on > CAST(:today AS date)"
        " OR recorded_at > :now OR recorded_at < occurred_on"
        " OR occurred_on < CAST(:today AS date) - 3 * 365",
        today=TODAY, now=NOW,
    )  # fmt: skip

    assert (wrong, chained, early) == (0, 0, 0)


def test_nobody_lived_in_a_home_with_those_who_came_after_or_before(city):
    """Households of one dwelling follow each other: the next came after the last had left."""
    shared = city.one(
        "WITH stay AS ("
        " SELECT h.id, h.dwelling_id, h.ended_on, max(e.occurred_on) AS came"
        " FROM household AS h JOIN person_event AS e ON e.to_household_id = h.id AND e.kind = 'move'"
        " GROUP BY h.id)"
        " SELECT count(*) FROM stay JOIN household AS before"
        " ON before.dwelling_id = stay.dwelling_id AND before.id <> stay.id"
        " WHERE before.ended_on IS NOT NULL AND before.ended_on > stay.came"
        " AND (stay.ended_on IS NULL OR stay.ended_on > before.ended_on)"
    )
    moves = city.one("SELECT count(*) FROM household WHERE ended_on IS NOT NULL")
    lived = city.one("SELECT count(*) FROM household WHERE ended_on IS NULL")

    assert shared == 0
    assert moves == pytest.approx(3 * 0.08 * lived, rel=0.02)
    assert city.one(
        "SELECT count(*) FROM household AS h WHERE (ended_on IS NULL) <> EXISTS ("
        " SELECT FROM person AS p WHERE p.household_id = h.id AND p.moved_out_on IS NULL)"
    ) == 0  # fmt: skip


def test_the_manifest_counts_births_deaths_and_moves_by_year(city):
    found: dict[str, dict[str, int]] = {}
    for kind, year, n in city.all(
        "SELECT kind, extract(year FROM occurred_on)::int::text, count(*) FROM person_event"
        " GROUP BY 1, 2"
    ):
        found.setdefault(str(kind), {})[str(year)] = n
    told = city.report.planted["person_events"]

    assert {kind: {y: n for y, n in years.items() if n} for kind, years in told.items()} == found
    persons = plan_for(SCALE, SEED, TODAY).persons
    total = {kind: sum(years.values()) for kind, years in found.items()}
    assert total["death"] == round(0.0075 * persons * 700 / 365)
    assert total["move_out"] == round(0.01 * persons * 700 / 365)
    assert 0.004 * persons * 3 < total["birth"] < 0.012 * persons * 3
    births = city.all(
        "SELECT (CAST('2026-11-21' AS date) - occurred_on) / 366, count(*) FROM person_event"
        " WHERE kind = 'birth' GROUP BY 1"
    )
    assert max(n for _, n in births) < 3 * min(n for _, n in births)
    assert total["move"] > 0.24 * persons * 0.5


def test_who_died_was_mostly_old(city):
    rows = city.all(
        "SELECT p.id, p.birth_sealed, p.moved_out_on FROM person AS p"
        " JOIN person_event AS e ON e.person_id = p.id AND e.kind = 'death'"
    )

    def lived(key, sealed, until):
        born = date.fromisoformat(VAULT.open("person", key, "birth_sealed", bytes(sealed)))
        return (until - born).days / 365.25

    ages = np.array([lived(*row) for row in rows])
    assert ages.min() > 0
    assert (ages > 65).mean() > 0.75
    assert ages.max() < 105


def test_every_case_is_what_its_events_add_up_to(city):
    with Session(city.engine) as session:
        logs: dict[object, list[IncidentEvent]] = {}
        for event in session.scalars(
            select(IncidentEvent).order_by(IncidentEvent.incident_id, IncidentEvent.seq)
        ):
            logs.setdefault(event.incident_id, []).append(event)
        rows = session.scalars(select(Incident)).all()

        assert len(rows) == len(logs)
        for row in rows:
            assert of_row(row) == rebuild(logs[row.id]), row.number


def test_every_step_stands_in_the_lifecycle_and_follows_the_one_before(city):
    steps = city.all(
        "SELECT incident_id, seq, action, from_status, to_status, recorded_at, role"
        " FROM incident_event ORDER BY incident_id, seq"
    )
    status, case, at = "", None, NOW

    for incident, seq, action, source, target, recorded, role in steps:
        if incident != case:
            case, status, at = incident, "draft", recorded
            assert seq == 1
        move = find_move(action, status)
        assert source == status
        assert move is not None
        assert role in move.roles
        assert at <= recorded <= NOW
        status, at = target, recorded


def test_who_handled_a_case_neither_checked_nor_closed_it(city):
    both = city.one(
        "SELECT count(*) FROM incident_event AS a JOIN incident_event AS b USING (incident_id)"
        " WHERE a.action IN ('sign', 'handle', 'reply') AND b.action IN ('check_ok', 'close')"
        " AND a.actor_id = b.actor_id"
    )

    assert both == 0


def test_the_queue_has_every_state_and_late_soon_and_good_cases(city):
    risk = (
        "SELECT DISTINCT CASE WHEN due_at <= :now THEN 'late'"
        " WHEN (due_at - :now) * 2 <= due_at - stage_at THEN 'soon' ELSE 'ok' END"
        " FROM incident WHERE status = ANY(:open)"
    )
    with city.engine.connect() as connection:
        found = set(connection.execute(text(risk), {"now": NOW, "open": list(OPEN)}).scalars())
    states = {row[0] for row in city.all("SELECT DISTINCT status FROM incident")}

    assert found == {"late", "soon", "ok"}
    # The rare ones are not made: a case with an outside party, in dispute, suspended.
    assert set(OPEN) - states == {"suspended", "outside", "disputed"}
    assert "closed" in states


def test_clocks_of_closed_cases_are_ended_and_open_ones_have_one_running(city):
    running = city.all(
        "SELECT i.status = 'closed' AS done, i.due_at, array_agg(c.due_at)"
        " FROM incident AS i JOIN incident_clock AS c ON c.incident_id = i.id"
        " AND c.ended_at IS NULL AND NOT (c.paused @> '[]' AND c.paused::text LIKE '%null]]')"
        " GROUP BY i.id"
    )

    assert running
    assert all(not done and dues == [due] for done, due, dues in running)


def test_new_numbers_never_meet_those_of_the_year(city):
    with city.engine.begin() as connection:
        for day in ("2026-11-21", "2026-03-02"):
            fresh = connection.execute(
                text("SELECT next_incident_number(CAST(:day AS date))"), {"day": day}
            ).scalar_one()
            taken = connection.execute(
                text("SELECT max(number) FROM incident WHERE number LIKE :day"),
                {"day": day.replace("-", "") + "-%"},
            ).scalar_one()

            assert fresh > taken


def test_simulated_staff_cannot_sign_in(city):
    with Session(city.engine) as session, session.begin():
        login = session.scalar(select(Account.login).order_by(Account.id))

        for guess in ("!", "", login or ""):
            token = sign_in(session, login or "", guess, now=NOW, source_ip="127.0.0.1")
            assert token is None
        session.rollback()


def test_duplicates_are_close_in_place_and_time_and_rejected(city):
    pairs = city.all(
        "SELECT a.category_code = b.category_code, ST_DistanceSphere(a.geom, b.geom),"
        " a.status, a.received_at - b.received_at"
        " FROM incident_link AS l JOIN incident AS a ON a.id = l.incident_id"
        " JOIN incident AS b ON b.id = l.other_id WHERE l.kind = 'duplicate'"
    )

    assert len(pairs) == len(city.report.planted["duplicates"]) > 10
    assert all(same and far < 60 and status == "not_accepted" for same, far, status, _ in pairs)


def test_the_manifest_tells_what_was_planted(city, tmp_path):
    path = tmp_path / "synth-manifest.json"

    city.report.write(path)

    told = json.loads(path.read_text(encoding="utf-8"))
    assert told["planted"]["fires"]
    assert told["planted"]["hot_spots"]
    assert told["digest"] == city.report.digest


def test_a_second_city_is_refused_unless_it_shall_replace_the_first(city):
    with pytest.raises(synth.CityExists):
        synth.build(city.engine, scale=SCALE, seed=SEED, vault=VAULT, today=TODAY, now=NOW)

    assert city.one("SELECT count(*) FROM city") == 1


# The last test of this module: it builds the city anew in place of the first.
def test_a_build_that_was_cut_off_goes_on_to_the_same_city(city):
    def build(now: datetime, **more: object) -> synth.SynthReport:
        return synth.build(
            city.engine, scale=SCALE, seed=SEED, vault=VAULT, today=now.date(), now=now,
            processes=2, **more,
        )  # fmt: skip

    def cut_off(text: str) -> None:
        if text.startswith("cases"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(NOW, progress=cut_off, replace=True)
    with city.engine.connect() as connection:
        assert synth.is_unfinished(connection)
    with pytest.raises(synth.CityExists):
        synth.build(city.engine, scale=2 * SCALE, seed=SEED, vault=VAULT, today=TODAY, now=NOW)
    again = build(NOW + timedelta(days=2))  # the instant is that of the beginning

    assert again.digest == city.report.digest
    assert again.counts == city.report.counts
    assert city.one("SELECT count(*) FROM person") == again.counts["person"]
    assert city.one("SELECT count(*) FROM incident") == again.counts["incident"]
    with city.engine.connect() as connection:
        assert not synth.is_unfinished(connection)
