"""The form of an operator on the line: what was typed, what is wrong, and the call it makes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any, Final, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import g
from flask_babel import gettext as _

from app import faces, questions
from app.faces import FieldErrors
from app.report_form import place_message
from gis.errors import GisError
from grids import places
from grids.channels import calls
from grids.channels.calls import Call, News, Note, Taken
from grids.city import City, the_city
from grids.errors import GridsError
from grids.incidents.places import place_of
from grids.incidents.requests import Contact, Report

Part = TypeVar("Part")
SOURCES: Final = ("map_click", "gnss", "derived")


@dataclass(frozen=True)
class Form:
    """What the operator has typed, as it stands in the fields."""

    id: str
    kind: str = "call"
    phone: str = ""
    name: str = ""
    confidential: str = ""
    category: str = ""  #: matter:10901; a component and a matter share their digits
    text: str = ""
    urgency: str = ""
    address: str = ""
    lon: str = ""
    lat: str = ""
    coord_source: str = ""
    office: str = ""
    note_on: str = ""
    note_text: str = ""
    note_due: str = ""
    grade: str = calls.USUAL_GRADE
    medium: str = ""
    news_title: str = ""
    news_on: str = ""
    news_link: str = ""

    @property
    def chosen(self) -> tuple[str, str]:
        """The kind and the code of the category."""
        kind, _colon, code = self.category.rpartition(":")
        return kind or "matter", code


FIELDS: Final = tuple(Form.__dataclass_fields__)


def typed(fallback: str) -> Form:
    """Read the form as it was sent; one without an id gets the fallback."""
    values = faces.form_values(FIELDS)
    values = {name: text for name, text in values.items() if text}
    return Form(**{"id": fallback, **values})


def take(form: Form) -> Taken:
    """Check and store what the operator took in. Raises `FieldErrors` and kinds of the domain."""
    now = datetime.now(UTC)
    with g.session.begin():
        city = the_city(g.session)
        zone = ZoneInfo(city.city_zone)
        call_id = faces.form_id(form.id)
        kind, code = form.chosen
        errors = _typed_errors(form) | questions.problems(code, questions.sent(), kind)
        if call_id is None:
            errors[""] = str(_("intake.error.id"))
        photos = _noted(errors, lambda: faces.sent_photos(city, g.actor, now=now, least=0)) or ()
        placed = _noted(errors, lambda: _place(city, form)) or {}
        parts = _noted(errors, lambda: _origin(form, zone)) or {}
        if errors or call_id is None:
            raise FieldErrors(errors)
        return calls.take(
            g.session,
            Call(
                report=_report(call_id, form, photos, placed),
                kind=form.kind,
                is_confidential=bool(form.confidential),
                **parts,
            ),
            g.actor,
            now=now,
            vault=faces.vault(),
            hotline=faces.settings().hotline,
        )


def _noted(errors: dict[str, str], read: Callable[[], Part]) -> Part | None:
    """Read one part of the form; what is wrong with it is noted, so that all is said at once."""
    try:
        return read()
    except FieldErrors as refused:
        errors.update(refused.errors)
        return None


def _report(call_id: UUID, form: Form, photos: tuple[str, ...], placed: dict[str, Any]) -> Report:
    kind, code = form.chosen
    return Report(
        id=call_id,
        category=code,
        kind=kind,
        text=form.text,
        urgency=form.urgency or None,
        photos=photos,
        answers=questions.sent(),
        contact=Contact(form.name, form.phone) if form.name or form.phone else None,
        **placed,
    )


def _typed_errors(form: Form) -> dict[str, str]:
    errors: dict[str, str] = {}
    if form.kind not in calls.KINDS:
        errors["kind"] = str(_("intake.error.kind"))
    if not form.category:
        errors["category"] = str(_("intake.error.category"))
    if not form.text:
        errors["text"] = str(_("intake.error.text"))
    if form.urgency and form.urgency not in ("A", "B", "C", "D"):
        errors["urgency"] = str(_("intake.error.urgency"))
    return errors


def _place(city: City, form: Form) -> dict[str, Any]:
    """Return the place: the point on the map, else the one that the address names."""
    point = faces.coordinates(asdict(form))
    if point is None:
        found = places.find(g.session, form.address) if form.address else None
        if found is None:
            key = "intake.error.place_unknown" if form.address else "intake.error.place"
            raise FieldErrors({"place": str(_(key))})
        return {"lon": found.lon, "lat": found.lat, "address": form.address,
                "coord_source": "derived", "accuracy_m": found.accuracy_m}  # fmt: skip
    source = form.coord_source if form.coord_source in SOURCES else "map_click"
    try:
        place_of(city, *point, source)
    except (GridsError, GisError) as refused:
        raise FieldErrors({"place": place_message(refused, city)}) from refused
    return {"lon": point[0], "lat": point[1], "address": form.address, "coord_source": source}


def _origin(form: Form, zone: ZoneInfo) -> dict[str, Any]:
    """Read the leader's note or the news; an ordinary call has neither."""
    if form.kind == "note":
        due = form.note_due
        return {
            "note": Note(
                office=form.office,
                on=_day(form.note_on, "note_on"),
                text=form.note_text,
                due_at=_instant(due, zone) if due else None,
                grade=form.grade,
            )
        }
    if form.kind == "media":
        news_on = _day(form.news_on, "news_on")
        return {"news": News(form.medium, form.news_title, news_on, form.news_link)}
    return {}


def _day(text: str, name: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FieldErrors({name: str(_("intake.error.day"))}) from None


def _instant(text: str, zone: ZoneInfo) -> datetime:
    """Read a day and time of the city's clock; a day alone means its closing time."""
    whole = f"{text}T17:30" if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text
    try:
        at = datetime.fromisoformat(whole)
    except ValueError:
        raise FieldErrors({"note_due": str(_("intake.error.day"))}) from None
    return at if at.tzinfo else at.replace(tzinfo=zone)
