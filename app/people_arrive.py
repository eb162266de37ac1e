"""A newcomer from outside the city at the window: who, from when, into which dwelling."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.auth import requires
from app.errors import status_of
from app.i18n import translated
from app.people import (
    REASONS,
    frame,
    keep_nothing,
    note_refusal,
    purpose_of_form,
    source_ip,
    vault,
)
from grids.errors import GridsError, NotAllowed
from grids.flows import once
from grids.people import arrivals, homes, life, life_rules, purposes
from grids.people.arrivals import Known, Newcomer
from grids.people.life import Home
from grids.people.purposes import Purpose
from grids.people.subject_requests import NotOfTheList

bp = Blueprint("people_arrive", __name__)
bp.after_request(keep_nothing)

FIELDS: Final = (
    "name", "number", "birth", "phone", "residency", "day", "source", "address", "dwelling", "joins",
    "relation", "household",
)  # fmt: skip
#: Kept under the form's id as a keyed digest only.
PERSONAL: Final = ("name", "number", "birth", "phone")
#: What a window does most of the time.
USUAL: Final = Purpose("registration")


class _SentTwice(Exception):
    """The same form was sent at the same moment and is recorded."""


@bp.get("/people/arrive")
@requires("subject:handle")
def page() -> ResponseReturnValue:
    """Show the empty form for a newcomer."""
    with g.session.begin():
        return _page(USUAL)


@bp.post("/people/arrive")
@requires("subject:handle")
def look_page() -> ResponseReturnValue:
    """Show the form again with the dwellings that the address may mean."""
    with g.session.begin():
        words = request.form.get("address", "").strip()
        return _page(purpose_of_form(), words=words[: homes.LONGEST], is_filled=True)


@bp.post("/people/arrive/record")
@requires("subject:handle", step_up=True)
def record_page() -> ResponseReturnValue:
    """Enter the newcomer, or say that the number is registered and what is done then."""
    purpose = purpose_of_form()
    try:
        with g.session.begin():
            done = _once(purpose)
        with g.session.begin():
            if isinstance(done, Known):
                return _page(purpose, known=done, wrong="id_number", is_filled=True), 409
            told = _("people.arrived") if done is not None else _("people.life_again")
            return _page(purpose, told=told, entered=done)
    except _SentTwice:
        with g.session.begin():
            return _page(purpose, told=_("people.life_again"))
    except GridsError as refused:
        return _refused(purpose, refused)


def _once(purpose: Purpose) -> int | Known | None:
    """Enter whom the form names, once however often it is sent; none where it was sent before."""
    form, now = request.form, datetime.now(UTC)
    try:
        key = UUID(form.get("id", ""))
    except ValueError as error:
        raise NotOfTheList("the form has no id", value="", field="id") from error
    sent = {name: form.get(name, "") for name in FIELDS if name not in PERSONAL}
    named = "\0".join(form.get(name, "") for name in PERSONAL)
    keyed = vault().code("arrival", f"{key}\0{named}").hex()
    digest = once.digest_of("person_arrival", sent, keyed, actor_id=g.actor.account_id)
    if once.earlier(g.session, key, digest) is not None:
        return None
    done = arrivals.record_arrival(
        g.session, g.actor, vault(), _newcomer(), purpose, now=now, source_ip=source_ip()
    )
    if isinstance(done, Known):
        # Perhaps what this very form entered, sent twice at once: the second waited for the first.
        return None if once.earlier(g.session, key, digest) is not None else done
    if once.keep(g.session, key, "person_arrival", digest, {}, now) is not None:
        raise _SentTwice
    return done


def _newcomer() -> Newcomer:
    form = request.form
    dwelling = form.get("dwelling", "")
    home = None
    if dwelling.isdecimal():
        home = Home(int(dwelling), form.get("joins") == "yes", form.get("relation", ""))
    return Newcomer(
        name=form.get("name", ""), on=_day(form.get("day", "")), source=form.get("source", ""),
        home=home, number=form.get("number", ""), birth=form.get("birth", ""),
        phone=form.get("phone", ""), residency=form.get("residency", ""),
        household=form.get("household", ""),
    )  # fmt: skip


def _day(words: str) -> date:
    try:
        return date.fromisoformat(words)
    except ValueError as error:
        raise life_rules.BadDay(
            "no day", field="on", first=date(1900, 1, 1),
            last=life.city_day(g.session, datetime.now(UTC)),
        ) from error  # fmt: skip


def _refused(purpose: Purpose, refused: GridsError) -> ResponseReturnValue:
    """Show the form again with what went wrong, and in which field."""
    if isinstance(refused, NotAllowed):
        note_refusal("person", refused)
    error = translated(f"error.{refused.code}", str(refused), **refused.params)
    wrong = str(refused.params.get("field", ""))
    wrong = "day" if wrong == "on" else wrong
    if wrong and wrong != "id":
        error = _("people.arrive_wrong", field=_(f"people.arrive_field.{wrong}"), error=error)
    words = request.form.get("address", "").strip()[: homes.LONGEST]
    with g.session.begin():
        page = _page(purpose, words=words, error=error, wrong=wrong, is_filled=True)
        return page, status_of(refused)


def _page(
    purpose: Purpose, *, words: str = "", told: str = "", entered: int | None = None,
    known: Known | None = None, error: str = "", wrong: str = "", is_filled: bool = False,
) -> str:  # fmt: skip
    now = datetime.now(UTC)
    if is_filled and not words:
        words = request.form.get("address", "").strip()[: homes.LONGEST]
    form: dict[str, Any] = {
        name: request.form.get(name, "") if is_filled else "" for name in FIELDS
    }
    return render_template(
        "people/arrive.html",
        **frame(now),
        purpose=purpose,
        reasons=[purposes.PERSON[code] for code in REASONS],
        form=form,
        found=homes.find(g.session, words) if words else None,
        told=told,
        entered=entered,
        known=known,
        error=error,
        wrong=wrong,
        key=uuid4(),
        today=life.city_day(g.session, now),
        sources=life.SOURCES,
        relations=life.RELATIONS,
        households=life.HOUSEHOLDS,
        residencies=arrivals.RESIDENCIES,
        limits={"most": arrivals.MOST_ARRIVALS},
    )
