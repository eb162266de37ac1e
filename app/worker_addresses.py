"""Questions about addresses of the own grid, answered on the phone with one tap."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, g, redirect, render_template, request
from flask.typing import ResponseReturnValue

from app import faces
from app.auth import requires
from app.data.addresses import chosen
from grids.addressing import questions
from grids.city import the_city

bp = Blueprint("worker_addresses", __name__, url_prefix="/worker/addresses")


@bp.get("")
@requires("address:answer")
def home() -> ResponseReturnValue:
    """List the open questions of the own grid, the oldest first."""
    with g.session.begin():
        return render_template(
            "worker/addresses.html",
            rows=questions.open_questions(g.session, g.actor),
            done=request.args.get("done", ""),
            tab="tasks",
            page_data=faces.page_data(the_city(g.session)),
        )


@bp.post("/<int:question_id>")
@requires("address:answer")
def answer(question_id: int) -> ResponseReturnValue:
    """Take one answer and go back to what is still open."""
    with g.session.begin():
        questions.answer(g.session, g.actor, question_id, chosen(), now=datetime.now(UTC))
    return redirect("/worker/addresses?done=1", 303)
