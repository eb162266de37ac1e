"""Something new on the worker's round: premises, an enterprise, a component, a facility, entered on the spot."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import entry_form, faces
from app.auth import requires
from app.data import entries, import_words
from app.entry_form import Outcome
from grids.city import the_city
from grids.ledgers.questions import SUBJECTS
from grids.registers import entering
from grids.registers.kinds import Kind, kind_of

bp = Blueprint("worker_new", __name__, url_prefix="/worker")

#: What a worker finds most often comes first.
OFFERED: Final = ("premises", "enterprise", "component", "facility")


@bp.get("/new")
@requires("visit:make")
def form() -> ResponseReturnValue:
    """Show the form of one register; which one stands in the address."""
    kind = entry_form.kind_of_form(request.args.get("register", OFFERED[0]))
    with g.session.begin():
        return _page(kind, {})


@bp.post("/new")
@requires("visit:make")
def enter() -> ResponseReturnValue:
    """Enter what was typed in the own grids, or show the form with what speaks against it."""
    kind = entry_form.kind_of_form(request.form.get("register", ""))
    typed = entry_form.given()
    done = entry_form.take(kind, typed)
    if done.entry_id is None:
        with g.session.begin():
            return _page(kind, typed, done), done.status
    return redirect(url_for("worker_new.form", register=kind.name, done=done.entry_id), 303)


def _page(kind: Kind, typed: dict[str, str], done: Outcome | None = None) -> str:
    done = done or Outcome()
    return render_template(
        "worker/new.html",
        tab="tasks",
        kind=kind,
        kinds=[one for one in map(kind_of, OFFERED) if g.actor.can(one.permission)],
        form_id=faces.form_id(request.form.get("id", "")) or uuid4(),
        fields=entry_form.fields(kind, typed, done.problems),
        typed=typed,
        errors={name: entry_form.rule(why) for name, why in done.problems.items()},
        refused=import_words.message(done.refused) if done.refused else "",
        taken=done.refused.params.get("entry", 0)
        if isinstance(done.refused, entering.Taken)
        else 0,
        same=[(row, entries.title_of(kind, row)) for row in done.same],
        is_visited=kind.name in SUBJECTS,
        done=request.args.get("done", 0, type=int),
        page_data=faces.page_data(the_city(g.session)),
    )
