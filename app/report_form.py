"""The public report form: what was typed, what is wrong with it, and the report it makes."""

from __future__ import annotations

import hmac
import re
import unicodedata
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from flask import current_app, g, request
from flask_babel import gettext as _

from app import faces, questions
from app.faces import FieldErrors
from gis.errors import GisError
from grids import limits, places
from grids.city import City, the_city
from grids.errors import GridsError
from grids.incidents import service, tracking
from grids.incidents.places import place_of
from grids.incidents.requests import Contact, Report

#: New reports that one source may send in an hour just so, and with a question answered each
#: time; a carrier hides many people behind one address.
FREE_PER_HOUR: Final = 10
MOST_PER_HOUR: Final = 60
LONGEST_TEXT: Final = 1000
PHONE: Final = re.compile(r"\+?[\d\s()-]{5,20}")
FEWEST_DIGITS: Final = 5


@dataclass(frozen=True)
class Form:
    """What somebody has typed, as it stands in the fields."""

    id: str
    category: str = ""
    category_other: str = ""
    text: str = ""
    address: str = ""
    lon: str = ""
    lat: str = ""
    accuracy_m: str = ""
    coord_source: str = ""
    name: str = ""
    phone: str = ""
    answer: str = ""  #: to the question that is asked after many reports
    website: str = ""  #: nobody sees this field; what fills it in is a robot
    answers: dict[str, str] = field(default_factory=dict)  #: to the category's questions

    @property
    def chosen(self) -> str:
        """The category: of the chips or of the list."""
        return self.category_other or self.category


FIELDS = tuple(name for name in Form.__dataclass_fields__ if name != "answers")


def submit(form: Form) -> str:
    """Check and store the report of a form; return its tracking code."""
    now = datetime.now(UTC)
    report_id = faces.form_id(form.id)
    with g.session.begin():
        city = the_city(g.session)
        errors = _typed_errors(form) | questions.problems(form.chosen, form.answers)
        if report_id is None:
            errors[""] = str(_("portal.error.conflict"))
        source = f"report:{limits.source_of(request.remote_addr or '')}"
        if limits.uses(g.session, source, now=now) >= FREE_PER_HOUR and not is_answered(form):
            errors["answer"] = question_of(form.id)
        photos: tuple[str, ...] = ()
        try:
            photos = faces.sent_photos(city, None, now=now, least=1)
        except FieldErrors as refused:
            errors |= refused.errors
        placed: dict[str, Any] = {}
        try:
            placed = _place(city, form)
        except FieldErrors as refused:
            errors |= refused.errors
        if errors or report_id is None:
            raise FieldErrors(errors)
        report = Report(
            id=report_id,
            category=form.chosen,
            text=form.text,
            channel="public",
            photos=photos,
            contact=Contact(form.name, form.phone) if form.name or form.phone else None,
            answers=form.answers,
            **placed,
        )
        done = service.submit(g.session, report, None, now=now, vault=faces.vault())
        if done.is_new:
            limits.count_use(g.session, source, most=MOST_PER_HOUR, now=now)
    return tracking.code_for(faces.vault(), report_id)


def question_of(report_id: str) -> str:
    """Ask a sum that anybody can read, hear and answer; no picture, no puzzle.

    It belongs to the report's id, so one answer serves one report, sent again or not.
    """
    one, other = _numbers(report_id)
    return str(_("portal.question", one=one, other=other))


def is_answered(form: Form) -> bool:
    """Say whether the question of this report was answered, in whatever digits."""
    text = unicodedata.normalize("NFKC", form.answer).strip(" .。=")
    number = CHINESE.get(text) or (int(text) if text.isdecimal() and len(text) < 4 else None)
    return number == sum(_numbers(form.id))


#: 2 to 18 as people write them.
CHINESE: Final = {
    f"{'十' if n > 9 else ''}{'一二三四五六七八九'[n % 10 - 1] if n % 10 else ''}": n
    for n in range(2, 19)
}


def _numbers(report_id: str) -> tuple[int, int]:
    key = current_app.extensions["settings"].secret_key.encode()
    drawn = hmac.digest(key, f"question:{report_id}".encode(), "sha256")
    return drawn[0] % 9 + 1, drawn[1] % 9 + 1


def _typed_errors(form: Form) -> dict[str, str]:
    """Say what is wrong with the typed fields."""
    errors: dict[str, str] = {}
    if form.website:
        errors[""] = str(_("portal.error.robot"))
    if not form.chosen:
        errors["category"] = str(_("portal.error.category_none"))
    if len(form.text) > LONGEST_TEXT:
        errors["text"] = str(_("portal.error.text_long"))
    digits = sum(character.isdigit() for character in form.phone)
    if form.phone and (not PHONE.fullmatch(form.phone) or digits < FEWEST_DIGITS):
        errors["phone"] = str(_("portal.error.phone"))
    return errors


def _place(city: City, form: Form) -> dict[str, Any]:
    """Return the place of a report: the point that was shown, else the one its address names.

    Raises `FieldErrors`.
    """
    point = faces.coordinates(asdict(form))
    if point is None:
        return _place_by_words(form.address)
    source = form.coord_source if form.coord_source in ("gnss", "map_click") else "map_click"
    try:
        place_of(city, *point, source)
    except (GridsError, GisError) as refused:
        raise FieldErrors({"place": place_message(refused, city)}) from refused
    accuracy = float(form.accuracy_m) if _is_number(form.accuracy_m) else None
    return {
        "lon": point[0],
        "lat": point[1],
        "address": form.address,
        "coord_source": source,
        "accuracy_m": accuracy,
    }


def _place_by_words(address: str) -> dict[str, Any]:
    if not address:
        raise FieldErrors({"place": str(_("portal.error.place_none"))})
    found = places.find(g.session, address)
    if found is None:
        raise FieldErrors({"place": str(_("portal.error.place_unknown"))})
    return {
        "lon": found.lon,
        "lat": found.lat,
        "address": address,
        "coord_source": "derived",
        "accuracy_m": found.accuracy_m,
    }


def place_message(error: GridsError | GisError, city: City) -> str:
    """Say what is wrong with a point in words for people who are no surveyors."""
    if error.code == "gis.swapped":
        return str(_("portal.error.place_swapped"))
    if error.code == "gis.not_finite":
        return str(_("portal.error.place_number"))
    if error.code in ("gis.out_of_range", "incident.outside_city", "gis.null_island"):
        return str(
            _("portal.error.place_outside", city=faces.by_language(city.name_zh, city.name_en))
        )
    return faces.message_of(error)


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"\d+(\.\d+)?", text))
