"""Hand-over by link: staff make it beside a case; the outside party reads and answers the task."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from flask import Blueprint, Response, abort, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces
from app.auth import PUBLIC, requires
from app.errors import problem
from app.faces import FieldErrors
from app.incident_answers import photo_json
from app.render import json_answer, wants_html
from gis.errors import GisError
from grids import limits
from grids.channels import links
from grids.channels.link_models import HandOver
from grids.channels.links import NoLink, Order
from grids.city import the_city
from grids.errors import GridsError
from grids.incidents import detail

bp = Blueprint("outside", __name__)
bp.url_value_preprocessor(lambda _endpoint, _values: faces.widen_form())

SHARED: Final = "photo_"


@bp.after_request
def keep_nothing(answer: Response) -> Response:
    """Let no cache keep a page of a link, nor a list of pages name it.

    The referrer stays within the site (app/security.py); with none at all a browser would send
    the form of the page from the origin "null", which is refused.
    """
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer


@bp.get("/incidents/<uuid:incident_id>/link")
@requires("incident:move")
def staff_page(incident_id: UUID) -> ResponseReturnValue:
    """Show the link of a case that is handed over, or the form that makes one."""
    with g.session.begin():
        return _staff_page(incident_id, {})


def _staff_page(incident_id: UUID, errors: dict[str, str]) -> str:
    now = datetime.now(UTC)
    case = detail.detail(g.session, g.actor, incident_id, now=now)
    may_act = links.may_link(case)
    known = links.links_of(g.session, g.actor, incident_id)
    earlier = [link for link in known if not links.is_live(link, case, now)]
    # Only who may take the case back is given the secret; what became of links all may read.
    live = next((link for link in known if link not in earlier), None) if may_act else None
    told = case.row.flags.get("outside", {})
    until = told.get("until")
    return render_template(
        "outside/staff.html",
        case=case.row,
        category=faces.by_language(case.row.category_zh, case.row.category_en),
        may_act=may_act,
        party=told.get("outside", ""),
        until=faces.instant_words(datetime.fromisoformat(until)) if until else "",
        live=_link(live) if live else None,
        address=_address(live) if live else "",
        earlier=[_link(link) for link in earlier],
        photos=[photo_json(photo) for photo in case.photos],
        form_id=str(uuid4()),
        form=request.form,
        errors=errors,
        page_data=faces.page_data(the_city(g.session)),
    )


def _address(link: HandOver) -> str:
    secret = links.secret_of(faces.vault(), link.id)
    return url_for("outside.page", secret=secret, _external=True)


def _link(link: HandOver) -> dict[str, Any]:
    return {
        "party": link.party,
        "task": link.task,
        "made": faces.instant_words(link.created_at),
        "expires": faces.instant_words(link.expires_at),
        "opened": link.opened_count,
        "opened_at": faces.instant_words(link.opened_at),
        "answered_at": faces.instant_words(link.answered_at),
    }


@bp.post("/incidents/<uuid:incident_id>/link")
@requires("incident:move")
def post_link(incident_id: UUID) -> ResponseReturnValue:
    """Make a link, or end the one there is, and show the page again."""
    now = datetime.now(UTC)
    values = faces.form_values(("id", "act", "task"))
    where = request.remote_addr or ""
    try:
        with g.session.begin():
            if values["act"] == "revoke":
                links.revoke(g.session, g.actor, incident_id, now=now, source_ip=where)
            else:
                order = Order(faces.form_id(values["id"]) or uuid4(), values["task"], _chosen())
                links.make(
                    g.session, g.actor, faces.vault(), incident_id, order, now=now, source_ip=where
                )
    except links.BadTask as refused:
        with g.session.begin():
            return _staff_page(incident_id, faces.field_errors(refused)), 422
    return redirect(url_for("outside.staff_page", incident_id=incident_id), 303)


def _chosen() -> tuple[int, ...]:
    """Read which photos the party may see."""
    names = (str(name).removeprefix(SHARED) for name in request.form if name.startswith(SHARED))
    return tuple(int(name) for name in names if name.isdecimal() and len(name) < 19)


@bp.get("/outside/<secret>")
@requires(PUBLIC)
def page(secret: str) -> ResponseReturnValue:
    """Show an outside party its task, or that its answer was received."""
    _count_try()
    with g.session.begin():
        return _task_page(secret, _opened(secret), {}, "")


def _opened(secret: str) -> HandOver:
    """Open a link for this transaction. Raises `NoLink`, the same for every reason."""
    return links.opened(g.session, secret[:80], now=datetime.now(UTC))


def _count_try() -> None:
    """Count what a source asks, right or wrong, in a transaction that stays."""
    source = limits.source_of(request.remote_addr or "")
    with g.session.begin():
        links.count_try(g.session, source, now=datetime.now(UTC))


def _task_page(secret: str, link: HandOver, errors: dict[str, str], note: str) -> str:
    if link.answered_at is not None:
        answered = faces.instant_words(link.answered_at)
        return render_template("outside/done.html", answered=answered, page_data={})
    now = datetime.now(UTC)
    task = links.read(g.session, link, now=now, source_ip=request.remote_addr or "")
    city = the_city(g.session)
    return render_template(
        "outside/task.html",
        secret=secret,
        city=faces.by_language(city.name_zh, city.name_en),
        number=task.number,
        category=faces.by_language(task.category.name_zh, task.category.name_en),
        address=task.address,
        task=link.task,
        party=link.party,
        until=faces.instant_words(task.due_at),
        is_late=task.due_at is not None and task.due_at < now,
        expires=faces.instant_words(link.expires_at),
        photos=[
            {"url": url_for("outside.photo", secret=secret, photo_id=one.id),
             "thumb": url_for("outside.photo", secret=secret, photo_id=one.id, size="thumb")}
            for one in task.photos
        ],
        form_id=str(uuid4()),
        note=note,
        errors=errors,
        page_data=faces.page_data(
            city, place={"lon": task.lon, "lat": task.lat}, most_photos=faces.MOST_PHOTOS
        ),
    )  # fmt: skip


@bp.post("/outside/<secret>")
@requires(PUBLIC)
def post_answer(secret: str) -> ResponseReturnValue:
    """Take the answer of an outside party, or show the task again with what is wrong."""
    now = datetime.now(UTC)
    note = ""
    _count_try()
    try:
        with g.session.begin():
            link = _opened(secret)
            if link.answered_at is None:
                values = faces.form_values(("id", "note"))
                note = values["note"]
                photos = faces.sent_photos(the_city(g.session), None, now=now, least=0)
                links.answer(
                    g.session, link, reply_id=faces.form_id(values["id"]) or uuid4(), note=note,
                    photos=photos, now=now, source_ip=request.remote_addr or "",
                )  # fmt: skip
    except FieldErrors as refused:
        return _refused(secret, refused.errors, note)
    except NoLink:
        raise
    except (GridsError, GisError) as refused:
        return _refused(secret, faces.field_errors(refused), note)
    target = url_for("outside.page", secret=secret)
    return redirect(target, 303) if wants_html() else json_answer({"url": target}, 201)


def _refused(secret: str, errors: dict[str, str], note: str) -> ResponseReturnValue:
    if not wants_html():
        notes = [{"field": name, "message": text} for name, text in errors.items() if name]
        return problem(422, "link.refused", str(_("outside.check")), errors=notes)
    with g.session.begin():
        return _task_page(secret, _opened(secret), errors, note), 422


@bp.get("/outside/<secret>/photos/<int:photo_id>")
@requires(PUBLIC)
def photo(secret: str, photo_id: int) -> ResponseReturnValue:
    """Give the public copy of a photo that was put behind a link."""
    _count_try()
    with g.session.begin():
        link = _opened(secret)
        shown = links.shared_photos(g.session, link) if link.answered_at is None else ()
        found = next((one for one in shown if one.id == photo_id), None)
    if found is None:
        abort(404)
    name = found.thumb_sha256 if request.args.get("size") == "thumb" else found.public_sha256
    return Response(faces.blob_store().read("public", name), mimetype="image/jpeg")
