"""Files of approved exports: made by the worker, removed when their time is over."""

from __future__ import annotations

import hashlib
import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from procrastinate import JobContext
from sqlalchemy.orm import Session

from gis.errors import GisError
from gis.folium_map import Assets
from gis.geojson import Tally
from grids import layers
from grids.accounts import Account, actor_of
from grids.bulk import driver
from grids.errors import GridsError
from grids.exports import writing
from grids.exports.levels import exportable_layer
from grids.exports.models import ExportRequest
from grids.exports.requests import LASTS, expire, mark_of, path_of
from grids.exports.selection import Selection, count, marked, selection
from grids.jobs import tasks, work_of

log = logging.getLogger("wangge.exports")

LEAFLET: Final = (
    Path(__file__).resolve().parents[2] / "static" / "node_modules" / "leaflet" / "dist"
)


@tasks.task(name="make_export", pass_context=True)
def make_export(context: JobContext, request_id: int) -> None:
    """Make the file of an approved export; done twice it is the same file once more."""
    work = work_of(context)
    if work.export_dir is None:
        raise RuntimeError("the worker knows no folder for exports")
    with Session(work.engine) as session, session.begin():
        request = session.get(ExportRequest, request_id, with_for_update=True)
        if request is not None and request.state == "approved":
            make_file(session, request, work.export_dir, now=datetime.now(UTC))


@tasks.periodic(cron="*/10 * * * *")
@tasks.task(name="expire_exports", queueing_lock="expire_exports", pass_context=True)
def expire_exports(context: JobContext, timestamp: int) -> None:
    """Remove files that nobody may take any more."""
    work = work_of(context)
    with Session(work.engine) as session, session.begin():
        expire(session, work.export_dir, datetime.fromtimestamp(timestamp, UTC))


def make_file(session: Session, request: ExportRequest, folder: Path, *, now: datetime) -> None:
    """Make the file of an approved export, or note that it could not be made."""
    try:
        path = write_file(session, request, folder)
    except (GridsError, GisError, OSError) as error:
        log.warning("export %s failed: %s", request.number, type(error).__name__)
        request.state = "failed"
        return
    request.state, request.ready_at, request.expires_at = "ready", now, now + LASTS
    request.file_size = path.stat().st_size
    with path.open("rb") as file:
        request.file_sha256 = hashlib.file_digest(file, "sha256").hexdigest()


def write_file(session: Session, request: ExportRequest, folder: Path) -> Path:
    """Write the file of a request, readable for this user alone; it is whole or not there."""
    wanted = marked(chosen(session, request), mark_of(session, request))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = path_of(folder, request)
    # GDAL chooses the format by the ending, so the draft keeps it.
    draft = path.with_name(f"draft-{path.name}")
    draft.unlink(missing_ok=True)
    conn = driver(session.connection())
    request.rows = count(conn, wanted)
    _write(session, wanted, request.rows, draft)
    draft.chmod(0o600)
    draft.replace(path)
    return path


def chosen(session: Session, request: ExportRequest) -> Selection:
    """Read the selection of a request again, with what its asker may do today."""
    account = session.get_one(Account, request.account_id)
    actor = actor_of(account, datetime.now(UTC))
    if actor is None or not account.is_active:
        raise PermissionError("the account may do nothing any more")
    choice = request.choice
    return selection(
        exportable_layer(request.layer, actor),
        actor,
        format_name=request.format,
        columns=tuple(choice.get("columns") or ()),
        area=choice.get("area") or "",
        within=layers.within_of(choice.get("bbox") or "", choice.get("bbox_crs") or ""),
        crs=choice.get("crs") or "",
        classes=tuple(choice.get("classes") or ()),
    )


def _write(session: Session, wanted: Selection, rows: int, path: Path) -> None:
    conn = driver(session.connection())
    if wanted.format == "gpkg":
        writing.gpkg(conn, wanted, rows, path)
        return
    if wanted.format == "xlsx":
        writing.xlsx(conn, wanted, rows, path, title=wanted.layer.id)
        return
    if wanted.format == "html":
        assets = Assets(
            (LEAFLET / "leaflet.js").read_text(encoding="utf-8"),
            (LEAFLET / "leaflet.css").read_text(encoding="utf-8"),
        )
        labels = {name: name for name in wanted.source.columns}
        path.write_bytes(
            writing.map_file(conn, wanted, rows, assets, title=wanted.layer.id, note="",
                             labels=labels, lang="zh-CN")
        )  # fmt: skip
        return
    stream = writing.geojson if wanted.format == "geojson" else writing.csv
    with path.open("wb") as file:
        for piece in stream(conn, wanted, rows, Tally()):
            file.write(piece)
