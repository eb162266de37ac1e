"""The one query builder: ranges on codes, nothing for nobody."""

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import column
from sqlalchemy.dialects import postgresql

from grids.scope import code_range, in_areas

codes = st.text("0123456789", min_size=1, max_size=18)


@given(codes, codes)
def test_a_range_holds_exactly_the_codes_with_the_prefix(prefix, code):
    low, high = code_range(prefix)

    assert (low <= code < high) == code.startswith(prefix)


def _sql(prefixes):
    return str(in_areas(column("area_code"), prefixes).compile(dialect=postgresql.dialect()))


def test_no_area_is_no_row():
    assert _sql(()) == "false"


def test_several_areas_are_joined_by_or():
    assert _sql(("339901001", "339901002")).count("area_code >=") == 2
