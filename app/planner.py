"""Planners choose a layer, an area, columns, a system and a format, look, and take it away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import urlencode

import structlog
from flask import Blueprint, Response, current_app, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app import reading
from app.auth import requires
from app.command import area_json, page_data
from app.config import ROOT, Settings
from app.errors import TRY_AGAIN, problem
from app.i18n import language, translated
from app.layer_answers import class_name, layer_json
from app.render import json_answer
from app.tiles import layer_for_caller, wanted_classes
from gis.folium_map import Assets
from gis.geojson import Tally
from grids import audit, exports, layers
from grids.area_tree import areas_under
from grids.city import the_city
from grids.exports import Selection
from grids.layers import Layer

bp = Blueprint("planner", __name__)
log = structlog.get_logger("wangge.planner")

LEAFLET = ROOT / "static" / "node_modules" / "leaflet" / "dist"
PIECE_BYTES = 256 * 1024
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
        facts = {
            layer.id: layers.facts_of(conn, layer, g.actor)
            for layer in layers.layers_for(g.actor)
            if layer.is_exportable and layer.source is not None
        }
    offered = [
        {**layer_json(layer, facts[layer.id]), "columns": columns_json(layer),
         "classes": classes_json(layer)}
        for layer in layers.layers_for(g.actor)
        if layer.id in facts
    ]  # fmt: skip
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


def columns_json(layer: Layer) -> list[dict[str, str]]:
    """Write the columns of a layer with their level of sensitivity."""
    return [
        {
            "name": column.name,
            "title": translated(f"property.{column.name}", column.name),
            "level": column.level,
            "kind": column.kind,
        }
        for column in layer.row_columns
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
    """Lead the plain form to the file it asks for."""
    layer_id = request.args.get("layer", "")
    ending = request.args.get("format", "geojson")
    layer_for_caller(layer_id)
    rest = {name: value for name, value in request.args.items(multi=True)
            if name in ("area", "bbox", "crs", "class") and value}  # fmt: skip
    columns = request.args.getlist("columns")
    if columns:
        rest["columns"] = ",".join(columns)
    return redirect(f"/api/export/{layer_id}.{ending}" + (f"?{urlencode(rest)}" if rest else ""))


@bp.get("/api/export/<layer_id>/preview")
@requires("planner:view")
def preview(layer_id: str) -> ResponseReturnValue:
    """Give rows, size and time of a selection, and its first rows."""
    wanted = asked_for(layer_id, request.args.get("format", "geojson"))
    with reading.reader() as conn, reading.snapshot(conn):
        found = exports.estimate(conn, wanted)
    return json_answer(
        {
            "rows": found.rows,
            "size_bytes": found.size_bytes,
            "duration_s": found.duration_s,
            "columns": [
                {"name": name, "title": translated(f"property.{name}", name)}
                for name in found.columns
            ],
            "first": found.first,
            "shown": len(found.first),
            "url": f"{request.path.removesuffix('/preview')}.{wanted.format}",
            "most_on_a_map": exports.MOST_ON_A_MAP,
        }
    )


def asked_for(layer_id: str, format_name: str) -> Selection:
    """Read a selection from the address."""
    names = tuple(name for name in request.args.get("columns", "").split(",") if name)
    return exports.selection(
        layer_for_caller(layer_id),
        g.actor,
        format_name=format_name,
        columns=names,
        area=request.args.get("area", ""),
        within=layers.within_of(request.args.get("bbox", ""), request.args.get("bbox-crs", "")),
        crs=request.args.get("crs", ""),
        classes=wanted_classes(),
    )


@bp.get("/api/export/<layer_id>.<ending>")
@requires("export:run")
def export(layer_id: str, ending: str) -> ResponseReturnValue:
    """Give a selection as a file. `X-Row-Count` is counted in the snapshot that is read."""
    wanted = asked_for(layer_id, ending)
    if not _places.acquire(blocking=False):
        answer = problem(TRY_AGAIN, "export.busy", _("planner.busy"))
        answer.headers["Retry-After"] = "10"
        return answer
    stack = ExitStack()
    stack.callback(_places.release)
    try:
        conn = stack.enter_context(reading.reader())
        stack.enter_context(reading.snapshot(conn))
        conn.execute("SELECT set_config('statement_timeout', %s, true)", (EXPORT_TIMEOUT,))
        rows = exports.count(conn, wanted)
        tally = Tally()
        body = _pieces(conn, wanted, rows, tally, stack)
    except BaseException:
        stack.close()
        raise
    watched = _recorded(body, wanted, rows, tally, stack)
    answer = Response(watched, mimetype=wanted.media_type)
    # A body that nobody reads (HEAD, a caller who left) gives its connection back as well.
    answer.call_on_close(stack.close)
    answer.headers["X-Row-Count"] = str(rows)
    answer.headers["Content-Disposition"] = f'attachment; filename="{_file_name(wanted)}"'
    answer.headers["Cache-Control"] = "no-store"
    if wanted.format == "html":
        # Saved, not shown: the policy of our pages would stop its own script.
        answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _file_name(wanted: Selection) -> str:
    day = datetime.now(UTC).strftime("%Y%m%d")
    return f"{wanted.layer.id}-{day}.{wanted.format}"


def _pieces(
    conn: reading.Reader, wanted: Selection, rows: int, tally: Tally, stack: ExitStack
) -> Iterator[bytes]:
    """Return the file in pieces; what needs the whole selection first is made at once."""
    if wanted.format == "geojson":
        return exports.geojson(conn, wanted, rows, tally)
    if wanted.format == "csv":
        return exports.csv(conn, wanted, rows, tally)
    if wanted.format == "gpkg":
        return _gpkg_pieces(conn, wanted, rows, tally, stack)
    return iter([_map_file(conn, wanted, rows, tally)])


def _gpkg_pieces(
    conn: reading.Reader, wanted: Selection, rows: int, tally: Tally, stack: ExitStack
) -> Iterator[bytes]:
    settings: Settings = current_app.extensions["settings"]
    folder = settings.var_dir / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    place = stack.enter_context(tempfile.TemporaryDirectory(prefix="export-", dir=folder))
    path = Path(place) / f"{wanted.layer.id}.gpkg"
    tally.rows = exports.gpkg(conn, wanted, rows, path)
    tally.size = path.stat().st_size
    return _file_pieces(path)


def _file_pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _map_file(conn: reading.Reader, wanted: Selection, rows: int, tally: Tally) -> bytes:
    assets = Assets(
        (LEAFLET / "leaflet.js").read_text(encoding="utf-8"),
        (LEAFLET / "leaflet.css").read_text(encoding="utf-8"),
    )
    now = datetime.now(UTC)
    body = exports.map_file(
        conn,
        wanted,
        rows,
        assets,
        title=_(f"layer.{wanted.layer.id}"),
        note=_("planner.map_note", rows=rows, at=f"{now:%Y-%m-%d %H:%M} UTC"),
        labels={column["name"]: column["title"] for column in columns_json(wanted.layer)
                if column["name"] in wanted.source.columns},
        lang="en" if language() == "en" else "zh-CN",
    )  # fmt: skip
    tally.rows, tally.size = rows, len(body)
    return body


def _recorded(
    body: Iterator[bytes], wanted: Selection, rows: int, tally: Tally, stack: ExitStack
) -> Iterator[bytes]:
    """Pass the file on; at its end write into the audit log how much really left."""
    actor_id, source_ip = g.actor.account_id, request.remote_addr or ""
    engine, make_session = (
        current_app.extensions["engine"],
        current_app.extensions.get("make_session"),
    )
    asked: dict[str, Any] = {
        "layer": wanted.layer.id,
        "format": wanted.format,
        "crs": wanted.crs.srid,
        "area": request.args.get("area", ""),
        "bbox": request.args.get("bbox", ""),
        "columns": sorted(wanted.source.columns),
        "counted": rows,
    }

    def pass_on() -> Iterator[bytes]:
        is_whole = False
        sent = 0
        try:
            for piece in body:
                sent += len(piece)
                yield piece
            is_whole = True
        finally:
            stack.close()
            detail = {**asked, "rows": tally.rows, "bytes": sent, "is_whole": is_whole}
            with make_session() if make_session else Session(engine) as session, session.begin():
                audit.record(
                    session,
                    "export",
                    actor_id=actor_id,
                    subject=f"layer {wanted.layer.id}",
                    is_success=is_whole,
                    source_ip=source_ip,
                    detail=detail,
                )
            log.info("export", **{name: detail[name] for name in ("layer", "format", "rows",
                                                                 "bytes", "is_whole")})  # fmt: skip

    return pass_on()
