"""Forms that enter something into a register by hand, end an entry, and take its end back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app import faces
from app.auth import requires
from app.channel_pages import source_ip
from app.data import entries, import_words
from app.data.frame import page
from app.errors import status_of
from app.i18n import translated
from grids.codes import Category, Department
from grids.codes.models import DEFAULT_SYSTEM
from grids.errors import GridsError, Invalid, NotFound
from grids.flows import once
from grids.importing.batches.targets import Field
from grids.normal import Unfit
from grids.places import names_by_code
from grids.registers import changes, detail, ending, entering
from grids.registers.entering import Draft
from grids.registers.kinds import Kind, NoEntry, Shown, kind_of

bp = Blueprint("entering", __name__)

LONGEST: Final = 200
#: Everything that a form of any register may carry.
FIELDS: Final = frozenset(
    {"id", "step", "sure", *entering.PLACE}
    | {field.name for name in entering.KINDS for field in entering.fields_of(kind_of(name))}
)


class _SentTwice(Exception):
    """The same form was sent at the same moment and is kept."""


@bp.get("/registers/<register>/new")
@requires("data:decide")
def new(register: str) -> ResponseReturnValue:
    """Show the empty form of a register whose entries are entered by hand."""
    with g.session.begin():
        return _form(_kind(register), {})


@bp.post("/registers/<register>/new")
@requires("data:decide")
def enter(register: str) -> ResponseReturnValue:
    """Look the address up, show what may be the same, or enter what was typed."""
    kind, given = _kind(register), _given()
    try:
        with g.session.begin():
            draft = entering.read(g.session, kind, given)
            if request.form.get("step") == "find":
                return _form(kind, given, draft, is_looking=True)
            if draft.problems:
                return _form(kind, given, draft), 422
            if not request.form.get("sure"):
                same = entering.alike(g.session, g.actor, kind, draft)
                if same and not _is_sent(kind, given):
                    return _form(kind, given, draft, same=same), 409
            entry_id = _enter_once(kind, given, draft)
    except _SentTwice:
        with g.session.begin():
            entry_id = int(_earlier(kind, given)["entry"])
    except entering.BadEntry as refused:
        with g.session.begin():
            return _form(kind, given, Draft({}, problems=refused.params["problems"])), 422
    except NotFound:
        raise
    except GridsError as refused:
        with g.session.begin():
            return _form(kind, given, refused=refused), status_of(refused)
    return redirect(
        url_for("entries.one", register=register, entry_id=entry_id, done="entered"), 303
    )


@bp.post("/registers/<register>/<int:entry_id>/end")
@requires("data:decide")
def end(register: str, entry_id: int) -> ResponseReturnValue:
    """End an entry, with the reason."""
    return _decided(register, entry_id, "ended")


@bp.post("/registers/<register>/<int:entry_id>/revive")
@requires("data:decide")
def revive(register: str, entry_id: int) -> ResponseReturnValue:
    """Take the end of an entry back, with the reason."""
    return _decided(register, entry_id, "revived")


def _decided(register: str, entry_id: int, done: str) -> ResponseReturnValue:
    kind, reason = _kind(register), request.form.get("reason", "")
    try:
        with g.session.begin():
            entry = detail.entry_of(g.session, g.actor, kind, entry_id)
            if done == "ended":
                ending.end(
                    g.session, g.actor, kind, entry, reason, today=_today(), source_ip=source_ip()
                )
            else:
                ending.revive(g.session, g.actor, kind, entry, reason, source_ip=source_ip())
    except changes.BadValue as refused:
        return entries.show(kind, entry_id, refused=refused, at="end"), 422
    except (ending.Ended, ending.Standing) as refused:
        return entries.show(kind, entry_id, refused=refused, at="end"), status_of(refused)
    return redirect(url_for("entries.one", register=register, entry_id=entry_id, done=done), 303)


# --- Once -----------------------------------------------------------------------------------


def _enter_once(kind: Kind, given: dict[str, str], draft: Draft) -> int:
    """Enter what was typed, once however often the form is sent; return the key of the entry."""
    if _is_sent(kind, given):
        return int(_earlier(kind, given)["entry"])
    entry = entering.enter(g.session, g.actor, kind, draft, today=_today(), source_ip=source_ip())
    kept = once.keep(
        g.session, _key(), "register_entered", _digest(kind, given), {"entry": entry.id},
        datetime.now(UTC),
    )  # fmt: skip
    if kept is not None:
        raise _SentTwice
    return int(entry.id)


def _is_sent(kind: Kind, given: dict[str, str]) -> bool:
    return once.earlier(g.session, _key(), _digest(kind, given)) is not None


def _earlier(kind: Kind, given: dict[str, str]) -> dict[str, Any]:
    found = once.earlier(g.session, _key(), _digest(kind, given))
    return found.body if found is not None else {}


def _digest(kind: Kind, given: dict[str, str]) -> bytes:
    return once.digest_of("register_entered", kind.name, given, actor_id=g.actor.account_id)


def _key() -> UUID:
    key = faces.form_id(request.form.get("id", ""))
    if key is None:
        raise Invalid("the form has no id", field="id")
    return key


# --- The form -------------------------------------------------------------------------------


def _kind(register: str) -> Kind:
    kind = kind_of(register)
    if not g.actor.can(kind.permission):
        raise NoEntry(f"no register {kind.name}")
    entering.fields_of(kind)  # raises where entries come by import
    return kind


def _given() -> dict[str, str]:
    return {name: value[:LONGEST] for name, value in request.form.items()
            if name in FIELDS - {"id", "step", "sure"}}  # fmt: skip


def _form(
    kind: Kind, given: dict[str, str], draft: Draft | None = None, *, same: Any = (),
    refused: GridsError | None = None, is_looking: bool = False,
) -> str:  # fmt: skip
    problems = dict(draft.problems) if draft else {}
    if is_looking:
        problems = {name: why for name, why in problems.items() if name == "place"}
    lon, lat = (given.get("lon", ""), given.get("lat", ""))
    if draft is not None and draft.lon is not None and not (lon or lat):
        lon, lat = f"{draft.lon:.6f}", f"{draft.lat:.6f}"
    return page(
        "entry_new", kind=kind, form_id=faces.form_id(request.form.get("id", "")) or uuid4(),
        fields=[_field(kind, one, given, problems.get(one.name)) for one in entering.fields_of(kind)],
        given={**given, "lon": lon, "lat": lat},
        place_words=_rule(problems["place"]) if "place" in problems else "",
        same=[(row, entries.title_of(kind, row)) for row in same],
        areas=names_by_code(g.session, {row.area_code for row in same}),
        refused=import_words.message(refused) if refused else "",
        taken=refused.params.get("entry", 0) if isinstance(refused, entering.Taken) else 0,
        page_data={"pick": {"lon": float(lon), "lat": float(lat)} if _is_point(lon, lat) else {}},
    )  # fmt: skip


def _field(kind: Kind, one: Field, given: dict[str, str], problem: Unfit | None) -> dict[str, Any]:
    return {
        "name": one.name, "label": translated(f"register.field.{one.name}", import_words.field(one.name)), "is_required": one.is_required,
        "value": given.get(one.name, ""), "options": _options(kind, one),
        "problem": _rule(problem) if problem else "",
        "type": {"date": "date", "integer": "number"}.get(one.kind, "text"),
        "mode": "decimal" if one.kind == "double precision" else "",
    }  # fmt: skip


def _options(kind: Kind, one: Field) -> list[tuple[str, str]]:
    """Return the words that a field may have, as a form offers them; empty for free text."""
    if one.listed == "department":
        rows = g.session.scalars(select(Department).order_by(Department.sort)).all()
        return [(row.code, faces.by_language(row.name_zh, row.name_en)) for row in rows]
    if one.listed == "component_code":
        classes = g.session.scalars(
            select(Category)
            .where(Category.kind == "component", Category.code_system == DEFAULT_SYSTEM,
                   Category.parent.is_not(None), Category.valid_to.is_(None))
            .order_by(Category.code)
        ).all()  # fmt: skip
        return [(row.code, f"{row.code} {faces.by_language(row.name_zh, row.name_en)}")
                for row in classes]  # fmt: skip
    fact = next((fact for fact in kind.facts if fact.column == one.name), Shown(one.name))
    return entries.choices_of(fact)


def _rule(why: Unfit) -> str:
    return import_words.rule({"rule": why.rule, **why.params})


def _is_point(lon: str, lat: str) -> bool:
    try:
        return abs(float(lon)) <= 180 and abs(float(lat)) <= 90
    except ValueError:
        return False


def _today() -> date:
    return datetime.now(ZoneInfo(faces.settings().city_zone)).date()
