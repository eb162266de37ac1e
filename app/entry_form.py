"""What the forms of the data desk and of the phone share that enter something into a register."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from flask import g, request
from sqlalchemy import select

from app import faces
from app.channel_pages import source_ip
from app.data import entries, import_words
from app.errors import status_of
from app.i18n import translated
from grids.codes import Category
from grids.codes.models import DEFAULT_SYSTEM
from grids.errors import GridsError, Invalid, NotFound
from grids.flows import once
from grids.importing.batches.targets import Field
from grids.normal import Unfit
from grids.registers import entering
from grids.registers.entering import Draft
from grids.registers.kinds import Kind, NoEntry, Shown, kind_of

LONGEST: Final = 200
#: What was typed; beside it a form carries its id and what to do with it.
TYPED: Final = frozenset(entering.PLACE) | {
    one.name for name in entering.KINDS for one in entering.fields_of(kind_of(name))
}
FIELDS: Final = TYPED | {"id", "step", "sure", "register"}


class _SentTwice(Exception):
    """The same form was sent at the same moment and is kept."""


def kind_of_form(register: str) -> Kind:
    """Return a register that the caller may enter something into. Raises `NotFound`."""
    kind = kind_of(register)
    if not g.actor.can(kind.permission):
        raise NoEntry(f"no register {kind.name}")
    entering.fields_of(kind)  # raises where entries come by import
    return kind


def given() -> dict[str, str]:
    """Return what was typed, cut to its room."""
    return {name: value[:LONGEST] for name, value in request.form.items() if name in TYPED}


# --- Taking it ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What became of a form: the key of the entry, or why there is none yet."""

    entry_id: int | None = None
    status: int = 200
    problems: Mapping[str, Unfit] = field(default_factory=dict)
    draft: Draft | None = None
    same: Sequence[Any] = ()  #: entries that are probably the same thing
    refused: GridsError | None = None


def look(kind: Kind, typed: dict[str, str]) -> Outcome:
    """Read the place alone, for somebody who looks an address up; in a transaction."""
    draft = entering.read(g.session, kind, typed)
    problems = {name: why for name, why in draft.problems.items() if name == "place"}
    return Outcome(problems=problems, draft=draft)


def take(kind: Kind, typed: dict[str, str]) -> Outcome:
    """Enter what was typed, once however often the form is sent, unless something speaks against it.

    Works in transactions of its own. What may be the same is told first; with the field `sure`
    somebody has looked.
    """
    try:
        with g.session.begin():
            return _take(kind, typed)
    except _SentTwice:
        with g.session.begin():
            return Outcome(_earlier(kind, typed))
    except entering.BadEntry as refused:
        return Outcome(status=422, problems=refused.params["problems"])
    except NotFound:
        raise
    except GridsError as refused:
        return Outcome(status=status_of(refused), refused=refused)


def _take(kind: Kind, typed: dict[str, str]) -> Outcome:
    if (known := _earlier(kind, typed)) is not None:
        return Outcome(known)
    draft = entering.read(g.session, kind, typed)
    if draft.problems:
        return Outcome(status=422, problems=draft.problems, draft=draft)
    same = () if request.form.get("sure") else entering.alike(g.session, g.actor, kind, draft)
    if same:
        return Outcome(status=409, draft=draft, same=same)
    entry = entering.enter(
        g.session, g.actor, kind, draft, today=faces.today(), source_ip=source_ip()
    )
    kept = once.keep(
        g.session, _key(), "register_entered", _digest(kind, typed), {"entry": entry.id},
        datetime.now(UTC),
    )  # fmt: skip
    if kept is not None:
        raise _SentTwice
    return Outcome(int(entry.id))


def _earlier(kind: Kind, typed: dict[str, str]) -> int | None:
    """Return the key of the entry that this very form has made; None where it was not sent yet."""
    found = once.earlier(g.session, _key(), _digest(kind, typed))
    return int(found.body["entry"]) if found is not None else None


def _digest(kind: Kind, typed: dict[str, str]) -> bytes:
    return once.digest_of("register_entered", kind.name, typed, actor_id=g.actor.account_id)


def _key() -> UUID:
    key = faces.form_id(request.form.get("id", ""))
    if key is None:
        raise Invalid("the form has no id", field="id")
    return key


# --- Fields ---------------------------------------------------------------------------------


def fields(
    kind: Kind, typed: Mapping[str, str], problems: Mapping[str, Unfit]
) -> list[dict[str, Any]]:
    """Return the fields of a form: how they are called, what they offer, what is wrong."""
    return [_field(kind, one, typed, problems.get(one.name)) for one in entering.fields_of(kind)]


def rule(why: Unfit) -> str:
    """Say what is wrong with a value, in the words of the imports."""
    return import_words.rule({"rule": why.rule, **why.params})


def _field(
    kind: Kind, one: Field, typed: Mapping[str, str], problem: Unfit | None
) -> dict[str, Any]:
    return {
        "name": one.name,
        "label": translated(f"register.field.{one.name}", import_words.field(one.name)),
        "is_required": one.is_required,
        "value": typed.get(one.name, ""),
        "options": _options(kind, one),
        "problem": rule(problem) if problem else "",
        "type": {"date": "date", "integer": "number"}.get(one.kind, "text"),
        "mode": "decimal" if one.kind == "double precision" else "",
    }


def _options(kind: Kind, one: Field) -> list[tuple[str, str]]:
    """Return the words that a field may have, as a form offers them; empty for free text."""
    if one.listed == "department":
        return entries.departments()
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
