"""Arbitration, precedents and moratoria: what is argued about, what was decided, what rests."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app import faces
from app import responsibility_words as words
from app.auth import requires
from app.responsibility import now, page, source_ip, text_of
from grids.codes import Department
from grids.errors import GridsError
from grids.responsibility import arbitration, moratoria, precedents
from grids.responsibility.arbitration import Decision
from grids.responsibility.matrix import KINDS
from grids.responsibility.ruling import explain

bp = Blueprint("quarrels", __name__)

STATES = ("open", "defaulted", "decided", "dropped")


@bp.get("/command/arbitrations")
@requires("rules:view")
def list_page() -> ResponseReturnValue:
    """List arbitrations in the caller's area, the most urgent first."""
    wanted = request.args.get("state", "open")
    state = wanted if wanted in STATES else "open"
    rows, at = arbitration.arbitrations(g.session, g.actor, state=state), now()
    return page(
        "arbitrations", rows=rows, state=state, states=STATES, at=at, left=words.left,
        counts=arbitration.counted(g.session, g.actor), title_of=words.title_of,
        titles=words.categories_by_id(shown.case.category_id for shown in rows),
        share=arbitration.statistics(g.session, g.actor),
    )  # fmt: skip


@bp.get("/command/arbitrations/<int:arbitration_id>")
@requires("rules:view")
def one_page(arbitration_id: int) -> ResponseReturnValue:
    """Show one arbitration: the matrix, both sides, like cases, the decision."""
    return _one(arbitration_id, None)


def _one(arbitration_id: int, problem: GridsError | None) -> ResponseReturnValue:
    shown = arbitration.arbitration(g.session, arbitration_id, g.actor)
    row = shown.case
    told = explain(
        g.session, category_id=row.category_id, area_code=row.area_code, at=row.received_at
    )
    returns, at = arbitration.returned_by(g.session, row), now()
    like = precedents.precedents(g.session, category_id=row.category_id, area_code=row.area_code)
    return page(
        "arbitration",
        one=shown.arbitration, case=row, statements=shown.statements, told=told, returns=returns,
        people=arbitration.names_of(g.session, returns), at=at, like=like,
        left=words.left(shown.arbitration.due_at, at),
        title=words.title_of(words.categories_by_id([row.category_id]).get(row.category_id)),
        titles=words.category_names((one.precedent.kind, one.precedent.category) for one in like),
        departments=_departments(), form=request.form, problem=text_of(problem) if problem else "",
        field=problem.params.get("field", "") if problem else "",
    )  # fmt: skip


def _departments() -> list[Department]:
    return list(g.session.scalars(select(Department).order_by(Department.sort, Department.code)))


@bp.post("/command/arbitrations/<int:arbitration_id>/statement")
@requires("rules:view")
def state(arbitration_id: int) -> ResponseReturnValue:
    """Keep what the caller's department says."""
    form = request.form
    return _act(arbitration_id, lambda: arbitration.state_case(
        g.session, arbitration_id, g.actor, text=form.get("text", ""),
        basis=form.get("basis", ""), now=now(), source_ip=source_ip()), "statement")  # fmt: skip


@bp.post("/command/arbitrations/<int:arbitration_id>/decision")
@requires("rules:manage")
def decide(arbitration_id: int) -> ResponseReturnValue:
    """Decide who has the case, or confirm what the rules have decided."""
    form = request.form
    if form.get("act") == "confirm":
        return _act(arbitration_id, lambda: arbitration.confirm_default(
            g.session, arbitration_id, g.actor, now=now(),
            source_ip=source_ip()), "confirmed")  # fmt: skip
    decision = Decision(
        department=form.get("department", ""), why=form.get("why", ""),
        facts=form.get("facts", ""), assisting=tuple(filter(None, form.getlist("assisting"))),
    )  # fmt: skip
    return _act(arbitration_id, lambda: arbitration.decide(
        g.session, arbitration_id, g.actor, decision, now=now(),
        source_ip=source_ip()), "decided")  # fmt: skip


def _act(arbitration_id: int, act: Any, done: str) -> ResponseReturnValue:
    try:
        with g.session.begin():
            act()
    except GridsError as error:
        return str(_one(arbitration_id, error)), 422
    return redirect(f"/command/arbitrations/{arbitration_id}?done={done}", 303)


@bp.get("/command/precedents")
@requires("rules:view")
def precedents_page() -> ResponseReturnValue:
    """Search what was decided."""
    asked = request.args.get("q", "").strip()[:80]
    department = request.args.get("department", "")[:20]
    rows = precedents.found(g.session, words=asked, department=department)
    return page("precedents", rows=rows, words=asked, department=department,
                titles=words.category_names((one.kind, one.category) for one in rows),
                departments=_departments())  # fmt: skip


@bp.post("/command/precedents/<int:precedent_id>/draft")
@requires("rules:manage")
def to_draft(precedent_id: int) -> ResponseReturnValue:
    """Turn a precedent into a rule of a new draft."""
    with g.session.begin():
        made = precedents.to_draft(
            g.session, precedent_id, g.actor, now=now(), source_ip=source_ip()
        )
    return redirect(f"/command/rules/{made}?done=draft", 303)


@bp.get("/command/moratoria")
@requires("rules:view")
def moratoria_page() -> ResponseReturnValue:
    """List what rests in the caller's area, with the form to set more."""
    return _moratoria(None)


def _moratoria(problem: GridsError | None) -> ResponseReturnValue:
    rows = moratoria.moratoria(g.session, g.actor, now=now())
    return page(
        "moratoria", rows=rows, at=now(), left=words.left,
        form=request.form, kinds=KINDS, problem=text_of(problem) if problem else "",
        field=problem.params.get("field", "") if problem else "",
        titles=words.category_names((one.kind, one.category) for one in rows),
        categories=words.category_picks(faces.today()), areas=words.area_picks(words.names_of()),
    )  # fmt: skip


@bp.post("/command/moratoria")
@requires("rules:manage")
def set_one() -> ResponseReturnValue:
    """Let cases of a class in an area rest until a day."""
    form = request.form
    begins_at, ends_at = (words.instant(form.get(n, "")) for n in ("begins_at", "ends_at"))
    kind = form.get("kind", "")
    with g.session.begin():
        category = words.chosen(form.get("category", ""), words.category_picks(faces.today()), kind)
        area = words.chosen(form.get("area", ""), words.area_picks(words.names_of()))
    told = {n: form.get(n, "").strip() for n in
            ("reason", "public_note", "approved_by", "document")}  # fmt: skip
    wanted = moratoria.Wanted(
        kind=kind or (category.kind if category else ""), category=category.code if category else "",
        area=area.code if area else "", begins_at=begins_at or now(), ends_at=ends_at or now(), **told,
    )  # fmt: skip
    return _rest(lambda: moratoria.set_moratorium(
        g.session, wanted, g.actor, now=now(), source_ip=source_ip()), "rested")  # fmt: skip


@bp.post("/command/moratoria/<int:moratorium_id>/end")
@requires("rules:manage")
def end_one(moratorium_id: int) -> ResponseReturnValue:
    """End a moratorium before its time, with a reason."""
    return _rest(lambda: moratoria.end_moratorium(
        g.session, moratorium_id, g.actor, note=request.form.get("note", ""), now=now(),
        source_ip=source_ip()), "ended")  # fmt: skip


def _rest(act: Any, done: str) -> ResponseReturnValue:
    try:
        with g.session.begin():
            act()
    except GridsError as error:
        return str(_moratoria(error)), 422
    return redirect(f"/command/moratoria?done={done}", 303)
