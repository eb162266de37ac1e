"""What is visited: subjects of the registers with name, kind and place, and when they are due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import cos, hypot, radians
from typing import Any, Final

from geoalchemy2 import functions as geo
from sqlalchemy import ColumnElement, Select, String, cast, func, select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.buildings import Address, Building, Dwelling
from grids.components import Component, Facility
from grids.enterprises import Enterprise, Premises
from grids.ledgers.asking import is_due
from grids.ledgers.errors import NoSubject
from grids.ledgers.models import Visit
from grids.ledgers.questions import Form

M_PER_DEGREE: Final = 111_320


@dataclass(frozen=True)
class Subject:
    """One thing that is visited."""

    subject: str
    id: int
    name: str
    kind: str
    area_code: str
    lon: float
    lat: float


@dataclass(frozen=True)
class Due:
    """A subject with the forms that are due there."""

    subject: Subject
    forms: tuple[Form, ...]
    since: datetime | None  #: when the first of them fell due; None: never visited
    distance_m: float | None


@dataclass(frozen=True)
class _Source:
    """How one kind of subject is read: the model whose area counts, its keys and words."""

    model: Any
    key: Any
    name: ColumnElement[Any]
    kind: ColumnElement[Any]
    joins: tuple[tuple[Any, Any], ...] = ()
    where: tuple[ColumnElement[bool], ...] = ()


def _home() -> ColumnElement[Any]:
    return func.concat_ws(
        " ", func.coalesce(Building.name, Address.text, ""), Dwelling.unit, Dwelling.room
    )


_HOMES: Final = (
    (Dwelling, Dwelling.building_id == Building.id),
    (Address, Address.id == Building.address_id),
)
SOURCES: Final[dict[str, _Source]] = {
    "premises": _Source(Premises, Premises.id, func.coalesce(Premises.name, ""), Premises.kind),  # type: ignore[arg-type]
    "enterprise": _Source(Enterprise, Enterprise.id, Enterprise.name, Enterprise.kind,  # type: ignore[arg-type]
                          where=(Enterprise.status != "closed",)),
    "building": _Source(
        Building, Building.id, func.coalesce(Building.name, Address.text, ""), Building.kind,  # type: ignore[arg-type]
        ((Address, Address.id == Building.address_id),),
    ),
    # The home stands for its household: no row of a person or a household is opened for it.
    "household": _Source(Building, Dwelling.id, _home(), Dwelling.use, _HOMES,  # type: ignore[arg-type]
                         (Dwelling.use != "vacant",)),
    "dwelling": _Source(Building, Dwelling.id, _home(), Dwelling.use, _HOMES),  # type: ignore[arg-type]
    "component": _Source(
        Component, Component.id, func.coalesce(Component.name, Component.identifier),
        Component.code, where=(Component.state != "removed",),  # type: ignore[arg-type]
    ),
    "place": _Source(Facility, Facility.id, func.coalesce(Facility.name, ""), Facility.kind),  # type: ignore[arg-type]
}  # fmt: skip


def rows(actor: Actor, name: str) -> Select[Any]:
    """Select subjects of a kind in the caller's area: id, name, kind, area_code, lon, lat."""
    source = SOURCES[name]
    point = geo.ST_PointOnSurface(source.model.geom)
    wanted = select(
        source.key.label("id"), source.name.label("name"), cast(source.kind, String).label("kind"),
        source.model.area_code.label("area_code"), geo.ST_X(point).label("lon"),
        geo.ST_Y(point).label("lat"),
    ).where(source.model.valid_to.is_(None), *source.where)  # fmt: skip
    for target, on in source.joins:
        is_inner = target is Dwelling
        wanted = wanted.join(target, on) if is_inner else wanted.outerjoin(target, on)
    return scope.visible(wanted, actor, source.model)


def subject_of(session: Session, actor: Actor, name: str, key: int) -> Subject:
    """Return one subject of the caller's area. Raises `NoSubject`."""
    if name not in SOURCES:
        raise NoSubject(f"nothing is called {name}")
    found = session.execute(rows(actor, name).where(SOURCES[name].key == key)).one_or_none()
    if found is None:
        raise NoSubject(f"no {name} {key} here")
    return Subject(name, found.id, found.name, found.kind, found.area_code, found.lon, found.lat)


def due(
    session: Session, actor: Actor, forms: Iterable[Form], *, now: datetime,
    near: tuple[float, float] | None = None, most: int = 50,
) -> list[Due]:  # fmt: skip
    """List what is due in the caller's area: nearest first from a place, else the oldest first."""
    merged: dict[tuple[str, int], tuple[Subject, list[Form], list[datetime]]] = {}
    for form in forms:
        if not form.visit_days:
            continue
        for row in session.execute(_due_of(actor, form, now, near).limit(most)):
            one = Subject(form.subject, row.id, row.name, row.kind, row.area_code, row.lon, row.lat)
            kept = merged.setdefault((form.subject, row.id), (one, [], []))
            kept[1].append(form)
            if row.last is not None:
                kept[2].append(row.last + timedelta(days=form.visit_days))
    found = [
        Due(one, tuple(wanted), min(since, default=None), _distance(one, near))
        for one, wanted, since in merged.values()
    ]
    far = float("inf")
    last = now + timedelta(days=1)
    found.sort(key=lambda each: (
        each.distance_m if each.distance_m is not None else far, each.since or last,
        -len(each.forms), each.subject.name, each.subject.id,
    ))  # fmt: skip
    return found[:most]


def _due_of(
    actor: Actor, form: Form, now: datetime, near: tuple[float, float] | None
) -> Select[Any]:
    last = (
        select(Visit.subject_id, func.max(Visit.done_at).label("last"))
        .where(
            scope.condition(actor, Visit), Visit.subject == form.subject,
            Visit.forms.any_() == form.form,
        )
        .group_by(Visit.subject_id)
        .subquery()
    )  # fmt: skip
    source = SOURCES[form.subject]
    is_due = last.c.last.is_(None) | (last.c.last <= now - timedelta(days=form.visit_days))
    wanted = (
        rows(actor, form.subject)
        .add_columns(last.c.last)
        .outerjoin(last, last.c.subject_id == source.key)
        .where(is_due)
    )
    if form.kinds:
        wanted = wanted.where(source.kind.in_(form.kinds))
    if near:
        here = func.ST_SetSRID(func.ST_MakePoint(*near), 4490)
        return wanted.order_by(source.model.geom.op("<->")(here), source.key)
    return wanted.order_by(last.c.last.nulls_last(), source.key)


def due_here(
    session: Session, actor: Actor, one: Subject, forms: Iterable[Form], *, now: datetime
) -> tuple[list[Form], list[Form]]:
    """Part the forms that fit a subject: due now or within days, and those that can wait."""
    seen: Mapping[str, datetime] = dict(
        session.execute(
            select(func.unnest(Visit.forms).label("form"), func.max(Visit.done_at))
            .where(
                scope.condition(actor, Visit), Visit.subject == one.subject,
                Visit.subject_id == one.id,
            )
            .group_by(func.unnest(Visit.forms))
        ).all()
    )  # fmt: skip
    fitting = [form for form in forms if form.subject == one.subject and form.fits(one.kind)]
    now_due = [
        form for form in fitting if is_due(form, seen.get(form.form), now, is_along=True)
    ]  # fmt: skip
    return now_due, [form for form in fitting if form not in now_due]


def _distance(one: Subject, near: tuple[float, float] | None) -> float | None:
    if near is None:
        return None
    east = (one.lon - near[0]) * cos(radians(near[1]))
    return hypot(east, one.lat - near[1]) * M_PER_DEGREE
