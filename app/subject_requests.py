"""What residents ask about their data: the registrar's list, and the answer to each."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Response, current_app, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.auth import requires
from app.errors import status_of
from app.i18n import translated
from app.people import frame, keep_nothing, request_words, source_ip, vault
from grids import certificates
from grids.certificates import Certificate
from grids.errors import GridsError
from grids.inventory import PERSONAL
from grids.people import finding, subject_requests
from grids.people.subject_requests import NewRequest
from grids.secrets import Signer

bp = Blueprint("subject_requests", __name__)
bp.after_request(keep_nothing)

#: Kind of request -> fields that a person can have corrected.
CORRECTABLE = ("name", "id_number", "phone", "birth")


@bp.get("/people/requests")
@requires("subject:handle")
def requests_page() -> ResponseReturnValue:
    """List the requests of the registrar's areas, what is due first comes first."""
    now = datetime.now(UTC)
    with g.session.begin():
        waiting = subject_requests.listed(g.session, g.actor, is_open=True)
        over = subject_requests.listed(g.session, g.actor, is_open=False)
        return render_template(
            "people/requests.html",
            **frame(now),
            waiting=[request_words(row, now) for row in waiting],
            over=[request_words(row, now) for row in over],
        )


@bp.post("/people/<int:person_id>/requests")
@requires("subject:handle")
def post_request(person_id: int) -> ResponseReturnValue:
    """Take a request in and go to it."""
    form = request.form
    wanted = NewRequest(
        person_id, form.get("kind", ""), form.get("channel", ""), form.get("document", "")
    )
    with g.session.begin():
        made = subject_requests.register(
            g.session, g.actor, wanted, now=datetime.now(UTC), source_ip=source_ip()
        )
        target = f"/people/requests/{made.id}"
    return redirect(target, 303)


@bp.get("/people/requests/<uuid:request_id>")
@requires("subject:handle")
def request_page(request_id: UUID) -> ResponseReturnValue:
    """Show one request with what can be done about it."""
    with g.session.begin():
        return _page(request_id)


@bp.post("/people/requests/<uuid:request_id>/answer")
@requires("subject:handle", step_up=True)
def post_answer(request_id: UUID) -> ResponseReturnValue:
    """Carry a request out, or refuse it for a reason of the law."""
    try:
        with g.session.begin():
            made = _answer(request_id)
    except GridsError as refused:
        error = translated(f"error.{refused.code}", str(refused), **refused.params)
        with g.session.begin():
            return _page(request_id, error=error), status_of(refused)
    if made is not None:  # written when the deed is sure
        keys = current_app.extensions["signer"].public_keys()
        folder = current_app.extensions["settings"].var_dir / "certificates"
        certificates.write(made, keys, folder)
    return redirect(f"/people/requests/{request_id}", 303)


@bp.get("/people/requests/<uuid:request_id>/copy.<any(json, html):form>")
@requires("subject:handle", step_up=True)
def get_copy(request_id: UUID, form: str) -> ResponseReturnValue:
    """Give the copy for the resident, as data or as a page to print."""
    with g.session.begin():
        copy = subject_requests.copied(
            g.session, g.actor, vault(), request_id,
            now=datetime.now(UTC), source_ip=source_ip(),
        )  # fmt: skip
        shared = frame(datetime.now(UTC))
    copy["kept"] = _kept_words()
    if form == "json":
        body = json.dumps(copy, ensure_ascii=False, indent=1)
        answer = Response(body, mimetype="application/json")
    else:
        answer = Response(render_template("people/copy.html", **shared, copy=copy))
    answer.headers["Content-Disposition"] = f'attachment; filename="copy-{request_id}.{form}"'
    return answer


def _answer(request_id: UUID) -> Certificate | None:
    """Do what the form asks; where data went for good, return the certificate."""
    form, now, ip = request.form, datetime.now(UTC), source_ip()
    act = form.get("act", "")
    if act == "refuse":
        subject_requests.refuse(
            g.session, g.actor, request_id, form.get("reason", ""), now=now, source_ip=ip
        )
    elif act == "copy":
        subject_requests.grant_copy(g.session, g.actor, request_id, now=now, source_ip=ip)
    elif act == "correct":
        field, value = form.get("field", ""), form.get("value", "")[:80]
        subject_requests.correct(
            g.session, g.actor, vault(), request_id, field, value, now=now, source_ip=ip
        )
    elif act == "erase":
        signer: Signer = current_app.extensions["signer"]
        return subject_requests.erase(
            g.session, g.actor, vault(), signer, request_id, now=now, source_ip=ip
        )
    else:
        raise subject_requests.NotOfTheList("not one of the list", value=act)
    return None


def _kept_words() -> list[dict[str, str]]:
    """Say what is kept of residents and reporters, why and how long (PIPL art. 17)."""
    return [
        {
            "column": name,
            "purpose": _(f"inventory.purpose.{held.purpose}"),
            "basis": _(f"inventory.basis.{held.basis}"),
            "retention": _(f"inventory.retention.{held.retention}"),
        }
        for name, held in PERSONAL.items()
        if held.subject in ("resident", "reporter")
    ]


def _page(request_id: UUID, *, error: str = "") -> str:
    now = datetime.now(UTC)
    asked = subject_requests.one(g.session, g.actor, request_id)
    try:
        person = finding.card(g.session, g.actor, vault(), asked.person_id, now=now)
    except finding.NoPerson:
        person = None  # kept no longer; the request is
    return render_template(
        "people/request.html",
        **frame(now),
        asked=request_words(asked, now),
        person=person,
        error=error,
        correctable=CORRECTABLE,
        refusals=subject_requests.REFUSALS,
        has_copy=asked.copy_until is not None and now < asked.copy_until,
    )
