"""Sign-ins to databases of others, from which tables are taken as batches (数据库连接).

The database is one of the deployer's list; what is kept here is the account there, its password
sealed. Opening the connection is the caller's work: this room speaks to no network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from grids import audit, scope
from grids.accounts import Actor
from grids.errors import Invalid, NotFound
from grids.importing.batches.models import ImportConnection
from grids.importing.batches.service import common_area
from grids.secrets import Vault

#: Rows of one table that are taken at once.
MOST_ROWS: Final = 200_000
_LONGEST: Final = 63
_LONGEST_PASSWORD: Final = 200
_LISTED: Final = 100


class NoConnection(NotFound):
    """There is no such sign-in to a database, or the caller may not use it."""

    code = "import.no_connection"


class BadConnection(Invalid):
    """A sign-in to a database is not filled in as it must be; `field` names what."""

    code = "import.bad_connection"


def connections(session: Session, actor: Actor) -> Sequence[ImportConnection]:
    """List the sign-ins that the caller may use."""
    return session.scalars(
        select(ImportConnection)
        .where(scope.in_areas(ImportConnection.area_code, actor.areas))
        .order_by(ImportConnection.server, ImportConnection.user_name)
        .limit(_LISTED)
    ).all()


def connection_of(session: Session, actor: Actor, connection_id: int) -> ImportConnection:
    """Return a sign-in that the caller may use. Raises `NoConnection`."""
    found = session.scalar(
        select(ImportConnection).where(
            ImportConnection.id == connection_id,
            scope.in_areas(ImportConnection.area_code, actor.areas),
        )
    )
    if found is None:
        raise NoConnection(f"no connection {connection_id}")
    return found


def connect(
    session: Session, vault: Vault, actor: Actor, *, server: str, user: str, password: str
) -> ImportConnection:
    """Keep a sign-in, in place of an older one of the same user. Raises `BadConnection`."""
    if not user or len(user) > _LONGEST or "\0" in user:
        raise BadConnection("no user", field="user")
    if not password or len(password) > _LONGEST_PASSWORD or "\0" in password:
        raise BadConnection("no password", field="password")
    area = common_area(actor.areas)
    made = session.scalar(
        select(ImportConnection)
        .where(
            ImportConnection.server == server, ImportConnection.user_name == user,
            ImportConnection.area_code == area,
        )
        .limit(1)
    )  # fmt: skip
    if made is None:
        made = ImportConnection(
            server=server, user_name=user, password_sealed=b"", area_code=area,
            created_by=actor.account_id or None,
        )  # fmt: skip
        session.add(made)
        session.flush()
    made.password_sealed = vault.seal("import_connection", made.id, "password_sealed", password)
    _note(session, actor, made, "import_connected")
    session.flush()
    return made


def password_of(vault: Vault, connection: ImportConnection) -> str:
    """Open the password of a sign-in that the caller has read in scope."""
    return vault.open(
        "import_connection", connection.id, "password_sealed", connection.password_sealed
    )


def forget(session: Session, actor: Actor, connection: ImportConnection) -> None:
    """Remove a sign-in; batches that came through it stay."""
    _note(session, actor, connection, "import_disconnected")
    session.execute(delete(ImportConnection).where(ImportConnection.id == connection.id))


def _note(session: Session, actor: Actor, connection: ImportConnection, action: str) -> None:
    audit.record(
        session, action, actor_id=actor.account_id or None,
        subject=f"import_connection:{connection.id}",
        detail={"server": connection.server, "user": connection.user_name},
    )  # fmt: skip
