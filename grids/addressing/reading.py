"""A text while it is read: which stretch was taken for what, and what is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from grids.addressing.levels import Level
from grids.addressing.normal import Normal


@dataclass(frozen=True, slots=True)
class Claim:
    """A stretch of the normal form and what it was taken for."""

    start: int
    end: int
    level: Level
    value: str
    is_known: bool = False


@dataclass
class Reading:
    """A text while it is read: what is taken already is not looked at again."""

    normal: Normal
    claims: list[Claim] = field(default_factory=list)
    region: str = ""  #: digits of the widest to narrowest region that was named

    @property
    def text(self) -> str:
        """The normal form."""
        return self.normal.text

    def take(
        self, start: int, end: int, level: Level, value: str | None = None, *, is_known: bool = False
    ) -> None:  # fmt: skip
        """Take a stretch for a level."""
        said = self.text[start:end] if value is None else value
        self.claims.append(Claim(start, end, level, said, is_known))

    def gaps(self) -> Iterator[tuple[int, int]]:
        """Yield the stretches that nothing was taken of, in order."""
        at = 0
        for claim in sorted(self.claims, key=lambda one: one.start):
            if claim.start > at:
                yield at, claim.start
            at = max(at, claim.end)
        if at < len(self.text):
            yield at, len(self.text)

    def before(self, at: int) -> Claim | None:
        """Return what was taken directly before a place, notes and blanks left aside."""
        while at and self.text[at - 1] in "|- ":
            at -= 1
        for claim in self.claims:
            if claim.end == at:
                return self.before(claim.start) if claim.level is Level.NOTE else claim
        return None

    def after(self, at: int) -> Claim | None:
        """Return what was taken directly after a place."""
        return next((claim for claim in self.claims if claim.start == at), None)

    def has(self, level: Level) -> bool:
        """Say whether something was taken for a level."""
        return any(claim.level is level for claim in self.claims)


def is_before_number(reading: Reading, at: int) -> bool:
    """Say whether a door or building follows directly."""
    following = reading.after(at)
    return following is not None and following.level in (Level.NUMBER, Level.BUILDING)
