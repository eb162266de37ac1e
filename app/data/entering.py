"""Forms that enter something into a register by hand, end an entry, and take its end back."""

from __future__ import annotations

from uuid import uuid4

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app import entry_form, faces
from app.auth import requires
from app.channel_pages import source_ip
from app.data import entries, import_words
from app.data.frame import page
from app.entry_form import Outcome
from app.errors import status_of
from grids.places import names_by_code
from grids.registers import changes, detail, ending, entering
from grids.registers.kinds import Kind

bp = Blueprint("entering", __name__)


@bp.get("/registers/<register>/new")
@requires("data:decide")
def new(register: str) -> ResponseReturnValue:
    """Show the empty form of a register whose entries are entered by hand."""
    kind = entry_form.kind_of_form(register)
    with g.session.begin():
        return _form(kind, {})


@bp.post("/registers/<register>/new")
@requires("data:decide")
def enter(register: str) -> ResponseReturnValue:
    """Look the address up, show what may be the same, or enter what was typed."""
    kind, typed = entry_form.kind_of_form(register), entry_form.given()
    if request.form.get("step") == "find":
        with g.session.begin():
            return _form(kind, typed, entry_form.look(kind, typed))
    done = entry_form.take(kind, typed)
    if done.entry_id is None:
        with g.session.begin():
            return _form(kind, typed, done), done.status
    return redirect(
        url_for("entries.one", register=register, entry_id=done.entry_id, done="entered"), 303
    )


@bp.post("/registers/<register>/<int:entry_id>/end")
@requires("data:decide")
def end(register: str, entry_id: int) -> ResponseReturnValue:
    """End an entry, with the reason."""
    return _decided(register, entry_id, "ended")


@bp.post("/registers/<register>/<int:entry_id>/revive")
@requires("data:decide")
def revive(register: str, entry_id: int) -> ResponseReturnValue:
    """Take the end of an entry back, with the reason."""
    return _decided(register, entry_id, "revived")


def _decided(register: str, entry_id: int, done: str) -> ResponseReturnValue:
    kind, reason = entry_form.kind_of_form(register), request.form.get("reason", "")
    try:
        with g.session.begin():
            entry = detail.entry_of(g.session, g.actor, kind, entry_id)
            if done == "ended":
                ending.end(
                    g.session, g.actor, kind, entry, reason, today=faces.today(),
                    source_ip=source_ip(),
                )  # fmt: skip
            else:
                ending.revive(g.session, g.actor, kind, entry, reason, source_ip=source_ip())
    except changes.BadValue as refused:
        return entries.show(kind, entry_id, refused=refused, at="end"), 422
    except (ending.Ended, ending.Standing) as refused:
        return entries.show(kind, entry_id, refused=refused, at="end"), status_of(refused)
    return redirect(url_for("entries.one", register=register, entry_id=entry_id, done=done), 303)


# --- The form -------------------------------------------------------------------------------


def _form(kind: Kind, typed: dict[str, str], done: Outcome | None = None) -> str:
    done = done or Outcome()
    lon, lat = typed.get("lon", ""), typed.get("lat", "")
    if done.draft is not None and done.draft.lon is not None and not (lon or lat):
        lon, lat = f"{done.draft.lon:.6f}", f"{done.draft.lat:.6f}"
    return page(
        "entry_new", kind=kind, form_id=faces.form_id(request.form.get("id", "")) or uuid4(),
        fields=entry_form.fields(kind, typed, done.problems),
        given={**typed, "lon": lon, "lat": lat},
        place_words=entry_form.rule(done.problems["place"]) if "place" in done.problems else "",
        same=[(row, entries.title_of(kind, row)) for row in done.same],
        areas=names_by_code(g.session, {row.area_code for row in done.same}),
        refused=import_words.message(done.refused) if done.refused else "",
        taken=done.refused.params.get("entry", 0) if isinstance(done.refused, entering.Taken) else 0,
        page_data={"pick": {"lon": float(lon), "lat": float(lat)} if _is_point(lon, lat) else {}},
    )  # fmt: skip


def _is_point(lon: str, lat: str) -> bool:
    try:
        return abs(float(lon)) <= 180 and abs(float(lat)) <= 90
    except ValueError:
        return False
