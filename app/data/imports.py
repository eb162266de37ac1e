"""Imports on the data desk: send a table, say how it is read, look at its faults, take it over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from flask import Blueprint, Response, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from app import faces
from app.auth import requires
from app.data import import_words as words
from app.data.fault_sheet import fault_sheet
from app.data.frame import page
from app.data.likeness import evidence
from app.errors import status_of
from app.render import json_answer
from gis.errors import GisError
from gis.tables import ReadAs
from gis.tables.encodings import ENCODINGS
from grids import jobs
from grids.city import the_city
from grids.codes import Department
from grids.errors import GridsError, NotFound
from grids.importing.batches import mending, reports, service
from grids.importing.batches.likely import COMPARED
from grids.importing.batches.models import ImportBatch
from grids.importing.batches.placing import DRAWN
from grids.importing.batches.settings import Given, settings_of
from grids.importing.batches.targets import TARGETS, target_of

bp = Blueprint("imports", __name__)

MOST_BYTES: Final = 64 * 1024 * 1024
#: States in which the worker is at it: the page asks again by itself.
#: Of the rows that are taken for an entry a page shows so many.
SHOWN_LIKELY: Final = 20
BUSY: Final = ("uploaded", "checking", "committing", "undoing")
DELIMITERS: Final = (",", "\t", ";", "|")


@bp.url_value_preprocessor
def _widen(_endpoint: str | None, _values: Any) -> None:
    """Let the form carry its file; must run before the form is read."""
    if request.method == "POST" and request.mimetype == "multipart/form-data":
        request.max_content_length = MOST_BYTES + 64 * 1024


@bp.get("/data/imports")
@requires("data:import")
def home() -> ResponseReturnValue:
    """Show what was sent and the form for the next file."""
    return _home({}, "")


def _home(form: dict[str, str], error: str) -> str:
    before = request.args.get("before", 0, type=int) if request.method == "GET" else 0
    with g.session.begin():
        rows = service.batches(g.session, g.actor, before=max(0, before))
        return page(
            "imports",
            rows=rows,
            sources=service.sources(g.session, g.actor),
            targets=list(TARGETS),
            departments=g.session.scalars(select(Department).order_by(Department.sort)).all(),
            form=form,
            error=error,
            most_mb=MOST_BYTES >> 20,
            busy=BUSY,
            has_databases=bool(current_app.extensions["databases"]),
            older=rows[-1][0].id if len(rows) == service.LISTED else 0,
        )


@bp.post("/data/imports")
@requires("data:import")
def send() -> ResponseReturnValue:
    """Keep a file as a new batch of a source; the worker looks at it."""
    form = {name: request.form.get(name, "").strip()
            for name in ("source", "code", "name", "target", "department")}  # fmt: skip
    file = request.files.get("file")
    data = file.stream.read(MOST_BYTES + 1) if file is not None else b""
    try:
        with g.session.begin():
            if len(data) > MOST_BYTES:
                raise service.TooLarge("too large", most_mb=MOST_BYTES >> 20, field="file")
            source = service.source_for(
                g.session, g.actor, known=form["source"], code=form["code"], name=form["name"],
                target=form["target"], department=form["department"],
            )  # fmt: skip
            batch = service.start(
                g.session, faces.blob_store(), g.actor, source, data,
                name=(file.filename if file is not None else "") or "", now=datetime.now(UTC),
            )  # fmt: skip
            jobs.defer(g.session, "look_import", batch_id=batch.id)
            made = batch.id
    except GridsError as error:
        return _home(form, words.message(error)), status_of(error)
    return redirect(url_for("imports.batch", batch_id=made), 303)


@bp.get("/data/imports/<int:batch_id>")
@requires("data:import")
def batch(batch_id: int) -> ResponseReturnValue:
    """Show a batch at the step where it is."""
    return _batch(batch_id)


@bp.get("/data/imports/<int:batch_id>/state")
@requires("data:import")
def state(batch_id: int) -> ResponseReturnValue:
    """Say how far a batch is, for the page that waits."""
    with g.session.begin():
        found = service.batch_of(g.session, g.actor, batch_id)
        wanted = found.rows_new + found.rows_changed + found.rows_same
        return json_answer({"state": found.state, "done": found.rows_done, "total": wanted})


@bp.post("/data/imports/<int:batch_id>/read")
@requires("data:import")
def read(batch_id: int) -> ResponseReturnValue:
    """Take how the file is to be read, and let the worker look again."""
    form = request.form
    how = ReadAs(
        encoding=form.get("encoding", ""), delimiter=form.get("delimiter", "")[:2],
        sheet=form.get("sheet", "")[:200], head_row=_number(form.get("head_row", "")),
    )  # fmt: skip

    def take(found: ImportBatch) -> None:
        old = settings_of(found.settings)
        service.settle(g.session, found, replace(
            old, read=how, crs=form.get("crs", ""), repair=False
        ))  # fmt: skip
        jobs.defer(g.session, "look_import", batch_id=found.id)

    return _act(batch_id, take)


@bp.post("/data/imports/<int:batch_id>/check")
@requires("data:import")
def check(batch_id: int) -> ResponseReturnValue:
    """Take which column brings which field, and let the worker check every row."""
    form = request.form

    def take(found: ImportBatch) -> None:
        target = target_of(service.source_of(g.session, found).target)
        mapping = {
            one.name: Given(
                form.get(f"c.{one.name}", ""), form.get(f"v.{one.name}", "").strip()
            )
            for one in target.fields
        }  # fmt: skip
        old = settings_of(found.settings)
        mode: Any = form.get("mode", "good")
        how: Any = form.get("match", old.match)
        service.ask_check(
            g.session, found, replace(old, mode=mode, match=how, mapping=mapping, repair=False)
        )
        jobs.defer(g.session, "check_import", batch_id=found.id)

    return _act(batch_id, take)


@bp.post("/data/imports/<int:batch_id>/mend")
@requires("data:import")
def mend(batch_id: int) -> ResponseReturnValue:
    """Take what was written into wrong cells, and let the worker judge those rows again."""

    def take(found: ImportBatch) -> None:
        target = target_of(service.source_of(g.session, found).target)
        rows = mending.mend(
            g.session, found, g.actor, target, _cells(request.form), now=datetime.now(UTC)
        )
        jobs.defer(g.session, "mend_import", batch_id=found.id, numbers=rows)

    return _act(batch_id, take)


@bp.post("/data/imports/<int:batch_id>/repair")
@requires("data:import")
def repair(batch_id: int) -> ResponseReturnValue:
    """Let the worker check again with outlines repaired as the page has shown, or as they came."""

    def take(found: ImportBatch) -> None:
        service.ask_repair(g.session, found, is_on=request.form.get("on") == "1")
        jobs.defer(g.session, "check_import", batch_id=found.id)

    return _act(batch_id, take)


def _cells(form: Mapping[str, str]) -> dict[tuple[int, str], str]:
    """Read `m.<row>.<field>`; a name of another shape is a cell that is nowhere."""
    cells = {}
    for name, text in form.items():
        kind, _, rest = name.partition(".")
        row, _, field = rest.partition(".")
        if kind == "m":
            is_row = row.isascii() and row.isdecimal() and len(row) < 9
            cells[int(row) if is_row else 0, field] = text
    return cells


@bp.post("/data/imports/<int:batch_id>/again")
@requires("data:import")
def again(batch_id: int) -> ResponseReturnValue:
    """Go back to the columns of a batch that is not taken over."""

    def take(found: ImportBatch) -> None:
        service.require(found, "checked", "refused")
        service.settle(g.session, found, settings_of(found.settings))
        jobs.defer(g.session, "look_import", batch_id=found.id)

    return _act(batch_id, take)


@bp.post("/data/imports/<int:batch_id>/commit")
@requires("data:import")
def commit(batch_id: int) -> ResponseReturnValue:
    """Let the worker take the good rows over."""

    def take(found: ImportBatch) -> None:
        service.ask_commit(g.session, found, g.actor, now=datetime.now(UTC))
        jobs.defer(g.session, "commit_import", batch_id=found.id)

    return _act(batch_id, take)


@bp.post("/data/imports/<int:batch_id>/undo")
@requires("data:import")
def undo(batch_id: int) -> ResponseReturnValue:
    """Let the worker take the batch back."""

    def take(found: ImportBatch) -> None:
        service.ask_undo(g.session, found, g.actor, now=datetime.now(UTC))
        jobs.defer(g.session, "undo_import", batch_id=found.id)

    return _act(batch_id, take)


@bp.get("/data/imports/<int:batch_id>/errors.csv")
@requires("data:import")
def errors(batch_id: int) -> ResponseReturnValue:
    """Give what was not taken as a table that can be mended and sent again."""
    with g.session.begin():
        found = service.batch_of(g.session, g.actor, batch_id)
        heads = (str(_("import.report.row")), str(_("import.report.column")),
                 str(_("import.report.value")), str(_("import.report.rule")),
                 str(_("import.report.reason")))  # fmt: skip
        body = "".join(reports.error_file(g.session, found, heads, words.rule))
    return Response(
        body, mimetype="text/csv; charset=utf-8",
        headers={"Content-Disposition": f"attachment; filename=import-{batch_id}-errors.csv"},
    )  # fmt: skip


def _act(batch_id: int, take: Any) -> ResponseReturnValue:
    """Do one step of a batch that the caller sees, and go to its page; say what is in the way."""
    try:
        with g.session.begin():
            take(service.batch_of(g.session, g.actor, batch_id, lock=True))
    except NotFound:
        raise
    except (GridsError, GisError) as error:
        return _batch(batch_id, error), status_of(error)
    return redirect(url_for("imports.batch", batch_id=batch_id), 303)


def _batch(batch_id: int, error: Exception | None = None) -> str:
    after = request.args.get("after", -1, type=int)
    with g.session.begin():
        found = service.batch_of(g.session, g.actor, batch_id)
        source = service.source_of(g.session, found)
        settings = settings_of(found.settings)
        is_judged = found.checked_at is not None and found.cleared_at is None
        target = target_of(source.target)
        rows = (
            service.rows_of(g.session, found, mending.BAD, after=after, most=mending.MOST_ROWS)
            if is_judged else ()
        )  # fmt: skip
        outlines = service.outlines_of(g.session, found, most=DRAWN) if is_judged else []
        return page(
            "import",
            batch=found, source=source, settings=settings, look=found.look,
            target=target, busy=found.state in BUSY,
            encodings=ENCODINGS, delimiters=DELIMITERS,
            systems=words.systems(the_city(g.session), settings, found.look),
            likely=reports.matched(g.session, g.actor, found, most=SHOWN_LIKELY)
            if is_judged and target.name in COMPARED else None,
            evidence=evidence, compared=COMPARED,
            sheet=fault_sheet(
                rows, target, settings, found.look.get("columns", ()),
                can_mend=found.state == "checked", typed=_cells(request.form),
            ) if rows else None,
            next_fault=rows[-1].number if len(rows) == mending.MOST_ROWS else None,
            mends=[(one, by) for one, by in mending.mends_of(
                g.session, found, most=mending.MOST_ROWS)],
            by_rule=[(words.rule_name(rule), rule, column, n)
                     for rule, column, n in reports.by_rule(g.session, found)] if is_judged else [],
            error=words.message(error) if error else "",
            why=words.refusal(found.refusal), field_word=words.field,
            outlines=[(number, told, words.flaw(told)) for number, told in outlines],
            note=words.note, shift=words.shift(found.look),
            page_data={"import": {"id": found.id, "state": found.state,
                                  "points": found.look.get("points", []),
                                  "outlines": [{"row": number, "before": told["before"],
                                                "after": told["after"]}
                                               for number, told in outlines if "before" in told]}},
        )  # fmt: skip


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else 0
