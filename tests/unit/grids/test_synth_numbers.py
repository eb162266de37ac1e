"""Numbers of the simulator are valid by arithmetic and belong to nobody."""

from datetime import date

import numpy as np
import pytest
from stdnum.cn import ric, uscc

from grids.synth.business import credit_codes
from grids.synth.homes import EPOCH, id_numbers, serials
from grids.synth.names import Namer, english
from grids.synth.plan import plan_for

TODAY = date(2026, 11, 21)


def numbers_of(births, female):
    born = np.array([day.toordinal() - EPOCH for day in births])
    return id_numbers(born, serials(born, np.asarray(female)))


def test_resident_numbers_have_the_right_check_digit_and_an_impossible_county():
    rng = np.random.default_rng(1)
    births = [date(1930 + int(y), 1 + int(m), 1 + int(d))
              for y, m, d in rng.integers(0, (95, 12, 28), (400, 3))]  # fmt: skip
    female = rng.random(400) < 0.5

    numbers = numbers_of(births, female)

    assert all(ric.calc_check_digit(number) == number[-1] for number in numbers)
    assert {number[:6] for number in numbers} == {"339901"}
    assert [int(number[16]) % 2 == 0 for number in numbers] == female.tolist()
    assert len(set(numbers)) == 400


def test_the_published_examples_come_out():
    assert numbers_of([date(1900, 1, 1)], np.array([False])) == ["339901190001010017"]
    assert numbers_of([date(2000, 2, 29)] * 2, np.array([False, False]))[0][:17] == (
        "33990120000229001"
    )


def test_two_people_of_one_birthday_never_share_a_number():
    numbers = numbers_of([date(1990, 5, 5)] * 300, np.zeros(300, dtype=bool))

    assert len(set(numbers)) == 300


def test_a_day_with_more_people_than_numbers_is_refused():
    with pytest.raises(ValueError, match="than there are numbers"):
        serials(np.zeros(501, dtype=np.int64), np.zeros(501, dtype=bool))


def test_credit_codes_pass_an_independent_check():
    codes = credit_codes(["company", "individual"] * 250, np.random.default_rng(2))

    assert all(uscc.is_valid(code) for code in codes)
    assert {code[:2] for code in codes} == {"91", "92"}
    assert len(set(codes)) == 500


def test_names_are_handed_out_once():
    namer = Namer(np.random.default_rng(3))
    streets = [namer.street() for _ in range(3000)] + [namer.lane() for _ in range(500)]

    assert len(set(streets)) == len(streets)
    assert not any(a.startswith(" ") for a in streets)


@pytest.mark.parametrize(
    ("name", "latin"),
    [
        ("江滨北路", "Jiangbin North Road"),
        ("青溪街道", "Qingxi Subdistrict"),
        ("柳塘村", "Liutang Village"),
        ("示例市", "Shili City"),
    ],
)
def test_place_names_have_an_english_form(name, latin):
    assert english(name) == latin


@pytest.mark.parametrize("scale", [0.0, -1.0, 1.5])
def test_an_impossible_scale_is_refused(scale):
    with pytest.raises(ValueError, match="scale"):
        plan_for(scale, 1, TODAY)


def test_a_plan_grows_with_its_scale():
    small, large = plan_for(0.02, 1, TODAY), plan_for(0.1, 1, TODAY)

    assert (small.persons, large.persons) == (41_600, 208_000)
    assert large.area_m2 == pytest.approx(5 * small.area_m2)
    assert small.grids == 34
