"""Old registration numbers: the check digit against a second source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_10

from grids.conversion import registration_check


@given(st.text("0123456789", min_size=14, max_size=14))
def test_the_check_digit_is_that_of_iso_7064(body: str) -> None:
    assert registration_check(body) == mod_11_10.calc_check_digit(body)


@pytest.mark.parametrize("place", range(14))
def test_one_wrong_digit_is_always_seen(place: int) -> None:
    body = "33990120000001"
    wrong = body[:place] + str((int(body[place]) + 1) % 10) + body[place + 1 :]

    assert registration_check(wrong) != registration_check(body)
