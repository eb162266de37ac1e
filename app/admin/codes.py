"""The code lists: found by words, pinyin and initials, with every version of what they carry."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from flask import Blueprint, g, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import or_, select

from app import faces
from app.admin import codes_forms as forms
from app.admin import frame
from app.auth import requires
from app.errors import status_of
from app.incident_answers import named
from grids import audit, codes
from grids.codes import (
    Category,
    CategoryLimit,
    CategoryRule,
    CodeMap,
    CodeSystem,
    Department,
    versions,
)
from grids.codes.carried import of_many
from grids.codes.converting import TURNED
from grids.codes.reading import AREA_KINDS, KINDS, LIMIT_UNITS, PARTS, URGENCIES
from grids.errors import GridsError, NotFound

bp = Blueprint("codes", __name__)

MOST_FOUND: Final = 60
MOST_LISTED: Final = 400
DONE: Final = frozenset({"added", "withdrawn", "ended", "loaded"})


class NoCategory(NotFound):
    """There is no such category."""

    code = "codes.no_category"


@bp.get("/admin/codes")
@requires("admin:system")
def page() -> ResponseReturnValue:
    """List a system by kind, or what the words find in every list."""
    words, system, kind = frame.wanted("q"), frame.wanted("system"), frame.wanted("kind")
    has_ended = frame.wanted("ended") == "1"
    today = faces.today()
    with g.session.begin():
        systems = g.session.scalars(select(CodeSystem).order_by(CodeSystem.code)).all()
        if not words and not system:
            system, kind = codes.DEFAULT_SYSTEM, kind or "matter"
        found = codes.find(
            g.session,
            words,
            on=today,
            systems=(system,) if system else (),
            kinds=(kind,) if kind in KINDS else (),
            has_ended=has_ended or any(one.code == system and one.valid_to for one in systems),
            most=MOST_FOUND if words else MOST_LISTED,
        )
        rows = [one.category for one in found]
        carried = of_many(g.session, [row.id for row in rows], today)
        return frame.page(
            "codes",
            q=words,
            system=system,
            kind=kind,
            has_ended=has_ended,
            systems=[
                {"code": one.code, "name": named(one.name_zh, one.name_en)} for one in systems
            ],
            kinds=KINDS,
            groups=_groups(rows, carried, is_searched=bool(words)),
            count=len(rows),
            is_cut=bool(words) and len(rows) == MOST_FOUND,
            names={one.code: named(one.name_zh, one.name_en) for one in systems},
        )


def _groups(
    rows: list[Category], carried: dict[int, codes.Carried], *, is_searched: bool
) -> list[dict[str, Any]]:
    """Put what was found under its classes; results of a search stay in their order."""
    heads = {
        (head.code_system, head.kind, head.code): named(head.name_zh, head.name_en)
        for head in g.session.scalars(select(Category).where(Category.parent.is_(None)))
    }
    if is_searched:
        return [{"name": "", "rows": [_row(row, carried[row.id]) for row in rows]}] if rows else []
    groups: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda one: (one.kind, one.code)):
        name = heads.get((row.code_system, row.kind, row.parent or ""), "") or heads.get(
            (codes.DEFAULT_SYSTEM, row.kind, row.parent or ""), row.parent or ""
        )
        groups.setdefault(f"{row.parent} {name}", []).append(_row(row, carried[row.id]))
    return [{"name": name, "rows": found} for name, found in groups.items()]


def _row(row: Category, carried: codes.Carried) -> dict[str, Any]:
    limit = next((one for one in carried.limits if not one.area_kind), None)
    return {
        "id": row.id,
        "system": row.code_system,
        "kind": row.kind,
        "code": row.code,
        "name": named(row.name_zh, row.name_en),
        "other": row.name_en if faces.by_language("zh", "en") == "zh" else row.name_zh,
        "limit": f"{_('urgency.' + limit.urgency)} · {forms.limit_words(limit.value, limit.unit)}"
        if limit
        else "",
        "questions": len(carried.questions),
        "notices": len(carried.notices),
        "is_common": row.is_common,
        "is_over": row.valid_to is not None and row.valid_to <= faces.today(),
    }


@bp.get("/admin/codes/<int:category_id>")
@requires("admin:system")
def category(category_id: int) -> ResponseReturnValue:
    """Show a category: every version of what it carries, its conversions, and the forms."""
    return _category(category_id, {}, {})


def _category(category_id: int, form: dict[str, str], errors: dict[str, str]) -> str:
    today = faces.today()
    with g.session.begin():
        if g.session.get(Category, category_id) is None:
            raise NoCategory(f"no category {category_id}")
        told = versions.history(g.session, category_id, today)
        row = told.category
        done = frame.wanted("done")
        return frame.page(
            "code",
            category=row,
            name=named(row.name_zh, row.name_en),
            system=_system(row.code_system),
            above=[{"id": one.id, "name": named(one.name_zh, one.name_en), "code": one.code}
                   for one in told.above],
            limits=[_limit(one, today) for one in told.limits],
            parts=_parts(told, today),
            conversions=_conversions(row),
            changes=[_change(one) for one in told.changes],
            form=form,
            errors=errors,
            choices={"urgencies": URGENCIES, "units": LIMIT_UNITS, "parts": PARTS,
                     "area_kinds": AREA_KINDS, "departments": _departments()},
            tomorrow=forms.tomorrow(today).isoformat(),
            is_class=row.parent is None,
            done=_(f"codes.done_{done}") if done in DONE else "",
        )  # fmt: skip


@bp.post("/admin/codes/<int:category_id>/limits")
@requires("admin:system", step_up=True)
def add_limit(category_id: int) -> ResponseReturnValue:
    """Let a limit of handling begin on a day to come."""
    form = forms.read(forms.LIMIT)
    return _act(
        category_id,
        form,
        "code_version_added",
        "added",
        lambda today: versions.add_limit(
            g.session, category_id, forms.limit_edit(form), today=today
        ),
    )


@bp.post("/admin/codes/<int:category_id>/rules")
@requires("admin:system", step_up=True)
def add_rule(category_id: int) -> ResponseReturnValue:
    """Let a question, notice, condition or target begin on a day to come."""
    form = forms.read(forms.RULE)
    return _act(
        category_id,
        form,
        "code_version_added",
        "added",
        lambda today: versions.add_rule(g.session, category_id, forms.rule_edit(form), today=today),
    )


@bp.post(
    "/admin/codes/<int:category_id>/limits/<int:version_id>/withdraw", defaults={"kind": "limit"}
)
@bp.post(
    "/admin/codes/<int:category_id>/rules/<int:version_id>/withdraw", defaults={"kind": "rule"}
)
@requires("admin:system", step_up=True)
def withdraw(category_id: int, kind: str, version_id: int) -> ResponseReturnValue:
    """Take back a version that has not begun."""
    return _act(
        category_id,
        {},
        "code_version_withdrawn",
        "withdrawn",
        lambda today: versions.withdraw(g.session, category_id, kind, version_id, today=today),
        version=version_id,
    )


@bp.post("/admin/codes/<int:category_id>/rules/<int:version_id>/end")
@requires("admin:system", step_up=True)
def end(category_id: int, version_id: int) -> ResponseReturnValue:
    """Let a question, notice or condition end on a day to come."""
    form = forms.read(("until",))
    return _act(
        category_id,
        form,
        "code_version_ended",
        "ended",
        lambda today: versions.end(
            g.session, category_id, version_id, forms.day(form["until"], "until"), today=today
        ),
        version=version_id,
    )


def _act(
    category_id: int, form: dict[str, str], action: str, done: str, run: Callable[[date], Any],
    *, version: int = 0,
) -> ResponseReturnValue:  # fmt: skip
    """Do one thing to a category and go back to it, or say there why not."""
    try:
        with g.session.begin():
            if g.session.get(Category, category_id) is None:
                raise NoCategory(f"no category {category_id}")
            made = run(faces.today())
            g.session.flush()
            audit.record(
                g.session, action, actor_id=g.actor.account_id, subject=f"category:{category_id}",
                source_ip=frame.source_ip(),
                detail={"version": version or getattr(made, "id", 0)},
            )  # fmt: skip
    except NotFound:
        raise
    except GridsError as error:
        field = str(error.params.get("field") or "")
        errors = {field: forms.message(error)}
        return _category(category_id, form, errors), status_of(error)
    return redirect(url_for(".category", category_id=category_id, done=done), 303)


def _system(code: str) -> str:
    row = g.session.get(CodeSystem, code)
    return (named(row.name_zh, row.name_en) if row else "") or code


def _validity(row: CategoryLimit | CategoryRule, today: date) -> dict[str, Any]:
    """Say when a version holds: it was withdrawn, is past, holds, or is to come."""
    if row.valid_to == row.valid_from:
        state = "withdrawn"
    elif row.valid_to is not None and row.valid_to <= today:
        state = "past"
    else:
        state = "now" if row.valid_from <= today else "coming"
    return {
        "id": row.id,
        "state": state,
        "valid_from": row.valid_from.isoformat(),
        "valid_to": row.valid_to.isoformat() if row.valid_to else "",
        "source": row.source,
        "is_ours": row.origin != "file",
        "origin": row.origin,
    }


def _limit(row: CategoryLimit, today: date) -> dict[str, Any]:
    department = g.session.get(Department, row.department_code) if row.department_code else None
    return {
        **_validity(row, today),
        "urgency": row.urgency,
        "area_kind": row.area_kind,
        "words": forms.limit_words(row.value, row.unit),
        "department": named(department.name_zh, department.name_en) if department else "–",
    }


def _parts(told: versions.History, today: date) -> list[dict[str, Any]]:
    """Put the versions of each part together, and what the classes above give to it."""
    above = {one.id: f"{one.code} {named(one.name_zh, one.name_en)}" for one in told.above}
    return [
        {
            "part": part,
            "rows": [_rule(row, today) for row in told.rules if row.part == part],
            "inherited": [
                {**_rule(row, today), "above": above[row.category_id]}
                for row in told.inherited
                if row.part == part
            ],
        }
        for part in PARTS
    ]


def _rule(row: CategoryRule, today: date) -> dict[str, Any]:
    return {
        **_validity(row, today),
        "name": row.name,
        "zh": row.text_zh,
        "en": row.text_en,
        "options": [
            {
                "code": one["code"],
                "name": named(one["zh"], one["en"]),
                "limit": forms.limit_words(one["value"], one["unit"]) if "value" in one else "",
            }
            for one in row.options
        ],
        "is_required": row.is_required,
        "limit": forms.limit_words(row.value, row.unit) if row.value and row.unit else "",
    }


def _conversions(row: Category) -> list[dict[str, str]]:
    """List what the category is in other lists, from either end of the table."""
    is_here = (CodeMap.kind == row.kind,)
    rows = g.session.scalars(
        select(CodeMap)
        .where(
            *is_here,
            or_(
                (CodeMap.from_system == row.code_system) & (CodeMap.from_code == row.code),
                (CodeMap.to_system == row.code_system) & (CodeMap.to_code == row.code),
            ),
            CodeMap.valid_to.is_(None),
        )
        .order_by(CodeMap.from_system, CodeMap.from_code)
    )
    found = []
    for one in rows:
        is_ahead = one.from_system == row.code_system and one.from_code == row.code
        system, code = (
            (one.to_system, one.to_code) if is_ahead else (one.from_system, one.from_code)
        )
        other = g.session.scalar(
            select(Category).where(
                Category.code_system == system, Category.kind == one.kind, Category.code == code
            )
        )
        relation = one.relation if is_ahead else TURNED.get(one.relation, one.relation)
        found.append(
            {
                "system": system,
                "code": code or "–",
                "name": named(other.name_zh, other.name_en) if other else "",
                "id": str(other.id) if other else "",
                "relation": str(_(f"codes.relation_{relation}")),
                "source": one.source,
            }
        )
    return found


def _change(one: Any) -> dict[str, Any]:
    return {
        "what": str(_(f"codes.what_{one.what}")),
        "fields": [f"{name}: {before} → {after}" for name, (before, after) in one.detail.items()],
    }


def _departments() -> list[dict[str, str]]:
    rows = g.session.scalars(select(Department).order_by(Department.sort))
    return [{"code": row.code, "name": named(row.name_zh, row.name_en) or row.code} for row in rows]
