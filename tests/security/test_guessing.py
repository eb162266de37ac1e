"""S21: tracking codes cannot be guessed, counted through or told apart by their answers."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from app import wrong_codes
from grids.incidents import service, tracking
from grids.secrets import Vault
from tests.support.cases import NOON, VAULT, build_city, report

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
PROGRAM = {"Accept": "application/json"}
#: None of them opens anything: another letter, too short, too long, not of the alphabet, nothing.
WRONG = ("A" * 26, "B" * 25, "C" * 300, "不存在", "%00", "' OR 1=1 --", "00000000-0000", "~")


def test_codes_are_evenly_drawn_over_128_bits() -> None:
    codes = [tracking.code_for(VAULT, UUID(int=number)) for number in range(4_000)]
    letters = Counter("".join(code[:25] for code in codes))
    expected = 4_000 * 25 / 32
    chi_square = sum((letters[one] - expected) ** 2 / expected for one in ALPHABET)

    assert tracking.CODE_BYTES * 8 == 128
    assert {len(code) for code in codes} == {26}
    assert set(letters) == set(ALPHABET)
    assert chi_square < 73.4  # 31 degrees of freedom: by chance once in 30,000 draws
    assert len(set(codes)) == len(codes)
    # Neighbours share nothing: of the first eight letters, about one in 32 alike.
    pairs = [zip(one[:8], other[:8], strict=True) for one, other in pairwise(codes)]
    alike = sum(a == b for pair in pairs for a, b in pair)
    assert math.isclose(alike / (8 * 3_999), 1 / 32, abs_tol=0.008)


def test_another_key_gives_other_codes() -> None:
    case = uuid4()
    other = Vault({1: bytes(range(32))}, bytes(range(32)))

    assert tracking.code_for(VAULT, case) == tracking.code_for(VAULT, case)
    assert tracking.code_for(VAULT, case) != tracking.code_for(other, case)
    assert tracking.stored(VAULT, case) != tracking.code_for(VAULT, case).encode()


@pytest.fixture
def opened(session) -> str:
    build_city(session)
    wanted = report(channel="public", text="secret")
    service.submit(session, wanted, None, now=NOON, vault=VAULT)
    session.flush()
    return tracking.code_for(VAULT, wanted.id)


@pytest.mark.parametrize("path", ["/track/{}", "/api/public/reports/{}", "/track/{}/photos/1"])
def test_every_wrong_code_gets_one_answer_for_one_price(
    app: Flask, client: FlaskClient, opened: str, session, connection, path: str
) -> None:
    """The same status, the same words, the same statements: nothing to measure."""
    answers, prices = set(), set()
    for code in WRONG:
        asked: list[str] = []

        def note(_c, _cursor, statement, *_rest, asked=asked) -> None:
            asked.append(statement)

        event.listen(connection, "before_cursor_execute", note)
        answer = client.get(path.format(code), headers=PROGRAM)
        event.remove(connection, "before_cursor_execute", note)
        shown = re.search(
            r'id="track-error"[^>]*>(?:<svg.*?</svg>)?([^<]+)', answer.text, re.DOTALL
        )
        said = shown[1] if shown else (answer.json["code"], answer.json["detail"])
        answers.add((answer.status_code, said))
        prices.add(tuple(one.partition("\n")[0][:40] for one in asked if "SAVEPOINT" not in one))

    assert len(answers) == 1
    assert len(prices) == 1
    assert next(iter(answers))[0] == 404


def test_a_source_that_guesses_waits_and_the_next_does_not(
    app: Flask, client: FlaskClient, opened: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrong_codes, "MOST_WRONG", 5)
    right = f"/api/public/reports/{opened}"
    first = client.get(right, headers=PROGRAM)
    for number in range(5):
        client.get(f"/track/{'A' * 25}{ALPHABET[number]}", headers=PROGRAM)

    guesser = client.get(right, headers=PROGRAM)
    page = client.get(f"/track/{opened}")
    other = client.get(right, headers=PROGRAM, environ_base={"REMOTE_ADDR": "10.9.9.9"})

    assert (first.status_code, other.status_code) == (200, 200)
    assert (guesser.status_code, guesser.json["code"]) == (429, "too_many")
    assert page.status_code == 429
    assert int(guesser.headers["Retry-After"]) > 0


def test_following_often_is_no_guessing(
    app: Flask, client: FlaskClient, opened: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wrong_codes, "MOST_WRONG", 2)

    found = {client.get(f"/track/{opened}").status_code for _ in range(6)}

    assert found == {200}
