"""Entering something by hand: an enterprise, premises, a component, a facility, at its point.

What a field takes is what an import takes (`grids.importing.batches.targets`), and the place is
read as an import reads it: a value that no table may bring is refused here with the same words.
What is entered here is a beginning, source `local`: the office that answers for a field says
later what holds, as everywhere (`grids.facts.survivorship`). Outlines of buildings come by
import, addresses by import and by the questions that workers answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from geoalchemy2 import functions as geo
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.addressing import service
from grids.city import City
from grids.components import Component
from grids.db import STORAGE_SRID
from grids.enterprises import Enterprise
from grids.errors import Conflict, Invalid, NotFound
from grids.importing.batches import placing, words
from grids.importing.batches.committing import LOCK, ClassFull
from grids.importing.batches.settings import refuse_persons
from grids.importing.batches.targets import TARGETS, Field, Lists, lists
from grids.normal import Unfit, bare
from grids.privileges import ENTERED
from grids.registers.detail import DEGREE_M
from grids.registers.kinds import Kind

#: Registers in which something is entered, and ended, by hand.
KINDS: Final = ENTERED
#: Fields that the platform gives itself, or that say where something is.
_ASIDE: Final = frozenset({"identifier", "own_id", "lon", "lat", "place", "wkt", "address"})
#: What a form may carry beside the fields of its register.
PLACE: Final = ("address", "lon", "lat", "how", "accuracy")
#: Something of this name, or a component of this class, so near is probably the same.
NAMESAKE_M: Final = 500.0
TWIN_M: Final = 3.0
MOST: Final = 5
_BUILDING: Final = text("""
    SELECT b.id FROM building AS b
    WHERE b.valid_to IS NULL
      AND ST_Covers(b.geom, ST_SetSRID(ST_MakePoint(:lon, :lat), 4490))
    ORDER BY b.area_m2, b.id LIMIT 1
""")
_NEXT: Final = text("""
    SELECT city_county() || :code || lpad((coalesce((
             SELECT right(identifier, 6)::int FROM component
             WHERE identifier >= city_county() || :code || '000000'
               AND identifier <= city_county() || :code || '999999' AND identifier ~ '^[0-9]{17}$'
             ORDER BY identifier DESC LIMIT 1), 0) + 1)::text, 6, '0')
""")


class NotEntered(NotFound):
    """Entries of this register come by import, not by hand."""

    code = "register.not_entered"


class BadEntry(Invalid):
    """A value does not fit its field, or the place is none; `problems` names each."""

    code = "register.bad_entry"


class Taken(Conflict):
    """An enterprise with this credit code is entered already."""

    code = "register.taken"


@dataclass(frozen=True)
class Draft:
    """What somebody typed, as read: values by column, the point, what does not fit."""

    values: dict[str, Any]
    lon: float | None = None
    lat: float | None = None
    address_id: int | None = None
    coord_source: str = "map_click"
    accuracy_m: float | None = None
    problems: Mapping[str, Unfit] = field(default_factory=dict)


def fields_of(kind: Kind) -> tuple[Field, ...]:
    """Return what the form of a register asks for. Raises `NotEntered`."""
    if kind.name not in KINDS:
        raise NotEntered(f"{kind.name} is not entered by hand")
    return tuple(one for one in TARGETS[kind.name].fields if one.name not in _ASIDE)


def read(session: Session, kind: Kind, given: Mapping[str, str]) -> Draft:
    """Read what was typed: every field, and the point, or else the place of the address."""
    listed = lists(session)
    values: dict[str, Any] = {}
    problems: dict[str, Unfit] = {}
    for one in fields_of(kind):
        try:
            values[one.name] = _value(one, given.get(one.name, ""), listed)
        except Unfit as error:
            problems[one.name] = error
    return _placed(session, values, problems, given)


def alike(session: Session, actor: Actor, kind: Kind, draft: Draft) -> Sequence[Any]:
    """Return entries of the caller's areas that are probably the same thing, the nearest first."""
    if draft.lon is None or draft.lat is None:
        return ()
    model, place = kind.model, _point(draft)
    away = func.ST_DistanceSphere(model.geom, place)
    name, reach_m = ("code", TWIN_M) if model is Component else ("name", NAMESAKE_M)
    return session.scalars(
        select(model)
        .where(
            scope.condition(actor, model), model.valid_to.is_(None),
            getattr(model, name) == draft.values.get(name), away <= reach_m,
            # The box lets the index of shapes answer.
            geo.ST_Intersects(model.geom, geo.ST_Expand(place, reach_m / DEGREE_M)),
        )
        .order_by(away, model.id)
        .limit(MOST)
    ).all()  # fmt: skip


def enter(
    session: Session, actor: Actor, kind: Kind, draft: Draft, *, today: date, source_ip: str
) -> Any:
    """Store what was read without problems; return the entry, linked to its cell and grid.

    `today` is the day in the city. Raises `BadEntry` where the place lies in no town of the
    caller's areas, or the enterprise of premises is unknown; `Taken` for a code that is entered.
    """
    if draft.problems or draft.lon is None:
        raise BadEntry("a value does not fit", problems=dict(draft.problems))
    # One at a time with imports: both give numbers of classes and ask for codes first.
    session.execute(select(func.pg_advisory_xact_lock(LOCK)))
    values = {name: value for name, value in draft.values.items() if value is not None}
    if code := values.get("uscc"):
        _require_free(session, actor, code)
    if kind.name == "component":
        values["identifier"] = _number(session, values["code"])
    if kind.name == "premises":
        values |= _belongs(session, actor, values.pop("enterprise_uscc", None), draft)
    if kind.name == "enterprise":
        values["address_id"] = draft.address_id or _address_of(session, draft)
    entry = kind.model(
        **values, geom=_point(draft), coord_source=draft.coord_source,
        accuracy_m=draft.accuracy_m, valid_from=today,
    )  # fmt: skip
    session.add(entry)
    session.flush()
    session.refresh(entry)
    if len(entry.area_code) <= 6 or not scope.may_see(actor, entry.area_code):
        raise BadEntry("the place lies in none of the caller's towns",
                       problems={"place": Unfit("outside_area")})  # fmt: skip
    audit.record(
        session, "register_entered", actor_id=actor.account_id, source_ip=source_ip,
        subject=f"{kind.table}:{entry.id}", detail={"fields": sorted(values)},
    )  # fmt: skip
    return entry


# --- Steps ----------------------------------------------------------------------------------


def _value(one: Field, given: str, listed: Lists) -> Any:
    plain = refuse_persons(bare(given))
    if not plain:
        if one.is_required:
            raise Unfit("required")
        return None
    if one.listed:
        found = listed[one.listed].get(words.plain(plain))
        if found is None:
            raise Unfit("not_in_list")
        return found
    return one.read(plain)


def _placed(
    session: Session, values: dict[str, Any], problems: dict[str, Unfit], given: Mapping[str, str]
) -> Draft:
    lon, lat = (given.get(name, "").strip() for name in ("lon", "lat"))
    said = given.get("address", "").strip()
    best = None
    if said:
        found = service.geocode(session, said)
        best = found.best if found.verdict == "sure" else None
    if lon or lat:
        city = session.scalars(select(City)).one()
        frame = placing.Frame.of(city, f"EPSG:{STORAGE_SRID}")
        read_place = placing.of_columns([lon], [lat], frame)
        if read_place.problems:
            return Draft(values, problems=problems | {"place": read_place.problems[0]})
        at = read_place.shapes[0]
        how = "gnss" if given.get("how") == "gnss" else "map_click"
        near = _metres(given.get("accuracy", "")) if how == "gnss" else None
        return Draft(values, at.x, at.y, best.address_id if best else None, how, near, problems)
    if best is None:
        why = Unfit("address_no_point" if said else "no_place")
        return Draft(values, problems=problems | {"place": why})
    return Draft(values, best.lon, best.lat, best.address_id, "derived", None, problems)


def _metres(text: str) -> float | None:
    """Return how accurate a phone says its position is; None where it says nothing sensible."""
    try:
        metres = float(text)
    except ValueError:
        return None
    return round(metres, 1) if 0 < metres < 100_000 else None


def _point(draft: Draft) -> Any:
    return func.ST_SetSRID(func.ST_MakePoint(draft.lon, draft.lat), STORAGE_SRID)


def _require_free(session: Session, actor: Actor, code: str) -> None:
    row = session.execute(
        select(Enterprise.id, Enterprise.area_code).where(Enterprise.uscc == code)
    ).first()
    if row is not None:
        shown = row.id if scope.may_see(actor, row.area_code) else 0
        raise Taken(f"credit code {code} is entered", entry=shown, field="uscc")


def _number(session: Session, code: str) -> str:
    identifier = str(session.scalar(_NEXT, {"code": code}))
    if len(identifier) != 17:
        raise ClassFull(f"class {code} has no number left")
    return identifier


def _address_of(session: Session, draft: Draft) -> int | None:
    """Return the address of the building that holds the point, if it has one."""
    assert draft.lon is not None
    assert draft.lat is not None
    found = service.addresses_at(session, draft.lon, draft.lat)
    return found[0].address_id if found and found[0].is_inside else None


def _belongs(session: Session, actor: Actor, code: str | None, draft: Draft) -> dict[str, Any]:
    """Find the enterprise that runs premises, and the building that they lie in."""
    inside = session.scalar(_BUILDING, {"lon": draft.lon, "lat": draft.lat})
    found: dict[str, Any] = {"building_id": inside}
    if code is not None:
        found["enterprise_id"] = session.scalar(
            select(Enterprise.id).where(
                scope.condition(actor, Enterprise), Enterprise.uscc == code,
                Enterprise.valid_to.is_(None),
            )
        )  # fmt: skip
        if found["enterprise_id"] is None:
            raise BadEntry("no enterprise of this code",
                           problems={"enterprise_uscc": Unfit("no_enterprise")})  # fmt: skip
    return found
