"""The pages of disputes: list, registration, one dispute with its forms, its file, figures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import format_date
from flask_babel import gettext as _

from app import faces, flow_pages
from app.auth import requires
from app.flow_pages import Choice, Face
from grids import areas_below
from grids.city import the_city
from grids.disputes import counts, parties, service
from grids.disputes.lifecycle import FLOW, LEVELS, SIDES
from grids.disputes.models import Dispute
from grids.flows import reading
from grids.flows.errors import NoRecord
from grids.flows.taking import StepRequest

bp = Blueprint("disputes", __name__)
bp.url_value_preprocessor(lambda _endpoint, _values: faces.widen_form())

#: How many parties the form of registration has places for; more are added afterwards.
PLACES: Final = 4
PLAIN: Final = tuple(name for name in FLOW.fields if name not in ("parties", "photos"))


@bp.after_request
def keep_nothing(answer: Response) -> Response:
    """Let no cache keep a page of a dispute; photos carry the hash of their content."""
    if not request.path.startswith("/disputes/photos/"):
        answer.headers["Cache-Control"] = "no-store"
    return answer


def _choices(name: str, row: Any) -> list[Choice] | None:
    """Return the options that follow from the dispute."""
    if name == "mediator" and row is not None:
        found = service.mediators(g.session, row.area_code, at=datetime.now(UTC))
        return [
            {"value": str(one.account_id),
             "label": str(_("dispute.mediator_busy", name=one.name, n=one.open_count))}
            for one in found
        ]  # fmt: skip
    if name == "area":
        return [
            {"value": code, "label": faces.by_language(zh, en)}
            for code, zh, en in areas_below.grids_and_communities(g.session, g.actor)
        ]
    if name == "term" and row is not None:
        return [{"value": str(n), "label": f"{n}"} for n in service.open_terms(g.session, row)]
    return None


FACE: Final = Face(service.KIND, "dispute", "disputes", _choices)


@bp.get("/disputes")
@requires("dispute:view")
def listed() -> ResponseReturnValue:
    """List the disputes that the caller has part in or answers for, what is due first first."""
    now = datetime.now(UTC)
    with g.session.begin():
        page = flow_pages.list_context(FACE, now)
        names = areas_below.names(g.session, {one.row.area_code for one in page["items"]})
        frame = flow_pages.frame(now)
    rows = [{**flow_pages.line(FACE, one, now), **_facts(one.row, names)} for one in page["items"]]
    return render_template("disputes/list.html", rows=rows, **page, **frame)


def _facts(row: Dispute, names: dict[str, tuple[str, str]]) -> dict[str, Any]:
    """Write what a list may say of a dispute: how many take part, never who."""
    return {
        "kind_name": FACE.text("kind", row.kind),
        "kind_title": _kind_title(FACE.text("kind", row.kind)),
        "severity": row.severity,
        "severity_name": FACE.text("severity", row.severity),
        "area_name": faces.by_language(*names.get(row.area_code, (row.area_code,) * 2)),
        "parties": row.party_count,
        "level": row.level,
    }


def _kind_title(kind: str) -> str:
    """Write a kind as a heading; some say already that they are a dispute."""
    return kind if kind.endswith("争议") else str(_("dispute.of_kind", kind=kind))


@bp.get("/disputes/new")
@requires("dispute:register")
def new() -> ResponseReturnValue:
    """Show the form of registration with an id of its own."""
    return _new_page({})


def _new_page(errors: dict[str, str]) -> str:
    step = FLOW.opening
    with g.session.begin():
        specs = {
            name: flow_pages.field_spec(
                FACE, FLOW.fields[name], step, None, is_needed=name in step.requires
            )
            for name in step.fields
        }
        frame = flow_pages.frame()
    return render_template(
        "disputes/new.html", specs=specs, errors=errors, form=request.form, places=PLACES,
        sides=SIDES, form_id=flow_pages.form_id(), **frame,
    )  # fmt: skip


@bp.post("/disputes")
@requires("dispute:register")
def post_new() -> ResponseReturnValue:
    """Register a dispute, or show the form again with what is wrong."""
    made: list[str] = []

    def work() -> None:
        now = datetime.now(UTC)
        with g.session.begin():
            wanted = _with_parties(flow_pages.sent_step(PLAIN, now=now), "register")
            answer = service.register(g.session, wanted, g.actor, now=now, vault=faces.vault())
            made.append(answer.body["id"])

    errors = flow_pages.refused(work)
    if errors:
        return _new_page(errors), 422
    return redirect(url_for("disputes.record", dispute_id=made[0], done="register"), 303)


def _with_parties(sent: StepRequest, action: str) -> StepRequest:
    """Add the parties that the form names in places of their own."""
    found = [
        {
            "side": request.form.get(f"side_{n}", ""),
            "name": request.form.get(f"name_{n}", "").strip(),
            "phone": request.form.get(f"phone_{n}", "").strip(),
            "is_organisation": request.form.get(f"organisation_{n}") == "1",
        }
        for n in range(1, PLACES + 1)
    ]
    named = [party for party in found if party["name"]]
    values = {**sent.values, "parties": named} if named else sent.values
    return StepRequest(sent.id, action or sent.action, values, sent.photos)


@bp.get("/disputes/<uuid:dispute_id>")
@requires("dispute:view")
def record(dispute_id: UUID) -> ResponseReturnValue:
    """Show one dispute with its timeline, papers and the forms of its next steps."""
    return _record(dispute_id)


def _record(dispute_id: UUID, *, template: str = "disputes/record.html", **more: Any) -> str:
    now = datetime.now(UTC)
    with g.session.begin():
        found = reading.record(g.session, FACE.kind, g.actor, dispute_id, now=now)
        row = found.row
        page = flow_pages.record_context(FACE, found, now, more.pop("errors", None))
        names = areas_below.names(g.session, {row.area_code})
        papers = parties.papers(
            g.session, g.actor, faces.vault(), dispute_id, source_ip=request.remote_addr or ""
        )
        frame = flow_pages.frame(now)
        city = the_city(g.session)
        zone = ZoneInfo(city.city_zone)
    shown = [_paper(one, now.astimezone(zone).date()) for one in papers]
    agreed = next((one for one in reversed(shown) if one["kind"] == "agreement"), None)
    if agreed is None and template == "disputes/agreement.html":
        raise NoRecord("there is no agreement yet")
    return render_template(
        template,
        row=row,
        facts=_facts(row, names),
        papers=shown,
        paper=agreed,
        city_name=faces.by_language(city.name_zh, city.name_en),
        path=[
            {"name": FACE.text("level", level), "is_now": level == row.level} for level in LEVELS
        ],
        purposes=parties.PURPOSES,
        places=1,
        sides=SIDES,
        printed_text=faces.moment_words(now),
        **{"parties_shown": (), **more},
        **page,
        **frame,
    )


def _paper(paper: parties.PaperShown, today: Any) -> dict[str, Any]:
    return {
        "name": FACE.text("paper", paper.kind),
        "kind": paper.kind,
        "at_text": faces.moment_words(paper.held_at),
        "place": paper.place,
        "present": paper.present,
        "body": paper.body,
        "terms": [
            {
                "no": term.no,
                "due": format_date(term.due_on, "medium"),
                "text": term.text,
                "done": format_date(term.performed_on, "medium") if term.performed_on else "",
                "is_late": term.performed_on is None and term.due_on < today,
            }
            for term in paper.terms
        ],
    }


@bp.post("/disputes/<uuid:dispute_id>/moves")
@requires("dispute:move")
def post_move(dispute_id: UUID) -> ResponseReturnValue:
    """Take a step with a dispute, or show its page again with what is wrong."""
    done: list[str] = []

    def work() -> None:
        now = datetime.now(UTC)
        with g.session.begin():
            wanted = _with_parties(flow_pages.sent_step(PLAIN, now=now), "")
            done.append(wanted.action)
            service.take(g.session, dispute_id, wanted, g.actor, now=now, vault=faces.vault())

    errors = flow_pages.refused(work)
    if errors:
        return _record(dispute_id, errors=errors), 422
    return redirect(url_for("disputes.record", dispute_id=dispute_id, done=done[0]), 303)


@bp.post("/disputes/<uuid:dispute_id>/parties")
@requires("dispute:parties", step_up=True)
def reveal(dispute_id: UUID) -> ResponseReturnValue:
    """Show who takes part, for a purpose; the look is written down."""
    with g.session.begin():
        shown = parties.reveal(
            g.session, g.actor, faces.vault(), dispute_id, request.form.get("purpose", ""),
            now=datetime.now(UTC), source_ip=request.remote_addr or "",
        )  # fmt: skip
    return _record(dispute_id, parties_shown=shown)


@bp.post("/disputes/<uuid:dispute_id>/agreement")
@requires("dispute:parties", step_up=True)
def agreement(dispute_id: UUID) -> ResponseReturnValue:
    """Show the mediation agreement (调解协议书) with its parties, to be printed and signed.

    The look at the parties is written down with its purpose; every sheet carries who printed it.
    """
    with g.session.begin():
        shown = parties.reveal(
            g.session, g.actor, faces.vault(), dispute_id, "paper",
            now=datetime.now(UTC), source_ip=request.remote_addr or "",
        )  # fmt: skip
    return _record(dispute_id, template="disputes/agreement.html", parties_shown=shown)


@bp.get("/disputes/<uuid:dispute_id>/file")
@requires("dispute:view")
def paper_file(dispute_id: UUID) -> ResponseReturnValue:
    """Show the dispute as a paper file, to be printed and signed."""
    return _record(dispute_id, template="disputes/file.html")


@bp.get("/disputes/photos/<sha256>")
@requires("dispute:view")
def photo(sha256: str) -> ResponseReturnValue:
    """Give a copy of a photo of a dispute that the caller may see."""
    return flow_pages.photo_answer(FACE, sha256)


@bp.get("/disputes/counts")
@requires("dispute:count")
def figures() -> ResponseReturnValue:
    """Show how many disputes there were, where ten or more: by town and by kind."""
    now = datetime.now(UTC)
    with g.session.begin():
        zone = ZoneInfo(the_city(g.session).city_zone)
        by_area = counts.by_area(g.session, now=now, zone=zone)
        by_kind = counts.by_kind(g.session, now=now, zone=zone)
        names = areas_below.names(g.session, set(by_area.by_key))
        frame = flow_pages.frame(now)
    since, until = counts.period(now, zone)
    return render_template(
        "disputes/counts.html",
        since=format_date(since.date(), "long"),
        until=format_date(until.date(), "long"),
        areas=[(faces.by_language(*names.get(code, (code, code))), n)
               for code, n in sorted(by_area.by_key.items())],
        kinds=[(FACE.text("kind", code), n) for code, n in sorted(by_kind.by_key.items())],
        area_total=by_area.total,
        kind_total=by_kind.total,
        most=max((n or 0 for told in (by_area, by_kind) for n in told.by_key.values()), default=1),
        **frame,
    )  # fmt: skip
