"""Pages and counts of the queue against a plain count in Python, for any filter, order and scope."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.bulk import driver
from grids.incidents.lifecycle import OPEN, TERMINAL
from grids.incidents.listing import RISKS, BadCursor, Filter, count_cases, page_of, reach_of
from tests.support import cases
from tests.support.depth import IS_FULL

NOW = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
TOWNS = ("339901001", "339901002")
THINGS, FAULTS = ("路灯", "井盖", "垃圾", "Light"), ("不亮", "破损", "满溢", "broken")
MANY = 240
INSERT = text("""
    INSERT INTO incident (id, number, category_id, category_code, channel, urgency, status, text,
      address, department_code, reported_at, received_at, stage_at, due_at, geom, cell_id,
      area_code, event_count, involved)
    SELECT :id, :number, (SELECT min(id) FROM category WHERE code = :category), :category, :channel,
      :urgency, :status, :text, :address, :department, :received, :received, :stage, :due,
      ST_SetSRID(ST_MakePoint(120.05, 29.3), 4490), 1, :area, 1, :involved
""")


@dataclass(frozen=True)
class Case:
    """What the plain count knows of a case."""

    id: UUID
    status: str
    risk: str
    channel: str
    town: str
    category: str
    department: str | None
    urgency: str
    words: str
    received: datetime
    due: datetime | None
    has_task: bool


def risk_of(status: str, stage: datetime, due: datetime | None) -> str:
    if status in TERMINAL:
        return "done"
    if status == "suspended" or due is None:
        return "paused"
    if due <= NOW:
        return "late"
    return "soon" if due - NOW <= NOW - stage else "ok"


@pytest.fixture
def world(session: Session) -> Iterator[tuple[Session, list[Case]]]:
    """Two towns with a few hundred cases of every kind, many of them of one instant."""
    cases.build_city(session)
    chance = random.Random(41)
    made = []
    for n in range(MANY):
        status = chance.choice([*OPEN, *TERMINAL])
        received = NOW - timedelta(hours=chance.choice((1, 1, 5, 30, 900, 9000)))
        stage = received + timedelta(minutes=10)
        due = None
        if status in OPEN and chance.random() < 0.8:
            due = NOW + timedelta(hours=chance.choice((-3, -1, 1, 1, 40)))
        one = {
            "id": UUID(int=chance.getrandbits(128), version=4),
            "number": f"20260301-{n:06d}",
            "category": chance.choice(("03001", "01001")),
            "channel": chance.choice(("worker", "public", "phone")),
            "urgency": chance.choice("ABCD"),
            "status": status,
            "text": chance.choice(THINGS) + chance.choice(FAULTS),
            "address": f"江滨路{chance.randint(1, 30)}号",
            "department": chance.choice((None, "D01", "D03")),
            "received": received,
            "stage": stage,
            "due": due,
            "area": chance.choice(TOWNS) + "001001",
        }
        has_task = chance.random() < 0.4
        session.execute(INSERT, {**one, "involved": ["D01", "D03"] if has_task else ["D01"]})
        made.append(
            Case(one["id"], status, risk_of(status, stage, due), one["channel"], one["area"][:9],
                 one["category"], one["department"], one["urgency"],
                 f"{one['number']}\n{one['text']}\n{one['address']}", received, due, has_task)
        )  # fmt: skip
    session.flush()
    session.execute(text("SET ROLE wangge_app"))
    yield session, made
    session.execute(text("RESET ROLE"))


ACTORS = (
    Actor(1, "", frozenset({"dispatcher"}), frozenset(), ("339901",)),
    Actor(2, "", frozenset({"town_seat"}), frozenset(), (TOWNS[0],)),
    Actor(3, "", frozenset({"handler"}), frozenset(), ("339901",), "D03"),
    Actor(4, "", frozenset({"dispatcher"}), frozenset(), ()),
)

some = lambda values: st.lists(st.sampled_from(values), max_size=2, unique=True).map(tuple)  # noqa: E731
FILTERS = st.builds(
    Filter,
    statuses=st.sampled_from([(), ("open",), ("done",), ("handling",), ("closed", "void"),
                              ("pending_accept", "closed")]),
    risks=some(RISKS), channels=some(("worker", "public", "phone")), urgencies=some("ABCD"),
    departments=some(("D01", "D03")), towns=some(TOWNS), categories=some(("03001", "01001")),
    text=st.sampled_from(["", "", "路灯", "灯", "light", "滨路1", "20260301-0001", "没有", "灯 不"]),
    area=st.sampled_from(["", "", "339901", TOWNS[1]]),
    since=st.sampled_from([None, NOW - timedelta(days=10)]),
    sort=st.sampled_from(["risk", "new"]), limit=st.sampled_from([1, 7, 50]),
)  # fmt: skip


def fits(case: Case, wanted: Filter, *, but: str = "") -> bool:
    """Judge one case as a person would, leaving one facet out."""
    states = {"open": OPEN, "done": TERMINAL}
    statuses = {s for word in wanted.statuses for s in states.get(word, (word,))}
    chosen: dict[str, tuple[Any, Any]] = {
        "status": (case.status, statuses), "risk": (case.risk, wanted.risks),
        "channel": (case.channel, wanted.channels), "urgency": (case.urgency, wanted.urgencies),
        "department": (case.department, wanted.departments), "town": (case.town, wanted.towns),
        "category": (case.category, wanted.categories),
    }  # fmt: skip
    number, *rest = case.words.split("\n")
    worded = any(wanted.text.lower() in part.lower() for part in rest)
    return (
        all(value in wished for facet, (value, wished) in chosen.items() if wished and facet != but)
        and (worded or number.startswith(wanted.text))
        and case.town.startswith(wanted.area)
        and (wanted.since is None or case.received >= wanted.since)
    )


def seen(case: Case, actor: Actor) -> bool:
    return any(case.town.startswith(area) for area in actor.areas) and (
        actor.department is None or case.has_task
    )


@settings(
    max_examples=800 if IS_FULL else 40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(wanted=FILTERS, actor=st.sampled_from(ACTORS))
def test_pages_and_counts_are_those_of_a_plain_count(
    world: tuple[Session, list[Case]], wanted: Filter, actor: Actor
) -> None:
    session, every = world
    scope.state(driver(session.connection()), actor)
    mine = [case for case in every if seen(case, actor)]
    expected = [case for case in mine if fits(case, wanted)]

    walked: list[UUID] = []
    place: str | None = None
    while True:
        items, place = page_of(session, actor, replace(wanted, after=place), now=NOW)
        assert len(items) <= wanted.limit
        walked += [item.id for item in items]
        if place is None:
            break
    counts = count_cases(session, actor, wanted, now=NOW)

    assert walked == [case.id for case in in_order(expected, wanted)]
    assert counts.total == len(expected)
    for facet in ("status", "risk", "channel", "town", "category", "department", "urgency"):
        plain = Counter(getattr(case, facet) for case in mine if fits(case, wanted, but=facet))
        plain.pop(None, 0)
        assert dict(counts.facets[facet]) == dict(plain), facet


def in_order(found: list[Case], wanted: Filter) -> list[Case]:
    """Put cases in the order that the page promises."""
    reach = reach_of(wanted)
    by_arrival = sorted(found, key=lambda case: (-case.received.timestamp(), str(case.id)))
    if wanted.sort == "new" or reach == "over" or (reach == "all" and wanted.text):
        return by_arrival
    far = datetime.max.replace(tzinfo=UTC)
    return sorted(by_arrival, key=lambda case: case.due or far)


@pytest.mark.parametrize("place", ["x", "e30", "W10", "WzEsMiwzLDRd", "💥"])
def test_a_place_that_no_page_gave_is_refused(session: Session, place: str) -> None:
    with pytest.raises(BadCursor):
        page_of(session, ACTORS[0], Filter(after=place), now=NOW)


def test_large_counts_are_estimated_from_every_hundredth_case(
    world: tuple[Session, list[Case]], monkeypatch: pytest.MonkeyPatch
) -> None:
    session, every = world
    actor, wanted = ACTORS[0], Filter(statuses=("done",))
    scope.state(driver(session.connection()), actor)
    monkeypatch.setattr("grids.incidents.listing.counting.DEAREST", 0.0)

    rough = count_cases(session, actor, wanted, now=NOW)
    exact = count_cases(session, actor, wanted, now=NOW, exact=True)

    over = [case for case in every if case.status in TERMINAL]
    in_sample = [case for case in over if case.words.split("\n")[0].endswith("00")]
    assert (rough.total, rough.is_exact) == (100 * len(in_sample), False)
    assert (exact.total, exact.is_exact) == (len(over), True)
