"""The order of the matrix is total: one winner for every case, whatever the rules."""

from datetime import date, time

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from grids.responsibility.bands import BANDS, bands_at
from grids.responsibility.matrix import Matrix, Question, RuleRow, Selector, ties
from tests.support.depth import IS_FULL

searches = settings(max_examples=5000 if IS_FULL else 300, deadline=None)

CATEGORIES = ("", "06", "06010", "0601", "09", "09012")
AREAS = ("", "339901", "339901001", "339901001002", "339901001002003", "339901002")
OWNERS = ("", "D01", "property")
DAYS = (None, date(2026, 3, 1), date(2026, 3, 4), date(2026, 3, 9))
PLACES = ("339901001002003", "339901001002009", "339901002001001")


@st.composite
def selectors(draw: st.DrawFn) -> Selector:
    category = draw(st.sampled_from(CATEGORIES))
    kinds = ("component", "matter") if category else ("", "component", "matter")
    first, last = draw(st.sampled_from(DAYS)), draw(st.sampled_from(DAYS))
    if first and last and last < first:
        first, last = last, first
    return Selector(
        kind=draw(st.sampled_from(kinds)), category=category, area=draw(st.sampled_from(AREAS)),
        owner=draw(st.sampled_from(OWNERS)), band=draw(st.sampled_from(BANDS)), first=first,
        last=last,
    )  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> list[RuleRow]:
    """Draw rules that may be saved together: a default, and no two that tie."""
    kept = [RuleRow(0, Selector(), "D00")]
    for selector in draw(st.lists(selectors(), max_size=24)):
        rule = RuleRow(len(kept), selector, f"D{len(kept):02}")
        if not ties([*kept, rule]):
            kept.append(rule)
    return kept


questions = st.builds(
    lambda kind, category, area, owner, day, clock, is_workday: Question(
        kind, category, area, day, bands_at(clock, is_workday=is_workday), owner
    ),
    st.sampled_from(("component", "matter")),
    st.sampled_from(("06010", "06012", "09012", "10001")),
    st.sampled_from(PLACES),
    st.sampled_from(OWNERS),
    st.dates(date(2026, 2, 20), date(2026, 3, 20)),
    st.times(),
    st.booleans(),
)


@searches
@given(tables(), questions)
def test_every_case_has_exactly_one_owner_and_it_is_the_most_specific(
    rules: list[RuleRow], asked: Question
) -> None:
    taking = [rule for rule in rules if rule.selector.takes(asked)]
    best = max(rule.selector.rank for rule in taking)

    winners = [rule for rule in taking if rule.selector.rank == best]

    assert len(winners) == 1
    assert Matrix.of(rules).winner(asked) == winners[0]
    assert [r.id for r in Matrix.of(rules).matching(asked)] == [
        r.id for r in sorted(taking, key=lambda r: -r.selector.rank)
    ]


@searches
@given(selectors(), selectors(), questions)
def test_two_rules_of_one_rank_for_one_case_are_found_as_a_tie(
    one: Selector, other: Selector, asked: Question
) -> None:
    both_take = one.takes(asked) and other.takes(asked)

    if both_take and one.rank == other.rank:
        assert one.ties_with(other)
    if one.ties_with(other):
        assert one.rank == other.rank


@searches
@given(selectors(), selectors(), questions)
def test_what_covers_another_takes_all_its_cases(
    wide: Selector, narrow: Selector, asked: Question
) -> None:
    if wide.covers(narrow) and narrow.takes(asked):
        assert wide.takes(asked)


def case(**more: object) -> Question:
    fields = {"kind": "matter", "category": "06010", "area": PLACES[0], "day": date(2026, 3, 4)}
    return Question(**{**fields, **more})  # type: ignore[arg-type]


#: In the order of the decision: each later rule wins over every earlier one.
LADDER = (
    Selector(),
    Selector(band="working"),
    Selector(band="night"),
    Selector(first=date(2026, 3, 1)),
    Selector(first=date(2026, 3, 1), band="night"),
    Selector(area="339901", band="night"),
    Selector(area="339901001002003"),
    Selector(kind="matter"),
    Selector(kind="matter", category="06"),
    Selector(kind="matter", category="06", area="339901001"),
    Selector(kind="matter", category="06010"),
    Selector(kind="matter", category="06010", area="339901001002003", band="night"),
    Selector(owner="D01"),
    Selector(owner="D01", kind="matter", category="06010", area="339901001"),
)


@pytest.mark.parametrize("step", range(1, len(LADDER)))
def test_the_ladder_of_the_decision_holds(step: int) -> None:
    rules = [RuleRow(n, selector, f"D{n}") for n, selector in enumerate(LADDER[: step + 1])]
    asked = case(owner="D01", bands=frozenset(BANDS))

    found = Matrix.of(rules).winner(asked)

    assert found is not None
    assert found.id == step


def test_date_ranges_that_share_a_day_tie_and_those_that_follow_each_other_do_not() -> None:
    march = Selector(first=date(2026, 3, 1), last=date(2026, 3, 31))
    spring = Selector(first=date(2026, 3, 31), last=date(2026, 4, 5))
    april = Selector(first=date(2026, 4, 1))

    assert march.ties_with(spring)
    assert not march.ties_with(april)


@pytest.mark.parametrize(
    ("at", "is_workday", "expected"),
    [
        (time(8, 29), True, {"", "off_hours"}),
        (time(8, 30), True, {"", "working"}),
        (time(13, 0), True, {"", "working"}),
        (time(17, 30), True, {"", "off_hours"}),
        (time(22, 0), True, {"", "off_hours", "night"}),
        (time(5, 59), True, {"", "off_hours", "night"}),
        (time(12, 0), False, {"", "off_hours", "weekend"}),
    ],
)
def test_bands_on_the_clock(at: time, is_workday: bool, expected: set[str]) -> None:
    assert bands_at(at, is_workday=is_workday) == expected


@pytest.mark.parametrize("is_workday", [True, False])
def test_every_minute_of_a_day_is_either_worked_or_off(is_workday: bool) -> None:
    for minute in range(24 * 60):
        found = bands_at(time(minute // 60, minute % 60), is_workday=is_workday)

        assert len(found & {"working", "off_hours"}) == 1
