"""The security administrator's work with rights: roles given and taken, by area and time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy import select

from app import faces
from app.admin import frame
from app.auth import requires
from app.errors import status_of
from app.incident_answers import named
from grids import accounts
from grids.accounts import ROLES, GrantRow
from grids.area_tree import AreaNode, area_names, area_node, areas_under
from grids.codes import Department
from grids.errors import GridsError, Invalid, NotFound
from grids.signals import staff

bp = Blueprint("grants", __name__)

FIELDS = ("role", "area_code", "department", "purpose", "valid_from", "valid_to")
#: Lengths of the codes above an area: county, town, community.
LEVELS = (6, 9, 12)


class PurposeNeeded(Invalid):
    """A role is given for something: the purpose stands in the grant."""

    code = "account.purpose_needed"


@bp.get("/admin/grants")
@requires("admin:security")
def people() -> ResponseReturnValue:
    """Find the account whose roles are looked at."""
    now = datetime.now(UTC)
    words = frame.wanted("q")
    with g.session.begin():
        found = staff.people(g.session, now=now, words=words, after=frame.wanted("after"))
        return frame.page(
            "grants",
            q=words,
            rows=[
                {
                    "id": one.id,
                    "login": one.login,
                    "name": one.name,
                    "is_active": one.is_active,
                    "role_names": [_(f"role.{role}") for role in one.roles],
                }
                for one in found.items
            ],
            next_url=url_for(".people", q=words or None, after=found.next) if found.next else "",
        )


@bp.get("/admin/grants/<int:account_id>")
@requires("admin:security")
def person(account_id: int) -> ResponseReturnValue:
    """Show what an account holds and held, and the form of a new grant."""
    return _person(account_id, form={"area_code": frame.wanted("area")})


def _person(account_id: int, *, form: dict[str, str], errors: dict[str, str] | None = None) -> str:
    now = datetime.now(UTC)
    with g.session.begin():
        found = accounts.account_of(g.session, account_id, now=now)
        held = accounts.grants_of(g.session, account_id, now=now)
        done = frame.wanted("done")
        return frame.page(
            "grant",
            account=found,
            held=[_grant(row, now) for row in held],
            roles=[{"id": role, "name": _(f"role.{role}")} for role in ROLES],
            departments=_departments(),
            picker=_picker(form.get("area_code", "")),
            form=form,
            errors=errors,
            is_self=account_id == g.actor.account_id,
            done=_(f"admin.done_{done}") if done in ("grant", "revoke") else "",
        )


@bp.post("/admin/grants/<int:account_id>")
@requires("admin:security", step_up=True)
def grant(account_id: int) -> ResponseReturnValue:
    """Give a role, or show the form again with what stands against it."""
    form = {name: request.form.get(name, "").strip() for name in FIELDS}
    try:
        if not form["purpose"]:
            raise PurposeNeeded("say what the role is given for", field="purpose")
        with g.session.begin():
            accounts.grant(
                g.session,
                account_id,
                form["role"],
                area_code=form["area_code"],
                department=form["department"] or None,
                purpose=form["purpose"],
                valid_from=_begins(form["valid_from"]),
                valid_to=_begins(form["valid_to"], days=1),
                **_caller(),
            )
    except NotFound:
        raise
    except GridsError as error:
        errors = {str(error.params.get("field") or ""): faces.message_of(error)}
        return _person(account_id, form=form, errors=errors), status_of(error)
    return redirect(url_for(".person", account_id=account_id, done="grant"), 303)


@bp.post("/admin/grants/<int:account_id>/<int:grant_id>/revoke")
@requires("admin:security", step_up=True)
def revoke(account_id: int, grant_id: int) -> ResponseReturnValue:
    """Take a role away now; the person's next request has it no more."""
    try:
        with g.session.begin():
            _check_held(account_id, grant_id)
            accounts.revoke(g.session, grant_id, **_caller())
    except NotFound:
        raise
    except GridsError as error:
        errors = {"": faces.message_of(error)}
        return _person(account_id, form={}, errors=errors), status_of(error)
    return redirect(url_for(".person", account_id=account_id, done="revoke"), 303)


def _check_held(account_id: int, grant_id: int) -> None:
    """Raise `NotFound` where the grant is another account's."""
    held = accounts.grants_of(g.session, account_id, now=datetime.now(UTC))
    if grant_id not in {row.id for row in held}:
        raise NotFound(f"no grant {grant_id} of account {account_id}")


def _begins(text: str, *, days: int = 0) -> datetime | None:
    """Read a day of the city's calendar; an empty one is none."""
    if not text:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
    except (ValueError, OverflowError):
        raise Invalid("not a day", field="valid_to" if days else "valid_from") from None
    zone = ZoneInfo(faces.settings().city_zone)
    return datetime(day.year, day.month, day.day, tzinfo=zone)


def _picker(code: str) -> dict[str, Any]:
    """Lay out the tree of areas around one: the way down to it, and what lies under it."""
    roots = areas_under(g.session, g.actor, "")
    chosen = area_node(g.session, code) if code else None
    chosen = chosen or (roots[0] if roots else None)
    if chosen is None:
        return {"code": "", "name": "", "path": [], "children": []}
    way = [area_node(g.session, chosen.code[:n]) for n in LEVELS if n < len(chosen.code)]
    path = [node for node in way if node is not None]
    children = areas_under(g.session, g.actor, chosen.code) if chosen.has_children else ()
    return {
        "code": chosen.code,
        "name": named(chosen.name_zh, chosen.name_en),
        "path": [_node(node) for node in [*path, chosen]],
        "children": [_node(node) for node in children],
    }


def _node(node: AreaNode) -> dict[str, Any]:
    return {
        "code": node.code,
        "name": named(node.name_zh, node.name_en),
        "has_children": node.has_children,
    }


def _departments() -> list[dict[str, str]]:
    rows = g.session.execute(
        select(Department.code, Department.name_zh, Department.name_en).order_by(Department.sort)
    )
    return [{"code": row.code, "name": named(row.name_zh, row.name_en) or row.code} for row in rows]


def _grant(row: GrantRow, now: datetime) -> dict[str, Any]:
    names = area_names(g.session, row.area_code)
    department = g.session.get(Department, row.department) if row.department else None
    return {
        "id": row.id,
        "role": _(f"role.{row.role}"),
        "area": f"{named(*names)} {row.area_code}".strip() if any(names) else row.area_code,
        "department": named(department.name_zh, department.name_en) if department else "",
        "purpose": row.purpose,
        "giver": _("admin.given_by", who=row.granted_by or _("admin.by_setup")),
        "valid_from": row.valid_from,
        "valid_to": row.valid_to,
        # One that begins later can be taken back as well.
        "is_live": row.valid_to is None or row.valid_to > now,
        "is_revoked": row.revoked_at is not None,
    }


def _caller() -> dict[str, Any]:
    return {
        "by": g.actor.account_id,
        "now": datetime.now(UTC),
        "source_ip": frame.source_ip(),
    }
