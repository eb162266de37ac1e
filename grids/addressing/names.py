"""Find the name that was meant: as written, by its sound, with one letter wrong, without its end.

Every way is a look-up of keys that were made beforehand; nothing compares a word with all names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from pypinyin import lazy_pinyin
from rapidfuzz.distance import OSA

from grids.addressing.lookalikes import look_alike

ENDINGS: Final = (
    "自然村",
    "大道",
    "大街",
    "公路",
    "胡同",
    "小区",
    "路",
    "街",
    "巷",
    "弄",
    "道",
    "村",
)
SHORTEST: Final = 2
#: So many names at most are looked at closer.
MOST_NAMES: Final = 80


class How(StrEnum):
    """How a name was found."""

    SAME = "same"
    RENAMED = "renamed"  #: by a name that it had before
    SOUND = "sound"  #: written with other letters of the same sound
    SHAPE = "shape"  #: one letter that looks alike
    SIMILAR_SOUND = "similar_sound"  #: zh/z, ng/n, l/n
    ENDING = "ending"  #: 路 for 街, or no ending
    LETTER = "letter"  #: one letter wrong, missing, too many or changed with its neighbour


#: How sure a name is that was found in this way.
LIKENESS: Final = {
    How.SAME: 1.0, How.RENAMED: 0.98, How.SOUND: 0.94, How.SHAPE: 0.92, How.ENDING: 0.9,
    How.SIMILAR_SOUND: 0.88, How.LETTER: 0.84,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Name:
    """A street, village, estate: its name in normal form, and the present one where it changed."""

    text: str
    is_street: bool
    now: str = ""  #: the present name where `text` is an old one

    @property
    def current(self) -> tuple[str, bool]:
        """What leads to the addresses."""
        return self.now or self.text, self.is_street


@dataclass(frozen=True, slots=True)
class FoundName:
    """A name that may be meant."""

    name: Name
    how: How

    @property
    def likeness(self) -> float:
        """How sure it is, up to 1."""
        return LIKENESS[self.how]


class NameIndex:
    """Names by all their keys."""

    def __init__(self, names: Iterable[Name]) -> None:
        self._same: dict[str, list[Name]] = defaultdict(list)
        self._sound: dict[str, list[Name]] = defaultdict(list)
        self._stem: dict[str, list[Name]] = defaultdict(list)
        self._holes: dict[str, list[Name]] = defaultdict(list)
        self.longest = 0
        for name in names:
            self._add(name)

    def _add(self, name: Name) -> None:
        self.longest = max(self.longest, len(name.text))
        self._same[name.text].append(name)
        self._sound[blurred(sound_of(name.text))].append(name)
        stem = stem_of(name.text)
        if stem != name.text:
            self._stem[stem].append(name)
            self._sound[blurred(sound_of(stem)) + "/"].append(name)
        if len(name.text) > SHORTEST:
            for key in _holes(name.text):
                self._holes[key].append(name)

    def __contains__(self, text: str) -> bool:
        return text in self._same

    def same(self, said: str) -> list[FoundName]:
        """Return the names that are written so."""
        return [
            FoundName(name, How.RENAMED if name.now else How.SAME)
            for name in self._same.get(said, ())
        ]

    def alike(self, said: str) -> list[FoundName]:
        """Return the names that may be meant by a word, the likeliest first, none twice."""
        found: dict[Name, How] = {one.name: one.how for one in self.same(said)}
        for name, how in self._near(said):
            if name not in found or LIKENESS[how] > LIKENESS[found[name]]:
                found[name] = how
        ones = [FoundName(name, how) for name, how in found.items()]
        ones.sort(key=lambda one: (-one.likeness, one.name.text))
        return ones[:MOST_NAMES]

    def _near(self, said: str) -> Iterator[tuple[Name, How]]:
        if len(said) < SHORTEST:
            return
        sound = sound_of(said)
        dim = blurred(sound)
        for name in self._sound.get(dim, ()):
            yield name, How.SOUND if sound_of(name.text) == sound else How.SIMILAR_SOUND
        stem = stem_of(said)
        for name in self._stem.get(stem, ()):
            yield name, How.ENDING
        if stem == said:
            for name in self._sound.get(dim + "/", ()):
                yield name, How.ENDING if sound_of(stem_of(name.text)) == sound else How.LETTER
        for name in self._stem_as_name(stem, said):
            yield name, How.ENDING
        if len(said) <= SHORTEST:
            return
        for key in _holes(said):
            for name in self._holes.get(key, ()):
                if abs(len(name.text) - len(said)) <= 1 and OSA.distance(name.text, said) == 1:
                    yield name, How.SHAPE if look_alike(name.text, said) else How.LETTER

    def _stem_as_name(self, stem: str, said: str) -> Iterable[Name]:
        return self._same.get(stem, ()) if stem != said else ()


def _holes(text: str) -> Iterator[str]:
    """Yield the word with each letter left out: two words one edit apart share one of them."""
    yield text
    for k in range(len(text)):
        yield text[:k] + text[k + 1 :]


def stem_of(name: str) -> str:
    """Return a name without its ending: 康岭 of 康岭街."""
    for ending in ENDINGS:
        if name.endswith(ending) and len(name) - len(ending) >= SHORTEST:
            return name[: -len(ending)]
    return name


@lru_cache(maxsize=100_000)
def sound_of(text: str) -> str:
    """Return the syllables of a word without tones; letters stay as they are."""
    return "".join(lazy_pinyin(text)).lower().replace(" ", "")


def blurred(sound: str) -> str:
    """Return a sound without what many people do not tell apart: zh and z, ng and n, l and n."""
    for full, plain in (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n")):
        sound = sound.replace(full, plain)
    return sound.replace("l", "n")
