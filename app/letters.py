"""Letters at the command center: the list, one letter, and what is done with it.

The frame is shared with the pages of transfers and of the shift's alarms: `channel_pages`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from flask import Blueprint, Response, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces
from app.auth import requires
from app.channel_pages import page, source_ip
from app.faces import FieldErrors
from gis.errors import GisError
from grids import places
from grids.channels import letters
from grids.channels.letter_models import NEW
from grids.channels.letter_views import LetterView
from grids.errors import GridsError
from grids.incidents.requests import LONGEST_TEXT, Report
from grids.people.purposes import REPORTER

bp = Blueprint("letters", __name__)

FIELDS: Final = ("category", "text", "address", "lon", "lat")


@bp.after_request
def keep_nothing(answer: Response) -> Response:
    """Let no cache keep a letter."""
    if "Cache-Control" not in answer.headers:
        answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/command/letters")
@requires("letter:view")
def listed() -> ResponseReturnValue:
    """List the letters of one state: those that wait first."""
    asked = request.args.get("state", NEW)
    state = asked if asked in letters.STATES else NEW
    with g.session.begin():
        found = letters.listed(
            g.session, g.actor, faces.vault(), state=state, after=request.args.get("after", "")[:80]
        )
        return page("list", found=found, state=state, boxes=letters.boxes(g.session))


@bp.get("/command/letters/<uuid:letter_id>")
@requires("letter:view")
def one(letter_id: UUID) -> ResponseReturnValue:
    """Show one letter with what can be done with it."""
    return _page(letter_id)


def _page(
    letter_id: UUID, *, errors: dict[str, str] | None = None, about: str = "", sender: str = ""
) -> str:
    now = datetime.now(UTC)
    with g.session.begin():
        found = letters.view(g.session, g.actor, faces.vault(), letter_id)
        return page(
            "letter", found=found, groups=faces.groups(now), errors=errors or {}, about=about,
            typed=_typed(found, about), reasons=letters.REASONS, purposes=tuple(REPORTER),
            sender=sender, request_id=request.form.get("request_id") or str(uuid4()),
            most=LONGEST_TEXT, longest_answer=letters.LONGEST_ANSWER,
        )  # fmt: skip


def _typed(found: LetterView, about: str) -> dict[str, Any]:
    """Return what stands in the form of a case: what was typed, else what the letter says.

    A confidential letter fills in nothing: the case is read by more people than the letter.
    """
    if about == "register":
        values = {name: request.form.get(name, "") for name in FIELDS}
        return {**values, "photos": request.form.getlist("photos")}
    if found.row.is_confidential:
        return {**dict.fromkeys(FIELDS, ""), "photos": []}
    text = "\n".join(filter(None, (found.row.subject, found.text)))[:LONGEST_TEXT]
    return {
        **dict.fromkeys(FIELDS, ""), "text": text, "photos": [one for one, _copy in found.photos],
    }  # fmt: skip


def _act(letter_id: UUID, about: str, act: Callable[[datetime], object]) -> ResponseReturnValue:
    """Do something with a letter and go back to it, or show what is wrong beside its form."""
    try:
        with g.session.begin():
            act(datetime.now(UTC))
    except FieldErrors as refused:
        return _page(letter_id, errors=refused.errors, about=about), 422
    except letters.NoLetter:
        raise
    except (GridsError, GisError) as refused:
        return _page(letter_id, errors=faces.field_errors(refused), about=about), 422
    return redirect(f"/command/letters/{letter_id}", 303)


@bp.post("/command/letters/<uuid:letter_id>/case")
@requires("letter:answer")
def register(letter_id: UUID) -> ResponseReturnValue:
    """Make a case of a letter."""

    def act(now: datetime) -> None:
        letters.register(
            g.session, letter_id, _report(), g.actor, now=now, vault=faces.vault(),
            source_ip=source_ip(),
        )  # fmt: skip

    return _act(letter_id, "register", act)


def _report() -> Report:
    """Read the form of a case; its place is a point, or what its address names."""
    values = faces.form_values(FIELDS)
    errors = {}
    if not values["category"]:
        errors["category"] = str(_("portal.error.category_none"))
    point = faces.coordinates(values)
    placed: dict[str, Any] = {}
    if point is not None:
        placed = {"lon": point[0], "lat": point[1], "coord_source": "map_click"}
    elif not values["address"]:
        errors["place"] = str(_("portal.error.place_none"))
    elif (found := places.find(g.session, values["address"])) is None:
        errors["place"] = str(_("portal.error.place_unknown"))
    else:
        placed = {"lon": found.lon, "lat": found.lat, "coord_source": "derived",
                  "accuracy_m": found.accuracy_m}  # fmt: skip
    if errors:
        raise FieldErrors(errors)
    return Report(
        id=uuid4(), category=values["category"], text=values["text"], address=values["address"],
        photos=tuple(request.form.getlist("photos")), **placed,
    )  # fmt: skip


@bp.post("/command/letters/<uuid:letter_id>/answer")
@requires("letter:answer")
def answer(letter_id: UUID) -> ResponseReturnValue:
    """Write back to who wrote."""

    def act(now: datetime) -> None:
        request_id = faces.form_id(request.form.get("request_id", ""))
        letters.answer(
            g.session, letter_id, request.form.get("answer", ""), g.actor,
            request_id=request_id or uuid4(), now=now, vault=faces.vault(), source_ip=source_ip(),
        )  # fmt: skip

    return _act(letter_id, "answer", act)


@bp.post("/command/letters/<uuid:letter_id>/aside")
@requires("letter:answer")
def aside(letter_id: UUID) -> ResponseReturnValue:
    """Put a letter aside with a reason."""
    reason = request.form.get("reason", "")
    return _act(
        letter_id, "aside",
        lambda now: letters.put_aside(
            g.session, letter_id, reason, g.actor, now=now, source_ip=source_ip()
        ),
    )  # fmt: skip


@bp.post("/command/letters/<uuid:letter_id>/confide")
@requires("letter:answer")
def confide(letter_id: UUID) -> ResponseReturnValue:
    """Close a letter to all who may not read confidential ones, and go back to the list."""
    with g.session.begin():
        letters.confide(g.session, letter_id, g.actor, source_ip=source_ip())
    return redirect("/command/letters", 303)


@bp.post("/command/letters/<uuid:letter_id>/open")
@requires("letter:confidential")
def open_up(letter_id: UUID) -> ResponseReturnValue:
    """Open a confidential letter to everybody who reads letters."""
    return _act(
        letter_id, "open",
        lambda _now: letters.open_up(g.session, letter_id, g.actor, source_ip=source_ip()),
    )  # fmt: skip


@bp.post("/command/letters/<uuid:letter_id>/sender")
@requires("reporter:reveal")
def reveal(letter_id: UUID) -> ResponseReturnValue:
    """Show who wrote, for a purpose; the look is written down."""
    with g.session.begin():
        sender = letters.reveal_sender(
            g.session, letter_id, request.form.get("purpose", ""), g.actor,
            now=datetime.now(UTC), vault=faces.vault(), source_ip=source_ip(),
        )  # fmt: skip
    return _page(letter_id, sender=sender)


@bp.get("/command/letters/<uuid:letter_id>/photos/<sha256>")
@requires("letter:view")
def photo(letter_id: UUID, sha256: str) -> ResponseReturnValue:
    """Give a copy of a picture of a letter."""
    with g.session.begin():
        data = letters.photo(g.session, faces.blob_store(), letter_id, sha256, g.actor)
    answer = Response(data, mimetype="image/jpeg")
    answer.headers["Content-Disposition"] = f'inline; filename="{sha256[:16]}.jpg"'
    answer.headers["Cache-Control"] = "private, max-age=3600"
    return answer
