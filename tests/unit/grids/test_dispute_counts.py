"""No small count can be worked out from what is told."""

from hypothesis import given
from hypothesis import strategies as st

from grids.disputes.counts import LEAST, tell

COUNTS = st.dictionaries(st.sampled_from("abcdefg"), st.integers(0, 60), max_size=7)


@given(COUNTS)
def test_told_counts_are_true_and_never_small(counts: dict[str, int]) -> None:
    told, total = tell(counts)

    assert all(value in (None, counts[key]) for key, value in told.items())
    assert all(value is None or value == 0 or value >= LEAST for value in told.values())
    assert total in (None, sum(counts.values()))


@given(COUNTS)
def test_the_sum_less_what_is_told_names_no_small_count(counts: dict[str, int]) -> None:
    told, total = tell(counts)
    hidden = [key for key, value in told.items() if value is None]

    if total is not None and hidden:
        rest = total - sum(value for value in told.values() if value is not None)
        assert len(hidden) >= 2
        assert rest >= LEAST
