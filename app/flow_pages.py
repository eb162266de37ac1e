"""What the pages of disputes and hazards share: lists, one record with its timeline, forms.

Forms are drawn from the table of steps: a new line appears on every page by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from flask import Response, g, request, url_for
from flask_babel import gettext as _

from app import faces
from app.faces import FieldErrors
from app.i18n import translated
from gis.errors import GisError
from grids.blobs import NoBlob
from grids.city import the_city
from grids.errors import GridsError, NotFound
from grids.flows import reading
from grids.flows.reading import Listed, Record, Told, Wanted
from grids.flows.table import SYSTEM, Field, Step
from grids.flows.taking import Kind, StepRequest

YEAR_S: Final = 365 * 24 * 3600
PAGE_ROWS: Final = 50
LONGEST_SEARCH: Final = 40
TRAYS: Final = (("turn", (), ""), ("late", ("late",), "late"), ("soon", ("soon",), "soon"),
                ("open", (), ""), ("done", (), ""))  # fmt: skip

#: What the timeline tells of an event's values; the record's own facts stand above it.
SHOWN: Final = ("choice", "line", "text", "day", "instant")
FACTS: Final = ("kind", "severity", "channel", "text", "area")

Choice = dict[str, str]


@dataclass(frozen=True)
class Face:
    """One kind's pages: texts begin with `area`, addresses with the blueprint's name.

    `choices` gives the options of fields that follow from the record (people, departments).
    """

    kind: Kind
    area: str  #: of the texts: dispute, hazard
    blueprint: str
    choices: Callable[[str, Any], list[Choice] | None]

    def text(self, part: str, value: object) -> str:
        """Return the text of a code of this kind."""
        return str(_(f"{self.area}.{part}.{value}"))


def list_context(face: Face, now: datetime) -> dict[str, Any]:
    """Read one page of a list with its trays."""
    words = request.args.get("q", "").strip()[:LONGEST_SEARCH]
    chosen = next((t for t in TRAYS if t[0] == request.args.get("show")), TRAYS[0])
    after = request.args.get("after") or None
    pages = {
        name: reading.page(
            g.session, face.kind, g.actor,
            Wanted("done" if name == "done" else "turn" if name == "turn" else "open", risks,
                   words, after if name == chosen[0] else None,
                   PAGE_ROWS if name == chosen[0] else 1),
            now=now,
        )
        for name, risks, _tone in TRAYS
    }  # fmt: skip
    page = pages[chosen[0]]

    def address(name: str, place: str | None = None) -> str:
        return url_for(f"{face.blueprint}.listed", show=name, q=words or None, after=place)

    return {
        "items": page.items,
        "total": page.total,
        "chips": [
            {
                "name": str(_("desk.filter_mine" if name == "turn" else f"desk.filter_{name}")),
                "count": pages[name].total,
                "tone": tone if pages[name].total else "",
                "url": address(name),
                "is_on": name == chosen[0],
            }
            for name, _risks, tone in TRAYS
        ],
        "kept": {"show": chosen[0]},
        "q": words,
        "next_url": address(chosen[0], page.next) if page.next else "",
        "as_of": faces.seconds_words(now),
    }


def line(face: Face, listed: Listed, now: datetime) -> dict[str, Any]:
    """Write what every list shows of a record."""
    row = listed.row
    return {
        "id": str(row.id),
        "number": row.number,
        "status_name": face.text("status", row.status),
        "risk": listed.risk,
        "due_at": row.due_at.isoformat() if row.due_at else "",
        "left": faces.left_words(row.due_at, listed.risk, now),
        "opened_text": faces.instant_words(row.opened_at),
        "holder": listed.holder or (faces.by_language(*listed.department)
                                    if listed.department else ""),
    }  # fmt: skip


def record_context(
    face: Face, found: Record, now: datetime, errors: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Write one record: facts, limits, timeline, photos by their part, the forms of its steps."""
    row = found.row
    photos = [photo(face, one) for one in found.photos]
    by_step: dict[int, list[dict[str, Any]]] = {}
    for shown in photos:
        by_step.setdefault(shown["seq"], []).append(shown)
    steps = sorted(found.steps, key=lambda step: not step.is_primary)
    return {
        "record": {
            **line(face, Listed(row, found.risk, found.holder, found.department), now),
            "due_text": (
                str(_("desk.until", at=faces.instant_words(row.due_at))) if row.due_at else ""
            ),
            "limits": [
                {
                    "name": face.text("limit", name),
                    "at": faces.instant_words(datetime.fromisoformat(end)),
                    "is_now": name == face.kind.flow.states[row.status].clock,
                }
                for name, end in sorted(row.limits.items(), key=lambda one: one[1])
            ],
        },
        "photos": photos,
        "events": [event(face, told, by_step.get(told.event.seq, [])) for told in found.log],
        "actions": [action(face, step, row) for step in steps],
        "errors": dict(errors or {}),
        "chosen": request.form.get("action", "") if errors else "",
        "form": request.form if errors else {},
        "sent": _done(face, found),
    }


def event(face: Face, told: Told, photos: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Write one event of the timeline."""
    e = told.event
    reason = face.text("reason", e.reason) if e.reason else ""
    shown = [
        (face.text("field", name), told_value(face, name, value))
        for name, value in e.data.get("values", {}).items()
        if face.kind.flow.fields[name].kind in SHOWN and name not in FACTS
    ]
    return {
        "seq": e.seq,
        "action_name": face.text("action", e.action),
        "is_move": bool(e.from_status) and e.from_status != e.to_status,
        "to_name": face.text("status", e.to_status),
        "role": str(_(f"role.{e.role}")),
        "actor": told.actor if e.role != SYSTEM else "",
        "note": " · ".join(filter(None, (reason, e.note))),
        "facts": shown,
        "photos": photos,
        "at": e.recorded_at.isoformat(),
        "at_text": faces.instant_words(e.recorded_at),
        "at_full": faces.moment_words(e.recorded_at),
    }


def told_value(face: Face, name: str, value: Any) -> str:
    """Write a value of an event for people."""
    match face.kind.flow.fields[name].kind:
        case "choice":
            return face.text(name, value)
        case "instant":
            return faces.instant_words(datetime.fromisoformat(value))
        case "day":
            return faces.day_words(date.fromisoformat(value))
        case _:
            return str(value)


def photo(face: Face, one: Any) -> dict[str, Any]:
    """Write a photo with the addresses of its copies."""
    return {
        "seq": one.event_seq,
        "role": one.part,
        "role_name": str(_(f"desk.photo_{one.part}")),
        "url": url_for(f"{face.blueprint}.photo", sha256=one.public_sha256),
        "thumb": url_for(f"{face.blueprint}.photo", sha256=one.thumb_sha256),
    }


def action(face: Face, step: Step, row: Any) -> dict[str, Any]:
    """Write a step that the caller may take, with the fields of its form and an id of its own."""
    needed = {wanted for wanted in step.requires if "|" not in wanted}
    return {
        "id": str(uuid4()),
        "action": step.action,
        "name": face.text("action", step.action),
        "primary": step.is_primary,
        "fields": [
            field_spec(face, face.kind.flow.fields[name], step, row, is_needed=name in needed)
            for name in step.fields
        ],
    }


def field_spec(
    face: Face, field: Field, step: Step, row: Any, *, is_needed: bool
) -> dict[str, Any]:
    """Write the specification of one form field."""
    given = face.choices(field.name, row)
    codes = step.reasons if field.name == "reason" else field.options
    hint = translated(f"{face.area}.{field.name}_hint", "")
    return {
        "name": field.name,
        "kind": "choice" if given is not None else field.kind,
        "label": face.text("field", field.name),
        "required": is_needed,
        "most": field.most,
        "hint": hint,
        "options": given
        if given is not None
        else [{"value": code, "label": face.text(field.name, code)} for code in codes],
    }


def sent_step(names: Sequence[str], *, now: datetime) -> StepRequest:
    """Read the form of a step: its id, its fields, its photos. Raises `FieldErrors`."""
    values = faces.form_values(("id", "action", *names))
    key = faces.form_id(values.pop("id"))
    photos = faces.sent_photos(the_city(g.session), g.actor, now=now, least=0)
    return StepRequest(key or uuid4(), values.pop("action"), {k: v for k, v in values.items() if v},
                       photos)  # fmt: skip


def refused(work: Callable[[], None]) -> dict[str, str]:
    """Do a write; return what is wrong with the form by field, or nothing.

    What the caller may not see stays an error of the whole page.
    """
    try:
        work()
    except FieldErrors as wrong:
        return wrong.errors
    except NotFound:
        raise
    except (GridsError, GisError) as wrong:
        named = str(wrong.params.get("field") or "").split("|")[0]
        return {named: faces.message_of(wrong)}
    return {}


def photo_answer(face: Face, sha256: str) -> Response:
    """Give a copy of a photo to those who may see its record. Raises `NoBlob`."""
    with g.session.begin():
        name = reading.photo_name(g.session, face.kind, g.actor, sha256)
    if name is None:
        raise NoBlob("no such photo")
    answer = Response(faces.blob_store().read("public", name), mimetype="image/jpeg")
    answer.headers["Content-Disposition"] = f'inline; filename="{name[:16]}.jpg"'
    answer.headers["Cache-Control"] = f"private, max-age={YEAR_S}, immutable"
    return answer


def frame(now: datetime | None = None) -> dict[str, Any]:
    """Return what the desk's frame needs around a page."""
    at = now or datetime.now(UTC)
    return {"page_data": {**faces.page_data(the_city(g.session)), "now": at.isoformat()}}


def form_id() -> UUID:
    """Return the id that a new form carries: sent twice, it is one record."""
    return faces.form_id(request.form.get("id", "")) or uuid4()


def _done(face: Face, found: Record) -> str:
    """Say that the last step was taken, where it really is the last one of the record."""
    done = request.args.get("done", "")
    last = found.log[-1].event
    if not done or last.action != done:
        return ""
    if last.seq == 1:
        word = "registered" if face.area == "dispute" else "reported"
        return str(_(f"{face.area}.{word}", number=found.row.number))
    return str(_(f"{face.area}.done", action=face.text("action", done)))
