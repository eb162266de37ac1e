"""Tells everything in the order of time, then the rules that followed from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import numpy as np
from sqlalchemy import Engine, exists, select
from sqlalchemy.orm import Session

from grids.accounts import NO_PASSWORD, Account, Assignment
from grids.blobs import Store
from grids.responsibility import versions
from grids.responsibility.trial import run_trial
from grids.secrets import Vault
from grids.synth.story.case_tales_2 import CASES
from grids.synth.story.case_teller import CaseTeller
from grids.synth.story.cast import Cast
from grids.synth.story.kind_tales import DISPUTES, HAZARDS
from grids.synth.story.kind_tellers import DisputeTeller, HazardTeller
from grids.synth.story.pictures import Album
from grids.synth.story.rounds import walk
from grids.synth.story.rules import draft_rules, set_moratoria
from grids.synth.story.stage import Run, Stage
from grids.synth.story.turns import Tale, Turn
from grids.synth.story.twins import enter_twice

#: A copy of a tale came in this much earlier than the one before.
STRETCH: Final = 0.35
STREAM: Final = 4_711
FEWEST_GRIDS: Final = 20  #: of a city that has every copy of a tale
MORATORIA_AGO: Final = timedelta(days=12)

Progress = Callable[[str], None]


class Teller(Protocol):
    """What every kind of record can do."""

    def run(self, tale: Tale, k: int) -> Run:
        """Choose place and id."""
        ...

    def begin(self, run: Run, at: datetime) -> None:
        """Open the record."""
        ...

    def step(self, run: Run, turn: Turn, at: datetime) -> None:
        """Take a step."""
        ...


@dataclass(frozen=True)
class Told:
    """How much was told, and what is still to be done after the commit."""

    cases: int
    disputes: int
    hazards: int
    steps: int
    trial_id: int
    draft_id: int
    commander_id: int
    visits: int


class BrokenTale(RuntimeError):
    """A step of a tale is refused by the table: the tale is wrong."""


def is_told(session: Session) -> bool:
    """Say whether there is nothing to tell: told before, or a city without simulated staff."""
    told = session.scalar(select(exists().where(Account.login == "commander-1")))
    staffed = session.scalar(
        select(
            exists().where(
                Assignment.role == "dispatcher", Assignment.account_id == Account.id,
                Account.password_hash == NO_PASSWORD,
            )
        )
    )  # fmt: skip
    return bool(told) or not staffed


def enliven(
    engine: Engine, *, vault: Vault, store: Store, seed: int, now: datetime,
    progress: Progress = lambda _: None,
) -> Told | None:  # fmt: skip
    """Tell a simulated city's cases, try the draft that followed and put it in force.

    Owner role only; all in one transaction before the trial. None where it was told before, or
    where nobody is there to act.
    """
    with Session(engine) as session, session.begin():
        if is_told(session):
            return None
        progress("cases of every kind, disputes, hazards, visits")
        told = tell(session, vault=vault, store=store, seed=seed, now=now)
    run_trial(engine, told.trial_id)
    with Session(engine) as session, session.begin():
        cast = Cast(session, np.random.default_rng([seed, STREAM + 1]), now)
        versions.go_live(
            session, told.draft_id, cast.find("commander", cast.county), begins_at=now,
            note="先例转为规则，经去年案卷试算", now=now,
        )  # fmt: skip
    progress("enterprises that were entered twice")
    with Session(engine) as session, session.begin():
        enter_twice(session, np.random.default_rng([seed, STREAM + 2]), now, now.date())
    return told


def tell(session: Session, *, vault: Vault, store: Store, seed: int, now: datetime) -> Told:
    """Tell every tale up to `now`. Commits nothing. Raises `BrokenTale`."""
    rng = np.random.default_rng([seed, STREAM])
    cast = Cast(session, rng, now)
    stage = Stage(session, vault, Album(session, store, seed, now), cast, rng, now)
    is_small = len(cast.everybody("worker")) < FEWEST_GRIDS
    tellers: tuple[tuple[Teller, tuple[Tale, ...]], ...] = (
        (CaseTeller(stage), CASES), (DisputeTeller(stage), DISPUTES), (HazardTeller(stage), HAZARDS),
    )  # fmt: skip
    acts: list[tuple[datetime, int, Callable[[], None]]] = []
    counts = []
    acts.append((now - MORATORIA_AGO, 0, lambda: set_moratoria(stage, now - MORATORIA_AGO)))
    for teller, tales in tellers:
        runs = [
            teller.run(tale, k) for tale in tales for k in range(1 if is_small else tale.copies)
        ]
        counts.append(len(runs))
        for run in runs:
            acts += _acts(teller, run, now, len(acts))
    for _at, _order, act in sorted(acts, key=lambda one: one[:2]):
        act()
    trial_id, draft_id = draft_rules(stage, now)
    commander = cast.find("commander", cast.county)
    cases, disputes, hazards = counts
    visits = walk(stage)
    return Told(
        cases, disputes, hazards, len(acts), trial_id, draft_id, commander.account_id, visits
    )


def _acts(
    teller: Teller, run: Run, now: datetime, order: int
) -> list[tuple[datetime, int, Callable[[], None]]]:
    """Date the steps of a tale; the last one lies before now."""
    at = now - timedelta(hours=run.tale.ago * (1 + STRETCH * run.k), minutes=1)
    begun = at

    def begin() -> None:
        _try(run, "begin", lambda: teller.begin(run, begun))

    found: list[tuple[datetime, int, Callable[[], None]]] = [(at, order, begin)]
    for turn in run.tale.turns:
        at += timedelta(hours=turn.after)
        if at > now:
            raise BrokenTale(f"{run.tale.name}: {turn.action} lies ahead")
        found.append((at, order + len(found), _act(teller, run, turn, at)))
    return found


def _act(teller: Teller, run: Run, turn: Turn, at: datetime) -> Callable[[], None]:
    return lambda: _try(run, turn.action, lambda: teller.step(run, turn, at))


def _try(run: Run, what: str, act: Callable[[], None]) -> None:
    try:
        act()
    except Exception as error:
        raise BrokenTale(f"{run.tale.name}, {what} from {run.status}: {error!r}") from error
