"""The second wall: what the database itself lets a role see, whatever a statement forgot."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from app.config import as_role
from grids import audit, scope
from grids.accounts import Actor
from grids.bulk import driver
from grids.incidents import service, tracking
from grids.incidents.errors import NoIncident
from tests.support.cases import (
    COUNTY,
    DEPARTMENT,
    EAST,
    NOON,
    OTHER_DEPARTMENT,
    VAULT,
    Desk,
    build_city,
    make_staff,
    report,
)
from tests.support.web import FORGET

WEST_TOWN, EAST_TOWN = "339901001", "339901002"
CASE_TABLES = [name for name in scope.WATCHED if name.startswith("incident")] + ["attachment"]
COUNTS = {
    "incident": text("SELECT count(*) FROM incident"),
    "incident_event": text("SELECT count(*) FROM incident_event"),
    "incident_task": text("SELECT count(*) FROM incident_task"),
    "incident_clock": text("SELECT count(*) FROM incident_clock"),
    "incident_reporter": text("SELECT count(*) FROM incident_reporter"),
    "incident_link": text("SELECT count(*) FROM incident_link"),
    "attachment": text("SELECT count(*) FROM attachment"),
    "blob": text("SELECT count(*) FROM blob"),
}


def actor(*areas: str, department: str | None = None, may: tuple[str, ...] = ()) -> Actor:
    return Actor(0, "Tester", frozenset(), frozenset(may), areas, department)


@pytest.fixture
def desk(session: Session) -> Desk:
    """Two cases, west and east, both dispatched to one department, each with a photo."""
    build_city(session)
    made = Desk(session, make_staff(session))
    for place in ((120.05, 29.30), EAST):
        case = made.submit(made.staff["intake"], lon=place[0], lat=place[1], channel="phone")
        made.take_to(case, "handling") if place != EAST else None
        session.execute(
            text(
                "INSERT INTO incident_reporter (id, incident_id, phone_sealed)"
                " VALUES (gen_random_uuid(), :case, 'x')"
            ),
            {"case": case},
        )
    east = made.row(case)
    session.execute(
        text(
            "INSERT INTO incident_task (incident_id, department_code, dispatched_at)"
            " VALUES (:case, :other, now())"
        ),
        {"case": east.id, "other": OTHER_DEPARTMENT},
    )
    east.involved = [OTHER_DEPARTMENT]
    session.execute(
        text(
            "INSERT INTO attachment (incident_id, event_seq, sha256, part)"
            " SELECT :case, 1, sha256, 'before' FROM blob LIMIT 1"
        ),
        {"case": east.id},
    )
    session.flush()
    return made


@pytest.fixture
def as_app(session: Session, desk: Desk) -> Iterator[Session]:
    """The same session with the rights of the serving role, nothing said."""
    session.execute(text(FORGET))
    session.execute(text("SET ROLE wangge_app"))
    yield session
    session.execute(text("RESET ROLE"))


def say(session: Session, who: Actor) -> None:
    session.execute(text(FORGET))
    scope.state(driver(session.connection()), who)


def seen(session: Session) -> dict[str, int]:
    return {table: session.scalar(count) or 0 for table, count in COUNTS.items()}


def test_every_watched_table_has_its_policies_in_force(session: Session) -> None:
    rows = session.execute(
        text(
            "SELECT c.relname, c.relrowsecurity, count(p.oid) FROM pg_class AS c"
            " LEFT JOIN pg_policy AS p ON p.polrelid = c.oid"
            " WHERE c.relname = ANY(:names) GROUP BY 1, 2"
        ),
        {"names": list(scope.WATCHED)},
    ).all()

    assert {name for name, is_on, n in rows if is_on and n >= 2} == set(scope.WATCHED)


def test_who_says_nothing_sees_nothing(as_app: Session) -> None:
    assert set(seen(as_app).values()) == {0}


def test_a_town_sees_its_own_rows_only(as_app: Session) -> None:
    say(as_app, actor(WEST_TOWN, may=("reporter:reveal",)))
    west = seen(as_app)
    say(as_app, actor(EAST_TOWN, may=("reporter:reveal",)))
    east = seen(as_app)
    say(as_app, actor(COUNTY, may=("reporter:reveal",)))
    whole = seen(as_app)

    assert (west["incident"], east["incident"], whole["incident"]) == (1, 1, 2)
    tables = [table for table in COUNTS if table not in ("incident_link", "blob")]
    assert all(west[table] and east[table] for table in tables)
    assert all(west[table] + east[table] == whole[table] for table in tables)


def test_the_beginning_of_a_code_is_no_other_town(as_app: Session) -> None:
    say(as_app, actor("33990100"))

    assert seen(as_app)["incident"] == 2

    say(as_app, actor("3399010011"))

    assert seen(as_app)["incident"] == 0


@pytest.mark.parametrize("area", ["%", "3399_", "", '339901001"', "{339901001}", "1,2", "\\"])
def test_odd_areas_open_nothing_that_they_do_not_name(as_app: Session, area: str) -> None:
    say(as_app, actor(area))

    assert seen(as_app)["incident"] == (2 if area == "" else 0)


def test_a_department_sees_what_was_dispatched_to_it(as_app: Session) -> None:
    say(as_app, actor(COUNTY, department=DEPARTMENT))
    mine = seen(as_app)
    say(as_app, actor(COUNTY, department=OTHER_DEPARTMENT))
    theirs = seen(as_app)
    say(as_app, actor(COUNTY, department="D99"))
    nobodys = seen(as_app)

    assert (mine["incident"], theirs["incident"]) == (1, 1)
    assert mine["incident_event"] > theirs["incident_event"]
    assert theirs["incident_event"] == 1
    assert set(nobodys.values()) == {0}


def test_a_reporters_contact_needs_the_permission(as_app: Session) -> None:
    say(as_app, actor(COUNTY))
    without = seen(as_app)
    say(as_app, actor(COUNTY, may=("reporter:reveal",)))

    assert without["incident_reporter"] == 0
    assert seen(as_app)["incident_reporter"] == 2


def test_the_tile_role_is_held_by_the_same_wall(session: Session, desk: Desk) -> None:
    session.execute(text(FORGET))
    session.execute(text("SET ROLE wangge_tiles"))
    try:
        nothing = session.scalar(COUNTS["incident"])
        say(session, actor(EAST_TOWN))
        east = session.scalar(COUNTS["incident"])
        say(session, actor(COUNTY, department=DEPARTMENT))
        mine = session.scalar(COUNTS["incident"])
    finally:
        session.execute(text("RESET ROLE"))

    assert (nothing, east, mine) == (0, 1, 1)


def test_persons_need_area_and_permission(session: Session, desk: Desk) -> None:
    session.execute(
        text("CREATE TEMPORARY TABLE kept AS SELECT has_table_privilege('wangge_app', 'person',"
             " 'SELECT') AS may")
    )  # fmt: skip
    session.execute(text("GRANT SELECT ON person, household TO wangge_app"))
    _settle_two_persons(session)
    count = text("SELECT count(*) FROM person")
    session.execute(text(FORGET))
    session.execute(text("SET ROLE wangge_app"))
    found = [session.scalar(count)]
    for who in (
        actor(COUNTY),
        actor(COUNTY, may=("person:find",)),
        actor(WEST_TOWN, may=("person:find",)),
        actor(COUNTY, may=("person:find",), department=DEPARTMENT),
    ):
        say(session, who)
        found.append(session.scalar(count))
    session.execute(text("RESET ROLE"))

    assert found == [0, 0, 2, 1, 0]


def _settle_two_persons(session: Session) -> None:
    for town in (WEST_TOWN, EAST_TOWN):
        session.execute(
            text(
                "WITH b AS (INSERT INTO building (kind, dwellings, area_m2, geom, cell_id,"
                "   area_code) VALUES ('residential', 1, 1, ST_Multi(ST_MakeEnvelope(120.05,"
                "   29.30, 120.0501, 29.3001, 4490)), 1, :area) RETURNING id),"
                " d AS (INSERT INTO dwelling (building_id, use) SELECT id, 'vacant' FROM b"
                "   RETURNING id),"
                " h AS (INSERT INTO household (dwelling_id, kind, cell_id, area_code)"
                "   SELECT id, 'family', 1, :area FROM d RETURNING id)"
                " INSERT INTO person (household_id, name_sealed, id_number_sealed,"
                "   id_number_index, birth_sealed, age_band, relation, residency, cell_id,"
                "   area_code, moved_in_on)"
                " SELECT id, 'x', 'x', 'x', 'x', '15-59', 'head', 'registered', 1, :area,"
                "   '2020-01-01' FROM h"
            ),
            {"area": f"{town}001001"},
        )


def test_the_audit_log_shows_others_acts_to_its_readers_only(empty_database: str) -> None:
    """On rows of another transaction: what one has just written, one may return."""
    owner = create_engine(as_role(empty_database, "wangge_owner", "none"), poolclass=StaticPool)
    app = create_engine(as_role(empty_database, "wangge_app", "none"), poolclass=StaticPool)
    with Session(owner) as session, session.begin():
        for who in (7001, 7002):
            audit.record(session, "sign_in", actor_id=who)
    seen = []
    for caller in (
        None,
        replace(actor(COUNTY), account_id=7001),
        actor(COUNTY, may=("admin:system",)),
        actor(COUNTY, may=("admin:audit",)),
    ):
        with Session(app) as session:
            scope.follow_caller(session, lambda caller=caller: caller)
            seen.append(session.scalar(text("SELECT count(*) FROM audit_event")))
    owner.dispose()
    app.dispose()

    assert seen == [0, 1, 0, 2]


def test_a_secret_code_opens_its_own_case_only(as_app: Session, desk: Desk) -> None:
    wanted = report(channel="public", text="secret")
    service.submit(as_app, wanted, None, now=NOON, vault=VAULT)
    as_app.flush()
    as_app.expunge_all()
    as_app.execute(text(FORGET))
    code = tracking.code_for(VAULT, wanted.id)

    status = tracking.public_status(as_app, code)
    found = seen(as_app)

    assert status.status == "received"
    assert (found["incident"], found["incident_event"], found["incident_task"]) == (1, 1, 0)


def test_a_wrong_code_opens_nothing(as_app: Session) -> None:
    with pytest.raises(NoIncident):
        tracking.public_status(as_app, "A" * 26)

    assert set(seen(as_app).values()) == {0}


def test_nobody_writes_a_case_that_was_not_opened(as_app: Session) -> None:
    say(as_app, actor(COUNTY))
    statement = text(
        "INSERT INTO incident (id, number, category_id, category_code, channel, urgency, status,"
        " reported_at, received_at, stage_at, geom, cell_id, area_code)"
        " SELECT :id, 'x', category_id, category_code, channel, urgency, status, reported_at,"
        " received_at, stage_at, geom, cell_id, area_code FROM incident LIMIT 1"
    )

    with pytest.raises(ProgrammingError) as refused:
        as_app.execute(statement, {"id": uuid4()})

    assert isinstance(refused.value.orig, InsufficientPrivilege)
    as_app.rollback()


def test_a_move_cannot_reach_another_town(as_app: Session, desk: Desk) -> None:
    say(as_app, actor(WEST_TOWN))

    changed = as_app.execute(text("UPDATE incident SET text = 'mine' WHERE area_code LIKE :a"),
                             {"a": f"{EAST_TOWN}%"})  # fmt: skip

    assert changed.rowcount == 0


def test_views_ask_as_their_caller_and_functions_have_a_fixed_path(session: Session) -> None:
    """S18. The queue's functions are its library's; a constant or bound body names nothing."""
    views = session.scalars(
        text(
            "SELECT c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            " WHERE c.relkind = 'v' AND n.nspname = 'public' AND NOT EXISTS (SELECT FROM pg_depend"
            "   WHERE objid = c.oid AND deptype = 'e')"
            " AND NOT coalesce(c.reloptions::text LIKE '%security_invoker=true%', false)"
        )
    ).all()
    functions = session.scalars(
        text(
            "SELECT p.proname FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace"
            " JOIN pg_language AS l ON l.oid = p.prolang"
            " WHERE n.nspname = 'public' AND p.proname NOT LIKE 'procrastinate_%'"
            " AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')"
            " AND (p.prosecdef OR l.lanname = 'plpgsql')"
            " AND NOT coalesce(p.proconfig::text LIKE CASE WHEN p.prosecdef"
            "   THEN '%search_path=public, pg_temp%' ELSE '%search_path=%' END, false)"
        )
    ).all()

    assert (list(views), list(functions)) == ([], [])


def test_serving_roles_cannot_step_over_the_wall(session: Session) -> None:
    rows = session.execute(
        text("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname LIKE 'wangge_%'")
    ).all()
    by_name = {name: (is_super, bypasses) for name, is_super, bypasses in rows}

    for role in ("wangge_app", "wangge_tiles", "wangge_worker", "wangge_auditor"):
        assert by_name[role] == (False, False)
    assert by_name["wangge_backup"] == (False, True)


def test_partitions_cannot_be_read_around_their_parent(session: Session) -> None:
    open_ones = session.scalars(
        text(
            "SELECT c.relname FROM pg_class AS c JOIN pg_inherits AS i ON i.inhrelid = c.oid"
            " WHERE has_table_privilege('wangge_app', c.oid, 'SELECT')"
            " AND c.relkind IN ('r', 'p')"
        )
    ).all()

    assert list(open_ones) == []


def test_one_connection_carries_nothing_from_one_caller_to_the_next(empty_database: str) -> None:
    """As behind a pooler by transaction (quality.md, finding 2): both share one connection."""
    owner = create_engine(as_role(empty_database, "wangge_owner", "none"), poolclass=StaticPool)
    app = create_engine(as_role(empty_database, "wangge_app", "none"), poolclass=StaticPool)
    with Session(owner) as session, session.begin():
        build_city(session)
        Desk(session, make_staff(session)).submit()
    callers = [actor(WEST_TOWN), None, actor(EAST_TOWN), actor(COUNTY, department=DEPARTMENT)] * 25
    seen, backends = [], set()
    for caller in callers:
        with Session(app) as session:
            scope.follow_caller(session, lambda caller=caller: caller)
            seen.append(session.scalar(COUNTS["incident"]))
            backends.add(session.scalar(text("SELECT pg_backend_pid()")))
    owner.dispose()
    app.dispose()

    assert len(backends) == 1
    assert seen == [1, 0, 0, 0] * 25


NOTES = text("SELECT count(*) FROM person_access")
REQUESTS = text("SELECT count(*) FROM subject_request")
EXPORTS = text("SELECT count(*) FROM export_request")
FEED = text("SELECT count(*) FROM feed")


@pytest.fixture
def kept(session: Session, desk: Desk) -> Session:
    """Notes and requests of a resident of each town, exports of each, the feed of both cases."""
    _settle_two_persons(session)
    staff = desk.staff["intake"].account_id
    session.execute(
        text(
            "INSERT INTO person_access (at, person_id, account_id, act, purpose)"
            " SELECT now(), id, :staff, 'find', 'service' FROM person"
        ),
        {"staff": staff},
    )
    session.execute(
        text(
            "INSERT INTO subject_request (id, person_id, area_code, kind, channel,"
            " identity_checked, received_at, due_at, received_by)"
            " SELECT gen_random_uuid(), id, area_code, 'show', 'counter', 'id_card', now(), now(),"
            " :staff FROM person"
        ),
        {"staff": staff},
    )
    for areas in ([WEST_TOWN], [EAST_TOWN], [WEST_TOWN, EAST_TOWN]):
        session.execute(
            text(
                "INSERT INTO export_request (account_id, layer, format, level, choice, areas,"
                " state, asked_at)"
                " VALUES (:staff, 'component', 'csv', 'L2', '{}', :areas, 'waiting', now())"
            ),
            {"staff": staff, "areas": areas},
        )
    session.execute(
        text(
            "INSERT INTO feed (sealed_at, no, incident_id, seq, area_code, department_code,"
            " payload, hash) SELECT now(), row_number() OVER (), e.incident_id, e.seq,"
            " e.area_code, e.department_code, '{}', '' FROM incident_event AS e"
        )
    )
    session.execute(text(FORGET))
    session.execute(text("SET ROLE wangge_app"))
    return session


def counted(session: Session, *who: Actor | None) -> list[tuple[int, ...]]:
    found = []
    for one in who:
        session.execute(text(FORGET))
        if one is not None:
            say(session, one)
        found.append(tuple(session.scalar(n) or 0 for n in (NOTES, REQUESTS, EXPORTS)))
    return found


def test_notes_requests_and_exports_stay_with_their_town(kept: Session) -> None:
    handler = ("person:find", "subject:handle")
    found = counted(
        kept,
        None,
        actor(COUNTY),
        actor(WEST_TOWN, may=handler),
        actor(COUNTY, may=handler),
        actor(COUNTY, may=handler, department=DEPARTMENT),
        actor(EAST_TOWN, may=("export:approve",)),
        actor(COUNTY, may=("export:approve",)),
        actor(WEST_TOWN, may=("admin:security",)),
    )

    assert found == [
        (0, 0, 0), (0, 0, 0), (1, 1, 0), (2, 2, 0), (0, 0, 0), (0, 0, 1), (0, 0, 3), (0, 0, 3),
    ]  # fmt: skip


def test_nobody_notes_or_asks_in_anothers_name(kept: Session) -> None:
    say(kept, actor(COUNTY, may=("person:find", "export:approve")))
    note = text(
        "INSERT INTO person_access (at, person_id, account_id, act, purpose)"
        " VALUES (now(), 1, 7, 'find', 'service')"
    )
    ask = text(
        "INSERT INTO export_request (account_id, layer, format, level, choice, areas, state,"
        " asked_at) VALUES (7, 'component', 'csv', 'L1', '{}', '{}', 'direct', now())"
    )
    for statement in (note, ask):
        apart = kept.begin_nested()
        with pytest.raises(ProgrammingError) as refused:
            kept.execute(statement)
        assert isinstance(refused.value.orig, InsufficientPrivilege)
        apart.rollback()


def test_the_feed_is_open_to_its_scope_and_to_its_reader(kept: Session) -> None:
    found = []
    for who in (
        None, actor(WEST_TOWN), actor(EAST_TOWN), actor(COUNTY),
        actor(COUNTY, department=DEPARTMENT), actor(COUNTY, department="D99"),
    ):  # fmt: skip
        kept.execute(text(FORGET))
        if who is not None:
            say(kept, who)
        found.append(kept.scalar(FEED) or 0)
    kept.execute(text(FORGET))
    scope.state_reader_of_feed(driver(kept.connection()))
    whole = kept.scalar(FEED) or 0
    kept.execute(text(FORGET))

    nothing, west, east, county, mine, nobodys = found
    assert (nothing, nobodys) == (0, 0)
    assert west > 0
    assert east > 0
    assert (west + east, mine > 0) == (county, True)
    assert whole == county
