"""A worker's round: what is due, the sheets of a visit, what was made; also as one package.

The package holds what a phone needs where there is no network: the sheets of the subjects that are
due nearest, with the answers that still hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Account, Actor
from grids.cells import Grid
from grids.codes import Category
from grids.ledgers import costs, forms, subjects, visits
from grids.ledgers.asking import Asked, Known, asked_apart, is_due, needed, sheet
from grids.ledgers.models import Observation, Visit
from grids.ledgers.questions import Form
from grids.ledgers.subjects import SOURCES, Due, Subject

#: Sheets that a phone takes along; a day's round is 10 to 20 visits.
MOST_SHEETS: Final = 60
#: Visits of one's own that are listed.
MOST_MADE: Final = 50
MADE_BACK: Final = timedelta(days=90)
#: Names found by words, of each kind of subject.
MOST_FOUND: Final = 12
LEAST_WORDS: Final = 2


@dataclass(frozen=True)
class Sheet:
    """One subject with everything that a visit asks there."""

    one: Subject
    forms: tuple[Form, ...]  #: served by this sheet, in the order of their lines
    later: tuple[Form, ...]  #: fit too, and can wait
    items: tuple[Asked, ...]

    @property
    def asked(self) -> int:
        """Questions that need an answer before any is given."""
        return len(needed(self.items, {}))

    @property
    def reused(self) -> int:
        """Questions whose answer still holds."""
        return sum(item.known is not None for item in self.items)

    @property
    def apart(self) -> int:
        """Questions that the same forms would ask one by one."""
        values = {item.question.key: item.known.value for item in self.items if item.known}
        return asked_apart(self.forms, values)

    @property
    def seconds(self) -> float:
        """Seconds that the answers will take, by the defaults of `costs`."""
        pace = costs.Pace()
        return sum(pace.of(item.question) for item in needed(self.items, {}))


@dataclass(frozen=True)
class Made:
    """One visit of one's own, with the name of what was visited and of the forms served."""

    visit: Visit
    name: str
    kind: str
    forms: tuple[tuple[str, str], ...]  #: Chinese and English


def served_forms(session: Session, actor: Actor, now: datetime) -> list[Form]:
    """Return the forms in force that an actor may ask somewhere in the own area."""
    return [
        form for form in forms.live(session, forms.day_of(session, now))
        if any(visits.may_serve(actor, form, area) for area in actor.areas)
    ]  # fmt: skip


def today(
    session: Session, actor: Actor, *, now: datetime, near: tuple[float, float] | None = None,
    most: int = MOST_SHEETS,
) -> list[Due]:  # fmt: skip
    """List what is due for a worker: nearest first from a place, else the oldest first."""
    return subjects.due(
        session, actor, served_forms(session, actor, now), now=now, near=near, most=most
    )


def open_sheet(
    session: Session, actor: Actor, name: str, key: int, *, now: datetime, is_all: bool = False
) -> Sheet:
    """Put the sheet of one subject together; `is_all` asks what could wait too.

    Raises `NoSubject`.
    """
    one = subjects.subject_of(session, actor, name, key)
    fitting = _fitting(served_forms(session, actor, now), one, actor)
    now_due, later = subjects.due_here(session, actor, one, fitting, now=now)
    if is_all:
        now_due, later = fitting, []
    items = sheet(now_due, visits.known_of(session, actor, one), now)
    return Sheet(one, tuple(now_due), tuple(later), items)


def package(
    session: Session, actor: Actor, *, now: datetime, near: tuple[float, float] | None = None,
    most: int = MOST_SHEETS,
) -> list[Sheet]:  # fmt: skip
    """Return the sheets of what is due, in the order of `today`.

    The number of statements follows from the kinds of subjects, not from their number.
    """
    offered = served_forms(session, actor, now)
    due = subjects.due(session, actor, offered, now=now, near=near, most=most)
    by_name: dict[str, list[int]] = {}
    for each in due:
        by_name.setdefault(each.subject.subject, []).append(each.subject.id)
    known = {name: _known(session, actor, name, keys) for name, keys in by_name.items()}
    served = {name: _served(session, actor, name, keys) for name, keys in by_name.items()}
    made = []
    for each in due:
        one = each.subject
        last = served[one.subject].get(one.id, {})
        fitting = _fitting(offered, one, actor)
        asked = tuple(f for f in fitting if is_due(f, last.get(f.form), now, is_along=True))
        items = sheet(asked, known[one.subject].get(one.id, {}), now)
        made.append(Sheet(one, asked, tuple(f for f in fitting if f not in asked), items))
    return made


def _fitting(offered: Iterable[Form], one: Subject, actor: Actor) -> list[Form]:
    return [
        form for form in offered
        if form.subject == one.subject and form.fits(one.kind)
        and visits.may_serve(actor, form, one.area_code)
    ]  # fmt: skip


def _known(
    session: Session, actor: Actor, name: str, keys: Sequence[int]
) -> dict[int, dict[str, Known]]:
    """Return the latest answers about several subjects of a kind."""
    found = session.execute(
        select(
            Observation.subject_id, Observation.question, Observation.value,
            Observation.observed_at, Observation.worker_id,
            func.coalesce(Account.name, "").label("name"),
        )
        .outerjoin(Account, Account.id == Observation.worker_id)
        .where(
            scope.condition(actor, Observation), Observation.subject == name,
            Observation.subject_id.in_(keys),
        )
        .ext(distinct_on(Observation.subject_id, Observation.question))
        .order_by(
            Observation.subject_id, Observation.question, Observation.observed_at.desc(),
            Observation.id.desc(),
        )
    )  # fmt: skip
    known: dict[int, dict[str, Known]] = {}
    for row in found:
        given = Known(row.value, row.observed_at, row.worker_id, row.name)
        known.setdefault(row.subject_id, {})[row.question] = given
    return known


def _served(
    session: Session, actor: Actor, name: str, keys: Sequence[int]
) -> Mapping[int, Mapping[str, datetime]]:
    """Return when each form was served last at several subjects of a kind."""
    form = func.unnest(Visit.forms).label("form")
    served: dict[int, dict[str, datetime]] = {}
    for key, served_form, last in session.execute(
        select(Visit.subject_id, form, func.max(Visit.done_at))
        .where(
            scope.condition(actor, Visit), Visit.subject == name, Visit.subject_id.in_(keys)
        )
        .group_by(Visit.subject_id, form)
    ):  # fmt: skip
        served.setdefault(key, {})[served_form] = last
    return served


def find(session: Session, actor: Actor, words: str) -> list[Subject]:
    """Find subjects of the own area by their name: what somebody stands before and is not due."""
    words = words.strip()
    if len(words) < LEAST_WORDS:
        return []
    found = []
    for name, source in SOURCES.items():
        wanted = (
            subjects.rows(actor, name)
            .where(source.name.contains(words, autoescape=True))
            .order_by(source.key)
            .limit(MOST_FOUND)
        )
        if name != "dwelling":  # the home stands for its household already
            found += [
                Subject(name, row.id, row.name, row.kind, row.area_code, row.lon, row.lat)
                for row in session.execute(wanted)
            ]
    return found


def made(session: Session, actor: Actor, *, now: datetime) -> list[Made]:
    """List the actor's own visits, the newest first."""
    rows = session.scalars(
        select(Visit)
        .where(
            scope.condition(actor, Visit), Visit.worker_id == actor.account_id,
            Visit.done_at > now - MADE_BACK,
        )
        .order_by(Visit.done_at.desc(), Visit.id)
        .limit(MOST_MADE)
    ).all()  # fmt: skip
    called = {
        row.id: (row.name_zh, row.name_en) for row in forms.versions(session)
    }  # fmt: skip
    names = names_of(session, actor, ((row.subject, row.subject_id) for row in rows))
    return [
        Made(
            row,
            *names.get((row.subject, row.subject_id), ("", "")),
            tuple(called[key] for key in row.versions if key in called),
        )
        for row in rows
    ]


def names_of(
    session: Session, actor: Actor, wanted: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], tuple[str, str]]:
    """Return name and kind of subjects in the caller's area; those that are gone are left out."""
    by_name: dict[str, set[int]] = {}
    for name, key in wanted:
        by_name.setdefault(name, set()).add(key)
    return {
        (name, row.id): (row.name, row.kind)
        for name, keys in by_name.items() if name in SOURCES
        for row in session.execute(
            subjects.rows(actor, name).where(SOURCES[name].key.in_(sorted(keys)))
        )
    }  # fmt: skip


def component_names(session: Session, codes: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Name classes of components by their code, Chinese and English."""
    wanted = sorted({code for code in codes if code.isdigit()})
    found = session.execute(
        select(Category.code, Category.name_zh, Category.name_en)
        .where(Category.code.in_(wanted), Category.kind == "component")
        .order_by(Category.code, Category.code_system)
    ).all() if wanted else []  # fmt: skip
    return {code: (zh, en) for code, zh, en in found}


def grid_names(session: Session, codes: Iterable[str]) -> dict[str, str]:
    """Name duty grids by their code."""
    wanted = sorted(set(codes))
    return dict(session.execute(select(Grid.code, Grid.name).where(Grid.code.in_(wanted))).all())
