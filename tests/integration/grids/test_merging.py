"""Entries given up for others, and taken back: every table stands as before, byte for byte."""

import random
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.bulk import driver
from grids.enterprises import Enterprise
from grids.matching import merging, pairs
from grids.matching.models import DuplicatePair, EntryMerge
from grids.synth.business import credit_codes
from tests.support.cases import COUNTY, EAST, WEST, build_city, make_actor

NOW = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
TODAY = date(2026, 3, 4)
TABLES = (
    "enterprise",
    "premises",
    "code_conversion",
    "import_key",
    "visit",
    "observation",
    "fact",
    "fact_check",
    "correction",
)
EVIDENCE = {"brand": "same", "trade": "same", "code": "unknown", "place": "20", "address": "unknown",
            "industry": "same"}  # fmt: skip


@pytest.fixture
def steward(session: Session) -> Actor:
    """Store a city and return a steward of the whole county, whose transaction this is."""
    build_city(session)
    actor = make_actor(session, "steward", COUNTY)
    scope.state(driver(session.connection()), actor)
    return actor


def enterprises(session: Session, count: int, *, place: Any = WEST) -> list[int]:
    """Store enterprises that each have premises, a key of a source, a visit and an answer."""
    import numpy as np

    codes = credit_codes(["company"] * count, np.random.default_rng(7))
    worker = session.scalar(text("SELECT id FROM account LIMIT 1"))
    session.execute(text(
        "INSERT INTO import_source (code, name, target, area_code, settings)"
        " VALUES ('market', '市场监管', 'enterprise', '339901', '{}') ON CONFLICT DO NOTHING"
    ))  # fmt: skip
    source = session.scalar(text("SELECT id FROM import_source WHERE code = 'market'"))
    batch = session.scalar(text(
        "INSERT INTO import_batch (source_id, area_code, areas, file_sha256, file_name, file_size,"
        " settings) VALUES (:source, '339901', '{339901}', 'x', 'f.csv', 1, '{}') RETURNING id"
    ), {"source": source})  # fmt: skip
    made = []
    for k in range(count):
        key = session.scalar(text(
            "INSERT INTO enterprise (name, uscc, kind, industry, staff, source, valid_from, geom)"
            " VALUES (:name, :uscc, 'company', 'F', :staff, 'import:market', '2020-01-01',"
            " ST_SetSRID(ST_MakePoint(:x, :y), 4490)) RETURNING id"
        ), {"name": f"商行{k}", "uscc": codes[k] if k % 3 else None, "staff": k or None,
            "x": place[0] + k / 20_000, "y": place[1]})  # fmt: skip
        if k % 2:
            session.execute(text(
                "INSERT INTO fact (register, entry_id, field, source, value, observed_at,"
                " confidence, batch_id) VALUES ('enterprise', :key, 'name', 'import:market', :name,"
                " :now, 0.8, :batch), ('enterprise', :key, 'staff', :own, '7', :now, 0.3, NULL)"
            ), {"key": key, "name": f"商行{k}", "now": NOW, "batch": batch, "own": f"import:s{k}"})  # fmt: skip
            session.execute(text(
                "INSERT INTO fact_check (register, entry_id, field, candidates, weight, why, state,"
                " area_code, grid_id, asked_at) SELECT 'enterprise', id, 'name', '[]', 1, 'asked',"
                " 'open', area_code, grid_id, :now FROM enterprise WHERE id = :key"
            ), {"key": key, "now": NOW})  # fmt: skip
        session.execute(text(
            "WITH told AS (INSERT INTO correction_file (source_id, area_code, made_at, reason, note,"
            " lines) VALUES (:source, '339901', :now, 'duty', '', 1) RETURNING id)"
            " INSERT INTO correction (file_id, source_id, register, entry_id, area_code, field,"
            " own_id, said, holds, because, known_at) SELECT id, :source, 'enterprise', :key,"
            " '339901001001001', 'name', :own, 'no', :said, 'desk', :now FROM told"
        ), {"source": source, "key": key, "own": f"k{key}", "said": f"h{k % 4}", "now": NOW})  # fmt: skip
        visit = uuid4()
        for statement in (
            (
                "INSERT INTO premises (enterprise_id, kind, source, valid_from, geom) VALUES (:key,"
                " 'shop', 'local', '2020-01-01', ST_SetSRID(ST_MakePoint(:x, :y), 4490))"
            ),
            (
                "INSERT INTO code_conversion (registrar, old_number, name, enterprise_id, area_code)"
                " VALUES ('market', :own, '旧号', :key, '339901001001')"
            ),
            "INSERT INTO import_key VALUES (:source, :own, 'enterprise', :key, :batch)",
            (
                "INSERT INTO visit (id, subject, subject_id, area_code, worker_id, done_at, received_at,"
                " forms, versions, asked, reused, apart, photos) VALUES (:visit, 'enterprise', :key,"
                " '339901001001001', :worker, :now, :now, '{}', '{}', 1, 0, 1, 0)"
            ),
            (
                "INSERT INTO observation (recorded_at, visit_id, subject, subject_id, area_code,"
                " question, question_no, version_id, level, value, observed_at, worker_id, source)"
                " VALUES (now(), :visit, 'enterprise', :key, '339901001001001', 'q', 1, 1, 'L3', '1',"
                " :now, :worker, 'visit')"
            ),
        ):
            session.execute(text(statement), {
                "key": key, "source": source, "own": f"k{key}", "batch": batch, "visit": visit,
                "worker": worker, "now": NOW, "x": place[0], "y": place[1],
            })  # fmt: skip
        made.append(key)
    session.flush()
    return made


def pair(session: Session, one: int, other: int) -> int:
    """Keep a pair of two entries, as a run over the register does."""
    found = pairs.Found(one, other, 0.9, "name", EVIDENCE)
    pairs.keep(session.connection(), [found], source="register", now=NOW, is_whole_register=False)
    key = session.scalar(
        select(DuplicatePair.id).where(
            DuplicatePair.one == min(one, other), DuplicatePair.other == max(one, other)
        )
    )
    assert key is not None
    return key


def merge(
    session: Session, actor: Actor, kept: int, given_up: int, take: tuple[str, ...] = ()
) -> EntryMerge:
    key = pair(session, kept, given_up)
    return merging.merge(
        session,
        actor,
        key,
        kept=kept,
        take=take,
        why="同一家",
        now=NOW,
        today=TODAY,
        source_ip="::1",
    )


def unmerge(session: Session, actor: Actor, merge_id: int) -> EntryMerge:
    return merging.unmerge(session, actor, merge_id, now=NOW, source_ip="::1")


def everything(session: Session) -> dict[str, list[Any]]:
    """Read each table that a merge may touch as the bytes of its rows."""
    session.flush()
    return {
        table: sorted(session.scalars(text(f"SELECT t::text FROM {table} AS t")))
        for table in TABLES
    }


OWNER = {"premises": "enterprise_id", "code_conversion": "enterprise_id", "import_key": "entry_id"}


def owner_of(session: Session, table: str, given: int) -> dict[str, int]:
    column = OWNER.get(table, "subject_id")
    rows = session.execute(text(f"SELECT {column}, count(*) FROM {table} GROUP BY 1"))
    return {str(key): n for key, n in rows if key == given}


def test_what_refers_to_the_entry_follows_it_and_comes_back(
    session: Session, steward: Actor
) -> None:
    one, other = enterprises(session, 2)
    before = everything(session)

    made = merge(session, steward, one, other, ("name", "uscc", "staff", "place"))

    stands, gone = session.get_one(Enterprise, one), session.get_one(Enterprise, other)
    assert (stands.name, stands.staff, gone.uscc) == ("商行1", 1, None)
    assert stands.uscc is not None
    assert (gone.valid_to, gone.merged_into) == (TODAY, one)
    for table in ("premises", "code_conversion", "import_key", "visit", "observation"):
        assert owner_of(session, table, one) == {str(one): 2}
        assert owner_of(session, table, other) == {}
    assert {name: len(keys) for name, keys in made.moved.items()} == {
        "premises": 1, "import_key": 1, "visit": 1, "observation": 1, "enterprise": 0, "fact_check": 1, "correction": 1,
        "code_conversion": 1,
    }  # fmt: skip

    said = session.execute(text(
        "SELECT field, source, value, evidence FROM fact WHERE entry_id = :one ORDER BY 1, 2"
    ), {"one": one}).all()  # fmt: skip
    assert ("name", "desk", "商行1", f"merge:{made.id}") in [tuple(row) for row in said]
    assert ("staff", "import:s1", "7", None) in [tuple(row) for row in said]
    assert ("name", "import:market", "商行0", None) in [tuple(row) for row in said]

    undone = unmerge(session, steward, made.id)

    assert not any(undone.kept.values())
    assert everything(session) == before
    acts = session.scalars(text("SELECT action FROM audit_event"))
    assert {"entries_merged", "entries_unmerged"} <= set(acts)
    with pytest.raises(merging.Undone):
        unmerge(session, steward, made.id)


@pytest.mark.parametrize("seed", range(12))
def test_random_chains_of_merges_come_back_to_the_byte(
    session: Session, steward: Actor, seed: int
) -> None:
    rng = random.Random(seed)
    standing = enterprises(session, 6)
    before = everything(session)
    made: list[int] = []
    waiting: list[int] = []
    for _ in range(40):
        if len(standing) > 1 and (len(made) < 3 or rng.random() < 0.5) and len(made) < 12:
            kept, given_up = rng.sample(standing, 2)
            take = tuple(name for name in merging.FIELDS if rng.random() < 0.5)
            done = merge(session, steward, kept, given_up, take)
            made.append(done.id)
            waiting.append(done.id)
            standing.remove(given_up)
        elif waiting:
            _take_back(session, steward, waiting, standing, rng)
    while waiting:
        _take_back(session, steward, waiting, standing, rng)

    assert len(made) >= 3
    assert everything(session) == before


def _take_back(
    session: Session, actor: Actor, waiting: list[int], standing: list[int], rng: random.Random
) -> None:
    """Take back any merge that may be: what stands under a later one is refused, unchanged."""
    order = rng.sample(waiting, len(waiting))
    for key in order:
        held = everything(session)
        try:
            done = unmerge(session, actor, key)
        except merging.NotLast:
            assert everything(session) == held
            continue
        assert not any(done.kept.values())
        waiting.remove(key)
        standing.append(done.given_up)
        return
    raise AssertionError("no merge could be taken back")


def test_in_a_chain_everything_leads_to_the_last(session: Session, steward: Actor) -> None:
    a, b, c = enterprises(session, 3)
    first = merge(session, steward, b, a)
    second = merge(session, steward, c, b)

    rows = session.execute(select(Enterprise.id, Enterprise.merged_into))
    leads = {row.id: row.merged_into for row in rows}
    assert (leads[a], leads[b], leads[c]) == (c, c, None)
    assert owner_of(session, "premises", c) == {str(c): 3}
    assert merging.survivor_of(session, steward, a) == c
    with pytest.raises(merging.NotLast):
        unmerge(session, steward, first.id)
    unmerge(session, steward, second.id)
    assert merging.survivor_of(session, steward, a) == b
    unmerge(session, steward, first.id)
    assert owner_of(session, "premises", a) == {str(a): 1}


def test_what_was_changed_since_stays_and_is_told(session: Session, steward: Actor) -> None:
    one, other = enterprises(session, 2)
    made = merge(session, steward, one, other, ("name", "staff"))
    session.execute(text("UPDATE enterprise SET name = '改名' WHERE id = :id"), {"id": one})
    session.execute(text("DELETE FROM premises WHERE id = :id"), {"id": made.moved["premises"][0]})

    undone = unmerge(session, steward, made.id)

    assert undone.kept == {"fields": ["name"], "given_up": [], "moved": {"premises": 1}}
    stands = session.get_one(Enterprise, one)
    assert (stands.name, stands.staff) == ("改名", None)
    assert session.get_one(Enterprise, other).valid_to is None


def test_a_code_that_another_has_by_now_is_not_given_twice(
    session: Session, steward: Actor
) -> None:
    one, other, third = enterprises(session, 3)
    code = session.get_one(Enterprise, other).uscc
    made = merge(session, steward, one, other, ("uscc",))
    session.execute(text("UPDATE enterprise SET uscc = NULL WHERE id = :id"), {"id": one})
    session.execute(
        text("UPDATE enterprise SET uscc = :code WHERE id = :id"), {"id": third, "code": code}
    )

    undone = unmerge(session, steward, made.id)

    assert undone.kept["given_up"] == ["uscc"]
    assert session.get_one(Enterprise, other).uscc is None


def test_a_person_is_asked_once_until_an_entry_changes(session: Session, steward: Actor) -> None:
    one, other = enterprises(session, 2)
    key = pair(session, one, other)
    pairs.hold_different(session, steward, key, "两家店", now=NOW, source_ip="::1")
    session.flush()

    pair(session, one, other)
    session.expire_all()
    assert session.get_one(DuplicatePair, key).state == "different"
    session.execute(text("UPDATE enterprise SET name = '商行一' WHERE id = :id"), {"id": other})
    pair(session, one, other)
    session.expire_all()
    again = session.get_one(DuplicatePair, key)
    assert (again.state, again.decided_by, again.why) == ("open", None, "")

    pairs.keep(session.connection(), [], source="register", now=NOW)
    session.expire_all()
    assert session.get_one(DuplicatePair, key).state == "gone"


def test_who_answers_for_one_entry_sees_the_pair_and_cannot_decide(
    session: Session, steward: Actor
) -> None:
    (west,), (east,) = enterprises(session, 1), enterprises(session, 1, place=EAST)
    key = pair(session, west, east)
    only_west = make_actor(session, "steward", "339901001")
    nowhere = make_actor(session, "steward", "339901003")

    told = pairs.listed(session, only_west).rows[0]
    shown = {told.one and told.one.id, told.other and told.other.id}
    assert shown == {west, None}
    assert pairs.count_open(session, only_west) == 0
    assert pairs.count_open(session, steward) == 1
    assert pairs.listed(session, nowhere).rows == ()
    assert len(pairs.listed(session, steward, area="339901001").rows) == 1
    with pytest.raises(pairs.NoPair):
        merging.merge(session, only_west, key, kept=west, take=(), why="同一家", now=NOW,
                      today=TODAY, source_ip="::1")  # fmt: skip
    with pytest.raises(pairs.NoPair):
        pairs.pair_of(session, nowhere, key)


def test_pairs_come_a_page_at_a_time_the_likeliest_first(session: Session, steward: Actor) -> None:
    keys = enterprises(session, 24)
    found = [pairs.Found(keys[0], other, 0.5 + (k % 5) / 10, "alike", EVIDENCE)
             for k, other in enumerate(keys[1:])]  # fmt: skip
    pairs.keep(session.connection(), found, source="register", now=NOW)

    first = pairs.listed(session, steward)
    rest = pairs.listed(session, steward, after=first.next)

    seen = [row.pair.score for row in (*first.rows, *rest.rows)]
    assert (len(first.rows), len(rest.rows), rest.next) == (20, 3, "")
    assert seen == sorted(seen, reverse=True)
    assert len({row.pair.id for row in (*first.rows, *rest.rows)}) == 23


def test_all_that_refers_to_an_enterprise_is_moved(session: Session) -> None:
    """A new table that refers to enterprises fails here until the merge moves its rows too."""
    keys = session.scalars(text(
        "SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
        " AND confrelid = 'enterprise'::regclass"
    )).all()  # fmt: skip
    named = session.scalars(text(
        "SELECT DISTINCT a.table_name FROM information_schema.columns AS a"
        " JOIN information_schema.columns AS b USING (table_schema, table_name)"
        " JOIN information_schema.tables AS t USING (table_schema, table_name)"
        " LEFT JOIN pg_inherits AS i ON i.inhrelid = (quote_ident(table_name))::regclass"
        " WHERE table_schema = 'public' AND i.inhrelid IS NULL AND t.table_type = 'BASE TABLE'"
        " AND a.column_name IN ('register', 'target', 'subject')"
        " AND b.column_name IN ('entry_id', 'subject_id')"
    )).all()  # fmt: skip
    body = session.scalar(select(func.pg_get_functiondef(text("'repoint_enterprise'::regproc"))))
    # What an entry said stays with it; statements go by `put_facts`.
    apart = {"register_change", "fact"}

    moved = {table for table in {*keys, *named} if f"UPDATE {table} SET" in str(body)}
    assert {*keys, *named} - apart == moved


def test_the_serving_role_may_do_all_of_it(session: Session) -> None:
    rights = session.execute(text(
        "SELECT has_table_privilege('wangge_app', 'entry_merge', 'INSERT'),"
        " has_function_privilege('wangge_app',"
        " 'repoint_enterprise(bigint, bigint, jsonb)', 'EXECUTE'),"
        " has_table_privilege('wangge_app', 'observation', 'UPDATE')"
    )).one()  # fmt: skip
    assert tuple(rights) == (True, True, False)
