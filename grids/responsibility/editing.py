"""Change the rules of a draft, one by one; what is wrong is said at its field, all at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.cells import Grid
from grids.city import the_city
from grids.codes import Category, Department
from grids.divisions import Area
from grids.responsibility.bands import BANDS
from grids.responsibility.errors import BadRule, NoRule, SameSelectors
from grids.responsibility.matrix import KINDS, LONGEST_CATEGORY, RuleRow, Selector
from grids.responsibility.models import Rule
from grids.responsibility.ruling import rows_of, selector_of
from grids.responsibility.versions import concerning, draft_of, touch

#: Owners of an asset that are no department: a company, a housing estate, a private person.
OWNER_KINDS: Final = ("property", "enterprise", "private", "unknown")
LONGEST_WHY: Final = 500
MOST_ASSISTING: Final = 8
COUNTY: Final = 6  #: digits of the code of the whole city


@dataclass(frozen=True)
class RuleInput:
    """A rule as somebody typed it."""

    kind: str = ""
    category: str = ""
    area: str = ""
    owner: str = ""
    band: str = ""
    first: str = ""
    last: str = ""
    department: str = ""
    assisting: tuple[str, ...] = ()
    why: str = ""
    basis: str = ""


@dataclass
class Known:
    """What the code lists know, read once for a form or a whole table."""

    categories: dict[str, set[str]]  #: kind -> every class and sub-class
    areas: set[str]
    departments: set[str]

    @classmethod
    def of(cls, session: Session) -> Known:
        """Read the codes that a rule may name."""
        categories: dict[str, set[str]] = {kind: set() for kind in KINDS}
        for kind, code in session.execute(select(Category.kind, Category.code)):
            categories.setdefault(kind, set()).add(code)
        areas = set(session.scalars(select(Area.code))) | set(session.scalars(select(Grid.code)))
        return cls(categories, areas, set(session.scalars(select(Department.code))))


@dataclass
class Checked:
    """A rule that was read: what it says, or what is wrong with which field."""

    selector: Selector = field(default_factory=Selector)
    problems: dict[str, str] = field(default_factory=dict)


def checked(given: RuleInput, known: Known, actor: Actor) -> Checked:
    """Hold what was typed against the code lists; every problem at its field."""
    found = _place_problems(given, known, actor)
    if given.owner and given.owner not in known.departments and given.owner not in OWNER_KINDS:
        found["owner"] = "unknown"
    if given.band not in BANDS:
        found["band"] = "unknown"
    first, last = _day(given.first, "first", found), _day(given.last, "last", found)
    if first and last and last < first:
        found["last"] = "before"
    found |= _answer_problems(given, known)
    why = given.why.strip()
    if not why or len(why) > LONGEST_WHY:
        found["why"] = "too_long" if why else "empty"
    if len(given.basis) > LONGEST_WHY:
        found["basis"] = "too_long"
    if found:
        return Checked(problems=found)
    return Checked(
        Selector(given.kind, given.category, given.area, given.owner, given.band, first, last)
    )


def _place_problems(given: RuleInput, known: Known, actor: Actor) -> dict[str, str]:
    """Say what is wrong with category and area."""
    found = {}
    if given.kind not in KINDS:
        found["kind"] = "unknown"
    elif given.category and not given.kind:
        found["kind"] = "empty"
    elif given.category and not _is_category(given, known):
        found["category"] = "unknown"
    if given.area and given.area not in known.areas:
        found["area"] = "unknown"
    elif not _may_rule(actor, given.area):
        found["area"] = "outside"
    return found


def _may_rule(actor: Actor, area: str) -> bool:
    """Say whether an actor makes rules for an area; empty is the whole city."""
    return scope.may_see(actor, area) if area else any(len(c) <= COUNTY for c in actor.areas)


def _answer_problems(given: RuleInput, known: Known) -> dict[str, str]:
    """Say what is wrong with who leads and who assists."""
    found = {}
    if given.department not in known.departments:
        found["department"] = "unknown" if given.department else "empty"
    if any(code not in known.departments for code in given.assisting):
        found["assisting"] = "unknown"
    elif given.department in given.assisting:
        found["assisting"] = "same"
    elif len(given.assisting) > MOST_ASSISTING:
        found["assisting"] = "too_long"
    return found


def _is_category(given: RuleInput, known: Known) -> bool:
    """Say whether some category begins like this."""
    codes = known.categories.get(given.kind, set())
    return len(given.category) <= LONGEST_CATEGORY and (
        given.category in codes or any(code.startswith(given.category) for code in codes)
    )


def _day(text: str, name: str, found: dict[str, str]) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        found[name] = "unknown"
        return None


def save_rule(
    session: Session, set_id: int, given: RuleInput, actor: Actor, *, rule_id: int | None = None,
    now: datetime, source_ip: str = "",
) -> int:  # fmt: skip
    """Add a rule to a draft or change one; return its id.

    Raises `BadRule` with every problem by field, `SameSelectors` naming the other rule,
    `Frozen`, `NoRule`.
    """
    draft = draft_of(session, set_id)
    read = checked(given, Known.of(session), actor)
    if read.problems:
        name, problem = next(iter(read.problems.items()))
        raise BadRule(f"{name}: {problem}", field=name, problem=problem, problems=read.problems)
    row = _own_rule(session, set_id, rule_id, actor) if rule_id else Rule(rule_set_id=set_id)
    other = rival(session, set_id, read.selector, besides=rule_id)
    if other is not None:
        raise SameSelectors(
            f"rule {rule_id or 'new'} ties with rule {other.id}",
            rule=rule_id or "+", other=other.id, other_rule=other, what=_words(other.selector),
        )  # fmt: skip
    fill(row, read.selector, given)
    row.changed_by, row.changed_at = actor.account_id, now
    session.add(row)
    session.flush()
    touch(session, draft)
    _record(session, "rules_changed", set_id, actor, source_ip, rule=row.id)
    return row.id


def remove_rule(
    session: Session, set_id: int, rule_id: int, actor: Actor, *, source_ip: str = ""
) -> None:
    """Take a rule out of a draft. The rule for everything stays, or nothing could go live."""
    draft = draft_of(session, set_id)
    row = _own_rule(session, set_id, rule_id, actor)
    session.delete(row)
    session.flush()
    touch(session, draft)
    _record(session, "rules_changed", set_id, actor, source_ip, removed=rule_id)


def rule_of(session: Session, set_id: int, rule_id: int, actor: Actor) -> RuleRow:
    """Return one rule of a version that the actor may see. Raises `NoRule`."""
    found = session.scalar(
        select(Rule).where(Rule.rule_set_id == set_id, Rule.id == rule_id, concerning(actor))
    )
    if found is None:
        raise NoRule(f"no rule {rule_id} in version {set_id}")
    return next(iter(rows_of([found])))


def rival(
    session: Session, set_id: int, selector: Selector, *, besides: int | None
) -> RuleRow | None:
    """Return the rule that ties with this selector, if one does."""
    candidates = session.scalars(
        select(Rule).where(
            Rule.rule_set_id == set_id,
            Rule.category == selector.category,
            Rule.area == selector.area,
            Rule.rank == selector.rank,
            Rule.id != (besides or 0),
        )
    )
    return next((r for r in rows_of(candidates) if r.selector.ties_with(selector)), None)


def fill(row: Rule, selector: Selector, given: RuleInput) -> None:
    """Write what was read into a row."""
    last = selector.last + timedelta(days=1) if selector.last else None
    row.kind, row.category, row.area = selector.kind, selector.category, selector.area
    row.owner, row.band = selector.owner, selector.band
    row.days = Range(selector.first, last, bounds="[)")
    row.department_code, row.assisting = given.department, list(given.assisting)
    row.why, row.basis = given.why.strip(), given.basis.strip()


def input_of(rule: RuleRow) -> RuleInput:
    """Write a rule as a form shows it."""
    s = rule.selector
    return RuleInput(
        s.kind, s.category, s.area, s.owner, s.band,
        s.first.isoformat() if s.first else "", s.last.isoformat() if s.last else "",
        rule.department, rule.assisting, rule.why, rule.basis,
    )  # fmt: skip


def _own_rule(session: Session, set_id: int, rule_id: int | None, actor: Actor) -> Rule:
    """Return a rule that the actor may change: one for an area of their own."""
    found: Rule | None = session.scalar(
        select(Rule).where(
            Rule.rule_set_id == set_id,
            Rule.id == rule_id,
            scope.in_areas(func.coalesce(func.nullif(Rule.area, ""), _city(session)), actor.areas),
        )
    )
    if found is None:
        raise NoRule(f"no rule {rule_id} in version {set_id}")
    return found


def _city(session: Session) -> str:
    return the_city(session).county_code


def _words(selector: Selector) -> str:
    """Name a selector in codes, for a message."""
    parts = (selector.kind, selector.category, selector.area, selector.owner, selector.band,
             str(selector.first or ""), str(selector.last or ""))  # fmt: skip
    return " ".join(filter(None, parts)) or "*"


def _record(
    session: Session, action: str, set_id: int, actor: Actor, source_ip: str, **detail: object
) -> None:
    audit.record(
        session, action, actor_id=actor.account_id, subject=f"rules:{set_id}",
        source_ip=source_ip, detail=detail,
    )  # fmt: skip


__all__ = ["Checked", "Known", "RuleInput", "checked", "fill", "input_of", "remove_rule", "rival",
           "rule_of", "save_rule", "selector_of"]  # fmt: skip
