"""Files of direct exports, in pieces, and the note of how much really left."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from flask import current_app, g, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app import reading
from app.config import ROOT, Settings
from app.i18n import language, translated
from gis.folium_map import Assets
from gis.geojson import Tally
from grids import audit, exports, scope
from grids.exports import ExportRequest, Selection

log = structlog.get_logger("wangge.planner")

LEAFLET = ROOT / "static" / "node_modules" / "leaflet" / "dist"
PIECE_BYTES = 256 * 1024


def pieces(
    conn: reading.Reader, wanted: Selection, rows: int, tally: Tally, stack: ExitStack
) -> Iterator[bytes]:
    """Return the file in pieces; what needs the whole selection first is made at once."""
    if wanted.format == "geojson":
        return exports.geojson(conn, wanted, rows, tally)
    if wanted.format == "csv":
        return exports.csv(conn, wanted, rows, tally)
    if wanted.format in ("gpkg", "xlsx"):
        return _made_pieces(conn, wanted, rows, tally, stack)
    return iter([_map_file(conn, wanted, rows, tally)])


def _made_pieces(
    conn: reading.Reader, wanted: Selection, rows: int, tally: Tally, stack: ExitStack
) -> Iterator[bytes]:
    settings: Settings = current_app.extensions["settings"]
    folder = settings.var_dir / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    place = stack.enter_context(tempfile.TemporaryDirectory(prefix="export-", dir=folder))
    path = Path(place) / f"{wanted.layer.id}.{wanted.format}"
    if wanted.format == "gpkg":
        tally.rows = exports.gpkg(conn, wanted, rows, path)
    else:
        tally.rows = exports.xlsx(conn, wanted, rows, path, title=_(f"layer.{wanted.layer.id}"))
    tally.size = path.stat().st_size
    return file_pieces(path)


def file_pieces(path: Path) -> Iterator[bytes]:
    """Read a file in pieces."""
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
        labels={name: translated(f"property.{name}", name) for name in wanted.source.columns},
        lang="en" if language() == "en" else "zh-CN",
    )  # fmt: skip
    tally.rows, tally.size = rows, len(body)
    return body


def recorded(
    body: Iterator[bytes],
    wanted: Selection,
    kept: ExportRequest,
    rows: int,
    tally: Tally,
    stack: ExitStack,
) -> Iterator[bytes]:
    """Pass the file on; at its end write into the audit log how much really left."""
    actor, source_ip = g.actor, request.remote_addr or ""
    engine, make_session = (
        current_app.extensions["engine"],
        current_app.extensions.get("make_session"),
    )
    kept_id = kept.id
    asked: dict[str, Any] = {
        "export": kept.number,
        "level": wanted.level,
        "reason": kept.reason,
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
            with make_session() if make_session else Session(engine) as session:
                scope.follow_caller(session, lambda: actor)
                with session.begin():
                    exports.note_rows(session, kept_id, tally.rows)
                    audit.record(
                        session,
                        "export",
                        actor_id=actor.account_id,
                        subject=f"layer {wanted.layer.id}",
                        is_success=is_whole,
                        source_ip=source_ip,
                        detail=detail,
                    )
            log.info("export", **{name: detail[name] for name in ("layer", "format", "rows",
                                                                 "bytes", "is_whole")})  # fmt: skip

    return pass_on()
