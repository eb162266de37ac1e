"""Accounts for the tests of identity: how they are made, how they sign in, what they left."""

from datetime import UTC, datetime

from sqlalchemy import select

from grids import accounts
from grids.audit import AuditEvent

PASSWORD = "correct horse battery"
LONG = "correct horse battery staple"
NOW = datetime(2030, 1, 1, 8, 0, tzinfo=UTC)
SOURCE = "10.1.2.3"
COUNTY = "339901"


def make(session, login, role=None, **more):
    account = accounts.create_account(session, login=login, name=login, password=PASSWORD)
    if role:
        accounts.assign(session, account, role, area_code=COUNTY, **more)
    return account


def try_in(session, password=PASSWORD, *, login="lin", now=NOW, source_ip=SOURCE, **more):
    return accounts.sign_in(session, login, password, now=now, source_ip=source_ip, **more)


def acts(session, account_id):
    session.flush()
    statement = select(AuditEvent.action).where(
        (AuditEvent.actor_id == account_id) | (AuditEvent.subject == f"account:{account_id}")
    )
    return list(session.scalars(statement.order_by(AuditEvent.id)))
