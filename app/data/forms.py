"""The designer of forms: lines and versions, drafts, cost before a form is live, approval."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import faces
from app.auth import requires
from app.channel_pages import source_ip
from app.data import form_reading
from app.data.frame import page
from app.i18n import translated
from app.visit_answers import Words, kind_word, sheet_json
from grids.area_tree import area_names
from grids.city import the_city
from grids.errors import GridsError
from grids.ledgers import burden, forms, rounds
from grids.ledgers.asking import sheet
from grids.ledgers.errors import BadForm, NoForm
from grids.ledgers.models import FormVersion
from grids.ledgers.questions import SUBJECTS, Form
from grids.ledgers.rounds import Sheet
from grids.ledgers.subjects import Subject

bp = Blueprint("data_forms", __name__)

FEW_HOURS: Final = 10
PREMISES: Final = "premises"
TONES: Final = {"draft": "", "waiting": "soon", "live": "ok", "refused": ""}


@bp.get("/data/forms")
@requires("ledger:view")
def home() -> ResponseReturnValue:
    """List the lines with their forms, the versions of each, and what waits for an approval."""
    with g.session.begin():
        rows = forms.versions(g.session)
        force = {one.version_id for one in forms.live(g.session, today())}
        by_line: dict[str, dict[str, list[FormVersion]]] = {}
        for row in rows:
            by_line.setdefault(row.line, {}).setdefault(row.form, []).append(row)
        return page(
            "forms",
            lines=[(line, by_line.get(line.code, {})) for line in forms.lines(g.session)],
            force=force, tones=TONES, subjects=SUBJECTS,
        )  # fmt: skip


@bp.get("/data/forms/new")
@requires("forms:write")
def new() -> ResponseReturnValue:
    """Begin a form for one kind of subject."""
    with g.session.begin():
        return _editor(None, {})


@bp.post("/data/forms/new")
@requires("forms:write")
def create() -> ResponseReturnValue:
    """Keep a new form as a draft."""
    return _save(None)


@bp.get("/data/forms/<int:version_id>")
@requires("ledger:view")
def one(version_id: int) -> ResponseReturnValue:
    """Show a version: its questions, what it changes, what it costs, and what may be done now."""
    with g.session.begin():
        return _page(version_id)


@bp.get("/data/forms/<int:version_id>/edit")
@requires("forms:write")
def edit(version_id: int) -> ResponseReturnValue:
    """Open a draft for changes."""
    with g.session.begin():
        return _editor(forms.version(g.session, version_id), {})


@bp.post("/data/forms/<int:version_id>/edit")
@requires("forms:write")
def change(version_id: int) -> ResponseReturnValue:
    """Keep the changes of a draft."""
    return _save(version_id)


@bp.post("/data/forms/<int:version_id>/copy")
@requires("forms:write")
def copy(version_id: int) -> ResponseReturnValue:
    """Begin the next version of a form with the questions of this one."""
    with g.session.begin():
        row = forms.version(g.session, version_id)
        items = tuple(
            (item["key"], item["no"], (item["when"][0], tuple(item["when"][1]))
             if item.get("when") else None) for item in row.items
        )  # fmt: skip
        draft = forms.Draft(
            row.form, row.line, row.name_zh, row.name_en, row.subject, tuple(row.kinds),
            row.visit_days, items,
        )  # fmt: skip
        made = forms.save(g.session, draft, g.actor, now=_now(), source_ip=source_ip())
        made_id = made.id
    return redirect(url_for("data_forms.edit", version_id=made_id), 303)


@bp.post("/data/forms/<int:version_id>/submit")
@requires("forms:write")
def submit(version_id: int) -> ResponseReturnValue:
    """Ask a second person to let a draft go live on a day, with its cost beside it."""
    return _act(version_id, lambda: _submit(version_id))


@bp.post("/data/forms/<int:version_id>/decide")
@requires("forms:approve")
def decide(version_id: int) -> ResponseReturnValue:
    """Let a version go live, or send it back."""
    return _act(version_id, lambda: forms.decide(
        g.session, version_id, g.actor, is_approved=request.form.get("answer") == "approve",
        now=_now(), source_ip=source_ip(),
    ))  # fmt: skip


@bp.post("/data/forms/<int:version_id>/withdraw")
@requires("ledger:view")
def withdraw(version_id: int) -> ResponseReturnValue:
    """Take a version back."""
    return _act(version_id, lambda: forms.withdraw(g.session, version_id, g.actor,
                                                   source_ip=source_ip()))  # fmt: skip


@bp.get("/data/forms/<int:version_id>/preview")
@requires("ledger:view")
def preview(version_id: int) -> ResponseReturnValue:
    """Show a version as a phone asks it, at a subject of which nothing is known."""
    with g.session.begin():
        row = forms.version(g.session, version_id)
        (form,) = forms.read(g.session, [row])
        one = Subject(form.subject, 0, faces.by_language(form.zh, form.en), "", "", 0.0, 0.0)
        shown = Sheet(one, (form,), (), sheet((form,), {}, _now()))
        return render_template(
            "data/form_preview.html", sheet=sheet_json(shown, Words([])), version_id=version_id,
            tab="", page_data=faces.page_data(the_city(g.session)),
        )  # fmt: skip


def _save(version_id: int | None) -> ResponseReturnValue:
    try:
        with g.session.begin():
            before = forms.version(g.session, version_id) if version_id is not None else None
            draft = form_reading.draft_of(request.form, before, _newest())
            if before is None and any(one.form == draft.form for one in forms.versions(g.session)):
                raise BadForm("there is a form of this code", field="form")
            made = forms.save(
                g.session, draft, g.actor, now=_now(), version_id=version_id, source_ip=source_ip()
            )
            made_id = made.id
    except GridsError as refused:
        if isinstance(refused, NoForm):
            raise
        with g.session.begin():
            before = forms.version(g.session, version_id) if version_id is not None else None
            return _editor(before, {"": words_of(refused)}), 422
    target = "data_forms.edit" if request.form.get("act") == "stay" else "data_forms.one"
    return redirect(url_for(target, version_id=made_id), 303)


def _submit(version_id: int) -> None:
    row = forms.version(g.session, version_id)
    (form,) = forms.read(g.session, [row])
    try:
        on = date.fromisoformat(request.form.get("live_from", ""))
    except ValueError:
        raise BadForm("a day is needed", field="live_from") from None
    cost = burden.cost_of(g.session, g.actor, form, now=_now(), on=on)
    forms.submit(g.session, version_id, g.actor, live_from=on, cost=cost.facts(), now=_now(),
                 source_ip=source_ip())  # fmt: skip


def _act(version_id: int, act: Any) -> ResponseReturnValue:
    try:
        with g.session.begin():
            act()
    except BadForm as refused:
        with g.session.begin():
            return _page(version_id, words_of(refused)), 422
    return redirect(url_for("data_forms.one", version_id=version_id), 303)


def _page(version_id: int, error: str = "") -> str:
    row = forms.version(g.session, version_id)
    (form,) = forms.read(g.session, [row])
    on = max(row.live_from or today(), today())
    others = [one for one in forms.live(g.session, on, form.subject) if one.form != form.form]
    before = forms.in_force(g.session, form.form, on) if row.status != "live" else _before(row)
    is_open = row.status in ("draft", "waiting")
    cost = burden.cost_of(g.session, g.actor, form, now=_now(), on=on).facts() if is_open \
        else row.cost  # fmt: skip
    return page(
        "form",
        row=row,
        form=form,
        shared={item.question.key: [faces.by_language(one.zh, one.en) for one in others
                                    if item.question.key in _keys(one)]
                for item in form.items},
        before=before,
        changes=forms.difference(before, form) if before else [],
        cost=cost,
        hours=_hours(cost),
        towns=[(faces.by_language(*area_names(g.session, town[0])) or town[0], *town[1:])
               for town in cost.get("towns", ())],
        measured=[str(_(f"form.measured_{name}")) for name in cost.get("measured", ())],
        kinds=[kind_word(form.subject, kind, _classes(form)) for kind in form.kinds],
        is_own=row.made_by == g.actor.account_id,
        is_in_force=any(one.version_id == row.id for one in forms.live(g.session, today())),
        today=today(), tone=TONES[row.status], error=error,
        condition=lambda item: _condition(form, item),
    )  # fmt: skip


def _hours(cost: dict[str, Any]) -> str:
    """Write the hours of all towns; a small form costs minutes, which must not look like nothing."""
    hours = sum(town[5] for town in cost.get("towns", ()))
    return f"{hours:,.1f}" if abs(hours) >= FEW_HOURS else f"{hours:,.2f}"


def _before(row: FormVersion) -> Form | None:
    """Return the approved version that a live one has followed."""
    earlier = [
        one for one in forms.versions(g.session, row.form)
        if one.no < row.no and (one.approved_at or one.status == "live")
    ]  # fmt: skip
    return forms.read(g.session, earlier[:1])[0] if earlier else None


def _condition(form: Form, item: Any) -> str:
    """Write after which answers a question is asked."""
    if item.when is None:
        return ""
    other = next(one.question for one in form.items if one.question.key == item.when[0])
    chosen = [other.option(code) for code in item.when[1]]
    words = [faces.by_language(one.zh, one.en) for one in chosen if one]
    return (
        f"{faces.by_language(other.zh, other.en)}{_('ledger.colon')}{_('visit.comma').join(words)}"
    )


def _editor(before: FormVersion | None, errors: dict[str, str]) -> str:
    if before is not None and before.status != "draft":
        raise BadForm("only a draft is changed", field="status")
    subject = before.subject if before else asked_subject()
    form = forms.read(g.session, [before])[0] if before else None
    known = forms.questions(g.session, subject)
    used = _keys(form) if form else set()
    counted = burden.counts(g.session, g.actor, subject)
    kinds = sorted({kind for town in counted.values() for kind in town} | set(
        before.kinds if before else ()))  # fmt: skip
    classes = rounds.component_names(g.session, kinds) if subject == "component" else {}
    return page(
        "form_edit",
        row=before, form=form, subject=subject, subjects=SUBJECTS, errors=errors,
        lines=forms.lines(g.session), kinds=[(kind, kind_word(subject, kind, classes))
                                             for kind in kinds],
        free=[one for one in known if one.key not in used],
        newest={one.key: one.no for one in known},
        parents=[item.question for item in form.items if item.question.options] if form else [],
        typed=request.form,
    )  # fmt: skip


def _keys(form: Form) -> set[str]:
    return {item.question.key for item in form.items}


def _classes(form: Form) -> dict[str, tuple[str, str]]:
    is_component = form.subject == "component"
    return rounds.component_names(g.session, form.kinds) if is_component else {}


def _newest() -> dict[str, int]:
    return {one.key: one.no for one in forms.questions(g.session)}


def asked_subject() -> str:
    """Read the kind of subject that is asked for; premises without one."""
    asked = request.values.get("subject", PREMISES)
    return asked if asked in SUBJECTS else PREMISES


def words_of(refused: GridsError) -> str:
    """Say what is wrong; a forbidden subject by its name."""
    if "subject" in refused.params:
        name = refused.params["subject"]
        refused.params["subject"] = translated(f"form.forbidden_{name}", str(name))
    return faces.message_of(refused)


def today() -> date:
    """Return the day in the city."""
    return datetime.now(ZoneInfo(the_city(g.session).city_zone)).date()


def _now() -> datetime:
    return datetime.now(UTC)
