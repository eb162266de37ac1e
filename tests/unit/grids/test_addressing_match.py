"""The geocoder on a handful of addresses: right doors, honest doubts."""

from collections import Counter

import numpy as np
import pytest

from grids.addressing.codes import codes_of, is_code
from grids.addressing.match import POSSIBLE, SURE, match
from grids.addressing.quality import scores
from grids.synth.dirty import KINDS, Clean, dirty
from tests.support.address_city import library

LIBRARY = library()


def found(said, **more):
    return match(said, LIBRARY, **more)


@pytest.mark.parametrize(
    ("said", "text", "how"),
    [
        ("示例市安澜街道九源社区康岭街12号", "康岭街12号", "same"),
        ("康岭街十二号", "康岭街12号", "same"),
        ("康嶺街12號", "康岭街12号", "same"),
        ("康领街12号", "康岭街12号", "sound"),
        ("旧塘街12号", "康岭街12号", "renamed"),
        ("康岭路12号", "康岭街12号", "ending"),
        ("康岭12号", "康岭街12号", "ending"),
        ("kanglingjie 12", "康岭街12号", "sound"),
        ("安澜街道康X街12号", "康岭街12号", "letter"),
        ("金色花圆5栋", "金色花园5幢", "sound"),
        ("康岭街88号5幢", "金色花园5幢", "same"),
        ("金色花园5号", "金色花园5幢", "number_as_building"),
        ("金色花园5-3-602", "金色花园5幢", "same"),
        ("康岭街88号", "康岭街88号", "same"),
        ("凤楼村15号", "凤楼村15号", "same"),
        ("康岭街21号之一", "康岭街21-1号", "same"),
    ],
)
def test_a_door_is_found_and_says_how(said, text, how):
    result = found(said)

    assert result.best is not None
    assert result.best.text == text
    assert result.verdict == "sure"
    assert how in [reason.how for reason in result.best.reasons]


def test_a_door_that_is_not_there_is_estimated_and_never_sure():
    best = found("康岭街11号").best
    low, high = (found(f"康岭街{n}号").best for n in (9, 21))

    assert best.kind == "interpolated"
    assert best.address_id is None
    assert found("康岭街11号").verdict == "uncertain"
    assert low.lon < best.lon < high.lon


def test_another_town_makes_a_door_uncertain():
    result = found("青溪镇康岭街12号")

    assert result.best.text == "康岭街12号"
    assert result.verdict == "uncertain"
    assert ("town", "differs") in [(r.level, r.how) for r in result.best.reasons]


@pytest.mark.parametrize("said", ["", "翔鹭大道12号", "????", "电话13812345678", "康"])
def test_what_is_not_there_is_not_found(said):
    assert found(said).verdict == "none"


def test_an_address_elsewhere_finds_nothing_here():
    assert found("北京市海淀区康岭街12号").verdict == "outside"
    assert not found("北京市海淀区康岭街12号").candidates


def test_an_area_limits_and_a_point_prefers():
    assert found("长春路12号").best is not None
    assert found("长春路12号", area="339901001").best is None
    near = found("康岭街12号", near=(120.01, 29.3)).best
    far = found("康岭街12号", near=(120.5, 29.3)).best
    assert far.score < near.score <= 1


def test_scores_stay_between_their_limits_and_in_order():
    scored = [one.score for one in found("安澜康领街12号").candidates]

    assert scored == sorted(scored, reverse=True)
    assert all(POSSIBLE <= score <= 1 for score in scored)
    assert scored[0] >= SURE


def test_dirt_is_the_same_for_a_seed_and_of_every_kind():
    place = Clean(1, "示例市", "安澜街道", "九源社区", "康岭街", "12号", None, None, "旧塘街")
    estate = Clean(2, "示例市", "安澜街道", "九源社区", "康岭街", "88号", "金色花园", "5幢")
    made = list(dirty([place, estate], 3000, 7))

    assert made == list(dirty([place, estate], 3000, 7))
    assert set(KINDS) <= set(Counter(one.kind for one in made))
    assert all(one.text.strip() for one in made)


def test_codes_have_area_sequence_and_a_check_digit_that_finds_a_wrong_figure():
    code, short = codes_of(["339901001002003", "339901"], np.array([7, 99_999_999]))

    assert code.startswith("339901001002" + "00000007")
    assert short.startswith("339901000000" + "99999999")
    assert is_code(code)
    assert is_code(short)
    for k in range(len(code)):
        wrong = code[:k] + str((int(code[k]) + 1) % 10) + code[k + 1 :]
        assert not is_code(wrong)
    assert not is_code("x" * 21)


def test_quality_counts_what_is_there_and_finds_strays_and_doubles():
    levels = [["康岭街"] * 4, ["1号", "3号", None, "1号"], [None] * 4, [None] * 4]
    points = np.array([[0.0, 0.0], [50.0, 0.0], [80.0, 0.0], [9000.0, 0.0]])
    worth = scores(["a", "b", "c", "a"], levels, ["339901001001001"] * 3 + ["339901001"], points)

    assert worth.tolist() == [90, 100, 75, 60]
