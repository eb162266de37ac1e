"""Departments' ledgers: which there are, one as of any day, where a cell comes from, the file."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import export_files, faces
from app.auth import requires
from app.config import Settings
from app.desk import frame
from app.i18n import translated
from app.render import json_answer
from app.visit_answers import kind_word, value_words
from gis.formats import safe_cell
from gis.workbooks import write_rows
from grids import audit, exports
from grids.area_tree import areas_under
from grids.city import the_city
from grids.errors import Invalid
from grids.exports.marks import mark_instant
from grids.layers.access import checked_area
from grids.ledgers import rounds, tables
from grids.ledgers.errors import NoSubject
from grids.ledgers.models import Ledger
from grids.ledgers.origins import origins
from grids.ledgers.tables import Column, Narrowed, Row

bp = Blueprint("ledgers", __name__)

PAGE_ROWS: Final = 50
LONGEST: Final = 40
FORMATS: Final = ("xlsx", "csv")
#: Column of a CSV that says who took it, when and under which number.
MARK_COLUMN: Final = "export_mark"


@bp.get("/desk/ledgers")
@requires("ledger:view")
def home() -> ResponseReturnValue:
    """List the ledgers of the caller's department, or of all lines."""
    now = _now()
    with g.session.begin():
        found = [
            (one, tables.count(g.session, g.actor, one, as_of=now))
            for one in tables.ledgers(g.session, g.actor)
        ]
        return render_template("desk/ledgers.html", rows=found, by_language=faces.by_language,
                               **frame())  # fmt: skip


@bp.get("/desk/ledgers/<code>")
@requires("ledger:view")
def one(code: str) -> ResponseReturnValue:
    """Show a ledger as it is, or as it was on a day; narrowed, a page at a time."""
    with g.session.begin():
        return _page(code, request.args, {})


@bp.get("/desk/ledgers/<code>/<int:key>")
@requires("ledger:view")
def entry(code: str, key: int) -> ResponseReturnValue:
    """Show one row with the answers behind each cell."""
    on = _day(request.args.get("on", ""))
    with g.session.begin():
        found = tables.ledger(g.session, g.actor, code)
        as_of = _as_of(on)
        row = next(tables.rows(g.session, g.actor, found, as_of=as_of, key=key), None)
        if row is None:
            raise NoSubject(f"no {found.subject} {key} in the ledger {code}")
        made = tables.columns(g.session, found)
        behind = origins(g.session, g.actor, found, key, as_of=as_of)
        words = _words(found, [row])
        return render_template(
            "desk/ledger_entry.html",
            ledger=found,
            name=faces.by_language(found.name_zh, found.name_en),
            title=row.name.strip() or f"{translated(f'visit.subject.{found.subject}', '')} {key}",
            on=on,
            cells=[
                {"title": faces.by_language(column.zh, column.en), "words": words(column, value),
                 "told": [_told(column, each) for each in behind.get(column.name, [])]
                 if column.source == "q" else None,
                 "source": str(_(f"ledger.from_{column.source}"))}
                for column, value in zip(made, row.values, strict=True)
            ],
            **frame(),
        )  # fmt: skip


@bp.post("/desk/ledgers/<code>/file")
@requires("ledger:view")
def file(code: str) -> ResponseReturnValue:
    """Give the ledger as it is shown as a file, for a reason; who took it stands in it."""
    form = request.form
    try:
        with g.session.begin():
            audit.require_sealing(g.session)
            return _file(code, form)
    except exports.ReasonNeeded as refused:
        with g.session.begin():
            return _page(code, form, faces.field_errors(refused)), 422


@bp.get("/api/ledgers")
@requires("ledger:view")
def listed() -> ResponseReturnValue:
    """List the ledgers that the caller may read."""
    with g.session.begin():
        found = tables.ledgers(g.session, g.actor)
        return json_answer({"items": [
            {"code": row.code, "line": row.line, "name": faces.by_language(row.name_zh, row.name_en),
             "subject": row.subject, "period_days": row.period_days} for row in found
        ]})  # fmt: skip


@bp.get("/api/ledgers/<code>")
@requires("ledger:view")
def read(code: str) -> ResponseReturnValue:
    """Give a page of a ledger, as of `on`; `after` goes on behind a row. Values as stored."""
    args = request.args
    with g.session.begin():
        found = tables.ledger(g.session, g.actor, code)
        made = tables.columns(g.session, found)
        rows = _rows(found, args, after=_after(args), most=PAGE_ROWS)
    return json_answer({
        "columns": [{"title": faces.by_language(column.zh, column.en),
                     "from": f"{column.source}:{column.name}"} for column in made],
        "items": [{"id": row.subject_id, "area": row.area_code, "values": row.values}
                  for row in rows],
        "next": rows[-1].subject_id if len(rows) == PAGE_ROWS else None,
    })  # fmt: skip


def _page(code: str, args: Any, errors: dict[str, str]) -> str:
    found = tables.ledger(g.session, g.actor, code)
    made = tables.columns(g.session, found)
    narrowed, on = _narrowed(args), _day(args.get("on", ""))
    rows = _rows(found, args, after=_after(args), most=PAGE_ROWS)
    words = _words(found, rows)
    kept = {name: args[name] for name in ("on", "area", "kind", "q", "answer") if args.get(name)}
    roots = areas_under(g.session, g.actor, "")
    nodes = [*roots, *(node for root in roots for node in areas_under(g.session, g.actor,
                                                                     root.code))]  # fmt: skip
    is_more = len(rows) == PAGE_ROWS
    return render_template(
        "desk/ledger.html",
        ledger=found,
        name=faces.by_language(found.name_zh, found.name_en),
        columns=made,
        rows=[(row, [words(column, value) for column, value in zip(made, row.values, strict=True)])
              for row in rows],
        total=tables.count(g.session, g.actor, found, as_of=_as_of(on), narrowed=narrowed),
        next_url=url_for("ledgers.one", code=code, after=rows[-1].subject_id, **kept)
        if is_more else "",
        on=on,
        today=_today(),
        areas=[(node.code, faces.by_language(node.name_zh, node.name_en)) for node in nodes],
        kinds=[(kind, kind_word(found.subject, kind, {})) for kind in found.kinds],
        asked=[column for column in made if column.question and column.question.options],
        kept=kept,
        reasons=[(name, str(_(f"export_reason.{name}"))) for name in exports.REASONS],
        typed={name: args.get(name, "") for name in ("reason", "note", "format")},
        errors=errors,
        by_language=faces.by_language,
        **frame(),
    )  # fmt: skip


def _rows(found: Ledger, args: Any, *, after: int = 0, most: int | None = None) -> list[Row]:
    return list(tables.rows(
        g.session, g.actor, found, as_of=_as_of(_day(args.get("on", ""))), after=after, most=most,
        narrowed=_narrowed(args),
    ))  # fmt: skip


def _words(found: Ledger, rows: Sequence[Row]) -> Callable[[Column, Any], str]:
    """Return how a value is written, with the names of grids and classes asked for once."""
    grids = rounds.grid_names(g.session, {row.area_code[:15] for row in rows})
    classes = (
        rounds.component_names(g.session, _classes(found, rows))
        if found.subject == "component" else {}
    )  # fmt: skip

    def words(column: Column, value: Any) -> str:
        if value is None:
            return ""
        if column.question:
            return value_words(column.question, value)
        if column.source == "r" and column.name == "kind":
            return kind_word(found.subject, str(value), classes)
        if column.source == "r" and column.name == "grid":
            return grids.get(str(value)[:15], str(value))
        if isinstance(value, datetime):
            return faces.moment_words(value)
        return str(value)

    return words


def _classes(found: Ledger, rows: Sequence[Row]) -> set[str]:
    made = tables.columns(g.session, found)
    places = [at for at, one in enumerate(made) if (one.source, one.name) == ("r", "kind")]
    return {str(row.values[at]) for row in rows for at in places}


def _told(column: Column, origin: Any) -> dict[str, Any]:
    """Write where an answer comes from: no name, the role."""
    was = origin.replaced.get("was") if isinstance(origin.replaced, dict) else None
    return {
        **asdict(origin),
        "words": value_words(column.question, origin.value) if column.question else "",
        "at": faces.moment_words(origin.observed_at),
        "role_name": translated(f"role.{origin.role}", origin.role) if origin.role else "",
        "form": faces.by_language(origin.form_zh, origin.form_en),
        "how": str(_(f"ledger.source_{origin.source}")),
        "was": was,
    }


def _file(code: str, form: Any) -> Response:
    ending = form.get("format", "xlsx")
    if ending not in FORMATS:
        raise Invalid("xlsx or csv", field="format")
    found = tables.ledger(g.session, g.actor, code)
    narrowed = _narrowed(form)
    choice = {**asdict(narrowed), "on": form.get("on", ""),
              "columns": [text for _zh, _en, text in found.columns]}  # fmt: skip
    kept = exports.keep_ledger(
        g.session, code, g.actor, format_name=ending, choice=choice,
        reason=form.get("reason", ""), note=form.get("note", ""), rows=0, now=_now(),
    )  # fmt: skip
    rows = _rows(found, form)
    kept.rows = len(rows)
    if ending == "xlsx" and len(rows) > exports.MOST_ON_A_SHEET:
        raise exports.TooManyForSheet(
            "too many rows for one sheet", rows=len(rows), most=exports.MOST_ON_A_SHEET
        )
    mark = exports.mark_of(g.session, kept)
    made = tables.columns(g.session, found)
    heads = [faces.by_language(column.zh, column.en) for column in made]
    lines = _lines(made, rows, _words(found, rows), mark.key)
    audit.record(
        g.session, "export", actor_id=g.actor.account_id, subject=f"ledger {code}",
        source_ip=request.remote_addr or "",
        detail={"export": kept.number, "level": "L2", "reason": kept.reason, "format": ending,
                "rows": len(rows), "on": form.get("on", ""), "area": narrowed.area},
    )  # fmt: skip
    body = _written(ending, found, heads, lines, mark)
    answer = Response(body, mimetype=exports.FORMATS[ending][1])
    answer.headers["X-Row-Count"] = str(len(rows))
    answer.headers["X-Export-Number"] = kept.number
    answer.headers["Content-Disposition"] = (
        f'attachment; filename="ledger-{code}-{kept.number}.{ending}"'
    )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _lines(
    made: Sequence[Column], rows: Sequence[Row], words: Callable[[Column, Any], str], key: str
) -> Iterator[list[Any]]:
    """Write rows as a file has them: numbers as numbers, instants marked for this recipient."""
    zone = ZoneInfo(the_city(g.session).city_zone)
    for row in rows:
        yield [
            mark_instant(key, value).astimezone(zone) if isinstance(value, datetime)
            else value if isinstance(value, int | float) else words(column, value)
            for column, value in zip(made, row.values, strict=True)
        ]  # fmt: skip


def _written(
    ending: str, found: Ledger, heads: list[str], lines: Iterator[list[Any]], mark: exports.Mark
) -> bytes:
    settings: Settings = current_app.extensions["settings"]
    folder = settings.var_dir / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    title = faces.by_language(found.name_zh, found.name_en)
    with tempfile.TemporaryDirectory(prefix="ledger-", dir=folder) as place:
        path = Path(place) / f"ledger.{ending}"
        if ending == "xlsx":
            facts = {name: str(value) for name, value in mark.facts().items()}
            write_rows(path, title, heads, lines, watermark=mark.text, facts=facts)
        else:
            with path.open("w", encoding="utf-8-sig", newline="") as out:
                writer = csv.writer(out)
                writer.writerow([*heads, MARK_COLUMN])
                writer.writerows([*map(_cell, line), mark.text] for line in lines)
        return b"".join(export_files.file_pieces(path))


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return safe_cell(value) if isinstance(value, str) else value


def _narrowed(args: Any) -> Narrowed:
    question, _sign, answer = args.get("answer", "")[:200].partition("=")
    return Narrowed(
        checked_area(args.get("area", "")), args.get("kind", "")[:LONGEST],
        args.get("q", "").strip()[:LONGEST], question, answer,
    )  # fmt: skip


def _after(args: Any) -> int:
    text = args.get("after", "0")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


def _day(text: str) -> date | None:
    """Read a day of the city; without one it is now. Raises `Invalid`."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid("no day", field="on") from None


def _as_of(on: date | None) -> datetime:
    """Return the end of a day of the city, or now."""
    if on is None:
        return _now()
    zone = ZoneInfo(the_city(g.session).city_zone)
    return min(_now(), datetime.combine(on, time(), zone) + timedelta(days=1))


def _today() -> date:
    return datetime.now(ZoneInfo(the_city(g.session).city_zone)).date()


def _now() -> datetime:
    return datetime.now(UTC)
