"""What the tests of the three administrators share."""

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from grids import accounts, signals
from grids.accounts import SignInSession
from grids.audit import AuditEvent
from grids.signals.models import Alarm

PERSON = {"Accept": "text/html"}
PROGRAM = {"Accept": "application/json"}
ADMINS = {
    "system_admin": "admin:system",
    "security_admin": "admin:security",
    "audit_admin": "admin:audit",
}
PASSWORD = "correct horse battery staple"


def views(app):
    """List address, method and permission of every view of the administrators."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/admin/"):
            path = re.sub(r"<any\((\w+)[^>]*>", r"\1", rule.rule)
            for argument in rule.arguments:
                path = path.replace(f"<int:{argument}>", "999999")
            method = "POST" if "POST" in rule.methods else "GET"
            found.append((path, method, app.view_functions[rule.endpoint].permission))
    return found


def make_account(session, login="lin", *, role=None, **columns):
    made = accounts.create_account(session, login=login, name=f"{login} 的姓名", password=PASSWORD)
    for name, value in columns.items():
        setattr(made, name, value)
    if role:
        accounts.assign(session, made, role, area_code="339901")
    session.flush()
    return made


def noted(session, action):
    """Return the acts of a kind that the log has, the newest first."""
    session.expire_all()
    rows = session.scalars(select(AuditEvent).where(AuditEvent.action == action))
    return sorted(rows, key=lambda event: event.id, reverse=True)


def raise_alarm(session, account_id):
    now = datetime.now(UTC)
    for number in range(10):
        session.add(
            AuditEvent(
                at=now - timedelta(seconds=30 + number), actor_id=account_id,
                action="sign_in_failed", is_success=False, source_ip="10.1.2.3", detail={},
            )
        )  # fmt: skip
    session.flush()
    signals.watch(session, now)
    return session.scalars(select(Alarm).where(Alarm.rule == "failures_account")).one()


def grow_old(session, client):
    """Let the last proof of identity lie an hour back."""
    session.execute(
        update(SignInSession)
        .where(SignInSession.account_id == client.account_id)
        .values(confirmed_at=datetime.now(UTC) - timedelta(hours=1))
    )


def grant_form(**more):
    return {"role": "intake", "area_code": "339901", "purpose": "接线", **more}
