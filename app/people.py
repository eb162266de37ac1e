"""The registrar's face: find one resident, see a field for a purpose, answer requests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from flask import Blueprint, Response, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces
from app.auth import requires
from app.errors import status_of
from app.i18n import language, translated
from app.incidents_api import body_as
from app.render import json_answer
from grids import audit
from grids.city import the_city
from grids.errors import GridsError, NotAllowed
from grids.people import finding, purposes, reporters, subject_requests
from grids.people.finding import Card
from grids.people.purposes import Purpose
from grids.secrets import Vault

bp = Blueprint("people", __name__)

LONGEST_NUMBER = 40
REASONS = tuple(purposes.PERSON)


class FindBody(msgspec.Struct, forbid_unknown_fields=True):
    """What a program sends to find a resident."""

    number: str
    purpose: str = ""
    place: str = ""
    case: str = ""


class RevealBody(msgspec.Struct, forbid_unknown_fields=True):
    """What is asked for a field in full."""

    field: str
    purpose: str = ""
    case: str = ""
    child: bool = False


class ReporterBody(msgspec.Struct, forbid_unknown_fields=True):
    """What is asked for the contact of a reporter."""

    purpose: str = ""


@bp.after_request
def keep_nothing(answer: Response) -> Response:
    """Let no cache keep a page with somebody's data (S60)."""
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/people")
@requires("person:find")
def page() -> ResponseReturnValue:
    """Show the search by exact number or name and the requests that wait."""
    with g.session.begin():
        return _page()


@bp.post("/people")
@requires("person:find")
def find_page() -> ResponseReturnValue:
    """Show who has the number or the name, masked, or why nobody is shown."""
    number = request.form.get("number", "").strip()[:LONGEST_NUMBER]
    place = request.form.get("place", "").strip()[:LONGEST_NUMBER]
    purpose = purpose_of_form()
    try:
        cards = _find(number, purpose, place)
    except GridsError as refused:
        return _refused(refused, number=number, place=place, purpose=purpose)
    with g.session.begin():
        # The number is not written into the page again: it was typed, it is found, it can go.
        return _page(
            cards=cards,
            number="" if cards else number,
            place=place,
            purpose=purpose,
            is_answer=True,
        )


@bp.post("/people/<int:person_id>/reveal")
@requires("person:reveal", step_up=True)
def reveal_page(person_id: int) -> ResponseReturnValue:
    """Show one field of a record in full, without script."""
    purpose, field = purpose_of_form(), request.form.get("field", "")
    try:
        value = _reveal(person_id, field, purpose)
    except GridsError as refused:
        return _refused(refused, purpose=purpose)
    with g.session.begin():
        now = datetime.now(UTC)
        card = finding.card(g.session, g.actor, vault(), person_id, now=now)
        shown = {"id": person_id, "field": field, "value": value}
        return _page(cards=[card], purpose=purpose, is_answer=True, shown=shown)


@bp.post("/api/people/find")
@requires("person:find")
def post_find() -> ResponseReturnValue:
    """Find residents by the exact number or phone, or by name in a community; masked."""
    body = body_as(FindBody)
    found = _find(body.number, Purpose(body.purpose, body.case), body.place[:LONGEST_NUMBER])
    return json_answer({"persons": found})


@bp.post("/api/people/<int:person_id>/reveal")
@requires("person:reveal", step_up=True)
def post_reveal(person_id: int) -> ResponseReturnValue:
    """Give one field of a record in full, for a purpose."""
    body = body_as(RevealBody)
    purpose = Purpose(body.purpose, body.case, body.child)
    value = _reveal(person_id, body.field, purpose)
    return json_answer({"id": person_id, "field": body.field, "value": value})


@bp.post("/api/incidents/<uuid:incident_id>/reporter")
@requires("reporter:reveal", step_up=True)
def post_reporter(incident_id: UUID) -> ResponseReturnValue:
    """Give how to reach who reported a case, for a purpose."""
    body = body_as(ReporterBody)
    try:
        with g.session.begin():
            contacts = reporters.reveal(
                g.session, g.actor, vault(), incident_id, body.purpose,
                now=datetime.now(UTC), source_ip=source_ip(),
            )  # fmt: skip
    except NotAllowed as refused:
        note_refusal(f"incident:{incident_id}", refused)
        raise
    return json_answer({"contacts": contacts})


def vault() -> Vault:
    """Return what opens sealed columns."""
    found: Vault = current_app.extensions["vault"]
    return found


def source_ip() -> str:
    """Return where the request came from."""
    return request.remote_addr or ""


def note_refusal(subject: str, refused: GridsError) -> None:
    """Write to the audit log that somebody was refused; the refused act itself left no trace."""
    with g.session.begin():
        audit.record(
            g.session,
            "person_refused",
            actor_id=g.actor.account_id,
            subject=subject,
            is_success=False,
            source_ip=source_ip(),
            detail={"code": refused.code},
        )


def _find(number: str, purpose: Purpose, place: str) -> list[Card]:
    try:
        with g.session.begin():
            return finding.find(
                g.session, g.actor, vault(), number, purpose,
                now=datetime.now(UTC), place=place, source_ip=source_ip(),
            )  # fmt: skip
    except NotAllowed as refused:
        note_refusal("person", refused)
        raise


def _reveal(person_id: int, field: str, purpose: Purpose) -> str:
    try:
        with g.session.begin():
            return finding.reveal(
                g.session, g.actor, vault(), person_id, field, purpose,
                now=datetime.now(UTC), source_ip=source_ip(),
            )  # fmt: skip
    except NotAllowed as refused:
        note_refusal(f"person:{person_id}", refused)
        raise


def purpose_of_form() -> Purpose:
    """Read what a record is looked at for."""
    form = request.form
    case = form.get("case", "").strip()[: purposes.LONGEST_CASE]
    return Purpose(form.get("purpose", ""), case, form.get("child") == "yes")


def _refused(refused: GridsError, **more: Any) -> ResponseReturnValue:
    """Show the page with what went wrong and the status of the error."""
    error = translated(f"error.{refused.code}", str(refused), **refused.params)
    with g.session.begin():
        return _page(error=error, **more), status_of(refused)


def _page(
    *,
    cards: list[Card] | None = None,
    number: str = "",
    place: str = "",
    purpose: Purpose | None = None,
    is_answer: bool = False,
    error: str = "",
    shown: dict[str, Any] | None = None,
) -> str:
    now = datetime.now(UTC)
    may_handle = g.actor.can("subject:handle")
    waiting = subject_requests.listed(g.session, g.actor, is_open=True) if may_handle else []
    return render_template(
        "people/index.html",
        **frame(now),
        cards=[person_words(card) for card in cards or []],
        number=number,
        place=place,
        purpose=purpose or Purpose(),
        reasons=[purposes.PERSON[code] for code in REASONS],
        is_answer=is_answer,
        error=error,
        shown=shown or {},
        may_reveal=g.actor.can("person:reveal"),
        may_handle=may_handle,
        waiting=[request_words(row, now) for row in waiting[:6]],
        waiting_count=len(waiting),
        kinds=subject_requests.KINDS,
        channels=subject_requests.CHANNELS,
        documents=subject_requests.DOCUMENTS,
        limits={"finds": finding.MOST_FINDS, "reveals": finding.MOST_REVEALS},
    )


def frame(now: datetime) -> dict[str, Any]:
    """Return what the pages of this face share."""
    city = the_city(g.session)
    return {
        "city_name": city.name_en if language() == "en" else city.name_zh,
        "page_data": {"city": {"zone": city.city_zone}, "now": now.isoformat()},
        "instant": faces.instant_words,
    }


def person_words(card: Card) -> dict[str, Any]:
    """Put a card into the words of the page."""
    place = card.place_en if language() == "en" else card.place_zh
    facts = [
        ("name", card.name, True),
        ("id_number", card.id_number, True),
        ("phone", card.phone, bool(card.phone)),
        ("birth", card.birth, bool(card.birth)),
        ("address", card.address, bool(card.address)),
    ]
    return {
        "card": card,
        "place": place,
        "facts": [{"field": name, "value": value, "can": can and not card.is_anonymised}
                  for name, value, can in facts],
        "household": _("people.household_of", kind=_(f"people.household.{card.household_kind}"),
                       n=card.household_size),
        "residency": _(f"people.residency.{card.residency}"),
        "relation": _(f"people.relation.{card.relation}"),
    }  # fmt: skip


def request_words(row: Any, now: datetime) -> dict[str, Any]:
    """Put a request into the words of the page, with its clock."""
    days = (row.due_at.date() - now.date()).days
    tone = "ok" if row.status != "open" else "late" if days < 0 else "soon" if days <= 3 else "ok"
    return {
        "row": row,
        "kind": _(f"people.kind.{row.kind}"),
        "status": _(f"people.status.{row.status}"),
        "tone": tone,
        "left": _("people.days_over", n=-days) if days < 0 else _("people.days_left", n=days),
        "due": faces.instant_words(row.due_at),
        "received": faces.instant_words(row.received_at),
    }
