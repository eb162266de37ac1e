"""Versions of the matrix: draft, tried, put in force from an instant, ended, rolled back.

A version in force never changes. Whoever wants another rule makes a draft of it, tries it on
the cases of last year and puts it in force; going back is a new version with the old rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, func, insert, literal, or_, select, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.db import queries
from grids.responsibility.errors import (
    Frozen,
    Incomplete,
    NoDefault,
    NoRuleSet,
    TooEarly,
    TrialFirst,
    WholeCityOnly,
)
from grids.responsibility.matrix import Matrix, RuleRow, Selector
from grids.responsibility.models import Rule, RuleSet, RuleTrial
from grids.responsibility.ruling import matrix_of, rows_of

MOST_VERSIONS: Final = 100
#: A clock of a browser that is a little slow asks for "now" and means now.
SLACK: Final = timedelta(minutes=5)
COPIED: Final = ("kind", "category", "area", "owner", "band", "days", "department_code",
                 "assisting", "why", "basis")  # fmt: skip


@dataclass(frozen=True)
class Change:
    """One difference between two versions: the same selectors, or a rule only one of them has."""

    before: RuleRow | None
    after: RuleRow | None

    @property
    def kind(self) -> str:
        """Say what happened: added, removed or changed."""
        if self.before is None:
            return "added"
        return "removed" if self.after is None else "changed"


@dataclass(frozen=True)
class Gap:
    """A category in an area with no single answer."""

    category: str
    area: str
    answers: int


def state_of(found: RuleSet, now: datetime) -> str:
    """Name where a version stands: draft, trial, planned, live or ended."""
    if found.valid is None:
        return found.status
    begins, ends = found.valid.lower, found.valid.upper
    if begins is not None and begins > now:
        return "planned"
    return "ended" if ends is not None and ends <= now else "live"


def versions(session: Session) -> list[RuleSet]:
    """List the versions, the newest first."""
    return list(session.scalars(select(RuleSet).order_by(RuleSet.id.desc()).limit(MOST_VERSIONS)))


def version(session: Session, set_id: int, *, lock: bool = False) -> RuleSet:
    """Return one version. Raises `NoRuleSet`."""
    statement = select(RuleSet).where(RuleSet.id == set_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    found: RuleSet | None = session.scalar(statement)
    if found is None:
        raise NoRuleSet(f"no version {set_id}")
    return found


def live_version(session: Session, at: datetime) -> RuleSet | None:
    """Return the version in force at a moment; None before the first."""
    found: RuleSet | None = session.scalar(
        select(RuleSet).where(RuleSet.valid.op("@>")(at)).limit(1)
    )
    return found


def draft_of(session: Session, set_id: int, *, lock: bool = True) -> RuleSet:
    """Return a version that may be changed, locked. Raises `Frozen`."""
    found = version(session, set_id, lock=lock)
    if found.status == "live":
        raise Frozen(f"version {set_id} was put in force")
    if _is_tried_now(session, set_id):
        raise Frozen(f"version {set_id} is being tried")
    return found


def new_draft(
    session: Session, actor: Actor, *, name: str, note: str = "", based_on: int | None = None,
    now: datetime, source_ip: str = "",
) -> RuleSet:  # fmt: skip
    """Begin a draft with the rules of another version, by default of the one in force."""
    source = version(session, based_on) if based_on else live_version(session, now)
    made = RuleSet(
        name=name.strip()[:120] or f"{now:%Y-%m-%d}",
        note=note.strip()[:500],
        based_on=source.id if source else None,
        created_by=actor.account_id,
        created_at=now,
    )
    session.add(made)
    session.flush()
    if source is not None:
        _copy_rules(session, source.id, made.id, actor.account_id, now)
    _record(session, "rules_drafted", made, actor.account_id, source_ip)
    return made


def drop_draft(session: Session, set_id: int, actor: Actor, *, source_ip: str = "") -> None:
    """Throw a draft away. Raises `Frozen` for a version that was put in force."""
    found = draft_of(session, set_id)
    _record(session, "rules_dropped", found, actor.account_id, source_ip)
    session.execute(update(RuleSet).where(RuleSet.based_on == set_id).values(based_on=None))
    session.delete(found)
    session.flush()


def rules(session: Session, actor: Actor, set_id: int) -> list[RuleRow]:
    """Return the rules of a version that concern the actor's areas, the most specific first."""
    found = session.scalars(
        select(Rule)
        .where(Rule.rule_set_id == set_id, concerning(actor))
        .order_by(Rule.kind, Rule.category, Rule.area, Rule.rank.desc(), Rule.id)
    )
    return list(rows_of(found))


def concerning(actor: Actor) -> ColumnElement[bool]:
    """Say that a rule is for an area of the actor, or for one around it: a town sees its own."""
    around = [func.starts_with(literal(code), Rule.area) for code in actor.areas if code]
    return or_(Rule.area == "", scope.in_areas(Rule.area, actor.areas), *around)


def changes(before: list[RuleRow], after: list[RuleRow]) -> list[Change]:
    """Compare two versions by what their rules select."""
    old = {rule.selector: rule for rule in before}
    new = {rule.selector: rule for rule in after}
    found = [
        Change(old.get(key), rule) for key, rule in new.items() if _differs(old.get(key), rule)
    ]
    found += [Change(rule, None) for key, rule in old.items() if key not in new]
    return sorted(found, key=lambda c: _place(c.after or c.before))


def _differs(one: RuleRow | None, other: RuleRow) -> bool:
    return one is None or (one.department, one.assisting, one.why, one.basis) != (
        other.department, other.assisting, other.why, other.basis,
    )  # fmt: skip


def _place(rule: RuleRow | None) -> tuple[str, str, str, str, str]:
    s = rule.selector if rule else Selector()
    return s.kind, s.category, s.area, s.owner, s.band


def idle(matrix: Matrix) -> list[tuple[RuleRow, RuleRow]]:
    """Return rules that can never win, each with the one that always takes their cases.

    A rule for a wider category loses to every rule for a narrower one, but only as far as
    that one reaches; it is idle where a single stronger rule covers all its cases.
    """
    found = []
    for rule in matrix.rules:
        stronger = (
            other for other in matrix.rules
            if other.selector.rank > rule.selector.rank and other.selector.covers(rule.selector)
        )  # fmt: skip
        by = next(stronger, None)
        if by is not None:
            found.append((rule, by))
    return found


def gaps(session: Session, set_id: int, *, most: int = 20) -> list[Gap]:
    """Ask the version about every category in every area; return where it has no single answer.

    Said by the database, over the same rules that are in force later.
    """
    found = session.execute(queries("responsibility")["gaps"], {"set_id": set_id, "most": most})
    return [Gap(row.category, row.area, row.answers) for row in found]


def check(session: Session, set_id: int) -> None:
    """Refuse a version that leaves something unowned. Raises `NoDefault`, `Incomplete`."""
    if matrix_of(session, set_id).default is None:
        raise NoDefault(f"version {set_id} has no rule for everything")
    if found := gaps(session, set_id):
        raise Incomplete(f"{len(found)} gaps", n=len(found), gaps=[vars(gap) for gap in found])


def last_trial(session: Session, set_id: int) -> RuleTrial | None:
    """Return the newest trial of a version."""
    found: RuleTrial | None = session.scalar(
        select(RuleTrial)
        .where(RuleTrial.rule_set_id == set_id)
        .order_by(RuleTrial.id.desc())
        .limit(1)
    )
    return found


def go_live(
    session: Session, set_id: int, actor: Actor, *, begins_at: datetime, note: str = "",
    now: datetime, source_ip: str = "",
) -> RuleSet:  # fmt: skip
    """Put a tried version in force from an instant; the one before ends then.

    Raises `WholeCityOnly`, `Frozen`, `TrialFirst`, `NoDefault`, `Incomplete`, `TooEarly`.
    """
    require_whole_city(actor)
    found = draft_of(session, set_id)
    tried = last_trial(session, set_id)
    if tried is None or tried.state != "done" or tried.revision != found.revision:
        raise TrialFirst(f"version {set_id} was not tried as it is")
    check(session, set_id)
    _begin(session, found, actor, begins_at=begins_at, note=note, now=now)
    _record(session, "rules_live", found, actor.account_id, source_ip, since=begins_at.isoformat())
    return found


def roll_back(
    session: Session, actor: Actor, *, to: int, note: str, now: datetime, source_ip: str = ""
) -> RuleSet:
    """Put the rules of an earlier version in force again, now, as a version of its own.

    What is planned is given up. Needs no trial: these rules were in force already.
    """
    require_whole_city(actor)
    earlier = version(session, to)
    if state_of(earlier, now) not in ("ended", "live"):
        raise NoRuleSet(f"version {to} was never in force")
    made = RuleSet(
        name=earlier.name, note=note.strip()[:500], based_on=earlier.id, is_rollback=True,
        created_by=actor.account_id, created_at=now,
    )  # fmt: skip
    session.add(made)
    session.flush()
    _copy_rules(session, earlier.id, made.id, actor.account_id, now)
    check(session, made.id)
    _give_up_plans(session, now)
    _begin(session, made, actor, begins_at=now, note=note, now=now)
    _record(session, "rules_rolled_back", made, actor.account_id, source_ip, to=to)
    return made


def require_whole_city(actor: Actor) -> None:
    """Raise `WholeCityOnly` for whoever answers for a part of the city."""
    if not any(len(code) <= 6 for code in actor.areas):
        raise WholeCityOnly("a matrix is put in force for the whole city")


def touch(session: Session, found: RuleSet) -> None:
    """Note that the rules of a draft changed: what was tried before is no longer this."""
    found.revision += 1
    found.status = "draft"
    session.flush()


def _begin(
    session: Session, found: RuleSet, actor: Actor, *, begins_at: datetime, note: str,
    now: datetime,
) -> None:  # fmt: skip
    """Give a version its time and end the one before at the same instant."""
    begins_at = max(begins_at, now) if begins_at > now - SLACK else begins_at
    if begins_at < now:
        raise TooEarly("a version goes live from now on", field="begins_at")
    # Two who put versions in force at once: the second waits and sees what the first did.
    session.execute(select(RuleSet.id).where(RuleSet.status == "live").with_for_update())
    last: RuleSet | None = session.scalar(
        select(RuleSet)
        .where(RuleSet.status == "live")
        .order_by(func.upper(RuleSet.valid).desc().nulls_first())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    if last is not None and last.valid is not None and last.valid.lower is not None:
        if begins_at <= last.valid.lower:
            raise TooEarly("not before the version that is in force or planned", field="begins_at")
        last.valid = Range(last.valid.lower, begins_at, bounds="[)")
        session.flush()
    found.status, found.valid = "live", Range(begins_at, None, bounds="[)")
    found.live_by, found.live_note = actor.account_id, note.strip()[:500]
    session.flush()


def _give_up_plans(session: Session, now: datetime) -> None:
    """Take versions that would begin later out of the plan; the one in force goes on."""
    for planned in session.scalars(
        select(RuleSet).where(RuleSet.status == "live", func.lower(RuleSet.valid) > now)
    ).all():
        planned.status, planned.valid = "draft", None
    session.flush()


def _is_tried_now(session: Session, set_id: int) -> bool:
    tried = last_trial(session, set_id)
    return tried is not None and tried.state in ("asked", "running")


def _copy_rules(session: Session, source: int, target: int, by: int | None, now: datetime) -> None:
    columns = [getattr(Rule, name) for name in COPIED]
    session.execute(
        insert(Rule).from_select(
            ["rule_set_id", *COPIED, "changed_by", "changed_at"],
            select(literal(target), *columns, literal(by), literal(now)).where(
                Rule.rule_set_id == source
            ),
        )
    )


def remove_rules(session: Session, set_id: int) -> None:
    """Empty a draft, before a table replaces its rules."""
    session.execute(delete(Rule).where(Rule.rule_set_id == set_id))


def _record(
    session: Session, action: str, found: RuleSet, actor_id: int | None, source_ip: str,
    **detail: object,
) -> None:  # fmt: skip
    audit.record(
        session, action, actor_id=actor_id, subject=f"rules:{found.id}", source_ip=source_ip,
        detail={"revision": found.revision, **detail},
    )  # fmt: skip


def plan_of(session: Session, now: datetime) -> Iterator[tuple[RuleSet, str]]:
    """Yield every version with where it stands."""
    for found in versions(session):
        yield found, state_of(found, now)
