"""Code lists that come as files: sent, compared row by row with what there is, then loaded."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app import faces
from app.admin import codes_forms as forms
from app.admin import frame
from app.auth import requires
from app.errors import status_of
from app.incident_answers import named
from grids import audit, jobs
from grids.codes import CodeLoad, uploading
from grids.codes.loading import Change
from grids.codes.reading import READERS
from grids.errors import GridsError, NotFound

bp = Blueprint("codes_upload", __name__)

USUAL_ORIGIN: Final = "city"
MOST_SHOWN: Final = 300
MOST_LOADS: Final = 15


@bp.get("/admin/codes/upload")
@requires("admin:system")
def page() -> ResponseReturnValue:
    """Show the form for files and what was loaded before."""
    return _page({}, {})


def _page(form: dict[str, str], errors: dict[str, str]) -> str:
    with g.session.begin():
        loads = g.session.scalars(select(CodeLoad).order_by(CodeLoad.id.desc()).limit(MOST_LOADS))
        return frame.page(
            "codes_upload",
            files=sorted(READERS),
            loads=[{"no": one.id, "at": one.loaded_at, "origin": one.origin} for one in loads],
            form={"origin": USUAL_ORIGIN, **form},
            errors=errors,
        )


@bp.post("/admin/codes/upload")
@requires("admin:system")
def send() -> ResponseReturnValue:
    """Keep files to look at; nothing of the lists changes. A wrong row is refused by its place."""
    form = forms.read(("origin",))
    files = {
        (file.filename or "").rpartition("/")[2]: file.stream.read(uploading.MOST_BYTES + 1)
        for file in request.files.getlist("files")
        if file.filename
    }
    try:
        with g.session.begin():
            made = uploading.keep(g.session, files, by=g.actor.account_id, origin=form["origin"]).id
    except GridsError as error:
        field = str(error.params.get("field") or "")
        errors = {field if field == "origin" else "files": forms.message(error)}
        return _page(form, errors), status_of(error)
    return redirect(url_for(".look", upload_id=made), 303)


@bp.get("/admin/codes/upload/<int:upload_id>")
@requires("admin:system")
def look(upload_id: int) -> ResponseReturnValue:
    """Show row by row what files would change."""
    return _look(upload_id)


def _look(upload_id: int, error: str = "") -> str:
    with g.session.begin():
        found = uploading.upload_of(g.session, upload_id)
        plan = uploading.plan_of(g.session, found, on=faces.today())
        changes = [_change(one) for one in plan.changes]
        counts = {what: sum(one.what == what for one in plan.changes) for what in WHATS}
        return frame.page(
            "codes_diff",
            upload=found,
            files=sorted(found.files),
            changes=changes[:MOST_SHOWN],
            more=max(0, len(changes) - MOST_SHOWN),
            counts=[(what, n) for what, n in counts.items() if n],
            is_same=not plan.effective,
            is_loaded=found.load_id is not None,
            today=faces.today().isoformat(),
            error=error,
        )


WHATS: Final = ("add", "change", "end", "restore", "kept")


@bp.post("/admin/codes/upload/<int:upload_id>/load")
@requires("admin:system", step_up=True)
def load(upload_id: int) -> ResponseReturnValue:
    """Load files that were looked at; limits and rules that change begin today."""
    try:
        with g.session.begin():
            done = uploading.load_of(g.session, upload_id, by=g.actor.account_id, on=faces.today())
            if done.calendar_no is not None:
                jobs.defer(g.session, "recompute_limits", version_no=done.calendar_no)
            audit.record(
                g.session, "codes_loaded", actor_id=g.actor.account_id,
                subject=f"code_upload:{upload_id}", source_ip=frame.source_ip(),
                detail={"rows": done.changes},
            )  # fmt: skip
    except NotFound:
        raise
    except GridsError as error:
        return _look(upload_id, forms.message(error)), status_of(error)
    return redirect(url_for(".look", upload_id=upload_id), 303)


def _change(one: Change) -> dict[str, Any]:
    return {
        "what": one.what,
        "table": one.table,
        "word": one.word,
        "name": named(one.name_zh, one.name_en),
        "fields": [(name, _plain(before), _plain(after))
                   for name, (before, after) in one.fields.items()],
    }  # fmt: skip


def _plain(value: Any) -> str:
    return "–" if value in (None, "") else str(value)
