"""What a form will cost, computed before it goes live: pure arithmetic over counts and seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final

from grids.ledgers.questions import Form, Question

#: Seconds that an answer takes until enough were measured; stated beside every figure.
DEFAULT_S: Final[Mapping[str, float]] = {
    "choice": 4, "many": 7, "number": 7, "date": 8, "text": 18, "photo": 15, "place": 10,
}  # fmt: skip
#: Seconds of a visit beside its questions: knocking, greeting, opening the page.
DEFAULT_VISIT_S: Final = 90.0
#: How often a question with a condition applies until it was measured.
DEFAULT_SHARE: Final = 0.5
MONTH_DAYS: Final = 365.25 / 12


@dataclass(frozen=True)
class Pace:
    """How long answers take and how often conditions hold; `measured` names what was measured."""

    seconds: Mapping[str, float] = field(default_factory=dict)  #: by type of question
    visit_s: float = DEFAULT_VISIT_S
    shares: Mapping[str, float] = field(default_factory=dict)  #: by key of the question
    measured: frozenset[str] = frozenset()

    def of(self, question: Question) -> float:
        """Return the seconds of one question."""
        return self.seconds.get(question.type, DEFAULT_S[question.type])


@dataclass(frozen=True)
class TownCost:
    """What a version adds in one town, a month."""

    town: str
    subjects: int
    visits: float  #: visits that nobody makes today
    asked: float  #: answers that nobody gives today
    reused: float  #: answers that others collect already
    hours: float


@dataclass(frozen=True)
class Cost:
    """What a version adds to everybody's month, town by town."""

    towns: tuple[TownCost, ...]
    measured: tuple[str, ...]

    @property
    def hours(self) -> float:
        """Hours a month in the whole area."""
        return sum(town.hours for town in self.towns)

    def facts(self) -> dict[str, Any]:
        """Write the cost as it is kept beside the version."""
        return {
            "hours": round(self.hours, 1), "measured": list(self.measured),
            "towns": [
                [t.town, t.subjects, round(t.visits, 1), round(t.asked, 1), round(t.reused, 1),
                 round(t.hours, 2)]
                for t in self.towns
            ],
        }  # fmt: skip


def asks_a_month(key: str, forms: Iterable[Form]) -> float:
    """Say how often a month one subject is asked a question by these forms together.

    The most frequent form that has it asks again at its first visit after the validity is over.
    """
    having = [
        (form.visit_days, item.question.valid_days)
        for form in forms if form.visit_days for item in form.items if item.question.key == key
    ]  # fmt: skip
    if not having:
        return 0.0
    days = min(every for every, _valid in having)
    valid = max(valid for _every, valid in having)
    return MONTH_DAYS / (days * max(1, ceil(valid / days)))


def visits_a_month(forms: Iterable[Form]) -> float:
    """Say how often a month one subject is visited when forms are served on one walk."""
    every = [form.visit_days for form in forms if form.visit_days]
    return MONTH_DAYS / min(every) if every else 0.0


def forecast(
    wanted: Form, live: Sequence[Form], counts: Mapping[str, Mapping[str, int]], pace: Pace
) -> Cost:
    """Compute what a version adds to what the forms in force cost already.

    `counts` has the subjects of each town by their kind. The version replaces the one in force
    of the same form, so that a change costs what it adds.
    """
    towns = []
    for town, kinds in sorted(counts.items()):
        total = TownCost(town, 0, 0.0, 0.0, 0.0, 0.0)
        for kind, n in kinds.items():
            if wanted.fits(kind):
                total = _sum(total, _of_kind(wanted, live, kind, n, pace))
        if total.subjects:
            towns.append(total)
    return Cost(tuple(towns), tuple(sorted(pace.measured)))


def _of_kind(wanted: Form, live: Sequence[Form], kind: str, n: int, pace: Pace) -> TownCost:
    now = [form for form in live if form.subject == wanted.subject and form.fits(kind)]
    then = [form for form in now if form.form != wanted.form] + [wanted]
    visits = visits_a_month(then) - visits_a_month(now)
    asked = reused = seconds = 0.0
    for item in {one.question.key: one for form in (*now, wanted) for one in form.items}.values():
        key = item.question.key
        share = pace.shares.get(key, DEFAULT_SHARE) if item.when else 1.0
        more = (asks_a_month(key, then) - asks_a_month(key, now)) * share
        alone = asks_a_month(key, [wanted]) * share
        asked += more
        reused += max(0.0, alone - max(0.0, more))
        seconds += more * pace.of(item.question)
    return TownCost(
        "", n, n * visits, n * asked, n * reused, n * (seconds + visits * pace.visit_s) / 3600
    )


def _sum(a: TownCost, b: TownCost) -> TownCost:
    return TownCost(
        a.town, a.subjects + b.subjects, a.visits + b.visits, a.asked + b.asked,
        a.reused + b.reused, a.hours + b.hours,
    )  # fmt: skip
