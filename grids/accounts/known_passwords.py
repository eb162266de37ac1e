"""Passwords that are tried first: lists, and what people make of them.

A password is known when nothing is left of it after at most two words of the lists, digits,
signs, repeated characters and runs on the keyboard are taken away. Three words and more are a
passphrase, which is what we ask people for.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids.divisions import Area

LISTS = Path(__file__).resolve().parents[2] / "data/passwords"
#: Below this a word is too short to say anything: it stands in every second passphrase.
SHORTEST_WORD = 4
MOST_WORDS = 2
SHORTEST_RUN = 3
LONGEST_PIECE = 40
#: County and town; length of the code.
TOWN_LEVEL = 9
#: Signs that stand for letters.
DISGUISES: Final = str.maketrans("0134578@$!", "oleastbasi")
RUNS: Final = (
    "abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhnujmikolp", "!@#$%^&*()",
)  # fmt: skip


def is_known(session: Session, password: str) -> bool:
    """Say whether a password is one of those tried first, or one of them with decoration."""
    towns = names_of_towns(session)
    text = password.lower()
    return any(
        form in words() or nothing_is_left(form, towns)
        for form in {text, text.translate(DISGUISES)}
    )


@cache
def words() -> frozenset[str]:
    """Return the lists: common passwords, pinyin, names of people."""
    surnames, given = _listed("surnames.txt"), _listed("given.txt")
    people = {first + last for first in surnames for last in given}
    people |= {last + first for first in surnames for last in given}
    return frozenset(_listed("common.txt")) | frozenset(_listed("pinyin.txt")) | people


def _listed(name: str) -> list[str]:
    return (LISTS / name).read_text().lower().split()


def names_of_towns(session: Session) -> frozenset[str]:
    """Return the names of this city's county and towns, as written and in pinyin."""
    names = session.scalars(select(Area.name_zh).where(Area.level <= TOWN_LEVEL)).all()
    if not names:
        return frozenset()
    # Loading the dictionary of readings takes a second: only who chooses a password waits for it.
    from pypinyin import lazy_pinyin

    found = set()
    for name in names:
        short = re.sub(r"(街道|镇|乡|县|市|区)$", "", name)
        for form in (name, short):
            found |= {form.lower(), "".join(lazy_pinyin(form)).lower()}
    return frozenset(one for one in found if len(one) >= 2)


def nothing_is_left(text: str, towns: frozenset[str]) -> bool:
    """Say whether at most two words, digits, signs and runs make up the whole text."""
    #: for each position: with how few words it is reached
    fewest = {0: 0}
    for start in range(len(text)):
        if start not in fewest:
            continue
        for end, is_word in _pieces(text, start, towns):
            count = fewest[start] + is_word
            if count <= MOST_WORDS and count < fewest.get(end, MOST_WORDS + 1):
                fewest[end] = count
    return len(text) in fewest


def _pieces(text: str, start: int, towns: frozenset[str]) -> list[tuple[int, bool]]:
    """Return where a piece that begins here may end, and whether it is a word."""
    found = [(start + 1, False)] if _is_filler(text[start]) else []
    for end in range(start + 2, min(len(text), start + LONGEST_PIECE) + 1):
        piece = text[start:end]
        if piece in towns or (len(piece) >= SHORTEST_WORD and piece in words()):
            found.append((end, True))
        if len(piece) >= SHORTEST_RUN and _is_run(piece):
            found.append((end, False))
    return found


def _is_filler(sign: str) -> bool:
    return sign.isdigit() or (sign.isascii() and not sign.isalnum())


def _is_run(piece: str) -> bool:
    """Say whether the characters repeat, or follow each other on the keyboard."""
    if len(set(piece)) == 1:
        return True
    return any(piece in run or piece[::-1] in run for run in RUNS)
