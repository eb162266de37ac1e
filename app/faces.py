"""What the public portal, the worker's page and the department's desk share."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import current_app, g, request
from flask_babel import format_date, format_datetime
from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from app.config import Settings
from app.i18n import language, translated
from app.uploads import count_upload
from gis.errors import GisError
from grids import choices
from grids.accounts import Actor
from grids.blobs import MOST_BYTES, Store, TooLarge, store_photo
from grids.city import City
from grids.codes import Category
from grids.errors import GridsError
from grids.secrets import Vault

MOST_PHOTOS = 3
#: Three photos of the largest size and the typed fields: a form is read to its end, so that
#: a photo which is too large is told beside the photos and what was typed is kept.
MOST_FORM_BYTES = 64 * 1024 * 1024
#: Which field of a form an error of the domain or of geometry speaks about.
FIELDS = {
    "point": "place",
    "lon": "place",
    "lat": "place",
    "address": "place",
    "coord_source": "place",
    "photo": "photos",
    "sha256": "photos",
    "text|photos": "photos",
    "note|photos": "note",
}
#: How far back the choice of likely categories looks.
HABIT = timedelta(days=90)
MINUTE_S, DAY_S = 60, 86_400


class FieldErrors(Exception):
    """What is wrong with a form, by field; the empty name stands for the whole form."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors


@dataclass(frozen=True)
class Choice:
    """One category as a form offers it."""

    value: str
    name: str


def widen_form() -> None:
    """Let the form of this request carry its photos; must run before the form is read."""
    if request.method == "POST" and request.mimetype == "multipart/form-data":
        request.max_content_length = MOST_FORM_BYTES


def settings() -> Settings:
    """Return the settings of the application."""
    found: Settings = current_app.extensions["settings"]
    return found


def today() -> date:
    """Return the day in the city: what holds today begins and ends there at midnight."""
    return datetime.now(ZoneInfo(settings().city_zone)).date()


def vault() -> Vault:
    """Return the keys of personal columns."""
    found: Vault = current_app.extensions["vault"]
    return found


def blob_store() -> Store:
    """Return the folder of photos."""
    return Store(settings().blob_dir)


def by_language(zh: str | None, en: str | None) -> str:
    """Choose the name in the reader's language; the other one where it is missing."""
    return (en or zh or "") if language() == "en" else (zh or en or "")


def page_data(city: City, **more: Any) -> dict[str, Any]:
    """Return what scripts of a page need to know."""
    return {
        "city": {
            "zone": city.city_zone,
            "bounds": [city.west, city.south, city.east, city.north],
            "attribution": city.attribution,
        },
        "now": datetime.now(UTC).isoformat(),
        "most_photos": MOST_PHOTOS,
        **more,
    }


def likely(areas: tuple[str, ...], *, most: int, now: datetime) -> list[Choice]:
    """Return the categories that a reporter here most probably wants."""
    found = choices.likely_matters(g.session, areas, since=now - HABIT, most=most)
    return [_choice(category) for category in found]


def groups(now: datetime, kind: str = "matter") -> list[dict[str, Any]]:
    """Return every category of a kind by class."""
    return [
        {
            "name": by_language(group.head.name_zh, group.head.name_en),
            "items": [_choice(member) for member in group.members],
        }
        for group in choices.matter_groups(g.session, now.date(), kind)
    ]


def _choice(category: Category) -> Choice:
    name = by_language(category.name_zh, category.name_en)
    return Choice(category.code, name[:1].upper() + name[1:])


def instant_words(at: datetime | None) -> str:
    """Write an instant on the city's clock, to the minute."""
    if at is None:
        return ""
    pattern = "d MMM HH:mm" if language() == "en" else "M月d日 HH:mm"
    return str(format_datetime(at, pattern))


def moment_words(at: datetime | None, now: datetime | None = None) -> str:
    """Write an instant with its year, which is left out where it is the year of `now`."""
    if at is None:
        return ""
    if now is not None and format_datetime(at, "y") == format_datetime(now, "y"):
        return instant_words(at)
    pattern = "d MMM y, HH:mm" if language() == "en" else "y年M月d日 HH:mm"
    return str(format_datetime(at, pattern))


def day_words(on: date) -> str:
    """Write a day with its year."""
    return str(format_date(on, "d MMM y" if language() == "en" else "y年M月d日"))


def seconds_words(at: datetime) -> str:
    """Write the time of day on the city's clock, to the second."""
    return str(format_datetime(at, "HH:mm:ss"))


def left_words(due_at: datetime | None, risk: str, now: datetime) -> str:
    """Say how long a case has left, as the pages' scripts say it: 0:42, 3:10, 2 days."""
    if risk == "done":
        return str(_("desk.closed"))
    if risk == "paused" or due_at is None:
        return str(_("desk.paused") if risk == "paused" else _("desk.no_limit"))
    left_s = (due_at - now).total_seconds()
    span = span_words(abs(left_s))
    return str(_("desk.late", span=span) if left_s < 0 else _("desk.left", span=span))


def span_words(seconds: float) -> str:
    """Write a span below one day as hours and minutes, from one day on as whole days."""
    if seconds >= DAY_S:
        return str(_("desk.days", n=int(seconds // DAY_S)))
    minutes = int(seconds // MINUTE_S)
    return f"{minutes // 60}:{minutes % 60:02d}"


def message_of(error: GridsError | GisError) -> str:
    """Write an error of the domain or of geometry in the reader's language."""
    names = str(error.params.get("field") or "").split("|")  # "a|b": one of the two
    field = " / ".join(translated(f"field.{name}", name) for name in names)
    return translated(f"error.{error.code}", str(error), **{"field_name": field, **error.params})


def field_errors(error: GridsError | GisError) -> dict[str, str]:
    """Put an error beside the field that it speaks about."""
    named = str(error.params.get("field") or "")
    if isinstance(error, GisError):
        named = named or "point"
    elif isinstance(error, TooLarge):
        named = "photos"
    return {FIELDS.get(named, named): message_of(error)}


def form_values(names: Iterable[str]) -> dict[str, str]:
    """Read typed fields of a form or of a JSON body; what is missing is empty.

    Raises `FieldErrors` where the body is larger than any form.
    """
    try:
        body: Any = request.get_json() if request.is_json else request.form
    except RequestEntityTooLarge:
        raise FieldErrors({"photos": too_large()}) from None
    if not isinstance(body, Mapping):
        raise FieldErrors({"": translated("error.body.invalid", "not a form", field="$", why="")})
    return {name: _typed(body.get(name)) for name in names}


def _typed(value: object) -> str:
    return "" if value is None else str(value).strip()


def form_id(text: str) -> UUID | None:
    """Read the id that a form carries; None where it is no UUID."""
    try:
        return UUID(text)
    except ValueError:
        return None


def too_large() -> str:
    """Say how large a photo may be."""
    return str(_("portal.error.too_large", size=MOST_BYTES // 1024 // 1024))


def sent_photos(city: City, actor: Actor | None, *, now: datetime, least: int) -> tuple[str, ...]:
    """Store the photos of a form, or name those that a script has stored before.

    Raises `FieldErrors` for too few, too many, too large and unreadable ones.
    """
    if request.is_json:
        hashes = request.get_json().get("photos") or []
        names = tuple(str(item) for item in hashes) if isinstance(hashes, list) else ()
        _check_count(len(names), least)
        return names
    files = [file for file in request.files.getlist("photos") if file.filename]
    _check_count(len(files), least)
    return tuple(_store(file, city, actor, now) for file in files)


def _check_count(count: int, least: int) -> None:
    if count < least:
        raise FieldErrors({"photos": str(_("portal.error.photos_none"))})
    if count > MOST_PHOTOS:
        raise FieldErrors({"photos": str(_("portal.error.photos_many", n=MOST_PHOTOS))})


def sent_photo(file: FileStorage, city: City, actor: Actor | None, *, now: datetime) -> str:
    """Store one photo of a form and return its hash. Raises `FieldErrors`."""
    return _store(file, city, actor, now)


def _store(file: FileStorage, city: City, actor: Actor | None, now: datetime) -> str:
    data = file.stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise FieldErrors({"photos": too_large()})
    count_upload(len(data), now)
    try:
        blob = store_photo(
            g.session,
            blob_store(),
            data,
            sha256=hashlib.sha256(data).hexdigest(),
            account_id=actor.account_id if actor else None,
            now=now,
            city=city,
        )
    except GridsError as error:
        raise FieldErrors({"photos": message_of(error)}) from error
    return blob.sha256


def coordinates(values: Mapping[str, str]) -> tuple[float, float] | None:
    """Read longitude and latitude; None where neither was given. Raises `FieldErrors`."""
    lon, lat = values["lon"].replace(",", "."), values["lat"].replace(",", ".")
    if not lon and not lat:
        return None
    try:
        return float(lon), float(lat)
    except ValueError:
        raise FieldErrors({"place": str(_("portal.error.place_number"))}) from None
