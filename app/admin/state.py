"""The system administrator's view of the installation: what runs, what waits, what fills up."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal
from flask_babel import gettext as _

from app import faces, processes
from app.admin import frame
from app.auth import requires
from app.doctor import ENOUGH_DISK
from grids.signals.state import SystemState, system_state

bp = Blueprint("state", __name__)

GB: Final = 1024**3
MANY_RESTARTS: Final = 5
MINUTE_S: Final = 60


@bp.get("/admin/state")
@requires("admin:system")
def page() -> ResponseReturnValue:
    """Show the state of processes, queue, feed, counts, database and disk."""
    now = datetime.now(UTC)
    with g.session.begin():
        state = system_state(g.session, now=now)
        groups = [
            {"title": _("admin.st_processes"), "rows": list(_processes(state))},
            {"title": _("admin.st_work"), "rows": list(_work(state, now))},
            {"title": _("admin.st_store"), "rows": list(_store(state))},
        ]
        return frame.page(
            "state",
            as_of=faces.seconds_words(now),
            figures=_figures(state, groups),
            groups=groups,
        )


def _figures(state: SystemState, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    bad = sum(not row["is_good"] for group in groups for row in group["rows"])
    return [
        {"value": bad, "label": _("admin.st_fig_bad"), "is_good": bad == 0},
        {"value": state.waiting, "label": _("admin.st_fig_waiting"), "is_good": True},
        {"value": state.failed, "label": _("admin.st_fig_failed"), "is_good": state.failed == 0},
        {"value": format_decimal(state.feed_no), "label": _("admin.st_fig_feed"), "is_good": True},
        {"value": state.connections, "label": _("admin.st_fig_connections"), "is_good": True},
    ]


def _processes(state: SystemState) -> Iterator[dict[str, Any]]:
    """Judge the processes: by their life in the database and, on one machine, by their pids."""
    yield _row("web", _("admin.st_answers"), is_good=True)
    yield _row(
        "worker",
        _("admin.st_workers", n=state.workers),
        is_good=state.is_worker_alive,
        next_step=_("admin.st_worker_next"),
    )
    yield _row(
        "sealer",
        _("admin.st_alive" if state.is_sealer_alive else "admin.st_silent"),
        is_good=state.is_sealer_alive,
        next_step=_("admin.st_sealer_next"),
    )
    for one in processes.status(faces.settings()):
        if one.pid is not None and one.name in processes.NAMES:
            found = _(
                "admin.st_process",
                span=_span(timedelta(seconds=one.running_s)),
                memory=one.memory_mb,
                restarts=one.restarts,
            )
            yield _row(
                "pid",
                found,
                is_good=one.restarts < MANY_RESTARTS,
                next_step=_("admin.st_log_next", name=one.name),
                label=one.name,
            )


def _work(state: SystemState, now: datetime) -> Iterator[dict[str, Any]]:
    yield _row(
        "queue",
        _("admin.st_queue_found", waiting=state.waiting, doing=state.doing, failed=state.failed),
        is_good=state.is_queue_good,
        next_step=_("admin.st_queue_next"),
    )
    yield _row("feed", _("admin.st_feed_found", no=state.feed_no, at=frame.moment(state.feed_at)))
    yield _row(
        "counts",
        frame.moment(state.counts_at),
        is_good=state.are_counts_fresh(now),
        next_step=_("admin.st_counts_next"),
    )
    yield _row(
        "watch",
        frame.moment(state.watched_at),
        is_good=state.is_watch_fresh(now),
        next_step=_("admin.st_watch_next"),
    )


def _store(state: SystemState) -> Iterator[dict[str, Any]]:
    size = format_decimal(round(state.size_bytes / GB, 2))
    yield _row(
        "database",
        _("admin.st_database_found", version=state.server.split()[0], size=size),
    )
    yield _row(
        "connections",
        _("admin.st_of", n=state.connections, most=state.most_connections),
        is_good=state.connections < state.most_connections * 0.9,
        next_step=_("admin.st_connections_next"),
    )
    settings = faces.settings()
    places = {"disk_var": settings.var_dir, "disk_blobs": settings.blob_dir}
    for name, folder in places.items():
        if usage := _disk(folder):
            free, total = usage
            yield _row(
                name,
                _("admin.st_disk_found", free=round(free / GB, 1), total=round(total / GB, 1)),
                is_good=free >= ENOUGH_DISK,
                next_step=_("admin.st_disk_next"),
            )


def _disk(folder: Path) -> tuple[int, int] | None:
    """Return free and all bytes of the disk under a folder, made or not."""
    for place in (folder, *folder.parents):
        if place.exists():
            usage = shutil.disk_usage(place)
            return usage.free, usage.total
    return None


def _span(span: timedelta) -> str:
    """Write a span as days, hours and minutes."""
    hours, rest = divmod(int(span.total_seconds()), 3600)
    days, hours = divmod(hours, 24)
    return str(_("admin.span", days=days, hours=hours, minutes=rest // MINUTE_S))


def _row(
    name: str, found: str, *, is_good: bool = True, next_step: str = "", label: str = ""
) -> dict[str, Any]:
    title = _("admin.st_pid", name=label) if label else _(f"admin.st_{name}")
    return {"name": title, "found": found, "is_good": is_good, "next_step": next_step}
