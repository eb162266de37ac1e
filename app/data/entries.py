"""Lists and pages of the registers: all that is known of a building, an enterprise, a component."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from app import faces
from app.auth import requires
from app.channel_pages import source_ip
from app.data import fact_words, import_words
from app.data.frame import page, source_words
from app.data.sites import hours_words
from app.i18n import translated
from grids.area_tree import area_names
from grids.codes import Department
from grids.enterprises import Enterprise
from grids.errors import GridsError
from grids.facts import checks, statements
from grids.facts.survivorship import PLACE
from grids.layers.access import checked_area
from grids.matching import merging
from grids.places import names_by_code
from grids.registers import changes, detail, entering, listing, withdrawing
from grids.registers.kinds import KINDS, Kind, NoEntry, Shown, kind_of

bp = Blueprint("entries", __name__)
#: What a page says was done.
DONE: Final = frozenset(
    {
        "corrected",
        "same",
        "asked",
        "asked_before",
        "withdrawn",
        "withdrawn_told",
        "entered",
        "ended",
        "revived",
    }
)


@bp.get("/registers")
@requires("grid:view")
def first() -> ResponseReturnValue:
    """Lead to the list of the first register that the caller may see."""
    return redirect(url_for("entries.listed", register=_offered()[0].name))


@bp.get("/registers/<register>")
@requires("grid:view")
def listed(register: str) -> ResponseReturnValue:
    """List a register: by area, by words, a page at a time."""
    kind = kind_of(register)
    _require(kind)
    area = checked_area(request.args.get("area", ""))
    words = request.args.get("q", "")[: listing.LONGEST]
    after = request.args.get("after", 0, type=int)
    with g.session.begin():
        found = listing.listed(
            g.session, g.actor, kind, area=area, words=words, after=max(0, after)
        )
        return page(
            "entries", kind=kind, kinds=_offered(), found=found, area=area, q=words,
            area_name=faces.by_language(*area_names(g.session, area)) if area else "",
            title=lambda row: title_of(kind, row), facts=_heads(kind), told=told,
            addresses=listing.addresses(g.session, g.actor, found.rows),
            is_by_hand=kind.name in entering.KINDS and g.actor.can("data:decide"),
            areas=names_by_code(g.session, {row.area_code for row in found.rows}),
        )  # fmt: skip


@bp.get("/registers/<register>/<int:entry_id>")
@requires("grid:view")
def one(register: str, entry_id: int) -> ResponseReturnValue:
    """Show all that is known of one entry; one that was given up leads to its survivor."""
    kind = kind_of(register)
    if kind.model is Enterprise and "own" not in request.args and g.actor.can(kind.permission):
        with g.session.begin():
            survivor = merging.survivor_of(g.session, g.actor, entry_id)
        if survivor is not None:
            return redirect(
                url_for("entries.one", register=register, entry_id=survivor, was=entry_id)
            )
    return show(kind, entry_id)


@bp.post("/registers/<register>/<int:entry_id>")
@requires("data:decide")
def correct(register: str, entry_id: int) -> ResponseReturnValue:
    """Correct facts of an entry by hand, with the reason; what stood before is kept."""
    kind = kind_of(register)
    given = {fact.column: request.form[fact.column] for fact in kind.facts
             if fact.column in request.form}  # fmt: skip
    try:
        with g.session.begin():
            entry = detail.entry_of(g.session, g.actor, kind, entry_id)
            changed = changes.correct(
                g.session, kind, entry, given, request.form.get("reason", ""), g.actor,
                source_ip=source_ip(), now=datetime.now(UTC),
            )  # fmt: skip
    except changes.BadValue as refused:
        return show(kind, entry_id, typed=dict(request.form), refused=refused), 422
    done = "corrected" if changed else "same"
    return redirect(url_for("entries.one", register=register, entry_id=entry_id, done=done), 303)


@bp.post("/registers/<register>/<int:entry_id>/withdraw")
@requires("data:decide")
def withdraw(register: str, entry_id: int) -> ResponseReturnValue:
    """Take back what was corrected by hand, with the reason: what sources say holds again."""
    kind = kind_of(register)
    try:
        with g.session.begin():
            entry = detail.entry_of(g.session, g.actor, kind, entry_id)
            told_to = withdrawing.withdraw(
                g.session, kind, entry, request.form.get("field", ""),
                request.form.get("reason", ""), g.actor,
                source_ip=source_ip(), now=datetime.now(UTC),
            )  # fmt: skip
    except changes.BadValue as refused:
        return show(kind, entry_id, refused=refused, at="withdraw"), 422
    done = "withdrawn_told" if told_to else "withdrawn"
    return redirect(url_for("entries.one", register=register, entry_id=entry_id, done=done), 303)


@bp.post("/registers/<register>/<int:entry_id>/ask")
@requires("data:decide")
def ask(register: str, entry_id: int) -> ResponseReturnValue:
    """Ask the worker of the entry's grid about one field."""
    kind = kind_of(register)
    with g.session.begin():
        entry = detail.entry_of(g.session, g.actor, kind, entry_id)
        made = checks.ask(
            g.session, kind, entry, request.form.get("field", ""), g.actor, now=datetime.now(UTC)
        )
    done = "asked" if made else "asked_before"
    return redirect(url_for("entries.one", register=register, entry_id=entry_id, done=done), 303)


def _askable(kind: Kind, entry: Any) -> tuple[str, ...]:
    """Return the fields that the caller may have asked on the spot."""
    if not g.actor.can("data:decide") or entry.grid_id is None or entry.valid_to is not None:
        return ()
    return checks.askable(kind)


def _checks(kind: Kind, entry: Any) -> list[tuple[str, str, str]]:
    """Tell the questions about an entry: the field, when it was asked, what came of it."""
    return [
        (one.field, faces.instant_words(one.asked_at),
         str(_(f"check.answer.{one.answer}")) if one.answer else str(_(f"check.state.{one.state}")))
        for one in checks.of_entry(g.session, g.actor, kind.table, entry.id)
    ]  # fmt: skip


def show(
    kind: Kind, entry_id: int, *, typed: dict[str, str] | None = None,
    refused: GridsError | None = None, at: str = "correct",
) -> str:  # fmt: skip
    """Return the page of an entry, with what was typed and why it was refused."""
    now = datetime.now(UTC)
    on = _day(request.args.get("on", ""))
    with g.session.begin():
        found = detail.detail(g.session, g.actor, kind, entry_id, now=now, on=on)
        values = changes.values_of(kind, found.entry)
        if on is not None:
            values = changes.as_of(g.session, kind, found.entry, _end_of(on))
        said = statements.of_entry(g.session, kind.table, entry_id) if on is None else {}
        done = request.args.get("done", "")
        return page(
            "entry", kind=kind, kinds=_offered(), found=found, on=on,
            title=_title(found), named=lambda k, row: title_of(KINDS[k], row),
            facts=[(fact.column, told(fact, values.get(fact.column), found.names),
                    fact_words.told(said.get(fact.column, ()), partial(said_words, fact)))
                   for fact in kind.facts
                   if fact.column != "valid_to" or values.get("valid_to")] if values else [],
            place=fact_words.told(said.get(PLACE, ()), fact_words.place_words),
            history=[(change, [(_fact(kind, name), _word(kind, name, old), _word(kind, name, new))
                               for name, old, new in change.fields])
                     for change in changes.changes_of(g.session, kind, found.entry)],
            editable=[(fact, _options(kind, fact, found.entry)) for fact in kind.facts
                      if fact.is_editable],
            is_by_hand=kind.name in entering.KINDS and not getattr(found.entry, "merged_into", None),
            current=typed or {name: "" if value is None else value
                              for name, value in changes.values_of(kind, found.entry).items()},
            case_words=_case_words,
            by_hand=_by_hand(kind, found.entry), refused_at=at if refused else "",
            refused=refused.params.get("field") if refused else None,
            refused_words=_refusal(refused) if refused else "",
            done=done if done in DONE else "",
            was=request.args.get("was", 0, type=int), merges=_merges(kind, found.entry),
            checks=_checks(kind, found.entry), askable=_askable(kind, found.entry),
            gone=fact_words.told(said.get(checks.GONE, ()), str),
            page_data={"place": {"lon": found.lon, "lat": found.lat}},
        )  # fmt: skip


def _by_hand(kind: Kind, entry: Any) -> list[tuple[str, str, str, str]]:
    """Return what the caller may take back: the field, what was decided, who did, and when."""
    if not g.actor.can("data:decide"):
        return []
    return [
        (row.Fact.field, said_words(_fact(kind, row.Fact.field), row.Fact.value) or "–",
         row.name or "", faces.instant_words(row.Fact.observed_at))
        for row in withdrawing.by_hand(g.session, kind, entry)
    ]  # fmt: skip


def _merges(kind: Kind, entry: Any) -> list[dict[str, Any]]:
    """Return which entries were given up for this one, or for which it was itself."""
    if kind.model is not Enterprise:
        return []
    return [
        {"merge": one, "by": by, "name": name or "", "is_survivor": one.survivor == entry.id}
        for one, by, name in merging.merges_of(g.session, g.actor, entry.id)
    ]  # fmt: skip


def title_of(kind: Kind, row: Any) -> str:
    """Name an entry: by what it is called, else by its kind and key."""
    for column in kind.title:
        if value := getattr(row, column):
            return str(value)
    word = translated(f"kind.{row.kind}", row.kind) if hasattr(row, "kind") else ""
    return f"{word or _(f'data.register.{kind.name}')} {row.id}"


def _title(found: detail.Detail) -> str:
    """Name an entry on its page: what has a number only is called by its class too."""
    name = title_of(found.kind, found.entry)
    if found.kind.name == "component" and not found.entry.name and "code" in found.names:
        return f"{faces.by_language(*found.names['code'])} {name}"
    return name


def _require(kind: Kind) -> None:
    if not g.actor.can(kind.permission):
        raise NoEntry(f"no register {kind.name}")


def _offered() -> list[Kind]:
    return [kind for kind in KINDS.values() if g.actor.can(kind.permission)]


def _heads(kind: Kind) -> list[Shown]:
    """Choose the facts that a list shows beside the name."""
    plain = (*kind.title, "valid_from", "valid_to")
    return [fact for fact in kind.facts if fact.column not in plain][:4]


def _fact(kind: Kind, name: str) -> Shown:
    return next(fact for fact in kind.facts if fact.column == name)


def _word(kind: Kind, name: str, value: Any) -> str:
    return told(_fact(kind, name), value, {})


def told(fact: Shown, value: Any, names: dict[str, tuple[str, str]] | None = None) -> str:
    """Write a value for a reader; empty where nothing is known."""
    if value is None or value == "":
        return ""
    if names and fact.column in names:
        return f"{faces.by_language(*names[fact.column])} {value}"
    if fact.form == "word":
        return translated(f"{fact.words}.{value}", str(value))
    if fact.form == "day":
        day = value if isinstance(value, date) else date.fromisoformat(str(value))
        return faces.day_words(day)
    if fact.form == "number" and fact.column != "built_year":
        number = f"{value:,.1f}".removesuffix(".0") if isinstance(value, float) else f"{value:,}"
        return f"{number} {_('data.unit.' + fact.unit)}" if fact.unit else number
    if fact.form == "hours":
        return hours_words(str(value))
    if fact.column == "source":
        return source_words(str(value))
    return str(value)


def said_words(fact: Shown, value: str) -> str:
    """Write what a source says, which is kept as text."""
    if fact.form != "number" or not value:
        return told(fact, value)
    number = float(value)
    return told(fact, int(number) if number.is_integer() else number)


def _refusal(refused: GridsError) -> str:
    if not isinstance(refused, changes.BadValue):
        return import_words.message(refused)
    name = str(refused.params["field"])
    words = _("register.reason") if name == "reason" else _(f"register.field.{name}")
    return str(_("error.register.bad_value", field_name=words))


def choices_of(fact: Shown) -> list[tuple[str, str]]:
    """Return the words that a fact may have, for a form."""
    return [(one, translated(f"{fact.words}.{one}", one)) for one in fact.choices]


def _options(kind: Kind, fact: Shown, entry: Any) -> list[tuple[str, str]]:
    """Return what a correction may choose for a fact, with what stands now; empty for free text."""
    found = departments() if fact.form == "department" else choices_of(fact)
    if not found:
        return []
    present = getattr(entry, fact.column)
    if present is not None and present not in dict(found):
        found.insert(0, (present, told(fact, present)))
    return [("", "–"), *found] if kind.model.__table__.c[fact.column].nullable else found


def departments() -> list[tuple[str, str]]:
    """Return the codes of departments with their names, in their order."""
    rows = g.session.scalars(select(Department).order_by(Department.sort)).all()
    return [(row.code, faces.by_language(row.name_zh, row.name_en)) for row in rows]


def _case_words(row: Any) -> dict[str, str]:
    return {
        "name": faces.by_language(row.category_zh, row.category_en),
        "status": str(_(f"status.{row.status}")),
        "at": faces.instant_words(row.received_at),
    }


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _end_of(on: date) -> datetime:
    zone = ZoneInfo(faces.settings().city_zone)
    return datetime.combine(on + timedelta(days=1), time(0), zone) - timedelta(microseconds=1)
