"""Planners choose a layer, an area, columns, a system and a format, look, and take it away."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import export_files, reading
from app.auth import requires
from app.command import area_json, page_data
from app.errors import TRY_AGAIN, problem
from app.i18n import translated
from app.layer_answers import class_name, layer_json
from app.render import json_answer
from app.tiles import layer_for_caller, wanted_classes
from gis.geojson import Tally
from grids import audit, exports, layers
from grids.area_tree import areas_under
from grids.city import the_city
from grids.exports import Selection
from grids.layers import LAYERS, Layer

bp = Blueprint("planner", __name__)

#: An export reads as long as it must; a tile or a page must not.
EXPORT_TIMEOUT = "15min"
#: Exports of a process at the same time; the other threads and connections serve the map.
MOST_AT_ONCE = 3
_places = BoundedSemaphore(MOST_AT_ONCE)


@bp.get("/planner")
@requires("planner:view")
def page() -> ResponseReturnValue:
    """Show the page: a form that works by itself, and a map and a preview by script."""
    with reading.reader() as conn:
        offered = [
            {
                **layer_json(layer, layers.facts_of(conn, layer, g.actor)),
                "columns": columns_json(layer),
                "classes": classes_json(layer),
                "locked": not layers.may_see(layer, g.actor),
            }
            for layer in offered_layers()
        ]
    roots = areas_under(g.session, g.actor, "")
    nodes = [
        area_json(node) for root in roots for node in areas_under(g.session, g.actor, root.code)
    ]
    return render_template(
        "planner/index.html",
        layers=offered,
        areas=[area_json(root) for root in roots] + nodes,
        systems=systems(),
        formats=formats(),
        page_data={
            **page_data(),
            "layers": offered,
            "systems": systems(),
            "formats": formats(),
            "may_export": g.actor.can("export:run"),
        },
    )


def offered_layers() -> list[Layer]:
    """List the layers that the caller may take, or ask for without seeing them."""
    return [
        layer
        for layer in LAYERS
        if layer.is_exportable
        and layer.source is not None
        and (layers.may_see(layer, g.actor) or (layer.is_requestable and g.actor.can("export:run")))
    ]


def columns_json(layer: Layer) -> list[dict[str, str]]:
    """Write the columns of a layer with their level of sensitivity."""
    return [
        {
            "name": column.name,
            "title": translated(f"property.{column.name}", column.name),
            "level": column.level,
            "kind": column.kind,
        }
        for column in exports.export_columns(layer)
    ]


def classes_json(layer: Layer) -> list[dict[str, str]]:
    """Write the classes that a selection may be narrowed to."""
    if layer.class_filter is None or layer.class_filter != layer.style.by:
        return []
    return [
        {"value": swatch.value, "label": class_name(layer, swatch.value)}
        for swatch in layer.style.swatches
    ]


def systems() -> list[dict[str, str]]:
    """Write the coordinate systems on offer; any other EPSG number works in an address."""
    metric = f"EPSG:{the_city(g.session).metric_srid}"
    names = ["CRS84", "EPSG:4490", metric]
    names += [name for name in ("EPSG:4549", "EPSG:3857") if name != metric]
    return [
        {"id": name, "title": translated(f"crs.{name}", _("crs.metric", crs=name))}
        for name in names
    ]


def formats() -> list[dict[str, str]]:
    """Write the formats on offer."""
    return [
        {"id": name, "title": _(f"format.{name}"), "hint": _(f"format.{name}.hint")}
        for name in exports.FORMATS
    ]


@bp.get("/planner/export")
@requires("export:run")
def export_form() -> ResponseReturnValue:
    """Lead the plain form to the file it asks for, or to the page that asks what it is for."""
    layer = exports.exportable_layer(request.args.get("layer", ""), g.actor)
    ending = request.args.get("format", "geojson")
    names = request.args.getlist("columns")
    rest = {name: value for name, value in request.args.items(multi=True)
            if name in ("area", "bbox", "crs", "class") and value}  # fmt: skip
    if names:
        rest["columns"] = ",".join(names)
    chosen = tuple(names) or tuple(column.name for column in layer.row_columns)
    if exports.level_of(layer, chosen, g.actor) != "L1":
        query = urlencode({"layer": layer.id, "format": ending, **rest})
        return redirect(f"/planner/exports/new?{query}")
    return redirect(f"/api/export/{layer.id}.{ending}" + (f"?{urlencode(rest)}" if rest else ""))


@bp.get("/api/export/<layer_id>/preview")
@requires("planner:view")
def preview(layer_id: str) -> ResponseReturnValue:
    """Give rows, size and time of a selection, and its first rows where the caller may see them."""
    layer = exports.exportable_layer(layer_id, g.actor)
    wanted = asked_for(layer, request.args.get("format", "geojson"))
    is_shown = layers.may_see(layer, g.actor) and wanted.level != "L3"
    with reading.reader() as conn, reading.snapshot(conn):
        found = exports.estimate(conn, wanted)
    return json_answer(
        {
            "rows": found.rows,
            "size_bytes": found.size_bytes,
            "duration_s": found.duration_s,
            "level": wanted.level,
            "columns": [
                {"name": name, "title": translated(f"property.{name}", name)}
                for name in found.columns
            ],
            "first": found.first if is_shown else [],
            "shown": len(found.first) if is_shown else 0,
            "url": f"{request.path.removesuffix('/preview')}.{wanted.format}",
            "most_on_a_map": exports.MOST_ON_A_MAP,
        }
    )


def asked_for(layer: Layer, format_name: str, args: Any = None) -> Selection:
    """Read a selection from the address, or from a form."""
    args = request.args if args is None else args
    names = tuple(name for name in args.get("columns", "").split(",") if name)
    classes = tuple(name for name in args.get("class", "").split(",") if name)
    return exports.selection(
        layer,
        g.actor,
        format_name=format_name,
        columns=names,
        area=args.get("area", ""),
        within=layers.within_of(args.get("bbox", ""), args.get("bbox-crs", "")),
        crs=args.get("crs", ""),
        classes=classes if args is not request.args else wanted_classes(),
    )


def choice_of(args: Any, wanted: Selection) -> dict[str, Any]:
    """Write a choice as it is kept, so that it can be read again and shown to an approver."""
    return {
        "columns": list(wanted.source.columns),
        "area": args.get("area", ""),
        "bbox": args.get("bbox", ""),
        "bbox_crs": args.get("bbox-crs", ""),
        "crs": args.get("crs", ""),
        "classes": [name for name in args.get("class", "").split(",") if name],
    }


@bp.get("/api/export/<layer_id>.<ending>")
@requires("export:run")
def export(layer_id: str, ending: str) -> ResponseReturnValue:
    """Give a selection as a file. `X-Row-Count` is counted in the snapshot that is read.

    L2 data needs `reason` and `note`; L3 data is asked for on `/planner/exports/new`.
    """
    wanted = asked_for(layer_for_caller(layer_id), ending)
    if wanted.level not in ("L1", "L2"):
        raise exports.ApprovalNeeded("a second person must approve", layer=layer_id)
    reason, note = exports.checked_reason(
        wanted.level, request.args.get("reason", ""), request.args.get("note", "")
    )
    with g.session.begin():
        audit.require_sealing(g.session)
    if not _places.acquire(blocking=False):
        answer = problem(TRY_AGAIN, "export.busy", _("planner.busy"))
        answer.headers["Retry-After"] = "10"
        return answer
    stack = ExitStack()
    stack.callback(_places.release)
    try:
        kept, wanted = _kept(wanted, reason, note)
        conn = stack.enter_context(reading.reader())
        stack.enter_context(reading.snapshot(conn))
        conn.execute("SELECT set_config('statement_timeout', %s, true)", (EXPORT_TIMEOUT,))
        # Between two reads a file is written, which takes its time on a machine with much to do.
        conn.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %s, true)", (EXPORT_TIMEOUT,)
        )
        rows = exports.count(conn, wanted)
        tally = Tally()
        body = export_files.pieces(conn, wanted, rows, tally, stack)
    except BaseException:
        stack.close()
        raise
    watched = export_files.recorded(body, wanted, kept, rows, tally, stack)
    answer = Response(watched, mimetype=wanted.media_type)
    # A body that nobody reads (HEAD, a caller who left) gives its connection back as well.
    answer.call_on_close(stack.close)
    answer.headers["X-Row-Count"] = str(rows)
    answer.headers["X-Export-Number"] = kept.number
    answer.headers["Content-Disposition"] = f'attachment; filename="{_file_name(wanted)}"'
    answer.headers["Cache-Control"] = "no-store"
    if wanted.format == "html":
        # Saved, not shown: the policy of our pages would stop its own script.
        answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _kept(wanted: Selection, reason: str, note: str) -> tuple[exports.ExportRequest, Selection]:
    """Keep the export under a number and mark its file and its rows with it."""
    with g.session.begin():
        kept = exports.keep_direct(
            g.session, wanted, g.actor, choice=choice_of(request.args, wanted),
            reason=reason, note=note, now=datetime.now(UTC),
        )  # fmt: skip
        mark = exports.mark_of(g.session, kept)
    return kept, exports.marked(wanted, mark)


def _file_name(wanted: Selection) -> str:
    day = datetime.now(UTC).strftime("%Y%m%d")
    return f"{wanted.layer.id}-{day}.{wanted.format}"
