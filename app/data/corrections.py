"""Corrections for sources: made, taken away, answered by their departments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from flask import Blueprint, Response, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.auth import requires
from app.channel_pages import source_ip
from app.data.entries import said_words
from app.data.fact_words import place_words
from app.data.frame import page, source_words
from app.i18n import translated
from grids import exports
from grids.errors import GridsError
from grids.facts import checks, corrections, statements
from grids.facts.corrections import BadReceipt, NothingToCorrect
from grids.facts.models import Correction, Fact
from grids.facts.survivorship import PLACE

bp = Blueprint("corrections", __name__, url_prefix="/data/corrections")


@bp.get("")
@requires("data:decide")
def home() -> ResponseReturnValue:
    """List the sources with what they have not put right, and the files that were made."""
    with g.session.begin():
        return _home()


@bp.post("")
@requires("data:decide")
def make() -> ResponseReturnValue:
    """Make the file of what a source has not been told yet."""
    form = request.form
    source = form.get("source", "")
    try:
        with g.session.begin():
            made = corrections.make(
                g.session, g.actor, int(source) if source.isdecimal() else 0,
                reason=form.get("reason", ""), note=form.get("note", ""), now=datetime.now(UTC),
                source_ip=source_ip(),
            ).id  # fmt: skip
    except (exports.ReasonNeeded, NothingToCorrect) as refused:
        with g.session.begin():
            return _home(_words(refused)), 422
    return redirect(f"/data/corrections/{made}", 303)


@bp.get("/<int:file_id>")
@requires("data:decide")
def one(file_id: int) -> ResponseReturnValue:
    """Show a file with its lines and its receipt."""
    with g.session.begin():
        return _one(file_id)


@bp.get("/<int:file_id>.csv")
@requires("data:decide")
def download(file_id: int) -> ResponseReturnValue:
    """Give the file; who took it stands in the audit log."""
    with g.session.begin():
        file, source, lines = corrections.take(g.session, g.actor, file_id, source_ip=source_ip())
        words = {name: _field(name) for name in {line.field for line in lines}}
        words |= _speakers(lines)
        heads = [str(_(f"correction.head.{name}")) for name in corrections.HEADS]
        body = "".join(corrections.csv_of(lines, heads, words))
    answer = Response(body.encode(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = (
        f'attachment; filename="correction-{source.code}-{file.id}.csv"'
    )
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Row-Count"] = str(len(lines))
    return answer


@bp.post("/<int:file_id>/receipt")
@requires("data:decide")
def receive(file_id: int) -> ResponseReturnValue:
    """Note what the department answered: who confirmed, and the lines that it refuses."""
    try:
        with g.session.begin():
            corrections.receive(
                g.session, g.actor, file_id, _refused(request.form.get("refused", "")),
                by=request.form.get("by", ""), now=datetime.now(UTC), source_ip=source_ip(),
            )  # fmt: skip
    except BadReceipt as refused:
        with g.session.begin():
            return _one(file_id, _words(refused)), 422
    return redirect(f"/data/corrections/{file_id}", 303)


def _refused(text: str) -> dict[int, str]:
    """Read refused lines: a number and the reason on each. Raises `BadReceipt`."""
    found: dict[int, str] = {}
    for place, row in enumerate(text.splitlines(), 1):
        if not row.strip():
            continue
        number, _blank, why = row.strip().replace(",", " ").replace("，", " ").partition(" ")
        if not number.isdecimal():
            raise BadReceipt("a line begins with its number", field="refused", line=place)
        found[int(number)] = why.strip()
    return found


def _home(error: str = "") -> str:
    return page(
        "corrections", error=error, typed=request.form,
        sources=corrections.sources(g.session, g.actor),
        files=corrections.files(g.session, g.actor),
        reasons=[(name, str(_(f"export_reason.{name}"))) for name in exports.REASONS],
    )  # fmt: skip


def _one(file_id: int, error: str = "") -> str:
    file, source = corrections.file_of(g.session, g.actor, file_id)
    after = max(0, request.args.get("after", 0, type=int))
    lines = corrections.lines_of(g.session, g.actor, file, after=after)
    speakers = _speakers(lines)
    return page(
        "correction", withdrawn=corrections.withdrawn(g.session, g.actor, file), file=file, source=source, error=error, typed=request.form,
        reason=str(_(f"export_reason.{file.reason}")),
        rows=[(line, _field(line.field), _value(line, line.said), _value(line, line.holds),
               speakers[line.because]) for line in lines],
        next_line=lines[-1].id if len(lines) == corrections.LISTED else 0,
    )  # fmt: skip


def _value(line: Correction, value: str) -> str:
    if line.field == checks.GONE:
        return str(_(f"correction.gone.{value}"))
    fact = checks.field_of(line.register, line.field)
    return (place_words(value) if fact is None else said_words(fact, value)) or "–"


def _field(name: str) -> str:
    key = "correction.gone" if name == checks.GONE else f"register.field.{name}"
    return translated(key, name) if name != PLACE else str(_("register.field.place"))


def _speakers(lines: Sequence[Correction]) -> dict[str, str]:
    """Name those whose word holds in some lines: the spot, the desk, a source by its own name."""
    said = {line.because for line in lines}
    sources = statements.sources_of(g.session, [Fact(source=name) for name in said])
    names = {code: source.name for code, source in sources.items()}
    return {
        name: names.get(name) or translated(f"fact.source.{name}", "") or source_words(name)
        for name in said
    }


def _words(refused: GridsError) -> str:
    return translated(f"error.{refused.code}", str(refused), **refused.params)
