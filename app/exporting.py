"""Exports that need a reason or a second person: asked for, decided on, taken, traced."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from app import export_files, reading
from app.auth import requires
from app.config import Settings
from app.faces import by_language
from app.i18n import language, translated
from app.planner import asked_for, choice_of
from app.render import json_answer
from grids import exports
from grids.city import the_city
from grids.divisions import Area
from grids.errors import GridsError, Invalid
from grids.exports import Selection
from grids.layers import layer_of
from grids.ledgers import tables

bp = Blueprint("exporting", __name__)

#: What of an address makes a selection; carried by the form as it is.
CARRIED = ("layer", "format", "columns", "area", "bbox", "bbox-crs", "crs", "class")
TONES = {
    "direct": "", "waiting": "soon", "approved": "brand", "ready": "ok", "refused": "late",
    "failed": "late", "expired": "",
}  # fmt: skip


class NoFile(Invalid):
    """A sample must be sent as a file."""

    code = "export.no_file"


def _now() -> datetime:
    return datetime.now(UTC)


# --- Asking ---------------------------------------------------------------------------------


@bp.get("/planner/exports/new")
@requires("export:run")
def new() -> ResponseReturnValue:
    """Ask what a file is for; for L3 data this becomes a request to a second person."""
    return _new_page(request.args, None)


@bp.post("/planner/exports/new")
@requires("export:run")
def create() -> ResponseReturnValue:
    """Lead to the file (L2), or send the request to those who approve (L3)."""
    form = request.form
    wanted = _wanted(form)
    try:
        reason, note = exports.checked_reason(
            wanted.level, form.get("reason", ""), form.get("note", "")
        )
        if wanted.level != "L3":
            return redirect(_file_url(wanted, form, reason, note))
        with reading.reader() as conn, reading.snapshot(conn):
            rows = exports.count(conn, wanted)
        with g.session.begin():
            exports.ask(
                g.session, wanted, g.actor, choice=choice_of(form, wanted), reason=reason,
                note=note, rows=rows, now=_now(), source_ip=request.remote_addr or "",
            )  # fmt: skip
    except exports.ReasonNeeded as error:
        return _new_page(form, error), 422
    return redirect("/planner/exports?sent=1", 303)


def _wanted(args: Any) -> Selection:
    layer = exports.exportable_layer(args.get("layer", ""), g.actor)
    return asked_for(layer, args.get("format", "geojson"), args)


def _file_url(wanted: Selection, args: Any, reason: str, note: str) -> str:
    kept = {
        name: args[name] for name in CARRIED if name not in ("layer", "format") and args.get(name)
    }
    query = urlencode({**kept, "reason": reason, "note": note})
    return f"/api/export/{wanted.layer.id}.{wanted.format}?{query}"


def _new_page(args: Any, error: GridsError | None) -> str:
    wanted = _wanted(args)
    with reading.reader() as conn, reading.snapshot(conn):
        rows = exports.count(conn, wanted)
    levels = {column.name: column.level for column in exports.export_columns(wanted.layer)}
    return render_template(
        "planner/export_new.html",
        carried={name: args[name] for name in CARRIED if args.get(name)},
        layer=_(f"layer.{wanted.layer.id}"),
        level=wanted.level,
        rows=rows,
        area=_area_names([args["area"]] if args.get("area") else list(g.actor.areas)),
        format=_(f"format.{wanted.format}"),
        columns=[
            {"title": translated(f"property.{name}", name), "level": levels.get(name, "L1")}
            for name in wanted.source.columns
        ],
        reasons=_reasons(),
        reason=args.get("reason", ""),
        note=args.get("note", ""),
        error=_text_of(error) if error else "",
        error_field=error.params.get("field") if error else "",
    )


def _text_of(error: GridsError) -> str:
    return translated(f"error.{error.code}", str(error), **error.params)


def _reasons() -> list[tuple[str, str]]:
    return [(name, _(f"export_reason.{name}")) for name in exports.REASONS]


# --- One's own ------------------------------------------------------------------------------


@bp.get("/planner/exports")
@requires("export:run")
def own() -> ResponseReturnValue:
    """List what the caller took or asked for, and what can be taken now."""
    rows = [_row(one) for one in exports.mine(g.session, g.actor)]
    is_moving = any(row["state"] in ("waiting", "approved") for row in rows)
    return render_template(
        "planner/exports.html", rows=rows, sent=request.args.get("sent"), is_moving=is_moving
    )


@bp.get("/planner/exports/<int:request_id>/file")
@requires("export:run", step_up=True)
def take(request_id: int) -> ResponseReturnValue:
    """Give an approved file to the person who asked for it, until it expires."""
    settings: Settings = current_app.extensions["settings"]
    with g.session.begin():
        taken = exports.take(
            g.session, request_id, g.actor, now=_now(), source_ip=request.remote_addr or ""
        )
        path = exports.path_of(settings.exports_dir, taken)
        if not path.is_file():
            raise exports.Expired(f"the file of export {request_id} is gone")
        size = path.stat().st_size
    answer = Response(export_files.file_pieces(path), mimetype=exports.FORMATS[taken.format][1])
    answer.headers["Content-Length"] = str(size)
    answer.headers["Content-Disposition"] = f'attachment; filename="{taken.file_name}"'
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Row-Count"] = str(taken.rows)
    return answer


# --- Deciding -------------------------------------------------------------------------------


@bp.get("/exports/approvals")
@requires("export:approve", step_up=True)
def approvals() -> ResponseReturnValue:
    """List what waits for a decision in the caller's areas, and what was decided."""
    return _approvals_page(None)


@bp.post("/exports/approvals/<int:request_id>")
@requires("export:approve", step_up=True)
def decide(request_id: int) -> ResponseReturnValue:
    """Approve or refuse a request of somebody else."""
    note, source_ip = request.form.get("note", ""), request.remote_addr or ""
    act = exports.approve if request.form.get("answer") == "approve" else exports.refuse
    try:
        with g.session.begin():
            act(g.session, request_id, g.actor, note=note, now=_now(), source_ip=source_ip)
    except exports.ReasonNeeded as error:
        return _approvals_page(error, request_id), 422
    return redirect("/exports/approvals?done=1", 303)


@bp.get("/api/exports/waiting")
@requires("export:approve")
def waiting() -> ResponseReturnValue:
    """Count what waits for the caller's decision."""
    return json_answer({"waiting": exports.waiting_count(g.session, g.actor)})


@bp.app_context_processor
def notices() -> dict[str, Any]:
    """Let the heads of staff pages say how much waits for the caller's decision."""

    def waiting_exports() -> int:
        actor = g.get("actor")
        may_approve = actor is not None and actor.can("export:approve")
        return exports.waiting_count(g.session, actor) if may_approve else 0

    return {"waiting_exports": waiting_exports}


def _approvals_page(error: GridsError | None, failed_id: int = 0) -> str:
    rows = [_row(one) for one in exports.waiting(g.session, g.actor)]
    return render_template(
        "planner/approvals.html",
        rows=rows,
        past=[_row(one) for one in exports.decided(g.session, g.actor)],
        done=request.args.get("done"),
        error=_text_of(error) if error else "",
        failed_id=failed_id,
    )


# --- Tracing --------------------------------------------------------------------------------


@bp.route("/exports/trace", methods=["GET", "POST"])
@requires("admin:security", step_up=True)
def trace() -> ResponseReturnValue:
    """Name the export that a leaked sample was taken from."""
    if request.method == "GET":
        return render_template("planner/trace.html", found=None, error="")
    sent = request.files.get("sample")
    try:
        if sent is None or not sent.filename:
            raise NoFile("a sample must be sent", field="sample")
        found = _traced(sent)
    except (GridsError, ValueError) as error:
        text = _text_of(error) if isinstance(error, GridsError) else _("trace.unreadable")
        return render_template("planner/trace.html", found=None, error=text), 422
    zone = ZoneInfo(the_city(g.session).city_zone)
    suspects = [
        {**_suspect(one), "at": one.asked_at.astimezone(zone).strftime("%Y-%m-%d %H:%M")}
        for one in found.suspects
    ]
    return render_template("planner/trace.html", found=found, suspects=suspects, error="")


def _traced(sent: Any) -> exports.Trace:
    with tempfile.TemporaryDirectory(prefix="trace-") as folder:
        # The name chooses the reader and is the caller's: only its ending is taken.
        path = Path(folder) / f"sample{Path(sent.filename).suffix.lower()[:9]}"
        sent.save(path)
        sample = exports.read_sample(path, crs=request.form.get("crs", "").strip())
    with g.session.begin():
        return exports.trace(
            g.session, sample, actor_id=g.actor.account_id, source_ip=request.remote_addr or ""
        )


def _suspect(one: exports.Suspect) -> dict[str, Any]:
    chance = one.error_probability
    return {
        "number": one.number,
        "recipient": one.recipient,
        "layer": _layer_name(one.layer),
        "places": one.places,
        "instants": one.instants,
        "chance": "< 1e-300" if chance == 0 else f"{chance:.0e}",
    }


# --- Rows of lists --------------------------------------------------------------------------


def _row(one: exports.Shown) -> dict[str, Any]:
    kept = one.request
    zone = ZoneInfo(the_city(g.session).city_zone)
    is_over = kept.expires_at is not None and kept.expires_at <= _now()
    state = "expired" if kept.state == "ready" and is_over else kept.state
    is_ledger = kept.layer.startswith(exports.LEDGER)
    columns = () if is_ledger else exports.export_columns(layer_of(kept.layer))
    levels = {column.name: column.level for column in columns}
    return {
        "id": kept.id,
        "number": kept.number,
        "layer": _layer_name(kept.layer),
        "format": _(f"format.{kept.format}"),
        "level": kept.level,
        "area": _area_names(kept.areas),
        "rows": kept.rows,
        "reason": _(f"export_reason.{kept.reason}") if kept.reason else "",
        "note": kept.note,
        "state": state,
        "state_text": _(f"export_state.{state}"),
        "tone": TONES[state],
        "asked_at": _time(kept.asked_at, zone),
        "decided_at": _time(kept.decided_at, zone),
        "decision_note": kept.decision_note,
        "expires_at": _time(kept.expires_at, zone),
        "taken": kept.taken_count,
        "asker": one.asker,
        "decider": one.decider,
        "is_own": kept.account_id == g.actor.account_id,
        "columns": [
            {"title": translated(f"property.{name}", name), "level": levels.get(name, "L1")}
            for name in kept.choice.get("columns", [])
        ],
    }


def _layer_name(layer: str) -> str:
    """Name what was taken: a layer, or a department's ledger."""
    if not layer.startswith(exports.LEDGER):
        return str(_(f"layer.{layer}"))
    found = tables.named(g.session, layer.removeprefix(exports.LEDGER))
    return by_language(found.name_zh, found.name_en) if found else layer


def _time(at: datetime | None, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M") if at else ""


def _area_names(codes: list[str]) -> str:
    found = g.session.execute(
        select(Area.code, Area.name_zh, Area.name_en).where(Area.code.in_(codes))
    )
    names = {row.code: by_language(row.name_zh, row.name_en) for row in found}
    return ("、" if language() != "en" else ", ").join(names.get(code, code) for code in codes)
