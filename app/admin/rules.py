"""Who may do what, and the rules of signing in that are in force: read by the security side."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app import auth
from app.admin import frame
from app.auth import STEP_UP_LASTS, requires
from grids import accounts
from grids.accounts import ROLES, tries

bp = Blueprint("rules", __name__)


@bp.get("/admin/matrix")
@requires("admin:security")
def matrix() -> ResponseReturnValue:
    """Show which role may do what, made from the table that the views are checked with."""
    with g.session.begin():
        return frame.page("matrix", groups=permission_groups(), roles=role_rows())


def permission_groups() -> list[dict[str, Any]]:
    """Group the permissions by what they are about, in the order of the roles."""
    known = dict.fromkeys(p for role in ROLES.values() for p in sorted(role))
    subjects = dict.fromkeys(permission.partition(":")[0] for permission in known)
    return [
        {
            "name": _(f"permission_group.{subject}"),
            "permissions": [
                {"id": one, "name": _(f"permission.{one}")}
                for one in known
                if one.partition(":")[0] == subject
            ],
        }
        for subject in subjects
    ]


def role_rows() -> list[dict[str, Any]]:
    """Write each role with what it may do."""
    return [
        {"id": role, "name": _(f"role.{role}"), "permissions": permissions}
        for role, permissions in ROLES.items()
    ]


@bp.get("/admin/policy")
@requires("admin:security")
def policy() -> ResponseReturnValue:
    """Show the rules of signing in that are in force, as the checks read them."""
    rules = auth.policy()
    with g.session.begin():
        return frame.page(
            "policy",
            profile=rules.password,
            lasts_days=rules.password.lasts.days if rules.password.lasts else 0,
            second_factor=rules.second_factor,
            digest=rules.digest,
            lock_after=tries.FAILURES_TO_LOCK,
            lock_min=int(tries.LOCK.total_seconds() // 60),
            per_source=rules.failures_per_source,
            idle_min=int(accounts.IDLE.total_seconds() // 60),
            idle_outdoors_h=int(accounts.IDLE_OUTDOORS.total_seconds() // 3600),
            longest_h=int(accounts.LONGEST.total_seconds() // 3600),
            step_up_min=int(STEP_UP_LASTS.total_seconds() // 60),
        )
