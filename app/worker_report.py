"""The report that a worker types on the page without script: checked field by field, then stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from flask import g
from flask_babel import gettext as _

from app import faces, questions
from app.faces import FieldErrors
from gis.errors import GisError
from grids import places
from grids.accounts import Actor
from grids.city import City, the_city
from grids.incidents import service
from grids.incidents.places import place_of
from grids.incidents.requests import Report


@dataclass(frozen=True)
class Form:
    """What a worker has typed into the report form."""

    id: str
    category: str = ""
    category_other: str = ""
    text: str = ""
    address: str = ""
    lon: str = ""
    lat: str = ""
    outside_own: str = ""  #: "1": the place lies outside of the own grid, and that is meant
    answers: dict[str, str] = field(default_factory=dict)  #: to the category's questions

    @property
    def chosen(self) -> str:
        """The category: of the list or of the chips."""
        return self.category_other or self.category


FIELDS: Final = tuple(name for name in Form.__dataclass_fields__ if name != "answers")


def submit(form: Form) -> UUID:
    """Check and store what was typed; return the id. Raises `FieldErrors` and what services raise."""
    now = datetime.now(UTC)
    report_id = faces.form_id(form.id)
    errors: dict[str, str] = {}
    with g.session.begin():
        city = the_city(g.session)
        category = form.chosen
        if not category:
            errors["category"] = str(_("worker.error.category_none"))
        errors |= questions.problems(category, form.answers)
        photos: tuple[str, ...] = ()
        placed: dict[str, Any] = {}
        try:
            photos = faces.sent_photos(city, g.actor, now=now, least=1)
        except FieldErrors as refused:
            errors |= refused.errors
        try:
            placed = _place(city, form)
        except FieldErrors as refused:
            errors |= refused.errors
        flags = {}
        if placed and not _is_own(placed):
            flags = {"outside_own": True}
            if form.outside_own != "1":
                errors["outside_own"] = str(_("worker.error.outside_own"))
        if errors or report_id is None:
            raise FieldErrors(errors)
        report = Report(
            id=report_id, category=category, text=form.text, photos=photos, channel="worker",
            answers=form.answers, flags=flags, **placed,
        )  # fmt: skip
        service.submit(g.session, report, g.actor, now=now, vault=faces.vault())
    return report_id


def _place(city: City, form: Form) -> dict[str, Any]:
    """Return the place that was typed: coordinates, or an address that is known."""
    point = faces.coordinates({"lon": form.lon, "lat": form.lat})
    if point is not None:
        try:
            place_of(city, *point, "gnss")
        except GisError as refused:
            raise FieldErrors({"place": faces.message_of(refused)}) from refused
        return {"lon": point[0], "lat": point[1], "address": form.address}
    found = places.find(g.session, form.address)
    if found is None:
        raise FieldErrors({"place": str(_("worker.error.place_none"))})
    return {
        "lon": found.lon,
        "lat": found.lat,
        "address": form.address,
        "coord_source": "derived",
        "accuracy_m": found.accuracy_m,
    }


def _is_own(placed: dict[str, Any]) -> bool:
    return is_own_area(g.actor, places.near(g.session, placed["lon"], placed["lat"]).area_code)


def is_own_area(actor: Actor, area_code: str) -> bool:
    """Say whether a worker answers for an area: what lies elsewhere is reported on purpose only."""
    return area_code.startswith(actor.areas)
