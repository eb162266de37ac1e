"""Births, moves and deaths on a resident's record: what is known, and what is recorded."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.auth import requires
from app.errors import status_of
from app.i18n import language, translated
from app.people import frame, keep_nothing, note_refusal, purpose_of_form, source_ip, vault
from grids.city import the_city
from grids.errors import GridsError, NotAllowed
from grids.flows import once
from grids.people import homes, life, life_rules, life_story
from grids.people.finding import NoPerson
from grids.people.life import Born, Happened, Home
from grids.people.life_story import Entry, Life, Place
from grids.people.models import LEAVING
from grids.people.purposes import Purpose
from grids.people.subject_requests import NotOfTheList

bp = Blueprint("people_life", __name__)
bp.after_request(keep_nothing)

#: What can be recorded of somebody who lives here.
KINDS = ("move", "move_out", "death", "birth")
FIELDS = ("kind", "day", "source", "address", "dwelling", "whole", "joins", "relation")


@bp.post("/people/<int:person_id>/life")
@requires("person:find")
def look_page(person_id: int) -> ResponseReturnValue:
    """Show the events of a resident, where they lived on a day, or the homes of an address."""
    purpose = purpose_of_form()
    asked, words = request.form.get("on", ""), request.form.get("address", "").strip()
    try:
        with g.session.begin():
            on = _day(asked, "on") if asked else None
            return _page(person_id, purpose, on=on, words=words[: homes.LONGEST])
    except GridsError as refused:
        return _refused(person_id, purpose, refused)


@bp.post("/people/<int:person_id>/life/record")
@requires("subject:handle", step_up=True)
def record_page(person_id: int) -> ResponseReturnValue:
    """Record an event, or take the last one back; show what holds then."""
    purpose = purpose_of_form()
    try:
        with g.session.begin():
            told = _once(person_id, purpose)
    except GridsError as refused:
        return _refused(person_id, purpose, refused)
    try:
        with g.session.begin():
            return _page(person_id, purpose, told=told, is_done=True)
    except NoPerson:  # moved to where the registrar does not work
        with g.session.begin():
            gone = _("people.life_gone")
            return render_template(
                "people/life_gone.html", **frame(datetime.now(UTC)), told=told, gone=gone
            )


def _once(person_id: int, purpose: Purpose) -> str:
    """Do what the form asks for, once however often it is sent; say what was done."""
    form, now = request.form, datetime.now(UTC)
    try:
        key = UUID(form.get("id", ""))
    except ValueError as error:
        raise NotOfTheList("the form has no id", value="", field="id") from error
    sent = {name: form.get(name, "") for name in (*FIELDS, "act", "event")}
    # Of a child's name a keyed digest only is kept under the form's id.
    named = vault().code("person_event", f"{key}\0{form.get('name', '')}").hex()
    digest = once.digest_of("person_event", person_id, sent, named, actor_id=g.actor.account_id)
    if once.earlier(g.session, key, digest) is not None:
        return str(_("people.life_again"))
    told = _done(person_id, purpose, now)
    if once.keep(g.session, key, "person_event", digest, {}, now) is not None:
        raise life_rules.NoEvent("the same was recorded just now", field="id")
    return told


def _done(person_id: int, purpose: Purpose, now: datetime) -> str:
    form, who = request.form, (g.session, g.actor, vault())
    if form.get("act") == "take_back":
        event = form.get("event", "")
        life.take_back(
            *who, person_id, int(event) if event.isdecimal() else 0, purpose,
            now=now, source_ip=source_ip(),
        )  # fmt: skip
        return str(_("people.life_taken_back"))
    kind, day, source = (
        form.get("kind", ""),
        _day(form.get("day", ""), "day"),
        form.get("source", ""),
    )
    if kind == "birth":
        name = form.get("name", "").strip()
        born = Born(day, source, name)
        life.record_birth(*who, person_id, born, purpose, now=now, source_ip=source_ip())
        return str(_("people.life_born"))
    # Without script the box stands there for every kind: nobody dies with the whole household.
    is_whole = form.get("whole") == "yes" and kind in life.TOGETHER
    happened = Happened(kind, day, source, _home(kind), is_whole)
    made = life.record(*who, person_id, happened, purpose, now=now, source_ip=source_ip())
    return str(_("people.life_recorded", n=len(made)))


def _home(kind: str) -> Home | None:
    """Read where a move leads; death and departure lead nowhere."""
    form = request.form
    dwelling = form.get("dwelling", "")
    if kind in LEAVING or not dwelling.isdecimal():
        return None
    return Home(int(dwelling), form.get("joins") == "yes", form.get("relation", ""))


def _day(text: str, field: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise life_rules.BadDay(
            "no day", field=field, first=date(1900, 1, 1),
            last=life.city_day(g.session, datetime.now(UTC)),
        ) from error  # fmt: skip


def _refused(person_id: int, purpose: Purpose, refused: GridsError) -> ResponseReturnValue:
    """Show the page again with what went wrong; where even that is refused, the error alone."""
    if isinstance(refused, NotAllowed):
        note_refusal(f"person:{person_id}", refused)
        raise refused
    error = translated(f"error.{refused.code}", str(refused), **refused.params)
    words = request.form.get("address", "").strip()[: homes.LONGEST]
    with g.session.begin():
        page = _page(
            person_id, purpose, words=words, error=error, wrong=refused.params.get("field", "")
        )
        return page, status_of(refused)


def _page(
    person_id: int, purpose: Purpose, *, on: date | None = None, words: str = "", told: str = "",
    error: str = "", wrong: str = "", is_done: bool = False,
) -> str:  # fmt: skip
    now = datetime.now(UTC)
    known = life_story.look(
        g.session, g.actor, vault(), person_id, purpose, now=now, on=on, source_ip=source_ip()
    )
    may_record = g.actor.can("subject:handle")
    zone = ZoneInfo(the_city(g.session).city_zone)
    found = homes.find(g.session, words) if words and may_record else None
    last = next((e.event for e in known.entries if e.event.id == known.last_id), None)
    return render_template(
        "people/life.html",
        **frame(now),
        life=known,
        entries=[_entry_words(entry, known, zone) for entry in known.entries],
        purpose=purpose,
        lived_in=_place_words(known.lived_in),
        today=life.city_day(g.session, now),
        told=told,
        error=error,
        wrong=wrong,
        form={} if is_done else {name: request.form.get(name, "") for name in FIELDS},
        found=found,
        key=uuid4(),
        may_record=may_record,
        is_dead=last is not None and last.kind == "death",
        kinds=KINDS if known.card.moved_out_on is None else ("move_in",),
        sources=life.SOURCES,
        relations=life.RELATIONS,
    )


def _entry_words(entry: Entry, known: Life, zone: ZoneInfo) -> dict[str, Any]:
    event = entry.event
    return {
        "event": event,
        "recorded_on": event.recorded_at.astimezone(zone).date(),
        "withdrawn_on": event.withdrawn_at and event.withdrawn_at.astimezone(zone).date(),
        "comes_from": _place_words(entry.comes_from),
        "goes_to": _place_words(entry.goes_to),
        "recorded_by": entry.recorded_by,
        "withdrawn_by": entry.withdrawn_by,
        "is_last": event.id == known.last_id,
    }


def _place_words(place: Place | None) -> str:
    if place is None:
        return ""
    area = place.name_en if language() == "en" else place.name_zh
    return " · ".join(part for part in (place.address, area) if part)
