"""Keys of sealed columns: what stands on which, and how they are changed while people work."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from flask import Blueprint, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal
from flask_babel import gettext as _

from app.admin import frame
from app.admin.console import who
from app.auth import requires
from app.i18n import translated
from app.keys import ring_of
from grids.errors import GridsError
from grids.secrets import PROVIDERS, KeyRing, RingFile, RingRefused
from grids.secrets import runs as key_runs
from grids.secrets.ring import KINDS, Kind
from grids.secrets.runs import KeyRun, KeyUse
from grids.signals import console

bp = Blueprint("keys", __name__)

#: What `rotate` draws anew; signatures stay readable with the key that made them.
DRAWN: Final[tuple[Kind, ...]] = ("data", "index")


@bp.get("/admin/keys")
@requires("admin:security")
def page() -> ResponseReturnValue:
    """Show the keys, their age, what is left on each, and the changes that were asked for."""
    with g.session.begin():
        return _page()


def _page(problem: str = "") -> str:
    now = datetime.now(UTC)
    ring = _ring().ring()
    counted = key_runs.uses(g.session)
    found = key_runs.runs(g.session)
    names = console.names_of(g.session, {one.asked_by for one in found if one.asked_by is not None})
    return frame.page(
        "keys",
        problem=problem,
        figures=_figures(ring, counted, now),
        keys=[row for kind in KINDS for row in _keys(ring, kind, counted, now)],
        columns=_columns(ring, counted),
        counted_at=max((one.counted_at for one in counted), default=None),
        runs=[_run(one, names, now) for one in found],
        is_busy=key_runs.is_busy(g.session, now),
        providers=tuple(PROVIDERS),
        provider=ring.provider,
    )


@bp.post("/admin/keys/count")
@requires("admin:security")
def count() -> ResponseReturnValue:
    """Ask the worker to count anew what stands on which key."""
    with g.session.begin():
        key_runs.ask_count(g.session)
    return redirect(url_for(".page"), 303)


@bp.post("/admin/keys/rotate")
@requires("admin:security", step_up=True)
def rotate() -> ResponseReturnValue:
    """Draw new keys, or take another suite, and let the worker seal everything anew.

    Without a tick nothing is drawn: what a run before left behind is brought to its end.
    """
    now, ring = datetime.now(UTC), _ring()
    suite = request.form.get("provider", "")
    try:
        with g.session.begin():
            detail: dict[str, object] = {"suite": suite}
            asked = key_runs.ask(
                g.session, "rotate", actor_id=g.actor.account_id, now=now,
                source_ip=frame.source_ip(), detail=detail,
            )  # fmt: skip
            # Before the commit: where the ring cannot be changed, nothing was asked for.
            if suite and suite != ring.ring().provider:
                ring.use_provider(suite, at=now)
            if request.form.get("draw") == "yes":
                for kind in DRAWN:
                    ring.add(kind, at=now)
            asked.seen_at = now
    except GridsError as refused:
        return _refused(refused)
    return redirect(url_for(".page"), 303)


@bp.post("/admin/keys/retire")
@requires("admin:security", step_up=True)
def retire() -> ResponseReturnValue:
    """Let the worker forget a key on which nothing is left; it counts under a lock first."""
    kind, key_id = request.form.get("kind", ""), frame.whole(request.form.get("key_id", ""))
    try:
        with g.session.begin():
            ring = _ring().ring()
            held = {"data": ring.data, "index": ring.index}.get(kind)
            if held is None or key_id not in held.keys or key_id == held.current:
                raise RingRefused("this key cannot go")
            key_runs.ask(
                g.session, "retire", actor_id=g.actor.account_id, now=datetime.now(UTC),
                source_ip=frame.source_ip(), kind=kind, key_id=key_id,
            )  # fmt: skip
    except GridsError as refused:
        return _refused(refused)
    return redirect(url_for(".page"), 303)


def _refused(refused: GridsError) -> ResponseReturnValue:
    with g.session.begin():
        text = translated(f"error.{refused.code}", str(refused), **refused.params)
        return _page(text), 409


def _ring() -> RingFile:
    """Return the ring of this installation; a process keeps one."""
    kept: RingFile | None = current_app.extensions.get("ring")
    if kept is None:
        kept = current_app.extensions["ring"] = ring_of(current_app.extensions["settings"])
    return kept


def _figures(ring: KeyRing, counted: Sequence[KeyUse], now: datetime) -> list[dict[str, Any]]:
    stale = sum(one.rows for one in counted if not _is_current(ring, one))
    total = sum(one.rows for one in counted)
    return [
        {"value": ring.provider.upper(), "label": _("admin.k_suite"), "is_good": True},
        {"value": _age(ring.data.since, now), "label": _("admin.k_age"), "is_good": True},
        {"value": format_decimal(total), "label": _("admin.k_values"), "is_good": True},
        {"value": format_decimal(stale), "label": _("admin.k_left"), "is_good": stale == 0},
    ]


def _is_current(ring: KeyRing, one: KeyUse) -> bool:
    held = ring.of("data" if one.kind == "data" else "index")
    return one.key_id == held.current and one.provider == ring.provider


def _keys(
    ring: KeyRing, kind: Kind, counted: Sequence[KeyUse], now: datetime
) -> list[dict[str, Any]]:
    """Write the keys of one kind, the current one first."""
    held = ring.of(kind)
    rows = []
    for key_id in sorted(held.keys, key=lambda one: (one != held.current, -one)):
        left = key_runs.rows_on(counted, kind, key_id)
        is_current = key_id == held.current
        # Until somebody has counted, no key is called unused.
        may_go = kind != "signing" and not is_current and left == 0 and bool(counted)
        state = "current" if is_current else "free" if may_go else "needed"
        rows.append(
            {
                "kind": kind,
                "kind_name": _(f"admin.k_kind_{kind}"),
                "id": key_id,
                "age": _age(held.since, now) if is_current else "–",
                "left": format_decimal(left) if kind != "signing" else "–",
                "state": state,
                "state_name": _(f"admin.k_state_{state}"),
                "may_go": may_go,
            }
        )
    return rows


def _columns(ring: KeyRing, counted: Sequence[KeyUse]) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{one.table_name}.{one.column_name}",
            "kind_name": _(f"admin.k_kind_{one.kind}"),
            "key": one.key_id,
            "suite": one.provider.upper(),
            "rows": format_decimal(one.rows),
            "is_current": _is_current(ring, one),
        }
        for one in counted
    ]


def _run(one: KeyRun, names: dict[int, tuple[str, str]], now: datetime) -> dict[str, Any]:
    """Write one change and how far it is."""
    is_lost = one.ended_at is None and now - one.seen_at > key_runs.SILENT
    word = "lost" if is_lost else "running"
    if one.ended_at is not None:
        word = "failed" if one.problem else "done"
    whole = one.rows_before or 0
    more = ""
    if one.problem == "broken":
        more = _("admin.k_broken", n=one.broken)
    elif one.problem:
        more = translated(f"error.{one.problem}", one.problem, rows="")
    return {
        "asked_at": one.asked_at,
        "by": who(one.asked_by, names) or _("admin.nobody"),
        "act": _(f"admin.k_act_{one.act}")
        + (f" · {_(f'admin.k_kind_{one.kind}')} {one.key_id}" if one.kind else ""),
        "done": one.rows_done,
        "whole": whole,
        "ended_at": one.ended_at,
        "state_name": _(f"admin.k_run_{word}"),
        "tone": {"done": "ok", "failed": "late", "lost": "late"}.get(word, "soon"),
        "more": more,
    }


def _age(since: datetime | None, now: datetime) -> str:
    """Say how old a key is; the first key of an installation keeps no date."""
    if since is None:
        return str(_("admin.k_first"))
    return str(_("admin.k_days", n=(now - since).days))
