"""A version tried on past cases before it is in force: who gets more, who less, what changes.

Runs as a job, month by month, in SQL; the page reads how far it is. Nothing of a case changes.
"""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, Row, func, select, update
from sqlalchemy.orm import Session

from grids import audit, jobs, scope
from grids.accounts import Actor
from grids.db import queries
from grids.incidents.models import Incident
from grids.responsibility.bands import NIGHT, OFFICE
from grids.responsibility.matrix import Matrix
from grids.responsibility.models import RuleSet, RuleTrial
from grids.responsibility.ruling import matrix_of
from grids.responsibility.versions import (
    check,
    draft_of,
    live_version,
    require_whole_city,
)

log = logging.getLogger("wangge.responsibility")

YEAR: Final = timedelta(days=365)
STEPS: Final = 12
MOST_EXAMPLES: Final = 60
EXAMPLES_OF_A_FLOW: Final = 3
MOST_FLOWS: Final = 200
TOTALS: Final = ("cases", "default_before", "default_after", "dispatched", "right_before",
                 "right_after", "returned", "returned_before", "returned_after")  # fmt: skip


@dataclass
class Tally:
    """What the months that are done add up to."""

    totals: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    towns: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    flows: Counter[tuple[str, str]] = field(default_factory=Counter)
    rules: Counter[int] = field(default_factory=Counter)
    categories: Counter[str] = field(default_factory=Counter)
    examples: defaultdict[tuple[str, str], list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def add(self, row: Row[Any]) -> None:
        """Count one group of cases."""
        for name in TOTALS:
            self.totals[name] += getattr(row, name)
        before, after = row.before or "", row.after or ""
        self.before[before] += row.cases
        self.after[after] += row.cases
        self.towns[row.town][0] += row.cases
        if not row.is_changed:
            return
        self.totals["changed"] += row.cases
        self.towns[row.town][1] += row.cases
        self.flows[before, after] += row.cases
        self.rules[row.rule or 0] += row.cases
        self.categories[row.category] += row.cases
        # Months come newest first, so the first examples are the newest.
        kept = self.examples[before, after]
        kept += row.examples[: max(0, EXAMPLES_OF_A_FLOW - len(kept))]

    def result(self) -> dict[str, Any]:
        """Write the counts as they are stored: ids and figures, no text of a case."""
        gained: Counter[str] = Counter()
        lost: Counter[str] = Counter()
        for (before, after), cases in self.flows.items():
            gained[after] += cases
            lost[before] += cases
        departments = sorted({*self.before, *self.after})
        flows = self.flows.most_common(MOST_FLOWS)
        examples = [
            {"id": one, "from": before, "to": after}
            for (before, after), _ in flows
            for one in self.examples[before, after]
        ]
        return {
            **{name: self.totals[name] for name in (*TOTALS, "changed")},
            "departments": [
                {"code": code, "before": self.before[code], "after": self.after[code],
                 "gained": gained[code], "lost": lost[code]}
                for code in departments
            ],
            "flows": [{"from": f, "to": t, "cases": n} for (f, t), n in flows],
            "towns": [
                {"code": code, "cases": n, "changed": changed}
                for code, (n, changed) in sorted(self.towns.items())
            ],
            "rules": [{"id": rule, "cases": n} for rule, n in self.rules.most_common(50)],
            "categories": [{"code": c, "cases": n} for c, n in self.categories.most_common(50)],
            "examples": examples[:MOST_EXAMPLES],
        }  # fmt: skip


def ask_trial(
    session: Session, set_id: int, actor: Actor, *, now: datetime, source_ip: str = ""
) -> RuleTrial:
    """Ask for a trial on the cases of the last year against the version in force.

    Raises `WholeCityOnly`, `Frozen` (also while one runs), `NoDefault`, `Incomplete`.
    """
    require_whole_city(actor)
    found = draft_of(session, set_id)
    check(session, set_id)
    against = live_version(session, now)
    made = RuleTrial(
        rule_set_id=set_id, revision=found.revision, against_id=against.id if against else None,
        since=now - YEAR, until=now, asked_by=actor.account_id, asked_at=now,
    )  # fmt: skip
    found.status = "trial"
    session.add(made)
    session.flush()
    jobs.defer(session, "try_rules", trial_id=made.id)
    audit.record(
        session, "rules_tried", actor_id=actor.account_id, subject=f"rules:{set_id}",
        source_ip=source_ip, detail={"trial": made.id, "revision": made.revision},
    )  # fmt: skip
    return made


def examples(session: Session, actor: Actor, found: RuleTrial | None) -> list[dict[str, Any]]:
    """Return the examples of a trial that the reader may see, each with its case."""
    listed = found.result.get("examples", []) if found is not None and found.result else []
    rows = session.scalars(
        scope.visible(select(Incident), actor, Incident).where(
            Incident.id.in_([each["id"] for each in listed])
        )
    )
    cases = {str(row.id): row for row in rows}
    return [{**each, "case": cases[each["id"]]} for each in listed if each["id"] in cases]


def is_stale(found: RuleSet, trial: RuleTrial | None) -> bool:
    """Say whether a version was changed since it was tried."""
    return trial is not None and trial.revision != found.revision


def run_trial(engine: Engine, trial_id: int) -> None:
    """Do the work of a trial, each month in a transaction of its own; again after a crash."""
    with Session(engine) as session, session.begin():
        trial = session.get(RuleTrial, trial_id)
        if trial is None or trial.state in ("done", "failed"):
            return
        trial.state, trial.done_share = "running", 0.0
        spans = list(_months(trial.since, trial.until))
        values = _values(session, trial)
    tally = Tally()
    try:
        for number, (since, until) in enumerate(spans, start=1):
            with Session(engine) as session, session.begin():
                for row in month(session, values, since, until):
                    tally.add(row)
                _note(session, trial_id, done_share=number / len(spans))
    except Exception:
        with Session(engine) as session, session.begin():
            _note(session, trial_id, state="failed", ended_at=func.now())
        raise
    with Session(engine) as session, session.begin():
        _note(
            session, trial_id, state="done", ended_at=func.now(), result=tally.result(),
            cases=tally.totals["cases"],
        )  # fmt: skip


def month(
    session: Session, values: dict[str, Any], since: datetime, until: datetime
) -> list[Row[Any]]:
    """Return the groups of one span of time under both versions."""
    statement = queries("responsibility")["trial_month"]
    return list(session.execute(statement, {**values, "since": since, "until": until}))


def _values(session: Session, trial: RuleTrial) -> dict[str, Any]:
    """Say what some rule of either version asks for; what none asks need not be told apart."""
    matrices = [matrix_of(session, one) for one in (trial.rule_set_id, trial.against_id) if one]
    return compared(trial.against_id, trial.rule_set_id, matrices)


def compared(before: int | None, after: int, matrices: list[Matrix]) -> dict[str, Any]:
    """Return the values of the statement that compares two versions."""
    selectors = [rule.selector for matrix in matrices for rule in matrix.rules]
    return {
        "before": before,
        "after": after,
        "reach": max((len(s.area) for s in selectors), default=0),
        "owners": any(s.owner for s in selectors),
        "bands": any(s.band for s in selectors),
        "days": any(s.is_dated for s in selectors),
        "opens": OFFICE[0],
        "closes": OFFICE[1],
        "dusk": NIGHT[0],
        "dawn": NIGHT[1],
    }


def _months(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield equal spans, the newest first."""
    step = (until - since) / STEPS
    for number in reversed(range(STEPS)):
        end = until if number == STEPS - 1 else since + (number + 1) * step
        yield since + number * step, end


def _note(session: Session, trial_id: int, **values: Any) -> None:
    session.execute(update(RuleTrial).where(RuleTrial.id == trial_id).values(**values))
