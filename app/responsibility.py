"""Who is responsible: versions of the matrix, their rules, trials and tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from flask import Blueprint, Response, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from app import faces, workplaces
from app import responsibility_words as words
from app.auth import requires
from app.i18n import translated
from app.incident_answers import why_words
from app.responsibility_words import instant
from grids import audit
from grids.codes import Department
from grids.errors import GridsError
from grids.responsibility import editing, sheet, trial, versions
from grids.responsibility.bands import BANDS
from grids.responsibility.editing import OWNER_KINDS, RuleInput
from grids.responsibility.errors import BadRule, BadTable, NoRuleSet, SameSelectors
from grids.responsibility.matrix import KINDS, RuleRow
from grids.responsibility.models import RuleSet
from grids.responsibility.ruling import matrix_of

bp = Blueprint("responsibility", __name__)

TONES: Final = {"draft": "", "trial": "soon", "planned": "brand", "live": "ok", "ended": ""}
FIELDS: Final = ("kind", "category", "area", "owner", "band", "first", "last", "department",
                 "why", "basis")  # fmt: skip
#: What a page says after a step, by the word that the step leaves in its address.
DONE: Final = ("draft", "dropped", "rule", "removed", "live", "planned", "back", "table",
               "statement", "decided", "confirmed", "rested", "ended")  # fmt: skip


def now() -> datetime:
    """Return the server's instant."""
    return datetime.now(UTC)


def source_ip() -> str:
    """Return where the request comes from."""
    return request.remote_addr or ""


def page(template: str, **values: Any) -> str:
    """Render a page of responsibility inside its frame."""
    return render_template(
        f"responsibility/{template}.html",
        menu=workplaces.group_of("responsibility.title", g.actor),
        may_manage=g.actor.can("rules:manage"),
        names=words.names_of(),
        moment=moment,
        day=faces.day_words,
        basis_words=words.basis_words,
        why_words=why_words,
        done=_done(),
        page_data={"city": {"zone": faces.settings().city_zone}},
        **values,
    )


def _done() -> str:
    """Say what the step before this page has done."""
    step = request.args.get("done", "")
    return str(_(f"responsibility.done.{step}")) if step in DONE else ""


def moment(at: datetime | None) -> str:
    """Write an instant on the city's clock, with its year where it is another one."""
    return faces.moment_words(at, now()) or "–"


def categories_of(rules: list[RuleRow]) -> dict[tuple[str, str], str]:
    """Return the names of the categories that rules name."""
    return words.category_names((rule.selector.kind, rule.selector.category) for rule in rules)


@bp.get("/command/rules")
@requires("rules:view")
def home() -> ResponseReturnValue:
    """Show the version in force."""
    live = versions.live_version(g.session, now())
    if live is None:
        return page("empty", sets=versions.versions(g.session), state_of=_state)
    return _set_page(live)


@bp.get("/command/rules/<int:set_id>")
@requires("rules:view")
def one(set_id: int) -> ResponseReturnValue:
    """Show one version: its rules, what it changes, its trial."""
    found = versions.version(g.session, set_id)
    if found.status != "live" and not g.actor.can("rules:manage"):
        raise NoRuleSet(f"version {set_id} is a draft")
    return _set_page(found)


def _state(found: RuleSet) -> str:
    return versions.state_of(found, now())


def _set_page(
    found: RuleSet, *, problem: GridsError | None = None, status: int = 200
) -> ResponseReturnValue:
    rules = versions.rules(g.session, g.actor, found.id)
    live = versions.live_version(g.session, now())
    is_draft = found.status != "live"
    changes = []
    if is_draft and live is not None:
        changes = versions.changes(versions.rules(g.session, g.actor, live.id), rules)
    tried = versions.last_trial(g.session, found.id) if is_draft else None
    shown = _filtered(rules)
    sets = versions.versions(g.session)
    if not g.actor.can("rules:manage"):
        sets = [each for each in sets if each.status == "live"]
    answer = page(
        "rules",
        found=found, state=_state(found), state_of=_state, tones=TONES, sets=sets, live=live,
        rules=shown[:500], total=len(rules), count=len(shown), is_draft=is_draft,
        categories=categories_of(rules + [c.before for c in changes if c.before]),
        departments=sorted({r.department for r in rules}), areas=sorted({r.selector.area for r in rules}),
        args=request.args, changes=changes, tried=tried, is_stale=trial.is_stale(found, tried),
        examples=(examples := trial.examples(g.session, g.actor, tried)),
        titles=words.categories_by_id(e["case"].category_id for e in examples),
        title_of=words.title_of, idle=versions.idle(matrix_of(g.session, found.id)) if is_draft else [],
        gaps=versions.gaps(g.session, found.id) if is_draft else [],
        problem=text_of(problem) if problem else "",
        rows=problem.params.get("rows", [])[:50] if isinstance(problem, BadTable) else [],
    )  # fmt: skip
    return (answer, status) if status != 200 else answer


def _filtered(rules: list[RuleRow]) -> list[RuleRow]:
    """Keep the rules that the filters of the address ask for."""
    args = request.args
    asked, department, area = (args.get(n, "").strip()[:80] for n in ("q", "department", "area"))
    names = categories_of(rules) if asked else {}
    return [
        rule for rule in rules
        if (not department or department in (rule.department, *rule.assisting))
        and (not area or rule.selector.area == area)
        and (not asked or rule.selector.category.startswith(asked)
             or asked in names.get((rule.selector.kind, rule.selector.category), "")
             or asked in rule.why)
    ]  # fmt: skip


def text_of(error: GridsError) -> str:
    """Write an error in the reader's language."""
    name = str(error.params.get("field") or "")
    params = {"field_name": translated(f"responsibility.field.{name}", name), **error.params}
    return translated(f"error.{error.code}", str(error), **params)


@bp.post("/command/rules/drafts")
@requires("rules:manage")
def create() -> ResponseReturnValue:
    """Begin a draft with the rules in force."""
    with g.session.begin():
        made = versions.new_draft(
            g.session, g.actor, name=request.form.get("name", ""), now=now(),
            source_ip=source_ip(),
        ).id  # fmt: skip
    return redirect(f"/command/rules/{made}?done=draft", 303)


@bp.post("/command/rules/<int:set_id>/drop")
@requires("rules:manage")
def drop(set_id: int) -> ResponseReturnValue:
    """Throw a draft away."""
    with g.session.begin():
        versions.drop_draft(g.session, set_id, g.actor, source_ip=source_ip())
    return redirect("/command/rules?done=dropped", 303)


@bp.get("/command/rules/<int:set_id>/rules/<int:rule_id>")
@requires("rules:manage")
def edit(set_id: int, rule_id: int) -> ResponseReturnValue:
    """Show the form of a rule; 0 is a new one."""
    found = versions.version(g.session, set_id)
    given = RuleInput()
    if rule_id:
        given = editing.input_of(editing.rule_of(g.session, set_id, rule_id, g.actor))
    return _form(found, rule_id, given, {})


@bp.post("/command/rules/<int:set_id>/rules/<int:rule_id>")
@requires("rules:manage")
def save(set_id: int, rule_id: int) -> ResponseReturnValue:
    """Keep a rule of a draft, or show the form with what is wrong at each field."""
    form = request.form
    with g.session.begin():
        given = _given()
    try:
        with g.session.begin():
            if form.get("act") == "remove":
                editing.remove_rule(g.session, set_id, rule_id, g.actor, source_ip=source_ip())
            else:
                editing.save_rule(
                    g.session, set_id, given, g.actor, rule_id=rule_id or None, now=now(),
                    source_ip=source_ip(),
                )  # fmt: skip
    except BadRule as error:
        found = versions.version(g.session, set_id)
        return _form(found, rule_id, given, error.params["problems"]), 422
    except SameSelectors as error:
        found = versions.version(g.session, set_id)
        return _form(found, rule_id, given, {}, problem=text_of(error)), 409
    step = "removed" if form.get("act") == "remove" else "rule"
    return redirect(f"/command/rules/{set_id}?done={step}", 303)


def _given() -> RuleInput:
    """Read the form of a rule. A category says its kind, where nobody has chosen one."""
    form = {name: request.form.get(name, "").strip() for name in FIELDS}
    category = words.chosen(form["category"], words.category_picks(faces.today()), form["kind"])
    area = words.chosen(form["area"], words.area_picks(words.names_of()))
    form["category"], form["area"] = (one.code if one else "" for one in (category, area))
    form["kind"] = form["kind"] or (category.kind if category else "")
    return RuleInput(**form, assisting=tuple(filter(None, request.form.getlist("assisting"))))


def _form(
    found: RuleSet, rule_id: int, given: RuleInput, problems: dict[str, str], problem: str = ""
) -> str:
    departments = g.session.scalars(select(Department).order_by(Department.sort, Department.code))
    categories, areas = words.category_picks(faces.today()), words.area_picks(words.names_of())
    return page(
        "rule",
        found=found, rule_id=rule_id, given=given, problems=problems, problem=problem, kinds=KINDS,
        bands=BANDS, owners=OWNER_KINDS, departments=departments.all(),
        categories=categories, areas=areas, area=words.shown(given.area, areas),
        category=words.shown(given.category, categories, given.kind),
    )  # fmt: skip


@bp.post("/command/rules/<int:set_id>/trial")
@requires("rules:manage")
def try_it(set_id: int) -> ResponseReturnValue:
    """Try a draft on the cases of last year, as a job."""
    return _act(set_id, lambda: trial.ask_trial(
        g.session, set_id, g.actor, now=now(), source_ip=source_ip()))  # fmt: skip


@bp.post("/command/rules/<int:set_id>/live")
@requires("rules:manage", step_up=True)
def go_live(set_id: int) -> ResponseReturnValue:
    """Put a tried version in force from an instant."""
    begins_at = instant(request.form.get("begins_at", "")) or now()
    return _act(set_id, lambda: versions.go_live(
        g.session, set_id, g.actor, begins_at=begins_at, note=request.form.get("note", ""),
        now=now(), source_ip=source_ip()), "planned" if begins_at > now() else "live")  # fmt: skip


@bp.post("/command/rules/<int:set_id>/back")
@requires("rules:manage", step_up=True)
def back(set_id: int) -> ResponseReturnValue:
    """Put the rules of an earlier version in force again."""
    return _act(set_id, lambda: versions.roll_back(
        g.session, g.actor, to=set_id, note=request.form.get("note", ""), now=now(),
        source_ip=source_ip()), "back", "/command/rules")  # fmt: skip


def _act(set_id: int, act: Any, done: str = "", target: str = "") -> ResponseReturnValue:
    """Do something with a version and go back to it, with what was refused above it."""
    try:
        with g.session.begin():
            act()
    except GridsError as error:
        return _set_page(versions.version(g.session, set_id), problem=error, status=422)
    path = target or f"/command/rules/{set_id}"
    return redirect(f"{path}?done={done}" if done else path, 303)


@bp.get("/command/rules/<int:set_id>/table.csv")
@requires("rules:view")
def table(set_id: int) -> ResponseReturnValue:
    """Give the rules of a version as a table."""
    found = versions.version(g.session, set_id)
    if found.status != "live" and not g.actor.can("rules:manage"):
        raise NoRuleSet(f"version {set_id} is a draft")
    rules = versions.rules(g.session, g.actor, set_id)
    audit.record(
        g.session, "rules_exported", actor_id=g.actor.account_id, subject=f"rules:{set_id}",
        source_ip=source_ip(), detail={"rules": len(rules)},
    )  # fmt: skip
    g.session.commit()
    answer = Response(sheet.write_csv(rules), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="rules-{set_id}.csv"'
    return answer


@bp.post("/command/rules/<int:set_id>/table")
@requires("rules:manage")
def send_table(set_id: int) -> ResponseReturnValue:
    """Replace the rules of a draft by those of a table, or name every bad line."""
    sent = request.files.get("table")
    data = sent.read(sheet.MOST_BYTES + 1)[: sheet.MOST_BYTES] if sent is not None else b""
    return _act(set_id, lambda: sheet.replace_rules(
        g.session, set_id, data, g.actor, now=now(), source_ip=source_ip()), "table")  # fmt: skip


__all__ = ["bp", "instant", "moment", "now", "page", "source_ip", "text_of"]
