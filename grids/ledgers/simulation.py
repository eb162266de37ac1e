"""A month of visits in memory, by the rules that real visits follow: for proof, not for people.

Subjects, workers' pace and answers are drawn from a seed; what is due, asked and reused is
decided by `asking`, as in a visit. The bench and a test compare it with `costs.forecast`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zlib import crc32

import numpy as np

from grids.ledgers.asking import Known, applies, asked_apart, is_due, sheet
from grids.ledgers.costs import DEFAULT_S, DEFAULT_VISIT_S
from grids.ledgers.questions import Form, Question

START: Final = datetime(2026, 1, 1, 9, tzinfo=UTC)
#: Spread of the time that the same answer takes (sigma of its logarithm).
SPREAD: Final = 0.4


@dataclass
class Month:
    """What a simulated month came to."""

    visits: int = 0
    asked: int = 0
    apart: int = 0
    seconds: float = 0.0

    @property
    def hours(self) -> float:
        """Hours of work in the month."""
        return self.seconds / 3600


@dataclass
class _Draws:
    """Draws of one subject: each question has its own, so that a form more changes no other."""

    seed: int
    place: int
    streams: dict[str, np.random.Generator] = field(default_factory=dict)

    def of(self, name: str) -> np.random.Generator:
        if name not in self.streams:
            self.streams[name] = np.random.default_rng(
                [self.seed, self.place, crc32(name.encode())]
            )
        return self.streams[name]


@dataclass
class _Subject:
    kind: str
    draws: _Draws
    known: dict[str, Known] = field(default_factory=dict)
    served: dict[str, datetime] = field(default_factory=dict)


def run(
    forms: Sequence[Form], kinds: Mapping[str, int], *, days: int, warm_up: int, seed: int
) -> Month:
    """Simulate `days` of visits after a warm-up in which everything settles into its rounds.

    Each subject begins at a point of its rounds drawn at random: no city begins on one day.
    """
    month = Month()
    everybody = [kind for kind, n in kinds.items() for _ in range(n)]
    for place, kind in enumerate(everybody):
        fitting = [form for form in forms if form.fits(kind)]
        _walk(_Subject(kind, _Draws(seed, place)), fitting, month, days=days, warm_up=warm_up)
    return month


def _walk(one: _Subject, forms: Sequence[Form], month: Month, *, days: int, warm_up: int) -> None:
    longest = max((form.visit_days for form in forms), default=0)
    first = int(one.draws.of("first").random() * longest)
    for day in range(first, warm_up + days):
        at = START + timedelta(days=day)
        if not any(is_due(form, one.served.get(form.form), at) for form in forms):
            continue
        due = [form for form in forms if is_due(form, one.served.get(form.form), at, is_along=True)]
        asked, apart, seconds = _visit(one, due, at)
        if day >= warm_up:
            month.visits += 1
            month.asked += asked
            month.apart += apart
            month.seconds += seconds


def _visit(one: _Subject, due: Sequence[Form], at: datetime) -> tuple[int, int, float]:
    items = sheet(due, one.known, at)
    values = {item.question.key: item.known.value for item in items if item.known}
    given: dict[str, Any] = {}
    seconds = _drawn(DEFAULT_VISIT_S, one.draws.of("visit"))
    for item in items:
        question = item.question
        if item.known or not applies(item.conditions, values | given):
            continue
        draws = one.draws.of(question.key)
        given[question.key] = _answer(question, draws)
        seconds += _drawn(DEFAULT_S[question.type], draws)
    one.known |= {key: Known(value, at, 0) for key, value in given.items()}
    one.served |= {form.form: at for form in due}
    return len(given), asked_apart(due, values | given), seconds


def _drawn(median_s: float, rng: np.random.Generator) -> float:
    return float(median_s * rng.lognormal(0.0, SPREAD))


def _answer(question: Question, rng: np.random.Generator) -> Any:
    codes = [option.code for option in question.options]
    if question.type == "choice":
        return codes[int(rng.integers(len(codes)))]
    return [codes[0]] if question.type == "many" else "1"
