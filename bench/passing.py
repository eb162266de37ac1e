"""A simulated year of cases that departments pass on, played through the real services.

What the matrix says and who in truth has to handle a case differ in some classes of some towns:
nobody knows it but the departments. The same cases, with the same tempers, are played three
times: without arbitration, with it, and with precedents that become rules. Only then are the
events read: how often a case was passed on, and how much time went by until the right one had
it.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import numpy as np
from sqlalchemy import Engine, select
from sqlalchemy import text as sql_text
from sqlalchemy.orm import Session

from grids.accounts import Actor
from grids.codes import Category
from grids.incidents import service
from grids.incidents.requests import MoveRequest, Report
from grids.responsibility import arbitration, precedents, trial, versions, watch
from grids.responsibility.arbitration import Decision
from grids.responsibility.ruling import owner_of
from grids.secrets import Vault
from grids.synth.story.cast import Cast

Way = Literal["nothing", "arbitration", "precedents"]
WAYS: Final[tuple[Way, ...]] = ("nothing", "arbitration", "precedents")

#: Classes that cities quarrel about: covers, kerbs, wrecks, cables, ponds, noise.
QUARRELS: Final = ("01002", "01003", "01004", "01007", "06013", "06034", "06050", "06025", "10906",
                   "06028", "08011", "06017")  # fmt: skip
#: How far down the dispatcher's list the right department stands, and how often.
RANKS: Final = ((1, 0.25), (2, 0.35), (3, 0.25), (4, 0.15))
RETURN_H: Final = (5.0, 0.6)  #: median hours until a department gives a case back, spread
DESK_H: Final = (0.5, 0.5)
SIGN_H: Final = (1.5, 0.5)
#: Of the time that an arbiter has, and how often the decision is the truth.
ARBITER_SHARE: Final = (0.25, 0.95)
ARBITER_RIGHT: Final = 0.94
#: Every other week what was decided becomes rules, is tried, and is put in force.
RULES_EVERY: Final = timedelta(days=14)
YEAR: Final = timedelta(days=364)


@dataclass(frozen=True)
class Contested:
    """One case of the year: where, what, when, and who in truth has to handle it."""

    category: str
    place: tuple[float, float, str]
    at: datetime
    truth: str
    guesses: tuple[str, ...]  #: whom the dispatcher tries after the matrix, in this order
    hours: tuple[float, ...]  #: what each department and desk takes, the same in every way
    is_right: bool  #: whether an arbiter finds the truth at once
    share: float  #: of the arbiter's time
    ids: tuple[UUID, ...]


@dataclass
class Played:
    """What came of one way."""

    way: Way
    passed: list[int] = field(default_factory=list)  #: returns of each case, in order of time
    lost_h: list[float] = field(default_factory=list)  #: from first dispatch until the right one
    first: list[bool] = field(default_factory=list)
    arbitrations: int = 0
    rules: int = 0

    def figures(self, since: int = 0) -> dict[str, float]:
        """Summarise the cases from one on."""
        passed, lost = self.passed[since:], self.lost_h[since:]
        return {
            "cases": len(passed),
            "passed": statistics.fmean(passed),
            "twice": sum(n >= 2 for n in passed) / len(passed),
            "most": max(passed),
            "lost_median": statistics.median(lost),
            "lost_p95": float(np.quantile(lost, 0.95)),
            "first": sum(self.first[since:]) / len(passed),
        }


def year(session: Session, count: int, seed: int, now: datetime) -> list[Contested]:
    """Draw the contested cases of a year; the truth is fixed for each class and town."""
    rng = np.random.default_rng([seed, 5])
    cast = Cast(session, rng, now)
    codes = cast.departments()
    places = [
        (row.lon, row.lat, row.area_code)
        for row in session.execute(
            sql_text("SELECT ST_X(geom) AS lon, ST_Y(geom) AS lat, area_code FROM address"
                     " WHERE length(area_code) = 15 ORDER BY id")
        )
    ]  # fmt: skip
    keys = _categories(session)
    first = now - YEAR
    made: list[Contested] = []
    truths: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = {}
    for k in range(count):
        at = first + (now - timedelta(days=20) - first) * (k + float(rng.random())) / count
        place = places[int(rng.integers(len(places)))]
        category = QUARRELS[int(rng.integers(len(QUARRELS)))]
        if (category, place[2][:9]) not in truths:
            owner = owner_of(
                session, category_id=keys[category], area_code=place[2], at=at
            ).department_code
            others = [c for c in rng.permutation(codes).tolist() if c != owner]
            ranks, weights = zip(*RANKS, strict=True)
            rank = int(rng.choice(ranks, p=weights))
            truths[category, place[2][:9]] = others[rank - 1], tuple(others[:5])
        truth, guesses = truths[category, place[2][:9]]
        hours = np.concatenate([
            rng.lognormal(np.log(median), spread, 8) for median, spread in (RETURN_H, DESK_H, SIGN_H)
        ])  # fmt: skip
        made.append(
            Contested(
                category, place, at, truth, guesses, tuple(hours.tolist()),
                bool(rng.random() < ARBITER_RIGHT), float(rng.uniform(*ARBITER_SHARE)),
                tuple(UUID(bytes=rng.bytes(16), version=4) for _ in range(40)),
            )
        )  # fmt: skip
    return made


def play(
    engine: Engine, cases: Sequence[Contested], way: Way, vault: Vault, now: datetime
) -> Played:
    """Play a year in one way, case by case in the order of time, and read what came of it.

    Works on a database of its own: what was played before must not be there.
    """
    played = Played(way)
    rules_at = cases[0].at + RULES_EVERY
    with Session(engine) as session, session.begin():
        cast = Cast(session, np.random.default_rng(0), now)
        keys = _categories(session)
    for case in cases:
        if way == "precedents" and case.at >= rules_at:
            played.rules += _make_rules(engine, cast, case.at)
            rules_at = case.at + RULES_EVERY
        with Session(engine) as session, session.begin():
            _Play(session, cast, case, keys[case.category], way, vault, played).run()
    return played


class _Play:
    """One case on its way to who handles it."""

    def __init__(
        self, session: Session, cast: Cast, case: Contested, category_id: int, way: Way,
        vault: Vault, played: Played,
    ) -> None:  # fmt: skip
        self._session, self._cast, self._case, self._way = session, cast, case, way
        self._category_id, self._vault, self._played = category_id, vault, played
        self._at, self._next, self._ids = case.at, 0, iter(case.ids)

    def run(self) -> None:
        """Report, file, dispatch until somebody keeps it, and count."""
        case, area = self._case, self._case.place[2]
        lon, lat, _ = case.place
        worker, intake = self._cast.find("worker", area), self._cast.find("intake", area)
        self._id = next(self._ids)
        report = Report(id=self._id, category=case.category, lon=lon, lat=lat, text="权属不清")
        service.submit(self._session, report, worker, now=self._at, vault=self._vault)
        self._move("accept", intake)
        self._move("file", self._cast.find("shift_leader", area))
        owner = owner_of(
            self._session, category_id=self._category_id, area_code=area, at=self._at
        ).department_code
        first_at, returns, has = self._at, 0, owner
        self._played.first.append(owner == case.truth)
        self._dispatch("dispatch", has)
        while has != case.truth:
            self._give_back(has, returns)
            returns += 1
            binding = self._arbitrate(returns) if self._way != "nothing" else None
            has = binding or self._guess(returns, owner)
            if binding is None:  # a decision takes the case along
                self._dispatch("reassign", has)
        self._wait(16 + returns % 8)
        self._move("sign", self._handler(has))
        self._played.passed.append(returns)
        self._played.lost_h.append((self._at - first_at) / timedelta(hours=1))

    def _give_back(self, has: str, returns: int) -> None:
        """Let a department return the case: the first time freely, then by the desk's leave."""
        self._wait(returns % 8)
        if returns == 0:
            self._move("return", self._handler(has), reason="not_our_duty")
        else:
            self._move("ask_return", self._handler(has), reason="not_our_duty")
            self._wait(8 + returns % 8)
            self._move("approve_return", self._desk(), note="同意退回")

    def _arbitrate(self, returns: int) -> str | None:
        """Run the watch; where it opens an arbitration, decide it in its time."""
        watch.detect(self._session, self._at)
        commander = self._cast.find("commander", self._case.place[2])
        opened = [
            one.arbitration for one in arbitration.arbitrations(self._session, commander)
            if one.case.id == self._id
        ]  # fmt: skip
        if not opened:
            return None
        self._played.arbitrations += 1
        one = opened[0]
        self._at += (one.due_at - self._at) * self._case.share
        is_right = self._case.is_right or returns > watch.RETURNS
        department = self._case.truth if is_right else self._case.guesses[-1]
        arbitration.decide(
            self._session, one.id, commander,
            Decision(department, "按管养范围和权属资料裁定", "两次退回，权属资料已核对"), now=self._at,
        )  # fmt: skip
        return department

    def _guess(self, returns: int, owner: str) -> str:
        """Try the next one of the dispatcher's list; the right one stands on it."""
        left = [code for code in self._case.guesses if code != owner]
        return left[min(returns, len(left)) - 1]

    def _dispatch(self, action: str, department: str) -> None:
        self._wait(8 + self._next % 8)
        self._next += 1
        note = "" if action == "dispatch" else "改派"
        self._move(action, self._desk(), department=department, note=note)

    def _wait(self, k: int) -> None:
        self._at += timedelta(hours=self._case.hours[k])

    def _desk(self) -> Actor:
        return self._cast.find("dispatcher", self._case.place[2])

    def _handler(self, department: str) -> Actor:
        return self._cast.find("handler", self._case.place[2], department=department)

    def _move(self, action: str, actor: Actor, **more: str) -> None:
        wanted = MoveRequest(id=next(self._ids), action=action, **more)  # type: ignore[arg-type]
        service.move(self._session, self._id, wanted, actor, now=self._at)


def _make_rules(engine: Engine, cast: Cast, now: datetime) -> int:
    """Turn every decision without a rule into one: draft, trial on the last year, in force."""
    commander = cast.find("commander", cast.county)
    made = 0
    while True:
        with Session(engine) as session, session.begin():
            waiting = [one.id for one in precedents.found(session) if one.rule_set_id is None]
            if not waiting:
                return made
            draft = precedents.to_draft(session, waiting[-1], commander, now=now)
            asked = trial.ask_trial(session, draft, commander, now=now).id
        trial.run_trial(engine, asked)
        with Session(engine) as session, session.begin():
            now += timedelta(seconds=1)
            versions.go_live(session, draft, commander, begins_at=now, note="先例", now=now)
        made += 1


def _categories(session: Session) -> dict[str, int]:
    return {
        row.code: row.id
        for row in session.execute(
            select(Category.code, Category.id)
            .where(Category.kind == "matter", Category.valid_to.is_(None))
            .order_by(Category.valid_from)
        )
    }
